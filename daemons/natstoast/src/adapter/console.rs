//! A terminal, pipe or file that takes lines, without ever blocking on it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Most toasts that wait for a console that stands still.
const TOASTS_MAX: usize = 64;

/// Bytes per write: a terminal or pipe that says it has room takes so many without blocking.
const CHUNK: usize = 256;

/// Where toasts are shown.
#[derive(Debug)]
pub(super) struct Console {
    fd: OwnedFd,
    waiting: VecDeque<Vec<u8>>,
    dropped: u64,
}

impl Console {
    /// Opens the file or terminal, or takes standard output. The error is a sentence.
    pub(super) fn open(path: Option<&Path>) -> Result<Self, String> {
        let opened = match path {
            Some(path) => {
                let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOCTTY;
                rustix::fs::open(path, flags | OFlags::NONBLOCK, Mode::from_raw_mode(0o640))
            }
            None => rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stdout(), 3),
        };
        let name = path.map_or("standard output".into(), |path| path.display().to_string());
        let fd = opened.map_err(|errno| format!("cannot open {name}: {errno}"))?;
        Ok(Self { fd, waiting: VecDeque::new(), dropped: 0 })
    }

    /// Appends lines; the oldest toast that waits makes room.
    pub(super) fn queue(&mut self, lines: &str) {
        if self.waiting.len() >= TOASTS_MAX {
            // The first may be half written; it stays, so that no line is torn.
            self.waiting.remove(1);
            self.dropped += 1;
        }
        self.waiting.push_back(lines.as_bytes().to_vec());
    }

    /// Writes while there is room.
    pub(super) fn write(&mut self) -> io::Result<()> {
        while let Some(lines) = self.waiting.front_mut() {
            if !has_room(&self.fd)? {
                return Ok(());
            }
            let chunk = lines.get(..lines.len().min(CHUNK)).unwrap_or_default();
            match rustix::io::write(&self.fd, chunk) {
                Ok(count) => drop(lines.drain(..count)),
                Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
                Err(errno) => {
                    // Nobody reads any more: what waits is lost, and the next toast tries anew.
                    self.dropped += self.waiting.len() as u64;
                    self.waiting.clear();
                    return Err(errno.into());
                }
            }
            if lines.is_empty() {
                self.waiting.pop_front();
            }
        }
        Ok(())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Toasts that were dropped since the last call.
    pub(super) fn take_dropped(&mut self) -> u64 {
        std::mem::take(&mut self.dropped)
    }
}

impl AsFd for Console {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// True when a short write will not block. Standard output belongs to others too, so it cannot be made non-blocking.
fn has_room(fd: &OwnedFd) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::OUT)];
    Ok(poll(&mut fds, Some(&Timespec::default()))? > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_console_that_stands_still_holds_a_bounded_number_and_loses_the_oldest() {
        let (reader, writer) = io::pipe().unwrap();
        let mut console = Console { fd: writer.into(), waiting: VecDeque::new(), dropped: 0 };
        let line = format!("{}\n", "x".repeat(1023));
        for _ in 0..200 {
            console.queue(&line);
            console.write().unwrap();
        }
        // 64 KiB fit the pipe, 64 toasts the queue; the rest was dropped.
        assert_eq!(console.waiting.len(), TOASTS_MAX);
        assert!((60..=80).contains(&console.take_dropped()), "dropped: {}", console.dropped);
        drop(reader);
        assert!(console.write().is_err());
        assert!(console.is_empty());
    }
}
