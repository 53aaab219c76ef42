//! The kernel and the bus on one side, the machine on the other.

mod coldplug;
mod helpers;
mod jobs;
mod nodes;
mod state;
mod sysfs;
mod udevdb;
mod uevents;

use crate::config::Config;
use crate::helper::{Kind, modules, probe};
use crate::machine::{Action, Effect, Input, Machine};
use daemon::{Context, Daemon, Effects, Fatal, Flag, Given, Interest, Level, Program, Request, Token, exit};
use helpers::Helper;
use interfaces::hardware::{Class, Thing};
use interfaces::{Argument, Item, List, Overrun, error};
use nats_subject::encode_token;
use proto_uevent::{Action as Kernel, Message, Properties, Uevent};
use reactor::{Event, Instant, Timer};
use state::State;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::{Duration, SystemTime};
use sysfs::Sysfs;
use uevents::{Group, Received, Uevents};

/// How long a look at a medium may take: drives need seconds to spin up, and a broken one never answers.
const PROBE_PATIENCE: Duration = Duration::from_secs(10);
/// How long modules for one alias may take to load and find their devices.
const MODULES_PATIENCE: Duration = Duration::from_secs(60);
/// Datagrams taken in one turn, so that requests are served in between.
const TURN_MAX: usize = 256;

/// The daemon's own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// A device was announced.
    Uevents,
    /// Something pending is due.
    Timer,
    /// A job of a helper is overdue.
    Patience,
    /// A helper answers.
    Helper(Kind),
}

/// The adapter: every system call of natsdev is made here.
#[derive(Debug)]
pub struct Natsdev {
    machine: Machine,
    effects: Effects<Effect>,
    config: Config,
    sysfs: Sysfs,
    uevents: Uevents,
    timer: Timer,
    patience: Timer,
    modules: Helper<modules::Job>,
    probe: Helper<probe::Job>,
    tokens: [Option<Token>; 2],
    state: Option<State>,
    /// Aliases of the reading of sysfs under way: many devices share one.
    aliases: Option<BTreeSet<String>>,
    /// Why less is known than should be; in the list.
    note: Option<String>,
    /// When the patience timer is set to fire.
    patience_at: Option<Instant>,
    refused: u64,
}

type World<'a> = Context<'a, Source>;

const FLAGS: &[Flag] = &[
    Flag {
        long: "observe",
        short: None,
        value: None,
        help: "only publish: leave nodes and modules alone, as beside udevd",
    },
    Flag { long: "state", short: None, value: Some("FILE"), help: "keep numbers and things over a restart in FILE" },
];

impl Daemon for Natsdev {
    const PROGRAM: Program = Program { name: "natsdev", summary: "puts hardware on the bus", flags: FLAGS };
    type Config = Config;
    type Source = Source;

    fn configure(config: &mut Config, given: &Given) -> Result<(), String> {
        config.observe |= given.has("observe");
        if let Some(path) = given.value("state") {
            config.state = Some(path.into());
        }
        config.check()
    }

    fn start(config: Config, context: &mut World<'_>) -> Result<Self, Fatal> {
        let rules = config.rules().map_err(|text| Fatal::new(exit::CONFIG, text))?;
        let mut state = config.state_path().map(State::new);
        let saved = restore(&mut state, context);
        let machine = Machine::new(rules, config.devices_max, saved);
        let system = |what: &'static str| move |error: std::io::Error| Fatal::system(what, error);
        let mut this = Self {
            effects: Effects::with_limit(machine.effects_max()),
            machine,
            sysfs: Sysfs::new(),
            uevents: Uevents::open(group(&config)).map_err(system("cannot listen to uevents"))?,
            timer: Timer::new().map_err(system("cannot open a timer"))?,
            patience: Timer::new().map_err(system("cannot open a timer"))?,
            modules: Helper::new(Kind::Modules, MODULES_PATIENCE),
            probe: Helper::new(Kind::Probe, PROBE_PATIENCE),
            tokens: [None, None],
            config,
            state,
            aliases: None,
            note: None,
            patience_at: None,
            refused: 0,
        };
        for (watched, source) in [
            (context.watch(&this.uevents, Interest::READ, Source::Uevents), "uevents"),
            (context.watch(&this.timer, Interest::READ, Source::Timer), "a timer"),
            (context.watch(&this.patience, Interest::READ, Source::Patience), "a timer"),
        ] {
            watched.map_err(|error| Fatal::system(&format!("cannot watch {source}"), error))?;
        }
        this.explain(context);
        this.coldplug(context)?;
        context.serve("list", "hardware.list");
        Ok(this)
    }

