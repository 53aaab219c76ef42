//! What is kept of what arrives, and who may say how much.

mod echo;
mod kernel;
mod read;
pub mod record;
pub mod ring;
mod sources;
mod tail;

pub use sources::{Limit, OWN};

use daemon::{Effects, Instant, Level};
use echo::Echo;
use kernel::Kernel;
use record::{Raw, Record};
use ring::Ring;
use serde::{Deserialize, Serialize};
use sources::Sources;
use std::borrow::Cow;
use std::time::Duration;

/// How long after the first dropped line the drop is reported.
const REPORT_WAIT: Duration = Duration::from_secs(5);

/// Most effects of one step: a report for each source, and some.
const EFFECTS_MAX: usize = 2048;

/// What the machine is made with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Bytes of the ring.
    pub ring_bytes: usize,
    /// How much a source may send.
    pub limit: Limit,
    /// Services that write a line when a message is published: the bus.
    pub bus_services: Vec<String>,
    /// Our own process.
    pub own_pid: u32,
}

/// Who a line comes from, as the kernel or lunix-init says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin<'a> {
    /// The kernel.
    Kernel,
    /// A user's process, through `/dev/log`.
    User {
        /// The user.
        uid: u32,
        /// The process; 0 where the kernel does not say.
        pid: u32,
    },
    /// The output of a service.
    Service(Cow<'a, str>),
    /// Another machine.
    Remote(std::net::IpAddr),
    /// Somebody on the bus.
    Bus,
    /// natslog itself.
    Own,
}

/// Whether bytes are all that was sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cut {
    /// They are.
    #[default]
    No,
    /// The rest is gone.
    Cut,
    /// The rest follows as a line of its own.
    GoesOn,
}

/// One message or line as it arrived.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arrival<'a> {
    /// Where from.
    pub from: Origin<'a>,
    /// When, in microseconds since 1970.
    pub wall_us: u64,
    /// When, in microseconds since boot.
    pub monotonic_us: u64,
    /// Whether it is all of it.
    #[serde(default)]
    pub cut: Cut,
    /// What.
    #[serde(with = "bytes")]
    pub bytes: Cow<'a, [u8]>,
}

impl Default for Arrival<'_> {
    fn default() -> Self {
        Self { from: Origin::Own, wall_us: 0, monotonic_us: 0, cut: Cut::No, bytes: Cow::Borrowed(b"") }
    }
}

impl Arrival<'_> {
    fn raw(&self) -> Raw {
        match self.cut {
            Cut::No => Raw::No,
            Cut::Cut => Raw::Cut,
            Cut::GoesOn => Raw::GoesOn,
        }
    }
}

/// Payloads in traces, borrowed where they can be.
mod bytes {
    use std::borrow::Cow;

    pub(super) use daemon::payload::serialize;

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Cow<'static, [u8]>, D::Error> {
        daemon::payload::deserialize(deserializer).map(Cow::Owned)
    }
}

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input<'a> {
    /// A line arrived.
    Line(Arrival<'a>),
    /// Somebody asked for lines.
    Tail {
        /// Where the answer goes.
        reply: Cow<'a, str>,
        /// The argument.
        #[serde(with = "bytes")]
        payload: Cow<'a, [u8]>,
    },
    /// The deadline asked for by [`Effect::Arm`] has passed; it is so many microseconds since 1970.
    Deadline {
        /// The time.
        wall_us: u64,
    },
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// There is a new line, as [`Machine::record`] gives it.
    Stored {
        /// Its number.
        seq: u64,
    },
    /// Answer with these lines.
    Tail {
        /// Where to.
        reply: String,
        /// The last line that was looked at.
        seq: u64,
        /// The lines' numbers.
        numbers: Vec<u64>,
    },
    /// Answer that the question cannot be understood.
    Refuse {
        /// Where to.
        reply: String,
        /// Why.
        text: String,
    },
    /// Call with [`Input::Deadline`] then; `None`: never.
    Arm(Option<u64>),
    /// Write a log line.
    Note(Note),
}

/// What natslog's own log is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A line is larger than the ring.
    TooLarge,
}

impl Note {
    /// How much it matters.
    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::TooLarge => Level::Warn,
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge => f.write_str("a line was not kept: it is larger than the ring"),
        }
    }
}

/// Keeps the newest lines.
#[derive(Debug)]
pub struct Machine {
    ring: Ring,
    sources: Sources,
    kernel: Kernel,
    echo: Echo,
    /// When what was dropped is reported.
    report_at: Option<Instant>,
    armed: Option<Instant>,
}

/// Where records go.
struct Keep<'a>(&'a mut Ring);

