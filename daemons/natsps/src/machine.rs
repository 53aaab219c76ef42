//! The table of processes.

use crate::names::Sources;
use daemon::{Effects, Instant, Level};
use interfaces::process::{Exited, Process};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

/// How long a forked process may take to execute a program before it is announced under its parent's name.
const FORK_WAIT: Duration = Duration::from_millis(100);

/// Most forked processes that wait for their announcement; more are announced when the table is read anew.
const FORKS_MAX: usize = 4096;

/// What `/proc` tells of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// Process id.
    pub pid: u32,
    /// Process id of the parent.
    pub parent_pid: u32,
    /// Real user id.
    pub uid: u32,
    /// Start in clock ticks since boot: with the process id it names a process for ever.
    pub start_ticks: u64,
    /// The same as RFC 3339.
    pub started: String,
    /// Where its names come from.
    #[serde(flatten)]
    pub sources: Sources,
}

/// What a process used until it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Processor time in microseconds.
    pub cpu_us: u64,
    /// The most memory it held at once, in bytes.
    pub memory_peak_bytes: u64,
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A process was forked.
    Forked {
        /// The new process.
        pid: u32,
    },
    /// A process executed a program, or a forked one is due to be announced.
    Seen(Facts),
    /// The kernel tells what a process used; its end follows.
    Counted {
        /// The process.
        pid: u32,
        /// What it used.
        usage: Usage,
    },
    /// A process ended. `status` as `waitpid` reports it; `None` when nobody saw how.
    Ended {
        /// The process.
        pid: u32,
        /// Signal in the low 7 bits, exit code in the next byte.
        status: Option<u32>,
    },
    /// Everything `/proc` showed in one reading. `first`: this is how the world was at our start, so nothing is announced.
    Scanned {
        /// True at the start.
        first: bool,
        /// All processes.
        facts: Vec<Facts>,
    },
    /// Somebody asked for the oldest process of a name.
    Find {
        /// The name.
        name: String,
        /// Where the answer goes.
        reply: String,
    },
    /// Somebody asked for the list.
    List {
        /// Where the answer goes.
        reply: String,
    },
    /// The deadline asked for by [`Effect::Arm`] has passed and what was due has been [`Input::Seen`] or [`Input::Ended`].
    Deadline,
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Publish that a program started.
    Started(Process<'static>),
    /// Publish that a program ended.
    Exited(Exited<'static>),
    /// Answer with a process id.
    Pid {
        /// Where to.
        reply: String,
        /// The process.
        pid: u32,
    },
    /// Answer that nobody can serve this.
    Nobody {
        /// Where to.
        reply: String,
    },
    /// Answer with the list, as [`Machine::processes`] gives it.
    List {
        /// Where to.
        reply: String,
    },
    /// Call with [`Input::Deadline`] then; `None`: never.
    Arm(Option<u64>),
    /// Write a log line.
    Note(Note),
}

/// What the log is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// The table is full; so many processes are not followed since the last note.
    TableFull {
        /// How many.
        lost: u64,
    },
}

impl Note {
    /// How much it matters.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::TableFull { .. } => Level::Warn,
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TableFull { lost } => write!(f, "processes not followed: table full (lost={lost})"),
        }
    }
}

/// Follows processes. A forked process that has not executed anything waits in `forks`; what was announced or there at the start
/// is in `table`.
#[derive(Debug)]
pub struct Machine {
    table: BTreeMap<u32, Facts>,
    forks: VecDeque<(Instant, u32)>,
    /// What was counted of processes whose end was not told yet.
    counted: BTreeMap<u32, Usage>,
    processes_max: usize,
    lost: u64,
    armed: Option<Instant>,
}

impl Machine {
    /// An empty table for at most `processes_max` processes.
    #[must_use]
    pub fn new(processes_max: usize) -> Self {
        let (table, counted) = (BTreeMap::new(), BTreeMap::new());
        Self { table, forks: VecDeque::new(), counted, processes_max, lost: 0, armed: None }
    }

    /// Most effects of one step: two for each process that a reading of `/proc` can change, and some.
    #[must_use]
    pub fn effects_max(&self) -> usize {
        2 * self.processes_max + 16
    }

    /// Takes another limit; processes above it stay until they end.
    pub fn set_processes_max(&mut self, processes_max: usize) {
        self.processes_max = processes_max;
    }

