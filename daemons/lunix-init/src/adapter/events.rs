//! What is told: records for watchers, lines for a person.

use super::Host;
use crate::generation::Report;
use crate::supervisor::News;
use init_control::{Ended, Lists, REPLY_MAX, ServiceState, What, Writer};

impl Host {
    /// Writes an event, and the line of the console for those a person wants to see.
    pub(crate) fn tell(&mut self, news: &News) {
        let Some(service) = self.supervisor.get(news.id) else { return };
        let (code, number) = match news.ended {
            None => (None, None),
            Some(Ended::Code(code)) => (Some(code), None),
            Some(Ended::Signal(number)) => (None, Some(number)),
        };
        let mut buffer = [0; 2048];
        let reason = news.reason.as_bytes();
        let writer = Writer::new(&mut buffer, "event")
            .number("seq", self.events.next().number())
            .field("service", service.name.as_bytes())
            .field("what", news.what.word().as_bytes())
            .optional_number("pid", news.pid)
            .optional_number("code", code)
            .optional_number("signal", number)
            .optional("reason", (!reason.is_empty()).then(|| reason.get(..400).unwrap_or(reason)));
        match writer.finish() {
            Ok(record) => self.events.push(record),
            Err(error) => self.console.say(format_args!("error: event of {}: {error}", service.name)),
        }
        match news.what {
            What::Broken => self.console.say(format_args!("error: {}: broken: {}", service.name, news.reason)),
            What::Backoff => {
                let how = service.ended.map_or_else(String::new, |how| format!("{how}; "));
                self.console.say(format_args!("warn: {}: {how}{}", service.name, news.reason));
            }
            What::Reloaded if !news.reason.is_empty() => {
                self.console.say(format_args!("warn: {}: reload: {}", service.name, news.reason));
            }
            What::Exited if service.life.state() == ServiceState::Starting => {
                let how = news.ended.map_or_else(String::new, |how| how.to_string());
                self.console.say(format_args!("warn: {}: {how}; starts again at once", service.name));
            }
            What::Oom | What::Pressure => {
                self.console.say(format_args!("warn: {}: {}: {}", service.name, news.what, news.reason));
            }
            What::Added
            | What::Removed
            | What::Changed
            | What::Waiting
            | What::Started
            | What::Ready
            | What::Stopping
            | What::Reloaded
            | What::Exited
            | What::Stopped
            | What::GenerationBegun
            | What::GenerationDone
            | What::GenerationRejected
            | What::Poweroff
            | What::Reboot
            | What::Halt
            | What::Kexec
            | What::Shutdown => {}
        }
    }

    /// An event of the whole init.
    pub(crate) fn announce(&mut self, what: What) {
        let mut buffer = [0; REPLY_MAX];
        let seq = self.events.next().number();
        let writer = Writer::new(&mut buffer, "event").number("seq", seq).field("what", what.word().as_bytes());
        if let Ok(record) = writer.finish() {
            self.events.push(record);
        }
        self.console.say(format_args!("info: {what}"));
    }

    /// An event of a generation.
    pub(crate) fn tell_generation(&mut self, report: &Report) {
        let mut buffer = [0; REPLY_MAX];
        let Report { what, number, diff, took, reason } = report;
        let took_ms = took.map(|took| u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        let reason_bytes = reason.as_bytes();
        let writer = Writer::new(&mut buffer, "event")
            .number("seq", self.events.next().number())
            .field("what", what.word().as_bytes())
            .number("generation", *number)
            .number("kept", u64::try_from(diff.kept).unwrap_or(u64::MAX))
            .optional_number("took_ms", took_ms)
            .optional("reason", (!reason_bytes.is_empty()).then(|| reason_bytes.get(..400).unwrap_or(reason_bytes)));
        let lists = Lists { added: &diff.added, changed: &diff.changed, removed: &diff.removed };
        match lists.write(writer).finish() {
            Ok(record) => self.events.push(record),
            Err(error) => self.console.say(format_args!("error: event of generation {number}: {error}")),
        }
    }
}
