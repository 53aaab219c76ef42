//! The sources and the bus on one side, the machine on the other.

mod forward;
mod inputs;
mod open;
mod pipes;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod wire;

use crate::config::Config;
use crate::machine::{Arrival, Cut, Effect, Input, Machine, Origin};
use crate::shown;
use daemon::{Context, Daemon, Effects, Fatal, Given, Interest, Level, Program, Request};
use forward::Target;
use inputs::Inputs;
use interfaces::log::Tail;
use interfaces::{Event as Numbered, Item, Stamp, error};
use reactor::{Event, Instant, Timer};
use std::time::{SystemTime, UNIX_EPOCH};
use store::Store;

/// The daemon's own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A socket for datagrams, by its place in the list.
    Datagrams(usize),
    /// A socket that listens.
    Listener(usize),
    /// A connection.
    Connection(usize),
    /// The kernel's log.
    Kmsg,
    /// Where lunix-init hands over pipes.
    Link,
    /// The output of a service.
    Pipe(usize),
    /// Something is due.
    Timer,
    /// What is gathered for a file is due.
    Flush,
    /// A target's socket.
    Target(usize),
    /// The next attempt to reach a target.
    Retry(usize),
}

/// The adapter: every system call of natslog is made here.
#[derive(Debug)]
pub struct Natslog {
    machine: Machine,
    effects: Effects<Effect>,
    inputs: Inputs,
    timer: Timer,
    store: Option<Store>,
    targets: Vec<Target>,
    /// The number of the last line that the bus was given.
    published: u64,
}

type World<'a> = Context<'a, Source>;

impl Daemon for Natslog {
    const PROGRAM: Program = Program { name: "natslog", summary: "puts the log on the bus", flags: &[] };
    type Config = Config;
    type Source = Source;

    fn configure(config: &mut Config, _given: &Given) -> Result<(), String> {
        config.check()
    }

    fn start(config: Config, context: &mut World<'_>) -> Result<Self, Fatal> {
        let inputs = Inputs::open(&config, context)?;
        let machine = Machine::new(config.settings(std::process::id()));
        let effects = Effects::with_limit(machine.effects_max());
        let timer = Timer::new().map_err(|error| Fatal::system("cannot open a timer", error))?;
        context
            .watch(&timer, Interest::READ, Source::Timer)
            .map_err(|error| Fatal::system("cannot watch a timer", error))?;
        let store = Store::open(&config.files, context)?;
        let targets = forward::open(&config.forward, context)?;
        context.serve("tail", "log.tail");
        context.listen("log.in");
        Ok(Self { machine, effects, inputs, timer, store, targets, published: 0 })
    }

    fn source(&mut self, event: Event<Source>, context: &mut World<'_>) {
        match event.key {
            Source::Timer => {
                if let Err(error) = self.timer.fired() {
                    context.log(Level::Error, format_args!("cannot read a timer: {error}"));
                }
                self.step(Input::Deadline { wall_us: wall_us() }, context);
            }
            Source::Flush => {
                if let Some(store) = &mut self.store {
                    store.flush(context);
                }
            }
            Source::Target(index) => {
                if let Some(target) = self.targets.get_mut(index) {
                    target.serve(&event, context);
                }
            }
            Source::Retry(index) => {
                if let Some(target) = self.targets.get_mut(index) {
                    target.retry(context);
                }
            }
            Source::Datagrams(_)
            | Source::Listener(_)
            | Source::Connection(_)
            | Source::Kmsg
            | Source::Link
            | Source::Pipe(_) => self.read(event.key, context),
        }
    }

    fn request(&mut self, request: &Request, context: &mut World<'_>) {
        if request.subject == "log.in" {
            return self.arrive(Origin::Bus, Cut::No, &request.payload, context);
        }
        let Some(reply) = request.reply.as_deref() else { return };
        self.step(Input::Tail { reply: reply.into(), payload: request.payload.as_slice().into() }, context);
    }

    fn reload(&mut self, config: Config, _context: &mut World<'_>) -> Result<(), String> {
        self.inputs.configure(&config);
        self.machine.configure(config.settings(std::process::id()));
        Ok(())
    }