impl Keep<'_> {
    fn keep(&mut self, record: &Record<'_>, out: &mut Effects<Effect>) {
        out.push(match record.encode(|parts| self.0.push(parts)) {
            Some(seq) => Effect::Stored { seq },
            None => Effect::Note(Note::TooLarge),
        });
    }
}

impl Machine {
    /// An empty ring.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            ring: Ring::new(settings.ring_bytes),
            sources: Sources::new(settings.limit),
            kernel: Kernel::default(),
            echo: Echo::new(settings.bus_services, settings.own_pid),
            report_at: None,
            armed: None,
        }
    }

    /// Takes other settings. The ring stays as large as it is.
    pub fn configure(&mut self, settings: Settings) {
        self.sources.set_limit(settings.limit);
        self.echo.configure(settings.bus_services);
    }

    /// Most effects of one step.
    #[must_use]
    pub const fn effects_max(&self) -> usize {
        EFFECTS_MAX
    }

    /// The line of that number, while it is kept.
    #[must_use]
    pub fn record(&self, seq: u64) -> Option<Record<'_>> {
        self.ring.get(seq).and_then(Record::decode)
    }

    /// The number of the oldest line that is kept, or of the next one when none is.
    #[must_use]
    pub const fn oldest(&self) -> u64 {
        self.ring.oldest()
    }

    /// The number of the newest line, 0 before the first.
    #[must_use]
    pub fn newest(&self) -> u64 {
        self.ring.next() - 1
    }

    fn line(&mut self, now: Instant, arrival: &Arrival<'_>, out: &mut Effects<Effect>) {
        if self.echo.is_one(arrival) || !self.sources.admit(now, &arrival.from) {
            self.report_at.get_or_insert(now + REPORT_WAIT);
            return;
        }
        let (source, bytes, mut keep) = (self.sources.name(), &*arrival.bytes, Keep(&mut self.ring));
        match &arrival.from {
            Origin::User { .. } | Origin::Remote(_) => keep.keep(&read::message(bytes, arrival, source), out),
            Origin::Service(_) => keep.keep(&read::service(bytes, arrival, source), out),
            Origin::Bus => keep.keep(&read::Sent::read(bytes).record(arrival, source), out),
            Origin::Own => keep.keep(&own(bytes, arrival.wall_us, now), out),
            Origin::Kernel => match self.kernel.take(now, arrival, &mut keep, out) {
                0 => {}
                lost => {
                    let text = format!("the kernel's log was overwritten before it was read (lost={lost})");
                    keep.keep(&own(text.as_bytes(), arrival.wall_us, now), out);
                }
            },
        }
    }

    fn deadline(&mut self, now: Instant, wall_us: u64, out: &mut Effects<Effect>) {
        self.armed = None;
        let mut keep = Keep(&mut self.ring);
        if self.kernel.due().is_some_and(|due| due <= now) {
            self.kernel.give_up(&mut keep, out);
        }
        if self.report_at.is_some_and(|at| at <= now) {
            self.report_at = None;
            for (source, lost) in self.sources.take_dropped() {
                let text = format!("too many lines from {source}: some were dropped (lost={lost})");
                keep.keep(&own(text.as_bytes(), wall_us, now), out);
            }
            if let Some(text) = self.echo.report() {
                keep.keep(&own(text.as_bytes(), wall_us, now), out);
            }
        }
    }

    fn settle(&mut self, out: &mut Effects<Effect>) {
        let next = [self.report_at, self.kernel.due()].into_iter().flatten().min();
        if next != self.armed {
            self.armed = next;
            out.push(Effect::Arm(next.map(Instant::as_nanos)));
        }
    }
}

impl daemon::Machine for Machine {
    type Input<'a> = Input<'a>;
    type Effect = Effect;

    fn step(&mut self, now: Instant, input: Input<'_>, out: &mut Effects<Effect>) {
        match input {
            Input::Line(arrival) => self.line(now, &arrival, out),
            Input::Tail { reply, payload } => {
                let reply = reply.into_owned();
                out.push(match tail::find(&payload, &self.ring) {
                    Ok(tail::Found { numbers, seq }) => Effect::Tail { reply, seq, numbers },
                    Err(text) => Effect::Refuse { reply, text },
                });
            }
            Input::Deadline { wall_us } => self.deadline(now, wall_us, out),
        }
        self.settle(out);
    }
}

/// Something natslog has to say: facility syslog, severity warning.
fn own(text: &[u8], wall_us: u64, now: Instant) -> Record<'_> {
    const PRIORITY: u8 = 5 * 8 + 4;
    let monotonic_us = now.as_nanos() / 1000;
    Record {
        wall_us,
        monotonic_us,
        priority: PRIORITY,
        source: OWN,
        program: OWN.as_bytes(),
        text,
        ..Record::default()
    }
}
