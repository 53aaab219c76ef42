//! Files of `/proc/<pid>`.

/// Set in `flags` for threads of the kernel itself (`include/linux/sched.h`).
const PF_KTHREAD: u64 = 0x0020_0000;

/// The fields of `/proc/<pid>/stat` that lunix uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat<'a> {
    /// Process id, field 1.
    pub pid: u32,
    /// The kernel's name without its parentheses, field 2. May hold any byte, parentheses and blanks too.
    pub comm: &'a [u8],
    /// State letter, field 3; `Z` for a zombie.
    pub state: u8,
    /// Process id of the parent, field 4.
    pub parent_pid: u32,
    /// True for a thread of the kernel, field 9.
    pub is_kernel_thread: bool,
    /// Start in clock ticks (1/100 s) since boot, field 22.
    pub start_ticks: u64,
}

impl<'a> Stat<'a> {
    /// Reads a whole file; `None` when it is not of that form.
    #[must_use]
    pub fn parse(file: &'a [u8]) -> Option<Self> {
        // The name is the only field that can hold a parenthesis, so it ends at the last one.
        let open = file.iter().position(|byte| *byte == b'(')?;
        let close = file.iter().rposition(|byte| *byte == b')')?;
        let pid = number(file.get(..open)?.trim_ascii())?;
        let comm = file.get(open + 1..close)?;
        let mut fields = file.get(close + 1..)?.trim_ascii().split(|byte| *byte == b' ');
        let state = *fields.next()?.first()?;
        let parent_pid = number(fields.next()?)?;
        let flags: u64 = number(fields.nth(4)?)?;
        let start_ticks = number(fields.nth(12)?)?;
        let (pid, parent_pid) = (u32::try_from(pid).ok()?, u32::try_from(parent_pid).ok()?);
        Some(Self { pid, comm, state, parent_pid, is_kernel_thread: flags & PF_KTHREAD != 0, start_ticks })
    }
}

fn number(digits: &[u8]) -> Option<u64> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

/// The arguments in `/proc/<pid>/cmdline`: each ended by NUL, the last perhaps cut.
pub fn arguments(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    let file = file.strip_suffix(b"\0").unwrap_or(file);
    let empty = file.is_empty();
    file.split(|byte| *byte == 0).filter(move |_| !empty)
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::format;
    use std::vec::Vec;

    const TAIL: &str = "0 0 0 0 0 0 20 0 1 0 777 2535424 213 18446744073709551615 1 1";

    #[test]
    fn names_may_hold_anything() {
        for comm in ["sh", "a b", ") S 9", "((", "\u{fffd}", ""] {
            let text = format!("42 ({comm}) S 1 42 42 0 -1 4194560 1 0 {TAIL}");
            let stat = Stat::parse(text.as_bytes()).unwrap();
            assert_eq!((stat.comm, stat.parent_pid, stat.start_ticks, stat.state), (comm.as_bytes(), 1, 777, b'S'));
            assert!(!stat.is_kernel_thread);
        }
    }

    #[test]
    fn kernel_threads_are_told_apart() {
        let text = format!("9 (kworker/0:1) I 2 0 0 0 -1 69238880 0 0 {TAIL}");
        assert!(Stat::parse(text.as_bytes()).unwrap().is_kernel_thread);
    }

    #[test]
    fn files_that_are_cut_or_foreign_are_none() {
        let text = format!("42 (sh) S 1 42 42 0 -1 4194560 1 0 {TAIL}");
        let end = text.find("777").unwrap();
        for cut in 0..end {
            assert_eq!(Stat::parse(&text.as_bytes()[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Stat::parse(b")("), None);
        assert_eq!(Stat::parse(b"x (sh) S 1"), None);
    }

    #[test]
    fn arguments_keep_empty_ones_but_an_empty_file_has_none() {
        assert_eq!(arguments(b"").count(), 0);
        assert_eq!(arguments(b"a\0\0b\0").collect::<Vec<_>>(), [&b"a"[..], b"", b"b"]);
        assert_eq!(arguments(b"cut").collect::<Vec<_>>(), [&b"cut"[..]]);
    }
}