    fn settle(&mut self, context: &mut World<'_>) {
        self.forward(context);
        self.publish(context);
    }
}

impl Natslog {
    /// Bytes arrived.
    fn arrive(&mut self, from: Origin<'_>, cut: Cut, bytes: &[u8], context: &mut World<'_>) {
        let monotonic_us = context.now().as_nanos() / 1000;
        let arrival = Arrival { from, wall_us: wall_us(), monotonic_us, cut, bytes: bytes.into() };
        self.step(Input::Line(arrival), context);
    }

    fn step(&mut self, input: Input<'_>, context: &mut World<'_>) {
        context.record(&input);
        daemon::Machine::step(&mut self.machine, context.now(), input, &mut self.effects);
        while let Some(effect) = self.effects.pop() {
            self.run(effect, context);
        }
    }

    fn run(&mut self, effect: Effect, context: &mut World<'_>) {
        match effect {
            Effect::Stored { seq } => self.stored(seq, context),
            Effect::Tail { reply, seq, numbers } => self.reply_tail(&reply, seq, &numbers, context),
            Effect::Refuse { reply, text } => context.reply_error(&reply, error::BAD_REQUEST, &text),
            Effect::Arm(at) => self.arm(at, context),
            Effect::Note(note) => context.log(note.level(), note),
        }
    }

    /// There is a new line. The bus gets it at the end of the turn, from the ring.
    fn stored(&mut self, seq: u64, context: &World<'_>) {
        let Some(record) = self.machine.record(seq) else { return };
        if let Some(store) = &mut self.store {
            store.add(&record, context);
        }
        self.targets.iter_mut().for_each(|target| target.add(seq, &record));
    }

    /// Gives the targets what waits for them. What is to be said of that is a line like any.
    fn forward(&mut self, context: &mut World<'_>) {
        let said: Vec<String> = self.targets.iter_mut().filter_map(|target| target.pump(context)).collect();
        for text in &said {
            self.arrive(Origin::Own, Cut::No, text.as_bytes(), context);
        }
        if !said.is_empty() {
            // It is on its way, too; what is to be said of it is said later.
            self.targets.iter_mut().for_each(|target| drop(target.pump(context)));
        }
    }

    /// Gives the bus the lines it was not given yet, as long as it has room. What the ring gave up before is a hole in the numbers.
    fn publish(&mut self, context: &mut World<'_>) {
        let missed = self.machine.oldest().saturating_sub(self.published + 1);
        if missed > 0 {
            self.published += missed;
            context.outbox().skip(missed);
            context.log(
                Level::Warn,
                format_args!("lines not published: the bus did not take them in time (lost={missed})"),
            );
        }
        while context.outbox().has_room()
            && let Some(record) = self.machine.record(self.published + 1)
        {
            self.published += 1;
            let staged = context.outbox().stage(shown::subject(&record), &shown::time(&record), &shown::line(&record));
            if let Err(error) = staged {
                context.log(Level::Error, format_args!("a line cannot be written as JSON: {error}"));
            }
        }
    }

    fn reply_tail(&self, reply: &str, seq: u64, numbers: &[u64], context: &mut World<'_>) {
        let epoch = context.outbox().epoch().to_owned();
        let item = |&seq: &u64| {
            let record = self.machine.record(seq)?;
            let stamp = Stamp { epoch: epoch.as_str().into(), seq, time: shown::time(&record).into() };
            Some(Item { subject: shown::subject(&record).into(), body: Numbered { stamp, body: shown::line(&record) } })
        };
        let items = numbers.iter().filter_map(item).collect();
        let oldest = self.machine.oldest();
        context.reply(reply, &Tail { epoch: epoch.as_str().into(), seq, oldest, items });
    }

    fn arm(&self, at: Option<u64>, context: &World<'_>) {
        let armed = match at {
            Some(nanos) => self.timer.arm(Instant::from_nanos(nanos)),
            None => self.timer.disarm(),
        };
        if let Err(error) = armed {
            context.log(Level::Error, format_args!("cannot set a timer: {error}"));
        }
    }
}

/// Microseconds since 1970.
fn wall_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or_default()
}
