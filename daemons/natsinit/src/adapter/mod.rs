//! lunix-init on one side, the bus on the other, the machine between.

mod link;
mod people;

use crate::config::Config;
use crate::machine::{Effect, Happened, Input, Machine};
use crate::question::Question;
use crate::row::Row;
use daemon::{Call, Context, Daemon, Effects, Fatal, Flag, Given, Interest, Level, Program, Request, Token, exit};
use init_control::{Error, Watch};
use interfaces::init::Machine as Whole;
use interfaces::{Argument, Item, List, error};
use nats_subject::encode_token;
use reactor::{Event, Instant, Timer};
use std::path::PathBuf;

/// The daemon's own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// lunix-init has something to tell.
    Init,
    /// The moment the machine asked for.
    Timer,
}

/// The adapter: every system call of natsinit is made here.
#[derive(Debug)]
pub struct Natsinit {
    machine: Machine,
    effects: Effects<Effect>,
    control: PathBuf,
    /// The socket we were born with: there is no other one like it.
    is_companion: bool,
    watch: Option<(Watch, Token)>,
    timer: Timer,
}

type World<'a> = Context<'a, Source>;

impl Daemon for Natsinit {
    const PROGRAM: Program = Program {
        name: "natsinit",
        summary: "puts what lunix-init does on the bus, and asks it what the bus may ask",
        flags: &[Flag { long: "control", short: None, value: Some("PATH"), help: "control socket of lunix-init" }],
    };
    // Which user it runs as.
    const CALLS: Option<&'static [Call]> = Some(&[Call::GETEUID]);
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
        let given =
            link::handed_down().map_err(|error| Fatal::system("cannot take the socket of lunix-init", error))?;
        let is_companion = given.is_some();
        let (machine, effects) = (Machine::new(config.trust, is_companion), Effects::with_limit(Machine::EFFECTS_MAX));
        let mut this = Self { machine, effects, control: config.control, is_companion, watch: None, timer };
        match given {
            Some(socket) => this.take(Watch::over(socket), context),
            None => this.connect(context),
        }
        for (name, subject) in [
            ("list", "init.list"),
            ("status", "init.status.*"),
            ("usage", "init.usage"),
            ("usage_of", "init.usage.*"),
            ("log", "init.log"),
            ("log_of", "init.log.*"),
            ("control", "init.control.>"),
        ] {
            context.serve(name, subject);
        }
        Ok(this)
    }

    fn source(&mut self, event: Event<Source>, context: &mut World<'_>) {
        match event.key {
            Source::Init => self.read(context),
            Source::Timer => match self.timer.fired() {
                Ok(true) => self.step(Input::Deadline, context),
                Ok(false) => {}
                Err(error) => context.log(Level::Error, format_args!("cannot read a timer: {error}")),
            },
        }
    }

    fn request(&mut self, request: &Request, context: &mut World<'_>) {
        let Some(reply) = request.reply.clone() else { return };
        if request.subject == "init.list" {
            return match Argument::parse(&request.payload) {
                Ok(_) => self.step(Input::List { reply }, context),
                Err(problem) => context.reply_error(&reply, error::BAD_REQUEST, &problem.to_string()),
            };
        }
        match Question::read(&request.subject, &request.payload) {
            Ok(question) => self.step(Input::Ask { question, reply, who: people::who(request) }, context),
            Err(problem) => context.reply_error(&reply, error::BAD_REQUEST, &problem),
        }
    }

    fn reload(&mut self, config: Config, context: &mut World<'_>) -> Result<(), String> {
        self.step(Input::Trust(config.trust), context);
        if config.control != self.control {
            self.control = config.control;
            if !self.is_companion {
                self.lost("another socket is configured".to_owned(), context);
            }
        }
        Ok(())
    }
}

impl Natsinit {
    fn connect(&mut self, context: &mut World<'_>) {
        if self.is_companion {
            let why = "lunix-init has closed the socket that it started us with";
            return context.end(Fatal::new(exit::UNAVAILABLE, why));
        }
        self.take(Watch::connect(&self.control), context);
    }

    fn take(&mut self, opened: Result<Watch, Error>, context: &mut World<'_>) {
        let watched = opened.map_err(|error| error.to_string()).and_then(|watch| {
            let token = context.watch(&watch, Interest::READ, Source::Init).map_err(|error| error.to_string())?;
            Ok((watch, token))
        });
        match watched {
            Ok(watch) => self.watch = Some(watch),
            Err(why) if self.is_companion => self.lost(why, context),
            Err(why) => self.lost(format!("{}: {why}", self.control.display()), context),
        }
    }

    fn lost(&mut self, why: String, context: &mut World<'_>) {
        if let Some((watch, token)) = self.watch.take()
            && let Err(error) = context.unwatch(token, &watch)
        {
            context.log(Level::Error, format_args!("cannot leave the socket of lunix-init: {error}"));
        }
        self.step(Input::Lost(why), context);
    }

    fn read(&mut self, context: &mut World<'_>) {
        loop {
            let Some((watch, _)) = &mut self.watch else { return };
            match link::next(watch) {
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
            Effect::Publish(Happened::Service(row)) => context.publish(subject(&row), &row.service()),
            Effect::Publish(Happened::Generation { what, diff }) => {
                context.publish(format!("init.generation.{what}"), &diff.event());
            }
            Effect::Publish(Happened::Machine { what, reason }) => {
                context.publish(format!("init.machine.{what}"), &Whole { reason: reason.map(Into::into) });
            }
            Effect::List { reply } => self.reply_list(&reply, context),
            Effect::Answer { reply, answer } => context.reply(&reply, &answer),
            Effect::Refuse { reply, code, why } => context.reply_error(&reply, code, &why),
            Effect::Ask(question) => self.ask(question.request(), context),
            Effect::Watch => self.ask(Some(init_control::Request::Watch), context),
            Effect::Leave(why) => self.lost(why, context),
            Effect::Connect => self.connect(context),
            Effect::Arm(at) => {
                let set = at.map_or_else(|| self.timer.disarm(), |at| self.timer.arm(Instant::from_nanos(at)));
                if let Err(error) = set {
                    context.log(Level::Error, format_args!("cannot set a timer: {error}"));
                }
            }
            Effect::Note(note) => context.log(note.level(), note),
        }
    }

    /// Asks lunix-init; a socket that takes nothing more is as good as none.
    fn ask(&mut self, request: Option<init_control::Request<'_>>, context: &mut World<'_>) {
        let Some((watch, _)) = &self.watch else { return };
        let sent = request.map_or(Err(Error::UnknownRequest), |request| watch.ask(&request));
        if let Err(error) = sent {
            self.lost(error.to_string(), context);
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
