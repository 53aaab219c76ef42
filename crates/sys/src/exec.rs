//! Becoming another program in the same process (`man 2 execve`), with signals blocked and ignored as they are.

use std::ffi::{CStr, CString, c_char};
use std::io;
use std::ptr;

/// Executes `program`; returns only when that fails. Descriptors that are close-on-exec are closed, children stay children, pending signals stay
/// pending. Unlike the standard library's `exec` it unblocks nothing, so no signal comes in between.
#[must_use]
pub fn replace(program: &CStr, arguments: &[CString], environment: &[CString]) -> io::Error {
    let (arguments, environment) = (pointers(arguments), pointers(environment));
    // SAFETY: all strings end in NUL, both arrays in a null pointer, and all outlive the call.
    unsafe { libc::execve(program.as_ptr(), arguments.as_ptr(), environment.as_ptr()) };
    io::Error::last_os_error()
}

/// As the kernel wants them: pointers, the last one null.
pub(crate) fn pointers(words: &[CString]) -> Vec<*const c_char> {
    words.iter().map(|word| word.as_ptr()).chain(std::iter::once(ptr::null())).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn what_cannot_be_executed_is_told() {
        let error = super::replace(c"/no/such/program", &[c"x".to_owned()], &[]);
        assert_eq!(error.raw_os_error(), Some(libc::ENOENT));
    }
}
