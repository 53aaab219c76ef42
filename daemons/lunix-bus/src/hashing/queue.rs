//! The server's side: jobs that wait, one under way, each source served in turn.

use super::{ANSWER, JOB_MAX, PROCESS_NAME, WORD};
use crate::broker::{Peer, Ticket};
use crate::helper::Helper;
use reactor::Instant;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::IpAddr;
use std::os::fd::BorrowedFd;
use std::time::Duration;
use zeroize::Zeroizing;

/// Jobs that may wait of one source, and of all together. Who is over waits in vain, as if the helper were too slow.
const JOBS_PER_SOURCE: usize = 32;
const JOBS_MAX: usize = 1024;

/// Where jobs come from: an address (of IPv6 the network), or a user of this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    Address(IpAddr),
    Network(u64),
    User(u32),
}

impl From<Peer> for Source {
    fn from(peer: Peer) -> Self {
        match peer {
            Peer::Unix { uid } => Self::User(uid),
            Peer::Tcp(address) => match address.ip().to_canonical() {
                IpAddr::V6(ip) if !ip.is_loopback() => {
                    let [a, b, c, d, ..] = ip.segments();
                    Self::Network([a, b, c, d].into_iter().fold(0, |all, part| (all << 16) | u64::from(part)))
                }
                ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => Self::Address(ip),
            },
        }
    }
}

#[derive(Debug)]
struct Job {
    ticket: Ticket,
    message: Zeroizing<Vec<u8>>,
}

/// The helper and what it has to do. The process is started with the first job.
#[derive(Debug, Default)]
pub struct Hasher {
    helper: Helper,
    running: Option<(Ticket, Instant)>,
    /// Jobs of each source, none of them empty, and the order in which the sources are served.
    waiting: BTreeMap<Source, VecDeque<Job>>,
    turns: VecDeque<Source>,
    count: usize,
    number: u64,
}

/// What the helper's socket told.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Whether the password fits.
    Answer(Ticket, bool),
    /// The helper is gone; the job it had, if any. Unwatch its socket and call [`Hasher::discard`].
    Gone(Option<Ticket>),
    /// Nothing yet.
    Nothing,
}

impl Hasher {
    /// Appends a job. False when too many wait already.
    pub fn push(&mut self, ticket: Ticket, peer: Peer, hash: &str, password: &str) -> bool {
        let source = Source::from(peer);
        let Ok(length) = u8::try_from(hash.len()) else { return false };
        let own = self.waiting.get(&source).map_or(0, VecDeque::len);
        if own >= JOBS_PER_SOURCE || self.count >= JOBS_MAX || password.len() > JOB_MAX / 2 {
            return false;
        }
        self.number += 1;
        let number = self.number.to_le_bytes();
        let message = Zeroizing::new([&number[..], &[length], hash.as_bytes(), password.as_bytes()].concat());
        if own == 0 {
            self.turns.push_back(source);
        }
        self.waiting.entry(source).or_default().push_back(Job { ticket, message });
        self.count += 1;
        true
    }

