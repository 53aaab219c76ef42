//! Signals as a readable descriptor (`man 2 signalfd`).

use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// A signal number, as in `man 7 signal`.
pub type Signal = i32;

/// Hang-up: by convention, read the configuration again.
pub const HUP: Signal = libc::SIGHUP;
/// Interrupt from the keyboard; for PID 1, ctrl-alt-del.
pub const INT: Signal = libc::SIGINT;
/// Quit from the keyboard.
pub const QUIT: Signal = libc::SIGQUIT;
/// Kill; cannot be caught.
pub const KILL: Signal = libc::SIGKILL;
/// User signal 1.
pub const USR1: Signal = libc::SIGUSR1;
/// User signal 2.
pub const USR2: Signal = libc::SIGUSR2;
/// Write to a pipe or socket nobody reads.
pub const PIPE: Signal = libc::SIGPIPE;
/// Orderly end.
pub const TERM: Signal = libc::SIGTERM;
/// A child changed state.
pub const CHLD: Signal = libc::SIGCHLD;
/// Continue after a stop.
pub const CONT: Signal = libc::SIGCONT;
/// Power failure; for PID 1, switch off.
pub const PWR: Signal = libc::SIGPWR;
/// Terminal size changed; for PID 1, the keyboard request key.
pub const WINCH: Signal = libc::SIGWINCH;

/// What one read from a [`SignalFd`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Received {
    /// The signal.
    pub signal: Signal,
    /// The sender's process id, 0 when the kernel sent it.
    pub pid: u32,
    /// The sender's user id.
    pub uid: u32,
}

/// A descriptor that becomes readable when one of its signals is pending. Non-blocking, close-on-exec.
#[derive(Debug)]
pub struct SignalFd(OwnedFd);

impl SignalFd {
    /// Blocks `signals` for the calling thread and opens a descriptor that receives them.
    ///
    /// # Errors
    /// `EMFILE`/`ENFILE` when no descriptor is free, `EINVAL` for a number that is no signal.
    pub fn new(signals: &[Signal]) -> io::Result<Self> {
        let set = set_of(signals)?;
        mask(libc::SIG_BLOCK, &set)?;
        // SAFETY: `set` is an initialised signal set that outlives the call; -1 asks for a new descriptor.
        let fd = unsafe { libc::signalfd(-1, &raw const set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC) };
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: signalfd returned a fresh descriptor that nothing else owns.
        Ok(Self(unsafe { OwnedFd::from_raw_fd(fd) }))
    }

    /// Takes one pending signal; `None` when there is none left.
    ///
    /// # Errors
    /// Those of `read(2)` but for `EAGAIN`, which is `None`.
    pub fn read(&self) -> io::Result<Option<Received>> {
        let mut record = MaybeUninit::<libc::signalfd_siginfo>::zeroed();
        // SAFETY: the pointer is valid for the size given, and the kernel writes whole records only.
        let count =
            unsafe { libc::read(self.0.as_raw_fd(), record.as_mut_ptr().cast(), size_of::<libc::signalfd_siginfo>()) };
        if count < 0 {
            let error = io::Error::last_os_error();
            return if error.kind() == io::ErrorKind::WouldBlock { Ok(None) } else { Err(error) };
        }
        // SAFETY: the struct is plain integers, zeroed at first, so every bit pattern is a valid value.
        let record = unsafe { record.assume_init() };
        Ok(Some(Received { signal: record.ssi_signo.cast_signed(), pid: record.ssi_pid, uid: record.ssi_uid }))
    }
}

impl AsFd for SignalFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// Makes writing to a closed pipe or socket an error instead of a death.
///
/// # Errors
/// None in practice; the kernel refuses only signals that do not exist.
pub fn ignore_sigpipe() -> io::Result<()> {
    // SAFETY: SIG_IGN installs no handler, so no code of ours can run in signal context.
    let previous = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
    if previous == libc::SIG_ERR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Unblocks every signal of the calling thread: what a child must do before it executes another program.
///
/// # Errors
/// None in practice.
pub fn unblock_all() -> io::Result<()> {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the pointer is valid; sigemptyset initialises the set.
    let set = unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        set.assume_init()
    };
    mask(libc::SIG_SETMASK, &set)
}

/// Puts every signal back to its default action: what a supervisor does first, lest its children inherit what its own parent
/// ignored.
///
/// Call it before anything installs a handler of its own.
pub fn default_all() {
    // All zero is the kernel's structure for the default action: SIG_DFL, no flags, nothing masked; it has at most 20 bytes and
    // one signal set of 8 or 16 bytes. The library's own function would refuse the two or three signals it keeps for itself.
    let default = [0_u64; 8];
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: `default` is at least as long as the kernel's structure and outlives the call; the old action is not asked for.
        // KILL and STOP are refused, which changes nothing.
        unsafe { libc::syscall(libc::SYS_rt_sigaction, signal, default.as_ptr(), std::ptr::null::<u64>(), SET_BYTES) };
    }
}

/// Bytes of the kernel's signal set.
const SET_BYTES: usize = if cfg!(any(target_arch = "mips", target_arch = "mips64")) { 16 } else { 8 };

