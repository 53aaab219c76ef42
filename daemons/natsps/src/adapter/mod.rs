//! The kernel and the bus on one side, the machine on the other.

mod accounting;
mod connector;
mod procfs;

use crate::config::Config;
use crate::machine::{Effect, Input, Machine, Usage};
use accounting::Accounting;
use connector::{Connector, Received};
use daemon::{Context, Daemon, Effects, Fatal, Given, Interest, Level, Program, Request, exit};
use interfaces::{Argument, Item, List, Overrun, error};
use nats_subject::encode_token;
use procfs::Procfs;
use reactor::{Event, Instant, Timer};
use std::time::SystemTime;

/// Events of the kernel that are served in one turn.
const EVENTS_PER_TURN: usize = 256;

/// The daemon's own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The process connector has events.
    Connector,
    /// A forked process is due.
    Timer,
}

/// The adapter: every system call of natsps is made here.
#[derive(Debug)]
pub struct Natsps {
    machine: Machine,
    effects: Effects<Effect>,
    procfs: Procfs,
    timer: Timer,
    /// `None` where the kernel refuses; then `no_events` says why.
    connector: Option<Connector>,
    no_events: Option<String>,
    /// `None` where the kernel counts nothing, or for nobody like us.
    accounting: Option<Accounting>,
}

type World<'a> = Context<'a, Source>;

impl Daemon for Natsps {
    const PROGRAM: Program = Program { name: "natsps", summary: "puts processes on the bus", flags: &[] };
    type Config = Config;
    type Source = Source;

    fn configure(config: &mut Config, _given: &Given) -> Result<(), String> {
        config.check()
    }

    fn start(config: Config, context: &mut World<'_>) -> Result<Self, Fatal> {
        let machine = Machine::new(config.processes_max);
        let effects = Effects::with_limit(machine.effects_max());
        let timer = Timer::new().map_err(|error| Fatal::system("cannot open a timer", error))?;
        context
            .watch(&timer, Interest::READ, Source::Timer)
            .map_err(|error| Fatal::system("cannot watch a timer", error))?;
        let procfs = Procfs::new();
        let mut this = Self { machine, effects, procfs, timer, connector: None, no_events: None, accounting: None };
        this.open_connector(context);
        // Listened first and read second: what starts in between is seen twice and announced not at all, or once.
        let facts =
            this.procfs.scan().map_err(|error| Fatal::new(exit::SYSTEM, format!("cannot read /proc: {error}")))?;
        this.step(Input::Scanned { first: true, facts }, context);
        context.serve("find", "ps.>");
        context.serve("list", "process.list");
        Ok(this)
    }

    fn source(&mut self, event: Event<Source>, context: &mut World<'_>) {
        match event.key {
            Source::Connector => self.read_connector(context),
            Source::Timer => self.serve_timer(context),
        }
    }

    fn request(&mut self, request: &Request, context: &mut World<'_>) {
        let Some(reply) = request.reply.clone() else { return };
        if let Err(problem) = Argument::parse(&request.payload) {
            return context.reply_error(&reply, error::BAD_REQUEST, &problem.to_string());
        }
        if self.connector.is_none() {
            self.scan(context);
        }
        let input = match request.subject.strip_prefix("ps.") {
            Some(name) => Input::Find { name: name.to_owned(), reply },
            None => Input::List { reply },
        };
        self.step(input, context);
    }

    fn reload(&mut self, config: Config, _context: &mut World<'_>) -> Result<(), String> {
        self.machine.set_processes_max(config.processes_max);
        self.effects = Effects::with_limit(self.machine.effects_max());
        Ok(())
    }
}

impl Natsps {
    fn open_connector(&mut self, context: &mut World<'_>) {
        let opened = Connector::open().and_then(|connector| {
            context.watch(&connector, Interest::READ, Source::Connector)?;
            Ok(connector)
        });
        match opened {
            Ok(connector) => {
                self.connector = Some(connector);
                self.open_accounting(context);
            }
            Err(error) => {
                let why =
                    format!("no events: the kernel refuses the process connector ({error}); /proc is read on request");
                context.log(Level::Warn, &why);
                self.no_events = Some(why);
            }
        }
    }

    fn open_accounting(&mut self, context: &World<'_>) {
        match Accounting::open() {
            Ok(accounting) => self.accounting = Some(accounting),
            Err(error) => {
                let why = format_args!("ends are told without processor time and memory: no taskstats ({error})");
                context.log(Level::Info, why);
            }
        }
    }

