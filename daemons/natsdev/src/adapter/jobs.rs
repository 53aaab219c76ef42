//! Jobs for the helpers, and what comes of them.

use super::{Natsdev, Source, World, arm, udevdb};
use crate::helper::{Kind, modules, probe};
use crate::machine::Input;
use daemon::{Interest, Level};
use reactor::Instant;

use super::helpers::Ended;

impl Natsdev {
    pub(super) fn queue_modules(&mut self, alias: String, context: &mut World<'_>) {
        if self.config.observe || !self.config.modules {
            return;
        }
        let repeated = self.aliases.as_mut().is_some_and(|aliases| !aliases.insert(alias.clone()));
        if !repeated && !self.modules.push(modules::Job { alias }) {
            context.log(Level::Warn, "modules not loaded: too many aliases wait");
        }
        self.advance(Kind::Modules, context);
    }

    pub(super) fn queue_probe(&mut self, job: probe::Job, context: &mut World<'_>) {
        if !self.probe.push(job) {
            context.log(Level::Warn, "a block device was not looked at: too many wait");
        }
        self.advance(Kind::Probe, context);
    }

    pub(super) fn serve_helper(&mut self, kind: Kind, context: &mut World<'_>) {
        match kind {
            Kind::Modules => match self.modules.read() {
                Ended::Answer(_, answer) => self.modules_done(&answer, context),
                Ended::Died(job) => self.failed(kind, &job.alias, "the helper died", context),
                Ended::Gone => self.discard(kind, context),
                Ended::Nothing => {}
            },
            Kind::Probe => match self.probe.read() {
                Ended::Answer(job, answer) => self.probe_done(job, &answer, context),
                Ended::Died(job) => {
                    self.failed(kind, &job.node, "the helper died", context);
                    self.unknown(job, context);
                }
                Ended::Gone => self.discard(kind, context),
                Ended::Nothing => {}
            },
        }
        self.advance(kind, context);
    }

    pub(super) fn serve_patience(&mut self, context: &mut World<'_>) {
        if let Err(error) = self.patience.fired() {
            context.log(Level::Error, format_args!("cannot read a timer: {error}"));
        }
        if let Some(job) = self.modules.overdue(Instant::now()) {
            self.failed(Kind::Modules, &job.alias, "no end in time", context);
        }
        if let Some(job) = self.probe.overdue(Instant::now()) {
            self.failed(Kind::Probe, &job.node, "no answer in time", context);
            self.unknown(job, context);
        }
        self.advance(Kind::Modules, context);
        self.advance(Kind::Probe, context);
    }

    fn modules_done(&mut self, answer: &[u8], context: &World<'_>) {
        match serde_json::from_slice::<modules::Answer>(answer) {
            Ok(answer) => {
                if !answer.loaded.is_empty() {
                    context.log(Level::Debug, format_args!("loaded {}", answer.loaded.join(" ")));
                }
                for error in answer.errors {
                    context.log(Level::Warn, error);
                }
            }
            Err(error) => context.log(Level::Error, format_args!("the module helper talks nonsense: {error}")),
        }
    }

    fn probe_done(&mut self, job: probe::Job, answer: &[u8], context: &mut World<'_>) {
        let answer = match serde_json::from_slice::<probe::Answer>(answer) {
            Ok(answer) => answer,
            Err(error) => {
                context.log(Level::Error, format_args!("the probe helper talks nonsense: {error}"));
                return self.unknown(job, context);
            }
        };
        if answer.denied {
            return self.ask_udev(job, context);
        }
        if let Some(why) = answer.error {
            context.log(Level::Debug, format_args!("{} was not looked at: {why}", job.node));
        }
        let probe::Job { job, devpath, .. } = job;
        self.step(Input::Probed { job, devpath, content: answer.content }, context);
    }

    /// The node may not be opened: udevd may have looked already.
    fn ask_udev(&mut self, job: probe::Job, context: &mut World<'_>) {
        let content = udevdb::content(job.number);
        if content.is_none() && self.note.is_none() && !std::path::Path::new("/run/udev/data").exists() {
            let why = "file systems are not recognised: block devices may not be opened here, and udevd does not run";
            context.log(Level::Warn, why);
            self.note = Some(why.to_owned());
        }
        self.step(Input::Probed { job: job.job, devpath: job.devpath, content }, context);
    }

    fn unknown(&mut self, job: probe::Job, context: &mut World<'_>) {
        self.step(Input::Probed { job: job.job, devpath: job.devpath, content: None }, context);
    }

    fn failed(&mut self, kind: Kind, what: &str, why: &str, context: &mut World<'_>) {
        let attempt = match kind {
            Kind::Modules => "load modules for",
            Kind::Probe => "look at",
        };
        context.log(Level::Warn, format_args!("cannot {attempt} {what}: {why}"));
        self.discard(kind, context);
    }

    fn discard(&mut self, kind: Kind, context: &mut World<'_>) {
        let (slot, socket) = match kind {
            Kind::Modules => (0, self.modules.socket()),
            Kind::Probe => (1, self.probe.socket()),
        };
        let token = self.tokens.get_mut(slot).and_then(Option::take);
        if let (Some(token), Some(socket)) = (token, socket)
            && let Err(error) = context.unwatch(token, socket)
        {
            context.log(Level::Error, format_args!("cannot unwatch a helper: {error}"));
        }
        match kind {
            Kind::Modules => self.modules.discard(),
            Kind::Probe => self.probe.discard(),
        }
    }

    fn advance(&mut self, kind: Kind, context: &mut World<'_>) {
        // Not the turn's begin: at the start one turn lasts until everything is looked at.
        let now = Instant::now();
        let advanced = match kind {
            Kind::Modules => self.modules.advance(now),
            Kind::Probe => self.probe.advance(now),
        };
        match advanced {
            Ok(true) => self.watch_helper(kind, context),
            Ok(false) => {}
            Err(error) => context.log(Level::Error, format_args!("cannot use the helper {}: {error}", kind.word())),
        }
        let next = self.modules.deadline().into_iter().chain(self.probe.deadline()).min();
        if next != self.patience_at {
            self.patience_at = next;
            arm(&self.patience, next, context);
        }
    }

    fn watch_helper(&mut self, kind: Kind, context: &mut World<'_>) {
        let (slot, socket) = match kind {
            Kind::Modules => (0, self.modules.socket()),
            Kind::Probe => (1, self.probe.socket()),
        };
        let Some(socket) = socket else { return };
        match (context.watch(socket, Interest::READ, Source::Helper(kind)), self.tokens.get_mut(slot)) {
            (Ok(token), Some(place)) => *place = Some(token),
            (Ok(_), None) => {}
            (Err(error), _) => context.log(Level::Error, format_args!("cannot watch a helper: {error}")),
        }
    }
}