    fn source(&mut self, event: Event<Source>, context: &mut World<'_>) {
        match event.key {
            Source::Uevents => self.read_uevents(context),
            Source::Timer => self.serve_timer(context),
            Source::Patience => self.serve_patience(context),
            Source::Helper(kind) => self.serve_helper(kind, context),
        }
    }

    fn request(&mut self, request: &Request, context: &mut World<'_>) {
        let Some(reply) = request.reply.clone() else { return };
        match class_of(&request.payload) {
            Ok(class) => self.step(Input::List { class, reply }, context),
            Err(problem) => context.reply_error(&reply, error::BAD_REQUEST, &problem),
        }
    }

    fn reload(&mut self, config: Config, _context: &mut World<'_>) -> Result<(), String> {
        if (config.observe, &config.state) != (self.config.observe, &self.config.state) {
            return Err("observe and state take a restart".to_owned());
        }
        self.machine.configure(config.rules()?, config.devices_max);
        self.effects = Effects::with_limit(self.machine.effects_max());
        self.config = config;
        Ok(())
    }

    fn settle(&mut self, context: &mut World<'_>) {
        let Some(state) = &mut self.state else { return };
        if let Err(error) = state.save(context.outbox(), self.machine.version(), self.machine.things()) {
            let path = state.path().display().to_string();
            context
                .log(Level::Warn, format_args!("cannot write {path}: {error}; a restart will announce things again"));
            self.state = None;
        }
    }
}

impl Natsdev {
    /// Says in one line each what is not done here.
    fn explain(&mut self, context: &World<'_>) {
        if !self.config.observe {
            return;
        }
        context.log(Level::Info, "observing: nodes and modules are left alone");
        if self.uevents.group() == Group::Udev {
            context.log(Level::Info, "udevd runs: listening to its events; no hardware.raw, which is the kernel's");
        }
    }

    fn read_uevents(&mut self, context: &mut World<'_>) {
        let group = self.uevents.group();
        for _ in 0..TURN_MAX {
            let received = match self.uevents.read() {
                Ok(received) => received,
                Err(error) => return context.log(Level::Error, format_args!("cannot read uevents: {error}")),
            };
            match received {
                Received::Nothing => return,
                Received::Foreign => self.refused += 1,
                Received::Overrun => self.overrun(context),
                Received::Message(bytes) => {
                    let Ok(message) = Message::parse(bytes) else {
                        self.refused += 1;
                        context
                            .log(Level::Warn, format_args!("a malformed uevent was dropped (total={})", self.refused));
                        continue;
                    };
                    let event = *message.event();
                    let raw = self.config.raw && matches!(message, Message::Kernel(_));
                    if raw {
                        publish_raw(&event, context);
                    }
                    for input in inputs(&self.sysfs, &event, group).into_iter().flatten() {
                        self.step(input, context);
                    }
                }
            }
        }
    }

    fn overrun(&mut self, context: &mut World<'_>) {
        context.log(Level::Warn, "uevents lost: kernel buffer full; reading sysfs");
        self.scan(context);
        let time = interfaces::time::rfc3339(SystemTime::now()).into();
        context.announce("hardware.overrun", &Overrun { time });
    }

    fn serve_timer(&mut self, context: &mut World<'_>) {
        match self.timer.fired() {
            Ok(true) => self.step(Input::Deadline, context),
            Ok(false) => {}
            Err(error) => context.log(Level::Error, format_args!("cannot read a timer: {error}")),
        }
    }

    fn step(&mut self, input: Input, context: &mut World<'_>) {
        context.record(&input);
        // Not the turn's begin: the first turn lasts as long as coldplug does, and waits are counted from when things came.
        daemon::Machine::step(&mut self.machine, Instant::now(), input, &mut self.effects);
        while let Some(effect) = self.effects.pop() {
            self.run(effect, context);
        }
        match self.effects.take_lost() {
            0 => {}
            lost => context.log(Level::Error, format_args!("effects of one step were lost (lost={lost})")),
        }
    }

    fn run(&mut self, effect: Effect, context: &mut World<'_>) {
        match effect {
            Effect::Node { name, ownership, fresh } => {
                if self.config.observe {
                    return;
                }
                if let Err(error) = nodes::apply(&name, ownership, fresh) {
                    context.log(Level::Warn, format_args!("cannot set owner and mode of /dev/{name}: {error}"));
                }
            }
            Effect::Modules { alias } => self.queue_modules(alias, context),
            Effect::Probe { job, devpath, node, number, size_bytes } => {
                self.queue_probe(probe::Job { job, devpath, node, number, size_bytes }, context);
            }
            Effect::Add(thing) => context.publish(subject(thing.class(), "add"), &thing),
            Effect::Remove(thing) => context.publish(subject(thing.class(), "remove"), &thing),
            Effect::List { class, reply } => self.reply_list(class, &reply, context),
            Effect::Compare => self.scan(context),
            Effect::Arm(at) => arm(&self.timer, at.map(Instant::from_nanos), context),
            Effect::Note(note) => context.log(note.level(), note),
        }
    }