    /// Serves the kernel's events, but not all of a flood in one turn: the bus wants its turn, too.
    fn read_connector(&mut self, context: &mut World<'_>) {
        for _ in 0..EVENTS_PER_TURN {
            let Some(connector) = &mut self.connector else { return };
            match connector.read() {
                Ok(Received::Event(event)) => self.serve_event(event, context),
                Ok(Received::Nothing) => return,
                Ok(Received::Overrun) => {
                    context.log(Level::Warn, "process events lost: kernel buffer full; reading /proc");
                    self.scan(context);
                    self.tell_overrun(context);
                }
                Err(error) => return context.log(Level::Error, format_args!("cannot read the connector: {error}")),
            }
        }
    }

    fn serve_event(&mut self, event: proto_proc::Event, context: &mut World<'_>) {
        use proto_proc::Event as Kernel;
        match event {
            Kernel::Fork { pid, tgid, .. } if pid == tgid => self.step(Input::Forked { pid }, context),
            Kernel::Exec { tgid } => self.look(tgid, context),
            Kernel::Exit { pid, tgid, status } if pid == tgid => {
                self.read_accounting(context);
                self.step(Input::Ended { pid, status: Some(status) }, context);
            }
            // Threads come and go inside a process; names that a program gives itself are read when it is looked at.
            Kernel::Fork { .. } | Kernel::Exit { .. } | Kernel::Comm { .. } | Kernel::Other => {}
        }
    }

    /// Fetches what was counted of the processes that ended up to now: the one that is about to be buried is among them.
    fn read_accounting(&mut self, context: &mut World<'_>) {
        let mut lost = false;
        for _ in 0..EVENTS_PER_TURN {
            let Some(accounting) = &mut self.accounting else { return };
            match accounting.read(&mut lost) {
                Ok(Some(exit)) => {
                    let cpu_us = exit.user_us.saturating_add(exit.system_us);
                    let usage = Usage { cpu_us, memory_peak_bytes: exit.memory_peak_kib.saturating_mul(1024) };
                    self.step(Input::Counted { pid: exit.pid, usage }, context);
                }
                Ok(None) => break,
                Err(error) => {
                    context.log(Level::Error, format_args!("cannot read taskstats: {error}"));
                    self.accounting = None;
                }
            }
        }
        if lost {
            context.log(Level::Warn, "processor time and memory of some processes lost: kernel buffer full");
        }
    }

    /// Reads what a process is. One that is gone already says so itself by its exit event.
    fn look(&mut self, pid: u32, context: &mut World<'_>) {
        if let Some(facts) = self.procfs.facts(pid) {
            self.step(Input::Seen(facts), context);
        }
    }

    fn serve_timer(&mut self, context: &mut World<'_>) {
        if let Err(error) = self.timer.fired() {
            context.log(Level::Error, format_args!("cannot read a timer: {error}"));
        }
        let due: Vec<u32> = self.machine.due(context.now()).collect();
        for pid in due {
            self.look(pid, context);
        }
        self.step(Input::Deadline, context);
    }

    fn scan(&mut self, context: &mut World<'_>) {
        match self.procfs.scan() {
            Ok(facts) => self.step(Input::Scanned { first: false, facts }, context),
            Err(error) => context.log(Level::Error, format_args!("cannot read /proc: {error}")),
        }
    }

    fn tell_overrun(&self, context: &mut World<'_>) {
        let time = interfaces::time::rfc3339(SystemTime::now()).into();
        context.announce("process.overrun", &Overrun { time });
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
            Effect::Started(process) => context.publish(subject(&process.name, "started"), &process),
            Effect::Exited(exited) => context.publish(subject(&exited.process.name, "exited"), &exited),
            Effect::Pid { reply, pid } => context.reply_bytes(&reply, pid.to_string().as_bytes()),
            Effect::Nobody { reply } => context.reply_nobody(&reply),
            Effect::List { reply } => self.reply_list(&reply, context),
            Effect::Arm(at) => self.arm(at, context),
            Effect::Note(note) => context.log(note.level(), note),
        }
    }

    fn reply_list(&self, reply: &str, context: &mut World<'_>) {
        let item = |process: interfaces::process::Process<'static>| Item {
            subject: subject(&process.name, "started").into(),
            body: process,
        };
        let items = self.machine.processes().map(|process| item(process.into_owned())).collect();
        let epoch = context.outbox().epoch().to_owned().into();
        let note = self.no_events.as_deref().map(Into::into);
        let list = List { epoch, seq: context.outbox().seq(), note, items };
        context.reply(reply, &list);
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

fn subject(name: &str, what: &str) -> String {
    format!("process.{}.{what}", encode_token(name.as_bytes()))
}
