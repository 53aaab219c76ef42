//! Where lunix-init and its services are heard: standard error, never waited for.

use crate::kernel_log::KernelLog;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::{FileType, Mode, OFlags};
use std::fmt;
use std::io::Write as _;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Most bytes written at once.
const WRITE_MAX: usize = 2048;

/// Standard error as a place to which lines go if there is room, and are counted if not.
#[derive(Debug, Default)]
pub struct Console {
    own: Option<OwnedFd>,
    /// The kernel's log, for lunix-init's own lines.
    kernel: Option<KernelLog>,
    unseen: u64,
}

impl Console {
    /// Opens standard error once more without blocking, so that the descriptor shared with others stays as it is.
    #[must_use]
    pub fn open() -> Self {
        let stat = rustix::fs::fstat(rustix::stdio::stderr());
        let kind = stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode));
        if !matches!(kind, FileType::Fifo | FileType::CharacterDevice) {
            return Self::default();
        }
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        Self { own: rustix::fs::open("/proc/self/fd/2", flags, Mode::empty()).ok(), kernel: None, unseen: 0 }
    }

    /// From now on lunix-init's own lines go to the kernel's log, too.
    pub fn tell_the_kernel(&mut self) {
        self.kernel = KernelLog::open();
    }

    /// Writes `prefix: text` as one line. What finds no room is counted, and the count is told with the next line that does.
    pub fn line(&mut self, prefix: &str, text: &[u8]) {
        if self.unseen > 0 {
            let lost = format!("lunix-init: warn: lines not shown (lost={})\n", self.unseen);
            if !self.write(lost.as_bytes()) {
                self.unseen += 1;
                return;
            }
            self.unseen = 0;
        }
        let mut buffer = [0; WRITE_MAX];
        let mut rest = &mut buffer[..];
        // The buffer is bigger than any name and line together; what would not fit is cut.
        let _ = if prefix.is_empty() { Ok(()) } else { write!(rest, "{prefix}: ") };
        let _ = rest.write_all(text).and_then(|()| rest.write_all(b"\n"));
        let length = WRITE_MAX - rest.len();
        if !self.write(buffer.get(..length).unwrap_or_default()) {
            self.unseen += 1;
        }
    }

    /// Writes a line of lunix-init's own.
    pub fn say(&mut self, words: fmt::Arguments<'_>) {
        let words = words.to_string();
        if let Some(kernel) = &mut self.kernel {
            kernel.say(&words);
        }
        self.line("lunix-init", words.as_bytes());
    }

    fn write(&self, bytes: &[u8]) -> bool {
        let fd = match &self.own {
            Some(own) => own.as_fd(),
            None => rustix::stdio::stderr(),
        };
        if self.own.is_none() && !has_room(fd) {
            return false;
        }
        // A line cut short by a full terminal is as good as it gets.
        !matches!(rustix::io::write(fd, bytes), Err(rustix::io::Errno::AGAIN))
    }
}

fn has_room(fd: BorrowedFd<'_>) -> bool {
    let mut one = [PollFd::from_borrowed_fd(fd, PollFlags::OUT)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    rustix::event::poll(&mut one, Some(&now)).is_ok_and(|ready| ready > 0)
}