    /// The announced processes.
    pub fn processes(&self) -> impl Iterator<Item = Process<'_>> {
        self.table.values().map(process)
    }

    /// The forked processes whose wait is over at `now`. The adapter looks each up before [`Input::Deadline`].
    pub fn due(&self, now: Instant) -> impl Iterator<Item = u32> {
        self.forks.iter().take_while(move |(at, _)| *at <= now).map(|(_, pid)| *pid)
    }

    fn seen(&mut self, facts: Facts, announce: bool, out: &mut Effects<Effect>) {
        self.forks.retain(|(_, pid)| *pid != facts.pid);
        let known = self.table.get(&facts.pid).cloned();
        if known.is_none() && self.table.len() >= self.processes_max {
            self.lost += 1;
            return;
        }
        let same_program = known.as_ref().is_some_and(|known| {
            known.start_ticks == facts.start_ticks && known.sources.name() == facts.sources.name()
        });
        if announce && !same_program {
            if let Some(known) = &known {
                out.push(Effect::Exited(replaced(known, &facts)));
            }
            out.push(Effect::Started(process(&facts).into_owned()));
        }
        self.table.insert(facts.pid, facts);
    }

    fn ended(&mut self, pid: u32, status: Option<u32>, out: &mut Effects<Effect>) {
        self.forks.retain(|(_, forked)| *forked != pid);
        let usage = self.counted.remove(&pid);
        if let Some(facts) = self.table.remove(&pid) {
            out.push(Effect::Exited(exited(&facts, status, usage)));
        }
    }

    fn scanned(&mut self, first: bool, facts: Vec<Facts>, out: &mut Effects<Effect>) {
        let present: BTreeSet<u32> = facts.iter().map(|facts| facts.pid).collect();
        let gone: Vec<u32> = self.table.keys().copied().filter(|pid| !present.contains(pid)).collect();
        for pid in gone {
            self.ended(pid, None, out);
        }
        for facts in facts {
            self.seen(facts, !first, out);
        }
    }

    fn find(&self, name: &str) -> Option<u32> {
        let matching = self.table.values().filter(|facts| facts.sources.answers_to(name));
        Some(matching.min_by_key(|facts| (facts.start_ticks, facts.pid))?.pid)
    }

    fn forked(&mut self, now: Instant, pid: u32) {
        if self.forks.len() < FORKS_MAX {
            self.forks.push_back((now + FORK_WAIT, pid));
        } else {
            self.lost += 1;
        }
    }

    /// Asks for the next deadline where it changed, and tells what was lost.
    fn settle(&mut self, out: &mut Effects<Effect>) {
        let next = self.forks.front().map(|(at, _)| *at);
        if next != self.armed {
            self.armed = next;
            out.push(Effect::Arm(next.map(Instant::as_nanos)));
        }
        if self.lost > 0 {
            out.push(Effect::Note(Note::TableFull { lost: std::mem::take(&mut self.lost) }));
        }
    }
}

impl daemon::Machine for Machine {
    type Input<'a> = Input;
    type Effect = Effect;

    fn step(&mut self, now: Instant, input: Input, out: &mut Effects<Effect>) {
        match input {
            Input::Forked { pid } => self.forked(now, pid),
            Input::Seen(facts) => self.seen(facts, true, out),
            Input::Counted { pid, usage } => {
                // What is not in the table is not announced, so nobody will ask.
                if self.table.contains_key(&pid) {
                    self.counted.insert(pid, usage);
                }
            }
            Input::Ended { pid, status } => self.ended(pid, status, out),
            Input::Scanned { first, facts } => self.scanned(first, facts, out),
            Input::Find { name, reply } => out.push(match self.find(&name) {
                Some(pid) => Effect::Pid { reply, pid },
                None => Effect::Nobody { reply },
            }),
            Input::List { reply } => out.push(Effect::List { reply }),
            Input::Deadline => {
                self.armed = None;
                while self.forks.front().is_some_and(|(at, _)| *at <= now) {
                    self.forks.pop_front();
                }
            }
        }
        self.settle(out);
    }
}

fn process(facts: &Facts) -> Process<'_> {
    Process {
        pid: facts.pid,
        parent_pid: facts.parent_pid,
        uid: facts.uid,
        name: facts.sources.name().into(),
        comm: facts.sources.comm.as_str().into(),
        executable: facts.sources.executable.as_deref().map(Into::into),
        script: facts.sources.script().map(Into::into),
        started: facts.started.as_str().into(),
    }
}

fn exited(facts: &Facts, status: Option<u32>, usage: Option<Usage>) -> Exited<'static> {
    let signal = status.map(|status| status & 0x7f).filter(|signal| *signal != 0);
    let exit_code = status.filter(|_| signal.is_none()).map(|status| (status >> 8) & 0xff);
    Exited {
        process: process(facts).into_owned(),
        exit_code: exit_code.and_then(|code| u8::try_from(code).ok()),
        signal: signal.and_then(|signal| u8::try_from(signal).ok()),
        replaced_by: None,
        cpu_us: usage.map(|usage| usage.cpu_us),
        memory_peak_bytes: usage.map(|usage| usage.memory_peak_bytes),
    }
}

/// The end of a program whose process now runs another one, or whose process id another process has.
fn replaced(known: &Facts, by: &Facts) -> Exited<'static> {
    let same_process = known.start_ticks == by.start_ticks;
    let replaced_by = same_process.then(|| by.sources.name().to_owned().into());
    Exited { replaced_by, ..exited(known, None, None) }
}
