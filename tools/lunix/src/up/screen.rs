//! Standard output for a program that must not stand still with it.

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use std::collections::VecDeque;
use std::os::fd::AsFd;

/// Most bytes that wait for a terminal that stands still; newer lines are dropped.
const WAITING_MAX: usize = 256 * 1024;

/// Bytes per write: a terminal or pipe that says it has room takes so many without blocking.
const CHUNK: usize = 256;

/// Lines on their way to a descriptor.
#[derive(Debug)]
pub(super) struct Screen<F> {
    fd: F,
    waiting: VecDeque<u8>,
    lost: u64,
}

/// Nobody reads any more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Closed;

impl<F: AsFd> Screen<F> {
    pub(super) fn new(fd: F) -> Self {
        Self { fd, waiting: VecDeque::new(), lost: 0 }
    }

    /// Takes a line, and writes while there is room.
    pub(super) fn line(&mut self, line: &str) -> Result<(), Closed> {
        if self.waiting.len() + line.len() > WAITING_MAX {
            self.lost += 1;
        } else {
            if self.lost > 0 {
                let lost = std::mem::take(&mut self.lost);
                self.waiting.extend(format!("lunix: lines not shown (lost={lost})\n").bytes());
            }
            self.waiting.extend(line.bytes().chain([b'\n']));
        }
        self.write()
    }

    /// True when nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Writes while there is room.
    pub(super) fn write(&mut self) -> Result<(), Closed> {
        while !self.waiting.is_empty() && self.has_room()? {
            let (front, _) = self.waiting.as_slices();
            let chunk = front.get(..front.len().min(CHUNK)).unwrap_or_default();
            match rustix::io::write(&self.fd, chunk) {
                Ok(count) => drop(self.waiting.drain(..count)),
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return Ok(()),
                Err(_) => return Err(Closed),
            }
        }
        Ok(())
    }

    fn has_room(&self) -> Result<bool, Closed> {
        let mut fds = [PollFd::new(&self.fd, PollFlags::OUT)];
        Ok(poll(&mut fds, Some(&Timespec::default())).map_err(|_| Closed)? > 0)
    }
}

impl<F: AsFd> AsFd for Screen<F> {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read as _;

    #[test]
    fn a_reader_that_stands_still_costs_bounded_memory_and_is_told_what_it_missed() {
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut screen = Screen::new(writer);
        let line = "x".repeat(1023);
        for _ in 0..1000 {
            screen.line(&line).unwrap();
        }
        assert!(screen.waiting.len() <= WAITING_MAX && screen.lost > 500, "{}", screen.lost);
        let mut text = String::new();
        let mut buffer = [0; 4096];
        while !screen.is_empty() {
            let count = reader.read(&mut buffer).unwrap();
            text.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            screen.write().unwrap();
        }
        screen.line("last").unwrap();
        drop(screen);
        reader.read_to_string(&mut text).unwrap();
        assert!(text.contains("\nlunix: lines not shown (lost=") && text.ends_with(")\nlast\n"));
    }

    #[test]
    fn a_reader_that_is_gone_is_noticed() {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        assert_eq!(Screen::new(writer).line("x"), Err(Closed));
    }
}
