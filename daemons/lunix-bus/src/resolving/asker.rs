//! The server's side: names that wait, one under way.

use super::{ANSWER_MAX, JOB_MAX, PROCESS_NAME, WORD};
use crate::helper::Helper;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

/// Who asks for a name, and which; at most one name waits per asker.
#[derive(Debug)]
struct Job {
    asker: usize,
    host: String,
    port: u16,
}

/// The helper and what it has to do. The process is started with the first job.
#[derive(Debug, Default)]
pub struct Resolver {
    helper: Helper,
    /// Who asked, and the job's number.
    running: Option<(usize, u64)>,
    waiting: VecDeque<Job>,
    number: u64,
}

/// What the helper's socket told.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The addresses that an asker wanted.
    Addresses(usize, Vec<SocketAddr>),
    /// There are none; says why.
    Failed(usize, String),
    /// The helper is gone; who had asked, if anybody. Unwatch its socket and call [`Resolver::discard`].
    Gone(Option<usize>),
    /// Nothing yet.
    Nothing,
}

impl Resolver {
    /// Notes what an asker wants to know, in the place of what it wanted before.
    pub fn push(&mut self, asker: usize, host: String, port: u16) {
        self.waiting.retain(|job| job.asker != asker);
        self.waiting.push_back(Job { asker, host, port });
    }

    /// Starts the next job when none runs. True when a new process was started, whose socket is to be watched.
    ///
    /// # Errors
    /// When the process cannot be started: who asked, and why.
    pub fn advance(&mut self) -> Result<bool, (usize, io::Error)> {
        self.helper.reap();
        if self.running.is_some() {
            return Ok(false);
        }
        let Some(Job { asker, host, port }) = self.waiting.pop_front() else { return Ok(false) };
        self.number += 1;
        let message = [&self.number.to_le_bytes()[..], &port.to_le_bytes(), host.as_bytes()].concat();
        let started = self.helper.start(PROCESS_NAME, WORD, JOB_MAX).map_err(|error| (asker, error))?;
        if let Some(socket) = self.helper.socket() {
            match rustix::net::send(socket, &message, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                // It has ended already: reading says so, as of one that ends during the job.
                Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => {}
                Err(errno) => return Err((asker, errno.into())),
            }
        }
        self.running = Some((asker, self.number));
        Ok(started)
    }

    /// The socket to watch.
    #[must_use]
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.helper.socket()
    }

    /// Reads what the helper has to say.
    pub fn read(&mut self) -> Outcome {
        let Some(socket) = self.helper.socket() else { return Outcome::Nothing };
        let mut answer = [0; ANSWER_MAX];
        let answer = match rustix::net::recv(socket, &mut answer, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => return Outcome::Nothing,
            Ok((count, _)) if count > 0 => answer.get(..count).unwrap_or_default(),
            Ok(_) | Err(_) => return Outcome::Gone(self.running.take().map(|(asker, _)| asker)),
        };
        let (number, text) = answer.split_first_chunk::<8>().unwrap_or((&[0; 8], &[]));
        let number = u64::from_le_bytes(*number);
        match self.running.take_if(|(_, running)| *running == number) {
            Some((asker, _)) => read_answer(asker, &String::from_utf8_lossy(text)),
            None => Outcome::Nothing,
        }
    }

    /// The asker does not want to know any more. True when its name is the one under way: unwatch the socket and call
    /// [`Resolver::discard`].
    pub fn abandon(&mut self, asker: usize) -> bool {
        self.waiting.retain(|job| job.asker != asker);
        self.running.take_if(|(running, _)| *running == asker).is_some()
    }

    /// True when there is nothing to do.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.running.is_none() && self.waiting.is_empty()
    }

    /// Ends the process; the next job starts another.
    pub fn discard(&mut self) {
        self.helper.discard();
    }
}

fn read_answer(asker: usize, text: &str) -> Outcome {
    match text.strip_prefix('!') {
        Some(reason) => Outcome::Failed(asker, reason.to_owned()),
        // The last one may be cut off.
        None => Outcome::Addresses(asker, text.lines().filter_map(|line| line.parse().ok()).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_addresses_or_a_reason() {
        let addresses = vec!["10.0.0.1:7422".parse().unwrap(), "[::1]:7422".parse().unwrap()];
        assert_eq!(read_answer(3, "10.0.0.1:7422\n[::1]:7422\n10.0."), Outcome::Addresses(3, addresses));
        assert_eq!(read_answer(3, "!no such name"), Outcome::Failed(3, "no such name".into()));
        assert_eq!(read_answer(3, ""), Outcome::Addresses(3, vec![]));
    }

    /// Under test this program is the test runner, which finds no test of that name and ends: a helper that dies at once.
    #[test]
    fn a_helper_that_dies_is_told_and_the_next_name_gets_another() {
        let mut resolver = Resolver::default();
        resolver.push(1, "first.example".into(), 1);
        resolver.push(2, "second.example".into(), 2);
        resolver.push(1, "third.example".into(), 3);
        assert_eq!(resolver.waiting.len(), 2, "one name per asker");
        for asker in [2, 1] {
            assert!(resolver.advance().unwrap(), "a new process");
            let mut reactor = reactor::Reactor::new(4).unwrap();
            reactor.insert(resolver.socket().unwrap(), reactor::Interest::READ, ()).unwrap();
            reactor.wait(Some(std::time::Duration::from_secs(30))).unwrap();
            assert_eq!(resolver.read(), Outcome::Gone(Some(asker)));
            resolver.discard();
        }
        assert!(resolver.is_idle() && !resolver.advance().unwrap());
        resolver.push(7, "host.example".into(), 1);
        resolver.advance().unwrap();
        assert!(!resolver.abandon(8) && resolver.abandon(7));
        resolver.discard();
        assert!(resolver.socket().is_none());
    }
}