/// Whom [`send`] reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// One process.
    Process(i32),
    /// The process group of this leader.
    Group(i32),
    /// Every process the caller may signal, but itself and PID 1.
    Everyone,
}

/// Sends `signal`; 0 only asks whether there is somebody.
///
/// # Errors
/// `ESRCH` when there is nobody (any more), `EPERM` when none of them may be signalled, `EINVAL` for a number that is no signal or a
/// process id below 2.
pub fn send(target: Target, signal: Signal) -> io::Result<()> {
    let pid = match target {
        Target::Process(pid) if pid > 1 => pid,
        Target::Group(leader) if leader > 1 => -leader,
        Target::Everyone => -1,
        // 0, 1 and negative numbers mean somebody else to kill(2).
        Target::Process(_) | Target::Group(_) => return Err(io::ErrorKind::InvalidInput.into()),
    };
    // SAFETY: plain integers.
    if unsafe { libc::kill(pid, signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Names and numbers of the signals a person sends to a service, without `SIG`.
const NAMES: [(&str, Signal); 24] = [
    ("HUP", HUP),
    ("INT", INT),
    ("QUIT", QUIT),
    ("ILL", libc::SIGILL),
    ("TRAP", libc::SIGTRAP),
    ("ABRT", libc::SIGABRT),
    ("BUS", libc::SIGBUS),
    ("FPE", libc::SIGFPE),
    ("KILL", KILL),
    ("USR1", USR1),
    ("SEGV", libc::SIGSEGV),
    ("USR2", USR2),
    ("PIPE", PIPE),
    ("ALRM", libc::SIGALRM),
    ("TERM", TERM),
    ("CHLD", CHLD),
    ("CONT", CONT),
    ("STOP", libc::SIGSTOP),
    ("TSTP", libc::SIGTSTP),
    ("TTIN", libc::SIGTTIN),
    ("TTOU", libc::SIGTTOU),
    ("WINCH", WINCH),
    ("PWR", PWR),
    ("SYS", libc::SIGSYS),
];

/// The number of the signal `name`: `TERM`, `SIGTERM` or `15`. `None` when there is no such signal.
#[must_use]
pub fn number_of(name: &str) -> Option<Signal> {
    if let Ok(number) = name.parse::<Signal>() {
        return (1..=libc::SIGRTMAX()).contains(&number).then_some(number);
    }
    let bare = name.strip_prefix("SIG").unwrap_or(name);
    NAMES.iter().find(|(known, _)| *known == bare).map(|&(_, number)| number)
}

/// The name of a signal without `SIG`; `None` for those without one (real-time signals).
#[must_use]
pub fn name_of(signal: Signal) -> Option<&'static str> {
    NAMES.iter().find(|&&(_, number)| number == signal).map(|&(name, _)| name)
}

/// Sends `signal` to this very thread.
///
/// # Errors
/// `EINVAL` for a number that is no signal.
pub fn raise(signal: Signal) -> io::Result<()> {
    // SAFETY: raise takes a plain integer and touches no memory of ours.
    if unsafe { libc::raise(signal) } == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

fn set_of(signals: &[Signal]) -> io::Result<libc::sigset_t> {
    let mut set = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the pointer is valid for the whole block; sigemptyset initialises the set before sigaddset uses it.
    unsafe {
        libc::sigemptyset(set.as_mut_ptr());
        for &signal in signals {
            if libc::sigaddset(set.as_mut_ptr(), signal) != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(set.assume_init())
    }
}

fn mask(how: libc::c_int, set: &libc::sigset_t) -> io::Result<()> {
    // SAFETY: `set` is initialised and outlives the call; the old set is not asked for.
    let error = unsafe { libc::pthread_sigmask(how, set, std::ptr::null_mut()) };
    if error == 0 { Ok(()) } else { Err(io::Error::from_raw_os_error(error)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raised_signal_is_read_once() {
        let signals = SignalFd::new(&[USR1]).unwrap();
        assert_eq!(signals.read().unwrap(), None);
        raise(USR1).unwrap();
        let received = signals.read().unwrap().unwrap();
        assert_eq!((received.signal, received.pid), (USR1, std::process::id()));
        assert_eq!(signals.read().unwrap(), None);
    }

    #[test]
    fn names_and_numbers_agree() {
        assert_eq!((number_of("TERM"), number_of("SIGKILL"), number_of("1")), (Some(TERM), Some(KILL), Some(HUP)));
        assert_eq!((number_of("term"), number_of("0"), number_of("65"), number_of("")), (None, None, None, None));
        assert_eq!((name_of(TERM), name_of(40)), (Some("TERM"), None));
    }

    #[test]
    fn a_process_number_that_means_many_is_refused() {
        for target in [Target::Process(0), Target::Process(1), Target::Process(-1), Target::Group(1), Target::Group(0)]
        {
            assert_eq!(send(target, TERM).unwrap_err().kind(), io::ErrorKind::InvalidInput);
        }
        send(Target::Process(std::process::id().cast_signed()), 0).unwrap();
    }

    #[test]
    fn a_number_that_is_no_signal_is_refused() {
        assert_eq!(SignalFd::new(&[4096]).unwrap_err().kind(), io::ErrorKind::InvalidInput);
    }
}
