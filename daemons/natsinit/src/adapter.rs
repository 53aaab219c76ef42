//! lunix-init's control socket and the bus on one side, the machine on the other.

use crate::config::Config;
use crate::machine::{Diff, Effect, Input, Machine, Row};
use daemon::{Context, Daemon, Effects, Fatal, Flag, Given, Interest, Level, Program, Request, Token};
use init_control::{Ended, Error, Reply, ServiceState, Text, Watch, What};
use interfaces::{Argument, Item, List, error};
use nats_subject::encode_token;
use reactor::{Event, Instant, Timer};
use std::path::PathBuf;

/// The daemon's own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// lunix-init has something to tell.
    Control,
    /// The pause before connecting again is over.
    Timer,
}

/// The adapter: every system call of natsinit is made here.
#[derive(Debug)]
pub struct Natsinit {
    machine: Machine,
    effects: Effects<Effect>,
    control: PathBuf,
    watch: Option<(Watch, Token)>,
    timer: Timer,
}

type World<'a> = Context<'a, Source>;

impl Daemon for Natsinit {
    const PROGRAM: Program = Program {
        name: "natsinit",
        summary: "puts what lunix-init does on the bus",
        flags: &[Flag { long: "control", short: None, value: Some("PATH"), help: "control socket of lunix-init" }],
    };
    type Config = Config;
    type Source = Source;

    fn configure(config: &mut Config, given: &Given) -> Result<(), String> {
        if let Some(path) = given.value("control") {
            config.control = PathBuf::from(path);
        }
        Ok(())
    }

    fn start(config: Config, context: &mut World<'_>) -> Result<Self, Fatal> {
        let timer = Timer::new().map_err(|error| Fatal::system("cannot open a timer", error))?;
        context
            .watch(&timer, Interest::READ, Source::Timer)
            .map_err(|error| Fatal::system("cannot watch a timer", error))?;
        let (machine, effects) = (Machine::default(), Effects::with_limit(Machine::EFFECTS_MAX));
        let mut this = Self { machine, effects, control: config.control, watch: None, timer };
        this.connect(context);
        context.serve("list", "init.list");
        Ok(this)
    }

    fn source(&mut self, event: Event<Source>, context: &mut World<'_>) {
        match event.key {
            Source::Control => self.read(context),
            Source::Timer => match self.timer.fired() {
                Ok(true) => self.step(Input::Deadline, context),
                Ok(false) => {}
                Err(error) => context.log(Level::Error, format_args!("cannot read a timer: {error}")),
            },
        }
    }

    fn request(&mut self, request: &Request, context: &mut World<'_>) {
        let Some(reply) = request.reply.clone() else { return };
        match Argument::parse(&request.payload) {
            Ok(_) => self.step(Input::List { reply }, context),
            Err(problem) => context.reply_error(&reply, error::BAD_REQUEST, &problem.to_string()),
        }
    }

    fn reload(&mut self, config: Config, context: &mut World<'_>) -> Result<(), String> {
        if config.control != self.control {
            self.control = config.control;
            self.lost("another socket is configured".to_owned(), context);
        }
        Ok(())
    }
}

impl Natsinit {
    fn connect(&mut self, context: &mut World<'_>) {
        let opened = Watch::connect(&self.control).map_err(|error| error.to_string()).and_then(|watch| {
            let token = context.watch(&watch, Interest::READ, Source::Control).map_err(|error| error.to_string())?;
            Ok((watch, token))
        });
        match opened {
            Ok(watch) => self.watch = Some(watch),
            Err(why) => self.lost(format!("{}: {why}", self.control.display()), context),
        }
    }

    fn lost(&mut self, why: String, context: &mut World<'_>) {
        if let Some((watch, token)) = self.watch.take()
            && let Err(error) = context.unwatch(token, &watch)
        {
            context.log(Level::Error, format_args!("cannot leave the control socket: {error}"));
        }
        self.step(Input::Lost(why), context);
    }

    fn read(&mut self, context: &mut World<'_>) {
        loop {
            let Some((watch, _)) = &mut self.watch else { return };
            match watch.reply().map(|reply| reply.map(|reply| input(&reply))) {
                Ok(Some(Some(Input::Lost(why)))) => return self.lost(why, context),
                Ok(Some(Some(input))) => self.step(input, context),
                Ok(Some(None)) => {}
                Ok(None) => return,
                Err(error @ (Error::Closed | Error::Socket(_))) => return self.lost(error.to_string(), context),
                Err(error) => context.log(Level::Warn, format_args!("lunix-init said what makes no sense: {error}")),
            }
        }
    }