    fn reply_list(&self, class: Option<Class>, reply: &str, context: &mut World<'_>) {
        let wanted = |thing: &&Thing<'static>| class.is_none_or(|class| thing.class() == class);
        let item = |thing| Item { subject: subject(Thing::class(thing), "add").into(), body: thing };
        let items = self.machine.things().filter(wanted).map(item).collect();
        let epoch = context.outbox().epoch().to_owned().into();
        let note = self.note.as_deref().map(Into::into);
        let list = List { epoch, seq: context.outbox().seq(), note, items };
        context.reply(reply, &list);
    }
}

/// The class a request asks for.
fn class_of(payload: &[u8]) -> Result<Option<Class>, String> {
    let argument = Argument::parse(payload).map_err(|problem| problem.to_string())?;
    let Some(token) = argument.text("class").map_err(|problem| problem.to_string())? else { return Ok(None) };
    let known = || Class::ALL.map(Class::as_str).join(", ");
    Class::from_token(token).map(Some).ok_or_else(|| format!("no class {token}: expected one of {}", known()))
}

/// Goes on where an earlier process of this boot stopped.
fn restore(state: &mut Option<State>, context: &mut World<'_>) -> Option<Vec<Thing<'static>>> {
    match state.as_ref()?.load() {
        Ok(saved) => {
            let saved = saved?;
            context.outbox().resume(saved.epoch, saved.seq, saved.unproven);
            Some(saved.things)
        }
        Err(error) => {
            context
                .log(Level::Warn, format_args!("the state of an earlier run cannot be read: {error}; starting anew"));
            None
        }
    }
}

/// Beside udevd, its events come when nodes and database are final; otherwise the kernel's.
fn group(config: &Config) -> Group {
    let udevd = Path::new("/run/udev/control").exists();
    if config.observe && udevd { Group::Udev } else { Group::Kernel }
}

/// What the machine is told about an event. A renamed device has gone under its old path and come under its new one.
fn inputs(sysfs: &Sysfs, event: &Uevent<'_>, group: Group) -> [Option<Input>; 2] {
    let Ok(devpath) = std::str::from_utf8(event.devpath) else { return [None, None] };
    // udevd works on several events at a time, so its numbers come out of order.
    let seqnum = event.properties.seqnum().filter(|_| group == Group::Kernel);
    let removed = |devpath: &str| Input::Removed { seqnum, devpath: devpath.to_owned() };
    let seen = |action| Input::Uevent { action, seqnum, device: sysfs.device(devpath, event.properties) };
    match event.action {
        Kernel::Remove => [Some(removed(devpath)), None],
        Kernel::Add => [Some(seen(Action::Add)), None],
        Kernel::Change | Kernel::Bind | Kernel::Unbind | Kernel::Online | Kernel::Offline => {
            [Some(seen(Action::Change)), None]
        }
        Kernel::Move => [event.properties.text("DEVPATH_OLD").map(removed), Some(seen(Action::Add))],
    }
}

/// The kernel's event as it is. Lost when the bus is away: it changes no state.
fn publish_raw(event: &Uevent<'_>, context: &mut World<'_>) {
    let subsystem = event.properties.subsystem().unwrap_or("none");
    let subject = format!("hardware.raw.{}.{}", encode_token(subsystem.as_bytes()), event.action);
    if let Ok(payload) = serde_json::to_vec(&object(event.properties)) {
        // A bus that is away or busy gets it not at all.
        drop(context.send(&subject, &payload));
    }
}

fn object(properties: Properties<'_>) -> BTreeMap<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    properties.iter().map(|(key, value)| (text(key), text(value))).collect()
}

fn subject(class: Class, what: &str) -> String {
    format!("hardware.{}.{what}", class.as_str())
}

fn arm(timer: &Timer, at: Option<Instant>, context: &World<'_>) {
    let armed = match at {
        Some(at) => timer.arm(at),
        None => timer.disarm(),
    };
    if let Err(error) = armed {
        context.log(Level::Error, format_args!("cannot set a timer: {error}"));
    }
}
