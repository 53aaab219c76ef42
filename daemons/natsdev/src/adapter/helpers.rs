//! The daemon's side of a helper process: a queue of jobs, one under way, with a deadline.

use crate::helper::{Kind, MESSAGE_MAX};
use reactor::Instant;
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Jobs that may wait. A machine with more devices than this at once loses the rest to the next comparison.
const JOBS_MAX: usize = 4096;

/// A helper of one kind, with jobs `J`. The process is started with the first job.
#[derive(Debug)]
pub(super) struct Helper<J> {
    kind: Kind,
    patience: Duration,
    process: Option<Process>,
    running: Option<(J, Instant)>,
    waiting: VecDeque<J>,
    /// Killed ones that could not end yet: a process that waits for a disk dies only when the disk answers.
    dying: Vec<Child>,
}

#[derive(Debug)]
struct Process {
    child: Child,
    socket: OwnedFd,
}

/// How a job ended.
#[derive(Debug)]
pub(super) enum Ended<J> {
    /// With an answer.
    Answer(J, Vec<u8>),
    /// With the helper's death.
    Died(J),
    /// The helper ended without a job.
    Gone,
    /// Not yet.
    Nothing,
}

impl<J: serde::Serialize> Helper<J> {
    pub(super) fn new(kind: Kind, patience: Duration) -> Self {
        Self { kind, patience, process: None, running: None, waiting: VecDeque::new(), dying: Vec::new() }
    }

    /// True while a job runs or waits.
    pub(super) fn is_busy(&self) -> bool {
        self.running.is_some() || !self.waiting.is_empty()
    }

    /// When the running job is overdue.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.running.as_ref().map(|(_, deadline)| *deadline)
    }

    /// The socket to watch; changes only when [`Helper::advance`] says so.
    pub(super) fn socket(&self) -> Option<BorrowedFd<'_>> {
        self.process.as_ref().map(|process| process.socket.as_fd())
    }

    /// Appends a job; false when too many wait already.
    pub(super) fn push(&mut self, job: J) -> bool {
        let room = self.waiting.len() < JOBS_MAX;
        if room {
            self.waiting.push_back(job);
        }
        room
    }

    /// Starts the next job when none runs. True when a new process was started, whose socket is to be watched.
    ///
    /// # Errors
    /// When the process cannot be started or its socket fails; the job is dropped.
    pub(super) fn advance(&mut self, now: Instant) -> io::Result<bool> {
        self.reap();
        if self.running.is_some() {
            return Ok(false);
        }
        let Some(job) = self.waiting.pop_front() else {
            self.waiting.shrink_to(16);
            return Ok(false);
        };
        let started = match &self.process {
            Some(_) => false,
            None => {
                self.process = Some(start(self.kind)?);
                true
            }
        };
        let text = serde_json::to_vec(&job)?;
        if let Some(process) = &self.process {
            match rustix::net::send(&process.socket, &text, SendFlags::NOSIGNAL | SendFlags::DONTWAIT) {
                // It has ended already: reading says so, as of one that ends during the job.
                Ok(_) | Err(Errno::PIPE | Errno::CONNRESET) => {}
                Err(errno) => return Err(errno.into()),
            }
            self.running = Some((job, now + self.patience));
        }
        Ok(started)
    }

    /// Reads what the helper has to say. After [`Ended::Died`] and [`Ended::Gone`] its socket is still open, to be unwatched and
    /// then closed by [`Helper::discard`].
    pub(super) fn read(&mut self) -> Ended<J> {
        let Some(process) = &self.process else { return Ended::Nothing };
        let mut buffer = vec![0; MESSAGE_MAX];
        match rustix::net::recv(&process.socket, &mut buffer, RecvFlags::DONTWAIT) {
            Err(Errno::AGAIN | Errno::INTR) => Ended::Nothing,
            Ok((_, count)) if count > 0 => {
                buffer.truncate(count);
                match self.running.take() {
                    Some((job, _)) => Ended::Answer(job, buffer),
                    None => Ended::Nothing,
                }
            }
            Ok(_) | Err(_) => match self.running.take() {
                Some((job, _)) => Ended::Died(job),
                None => Ended::Gone,
            },
        }
    }

    /// Takes the running job when it is overdue at `now`; the helper is to be unwatched and discarded.
    pub(super) fn overdue(&mut self, now: Instant) -> Option<J> {
        self.running.take_if(|(_, deadline)| *deadline <= now).map(|(job, _)| job)
    }

    /// Kills the process and closes its socket; the next job starts another.
    pub(super) fn discard(&mut self) {
        if let Some(mut process) = self.process.take() {
            // It can have ended by itself already.
            drop(process.child.kill());
            self.dying.push(process.child);
        }
        self.reap();
    }

    fn reap(&mut self) {
        self.dying.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
    }
}

fn start(kind: Kind) -> io::Result<Process> {
    let flags = SocketFlags::CLOEXEC;
    let (ours, theirs) = rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, flags, None)?;
    let child = Command::new("/proc/self/exe")
        .arg0(kind.process_name())
        .arg(kind.word())
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(theirs))
        .stdout(Stdio::null())
        .spawn()?;
    Ok(Process { child, socket: ours })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::event::{PollFd, PollFlags, poll};

    /// Under test this program is the test runner, which finds no test called `helper:probe` and ends: a helper that dies at once.
    #[test]
    fn a_helper_that_dies_gives_its_job_back_and_the_next_job_gets_another() {
        let mut helper = Helper::new(Kind::Probe, Duration::from_secs(60));
        assert!(helper.push("first") && helper.push("second"));
        for job in ["first", "second"] {
            let now = Instant::now();
            assert!(helper.advance(now).unwrap(), "a new process");
            assert!(helper.is_busy() && helper.deadline() > Some(now));
            let socket = PollFd::from_borrowed_fd(helper.socket().unwrap(), PollFlags::IN);
            poll(&mut [socket], None).unwrap();
            assert!(matches!(helper.read(), Ended::Died(died) if died == job));
            helper.discard();
        }
        assert!(!helper.is_busy());
    }

    #[test]
    fn an_overdue_job_is_given_up_and_its_helper_killed() {
        let mut helper = Helper::new(Kind::Modules, Duration::from_secs(60));
        helper.push("slow");
        let now = Instant::now();
        helper.advance(now).unwrap();
        assert_eq!(helper.overdue(now), None);
        assert_eq!(helper.overdue(now + Duration::from_secs(60)), Some("slow"));
        helper.discard();
        assert!(helper.socket().is_none() && helper.deadline().is_none());
    }

    #[test]
    fn the_queue_is_bounded() {
        let mut helper = Helper::new(Kind::Probe, Duration::from_secs(1));
        assert!((0..JOBS_MAX).all(|job| helper.push(job)));
        assert!(!helper.push(JOBS_MAX));
    }
}
