//! The bus on one side, the console on the other.

mod console;

use crate::config::Config;
use crate::machine::{Effect, Input, Machine};
use console::Console;
use daemon::{Context, Daemon, Effects, Fatal, Interest, Program, Request, Token, exit};
use interfaces::error;
use reactor::Event;
use serde::Serialize;

/// Most effects of one step.
const EFFECTS_MAX: usize = 8;

/// The daemon's own descriptors.
#[derive(Clone, Copy, Debug)]
pub enum Source {
    /// The console has room again.
    Console,
}

/// The adapter: every system call of natstoast is made here.
#[derive(Debug)]
pub struct Natstoast {
    machine: Machine,
    effects: Effects<Effect>,
    console: Console,
    /// Set while the console is watched for room.
    waiting: Option<Token>,
}

#[derive(Serialize)]
struct Accepted {
    id: u64,
}

type World<'a> = Context<'a, Source>;

impl Daemon for Natstoast {
    const PROGRAM: Program = Program { name: "natstoast", summary: "shows toasts on the console", flags: &[] };
    type Config = Config;
    type Source = Source;

    fn start(config: Config, context: &mut World<'_>) -> Result<Self, Fatal> {
        let console = Console::open(config.output.as_deref()).map_err(|why| Fatal::new(exit::CANNOT_CREATE, why))?;
        context.listen("toast.in");
        let (machine, effects) = (Machine::default(), Effects::with_limit(EFFECTS_MAX));
        Ok(Self { machine, effects, console, waiting: None })
    }

    fn source(&mut self, event: Event<Source>, context: &mut World<'_>) {
        match event.key {
            Source::Console => self.write(context),
        }
    }

    fn request(&mut self, request: &Request, context: &mut World<'_>) {
        let (payload, reply) = (request.payload.clone(), request.reply.clone());
        self.step(Input::Command { payload, reply }, context);
    }

    fn reload(&mut self, config: Config, context: &mut World<'_>) -> Result<(), String> {
        let console = Console::open(config.output.as_deref())?;
        self.stop_waiting(context);
        self.console = console;
        Ok(())
    }
}

impl Natstoast {
    fn step(&mut self, input: Input, context: &mut World<'_>) {
        context.record(&input);
        daemon::Machine::step(&mut self.machine, context.now(), input, &mut self.effects);
        while let Some(effect) = self.effects.pop() {
            self.run(effect, context);
        }
    }

    fn run(&mut self, effect: Effect, context: &mut World<'_>) {
        match effect {
            Effect::Show(lines) => {
                self.console.queue(&lines);
                self.write(context);
            }
            Effect::Shown(shown) => context.publish(format!("toast.{}.shown", shown.id), &shown),
            Effect::Accepted { reply, id } => context.reply(&reply, &Accepted { id }),
            Effect::Refused { reply, why } => context.reply_error(&reply, error::BAD_REQUEST, &why),
            Effect::Note(note) => context.log(note.level(), note),
        }
    }

    /// Writes what the console takes, and watches it for room where it does not take all.
    fn write(&mut self, context: &mut World<'_>) {
        if let Err(error) = self.console.write() {
            context.log(daemon::Level::Error, format_args!("cannot write to the console: {error}"));
        }
        match (self.console.is_empty(), self.waiting) {
            (true, _) => self.stop_waiting(context),
            (false, Some(_)) => {}
            (false, None) => match context.watch(&self.console, Interest::WRITE, Source::Console) {
                Ok(token) => self.waiting = Some(token),
                Err(error) => context.log(daemon::Level::Error, format_args!("cannot watch the console: {error}")),
            },
        }
        match self.console.take_dropped() {
            0 => {}
            lost => self.step(Input::Dropped(lost), context),
        }
    }

    fn stop_waiting(&mut self, context: &mut World<'_>) {
        if let Some(token) = self.waiting.take()
            && let Err(error) = context.unwatch(token, &self.console)
        {
            context.log(daemon::Level::Error, format_args!("cannot leave the console: {error}"));
        }
    }
}