    /// The next job, of the source whose turn it is.
    fn pop(&mut self) -> Option<Job> {
        let source = self.turns.pop_front()?;
        let jobs = self.waiting.get_mut(&source)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.waiting.remove(&source);
        } else {
            self.turns.push_back(source);
        }
        self.count -= usize::from(job.is_some());
        job
    }

    /// Starts the next job of somebody who is still there, when none runs; it is to be done within `patience`. True when a new process was
    /// started, whose socket is to be watched.
    ///
    /// # Errors
    /// When the process cannot be started; the job is dropped.
    pub fn advance(&mut self, now: Instant, patience: Duration, is_there: impl Fn(Ticket) -> bool) -> io::Result<bool> {
        self.helper.reap();
        if self.running.is_some() {
            return Ok(false);
        }
        let Some(job) = std::iter::from_fn(|| self.pop()).find(|job| is_there(job.ticket)) else { return Ok(false) };
        let started = self.helper.start(PROCESS_NAME, WORD, JOB_MAX)?;
        if let Some(socket) = self.helper.socket() {
            match rustix::net::send(socket, &job.message, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                // It has ended already: reading says so, as of one that ends during the job.
                Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => {}
                Err(errno) => return Err(errno.into()),
            }
            self.running = Some((job.ticket, now + patience));
        }
        Ok(started)
    }

    /// When the running job is overdue.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        self.running.map(|(_, deadline)| deadline)
    }

    /// The socket to watch.
    #[must_use]
    pub fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.helper.socket()
    }

    /// Reads what the helper has to say.
    pub fn read(&mut self) -> Outcome {
        let Some(socket) = self.helper.socket() else { return Outcome::Nothing };
        let mut answer = [0; ANSWER];
        match rustix::net::recv(socket, &mut answer, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => Outcome::Nothing,
            Ok((ANSWER, _)) => match self.running.take() {
                Some((ticket, _)) => Outcome::Answer(ticket, answer.last() == Some(&1)),
                None => Outcome::Nothing,
            },
            Ok(_) | Err(_) => Outcome::Gone(self.running.take().map(|(ticket, _)| ticket)),
        }
    }

    /// Takes the running job when it is overdue at `now`; unwatch the socket and call [`Hasher::discard`].
    pub fn overdue(&mut self, now: Instant) -> Option<Ticket> {
        self.running.take_if(|(_, deadline)| *deadline <= now).map(|(ticket, _)| ticket)
    }

    /// Kills the process and closes its socket; the next job starts another.
    pub fn discard(&mut self) {
        self.helper.discard();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(number: u8) -> Peer {
        Peer::Tcp(([10, 0, 0, number], 1).into())
    }

    fn ticket(id: u64) -> Ticket {
        Ticket::of(0, id)
    }

    #[test]
    fn each_source_has_its_turn() {
        let mut hasher = Hasher::default();
        for (id, source) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 3), (6, 2)] {
            assert!(hasher.push(ticket(id), peer(source), "hash", "password"));
        }
        let order: Vec<_> = std::iter::from_fn(|| hasher.pop()).map(|job| job.ticket).collect();
        assert_eq!(order, [1, 4, 5, 2, 6, 3].map(ticket));
        assert!(hasher.waiting.is_empty() && hasher.turns.is_empty() && hasher.count == 0);
    }

    #[test]
    fn what_waits_is_bounded_per_source_and_in_total() {
        let mut hasher = Hasher::default();
        let room = (0..100).filter(|&id| hasher.push(ticket(id), peer(1), "h", "p")).count();
        assert_eq!(room, JOBS_PER_SOURCE);
        assert!(hasher.push(ticket(200), peer(2), "h", "p"));
        let room = (0..20_000).filter(|&id| hasher.push(ticket(id), peer(u8::try_from(id % 250).unwrap()), "h", "p"));
        assert_eq!(room.count() + JOBS_PER_SOURCE + 1, JOBS_MAX);
        assert!(!Hasher::default().push(ticket(1), peer(1), &"h".repeat(256), "p"));
    }

    #[test]
    fn addresses_of_one_network_are_one_source() {
        let source = |text: &str| Source::from(Peer::Tcp(text.parse().unwrap()));
        assert_eq!(source("[2001:db8::1]:1"), source("[2001:db8::2:1]:9"));
        assert_ne!(source("[2001:db8::1]:1"), source("[2001:db8:0:1::1]:1"));
        assert_eq!(source("[::ffff:10.0.0.1]:1"), source("10.0.0.1:2"));
        assert_ne!(source("10.0.0.1:1"), source("10.0.0.2:1"));
    }

    /// Under test this program is the test runner, which finds no test of that name and ends: a helper that dies at once.
    #[test]
    fn a_helper_that_dies_gives_its_job_back_and_the_next_job_gets_another() {
        let mut hasher = Hasher::default();
        for id in [1, 2] {
            assert!(hasher.push(ticket(id), peer(1), "h", "p"));
        }
        for id in [1, 2] {
            let now = Instant::now();
            assert!(hasher.advance(now, Duration::from_secs(60), |_| true).unwrap(), "a new process");
            assert_eq!(hasher.deadline(), Some(now + Duration::from_secs(60)));
            let mut reactor = reactor::Reactor::new(4).unwrap();
            reactor.insert(hasher.socket().unwrap(), reactor::Interest::READ, ()).unwrap();
            reactor.wait(Some(Duration::from_secs(30))).unwrap();
            assert_eq!(hasher.read(), Outcome::Gone(Some(ticket(id))));
            hasher.discard();
        }
        assert!(!hasher.advance(Instant::now(), Duration::ZERO, |_| true).unwrap());
    }

    #[test]
    fn an_overdue_job_is_given_up_and_jobs_of_the_gone_are_not_begun() {
        let mut hasher = Hasher::default();
        let now = Instant::now();
        hasher.push(ticket(1), peer(1), "h", "p");
        assert!(!hasher.advance(now, Duration::from_secs(1), |_| false).unwrap());
        hasher.push(ticket(2), peer(1), "h", "p");
        hasher.advance(now, Duration::from_secs(1), |_| true).unwrap();
        assert_eq!(hasher.overdue(now), None);
        assert_eq!(hasher.overdue(now + Duration::from_secs(1)), Some(ticket(2)));
        hasher.discard();
        assert!(hasher.socket().is_none() && hasher.deadline().is_none());
    }
}