    fn step(&mut self, input: Input, context: &mut World<'_>) {
        context.record(&input);
        daemon::Machine::step(&mut self.machine, context.now(), input, &mut self.effects);
        while let Some(effect) = self.effects.pop() {
            self.run(effect, context);
        }
    }

    fn run(&mut self, effect: Effect, context: &mut World<'_>) {
        match effect {
            Effect::Service(row) => context.publish(subject(&row), &row.service()),
            Effect::Generation { what, diff } => context.publish(format!("init.generation.{what}"), &diff.event()),
            Effect::Machine { what, event } => context.publish(format!("init.machine.{what}"), &event),
            Effect::List { reply } => self.reply_list(&reply, context),
            Effect::Connect => self.connect(context),
            Effect::Arm(at) => {
                if let Err(error) = self.timer.arm(Instant::from_nanos(at)) {
                    context.log(Level::Error, format_args!("cannot set a timer: {error}"));
                }
            }
            Effect::Note(note) => context.log(note.level(), note),
        }
    }

    fn reply_list(&self, reply: &str, context: &mut World<'_>) {
        let item = |row| Item { subject: subject(row).into(), body: row.service() };
        let epoch = context.outbox().epoch().to_owned().into();
        let note = self.watch.is_none().then(|| "lunix-init does not answer: this is how it was".into());
        let list = List { epoch, seq: context.outbox().seq(), note, items: self.machine.rows().map(item).collect() };
        context.reply(reply, &list);
    }
}

fn subject(row: &Row) -> String {
    format!("init.service.{}.{}", encode_token(row.name.as_bytes()), row.what)
}

/// A record of the control protocol as an input; `None` for what says nothing to us.
fn input(reply: &Reply<'_>) -> Option<Input> {
    match reply {
        Reply::Service(service) => Some(Input::Row(row(
            last_event(service.state).word(),
            service.name,
            service.pid,
            service.ended,
            service.reason,
        ))),
        Reply::End { .. } => Some(Input::SnapshotEnd),
        Reply::Event(event) => Some(match event.service {
            None if event.generation.is_some() => generation(event)?,
            Some(name) => Input::Event(row(event.what.word(), name, event.pid, event.ended, event.reason)),
            None => Input::Machine { what: event.what.word().to_owned(), reason: sentence(event.reason) },
        }),
        Reply::Refused { code, reason } => Some(Input::Lost(format!("{reason} (code {code})"))),
        Reply::Ok | Reply::Usage(_) | Reply::Line(_) | Reply::Lost(_) | Reply::Unknown => None,
    }
}

fn generation(event: &init_control::Event<'_>) -> Option<Input> {
    let generation = event.generation?;
    let what = event.what.word().strip_prefix("generation-")?.to_owned();
    let diff = Diff {
        generation: generation.number,
        added: generation.added.all(),
        changed: generation.changed.all(),
        removed: generation.removed.all(),
        kept: generation.kept,
        omitted: Some(generation.omitted).filter(|&count| count > 0),
        took_ms: generation.took_ms,
        reason: sentence(event.reason),
    };
    Some(Input::Generation { what, diff })
}

fn row(what: &str, name: &str, pid: Option<i32>, ended: Option<Ended>, reason: Text<'_>) -> Row {
    let (exit_code, signal) = match ended {
        Some(Ended::Code(code)) => (Some(code), None),
        Some(Ended::Signal(signal)) => (None, u8::try_from(signal).ok()),
        None => (None, None),
    };
    let pid = pid.and_then(|pid| u32::try_from(pid).ok());
    Row { what: what.to_owned(), name: name.to_owned(), pid, exit_code, signal, reason: sentence(reason) }
}

fn sentence(text: Text<'_>) -> Option<String> {
    Some(text.to_string()).filter(|text| !text.is_empty())
}

/// The event that leads to a state.
fn last_event(state: ServiceState) -> What {
    match state {
        ServiceState::Down => What::Stopped,
        ServiceState::Waiting => What::Waiting,
        ServiceState::Starting => What::Started,
        ServiceState::Ready | ServiceState::Done => What::Ready,
        ServiceState::Backoff => What::Backoff,
        ServiceState::Stopping | ServiceState::Killing | ServiceState::Finishing | ServiceState::Undoing => {
            What::Stopping
        }
        ServiceState::Broken => What::Broken,
    }
}
