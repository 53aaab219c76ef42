//! Helper processes: this program started again, with another first word, for what would block the loop. A helper has one end of a socket
//! pair as its standard input and nothing else of ours; at the end of that it ends, too.

use rustix::fs::{Gid, Uid};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};
use rustix::process::{Pid, Resource, Rlimit, Signal, WaitOptions};
use rustix::thread::{CapabilitySet, CapabilitySets};
use std::ffi::CStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::ExitCode;

/// The account of nobody, on every distribution.
const NOBODY: u32 = 65_534;

/// A running helper, and those that were killed and have not ended yet.
#[derive(Debug, Default)]
pub(crate) struct Helper {
    process: Option<(Pid, OwnedFd)>,
    dying: Vec<Pid>,
}

impl Helper {
    /// Starts the helper that `word` names, if none runs; `job_max`: bytes of its largest job. True when one was started, whose socket
    /// is to be watched.
    ///
    /// # Errors
    /// When there is no descriptor or process to be had.
    pub(crate) fn start(&mut self, name: &CStr, word: &CStr, job_max: usize) -> io::Result<bool> {
        self.reap();
        if self.process.is_some() {
            return Ok(false);
        }
        self.process = Some(start(name, word, job_max)?);
        Ok(true)
    }

    /// The socket to watch and to talk over.
    pub(crate) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.process.as_ref().map(|(_, socket)| socket.as_fd())
    }

    /// Kills the process and closes its socket.
    pub(crate) fn discard(&mut self) {
        if let Some((pid, _)) = self.process.take() {
            // It can have ended by itself already.
            let _ = rustix::process::kill_process(pid, Signal::KILL);
            self.dying.push(pid);
        }
        self.reap();
    }

    /// Takes leave of those that have ended.
    pub(crate) fn reap(&mut self) {
        self.dying.retain(|&pid| matches!(rustix::process::waitpid(Some(pid), WaitOptions::NOHANG), Ok(None)));
    }
}

fn start(name: &CStr, word: &CStr, job_max: usize) -> io::Result<(Pid, OwnedFd)> {
    let flags = SocketFlags::CLOEXEC;
    let (socket, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    rustix::net::sockopt::set_socket_send_buffer_size(&socket, job_max * 2)?;
    let (root, null) = (File::open("/")?, File::options().read(true).write(true).open("/dev/null")?);
    let theirs = above_stdio(theirs)?;
    let null = above_stdio(null.into())?;
    let (arguments, stdio) = ([name, word], [theirs.as_fd(), null.as_fd(), null.as_fd()]);
    let command = sys::spawn::Command::new(c"/proc/self/exe", &arguments, root.as_fd(), stdio);
    let process = sys::spawn::spawn(&command).map_err(|error| io::Error::other(error.to_string()))?;
    let pid = Pid::from_raw(process.pid()).ok_or(io::ErrorKind::Other)?;
    Ok((pid, socket))
}

/// The same with a number above those of standard input, output and error.
fn above_stdio(fd: OwnedFd) -> io::Result<OwnedFd> {
    Ok(rustix::io::fcntl_dupfd_cloexec(&fd, 3)?)
}

/// Runs as the helper `word`, if the command line's first word says so: without privileges, and with at most so many descriptors. `None`
/// for the server itself.
pub(crate) fn main(
    word: &CStr,
    name: &CStr,
    descriptors: u64,
    serve: impl FnOnce() -> io::Result<()>,
) -> Option<ExitCode> {
    if std::env::args_os().nth(1)?.as_encoded_bytes() != word.to_bytes() {
        return None;
    }
    Some(match drop_privileges(name, descriptors).and_then(|()| serve()) {
        Ok(()) => ExitCode::SUCCESS,
        // The server sees that its helper is gone and says so.
        Err(_) => ExitCode::from(71),
    })
}

/// Root becomes nobody; in any case no new privileges, no core dump with a password in it, no more descriptors than needed.
fn drop_privileges(name: &CStr, descriptors: u64) -> io::Result<()> {
    rustix::thread::set_name(name)?;
    rustix::thread::set_no_new_privs(true)?;
    let none = Rlimit { current: Some(0), maximum: Some(0) };
    rustix::process::setrlimit(Resource::Core, none)?;
    if rustix::process::geteuid().is_root() {
        match become_nobody() {
            Ok(()) => {}
            // A user namespace without nobody.
            Err(Errno::PERM | Errno::INVAL) => {
                let none = CapabilitySet::empty();
                let sets = CapabilitySets { effective: none, permitted: none, inheritable: none };
                rustix::thread::set_capabilities(None, sets)?;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    rustix::process::setrlimit(Resource::Nofile, Rlimit { current: Some(descriptors), maximum: Some(descriptors) })?;
    Ok(())
}

fn become_nobody() -> Result<(), Errno> {
    let (user, group) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    rustix::thread::set_thread_groups(&[])?;
    rustix::thread::set_thread_res_gid(group, group, group)?;
    rustix::thread::set_thread_res_uid(user, user, user)
}
