//! The records of lunix-init as inputs.

use crate::machine::{Happened, Input};
use crate::row::{Diff, Row};
use init_control::{Ended, Event, Reply, Text, Watch};
use std::io;
use std::os::fd::OwnedFd;

/// The name of the descriptor that lunix-init hands to its companion (`man 3 sd_listen_fds`).
const NAME: &str = "init";
/// The first descriptor handed down.
const FIRST: i32 = 3;

/// The socket that we were born with; `None` when nobody has given us one.
pub(super) fn handed_down() -> io::Result<Option<OwnedFd>> {
    let text = |name| std::env::var(name).unwrap_or_default();
    // The variables may be another process's; this one says whose.
    if text("LISTEN_PID") != std::process::id().to_string() {
        return Ok(None);
    }
    let names = text("LISTEN_FDNAMES");
    let found = names.split(':').zip(FIRST..).find(|(name, _)| *name == NAME);
    found.map(|(_, number)| sys::descriptor::inherited(number)).transpose()
}

/// Everything that can be read now as inputs; `None` when there is no more.
pub(super) fn next(watch: &mut Watch) -> Result<Option<Option<Input>>, init_control::Error> {
    Ok(watch.reply()?.map(|reply| input(&reply)))
}

/// A record as an input; `None` for what says nothing to us.
fn input(reply: &Reply<'_>) -> Option<Input> {
    Some(match reply {
        Reply::Service(service) => Input::Row(service.into()),
        Reply::Usage(usage) => Input::Usage(usage.into()),
        Reply::Line(line) => Input::Line(line.into()),
        Reply::End { seq, dropped } => Input::End { seq: *seq, dropped: *dropped },
        Reply::Event(event) => Input::Event { seq: event.seq, happened: happened(event)? },
        Reply::Refused { code, reason } => Input::Refused { code: *code, reason: reason.to_string() },
        Reply::Ok => Input::Taken,
        Reply::Lost(count) => Input::Overwritten(*count),
        Reply::Unknown => return None,
    })
}

fn happened(event: &Event<'_>) -> Option<Happened> {
    let what = event.what.word().to_owned();
    Some(match (event.service, event.generation.is_some()) {
        (Some(name), _) => Happened::Service(row(what, name, event)),
        (None, true) => generation(event)?,
        (None, false) => Happened::Machine { what, reason: sentence(event.reason) },
    })
}

fn generation(event: &Event<'_>) -> Option<Happened> {
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
    Some(Happened::Generation { what, diff })
}

fn row(what: String, name: &str, event: &Event<'_>) -> Row {
    let (exit_code, signal) = ended(event.ended);
    let pid = event.pid.and_then(|pid| u32::try_from(pid).ok());
    Row { what, name: name.to_owned(), pid, exit_code, signal, reason: sentence(event.reason) }
}

fn ended(ended: Option<Ended>) -> (Option<u8>, Option<u8>) {
    match ended {
        Some(Ended::Code(code)) => (Some(code), None),
        Some(Ended::Signal(signal)) => (None, u8::try_from(signal).ok()),
        None => (None, None),
    }
}

fn sentence(text: Text<'_>) -> Option<String> {
    Some(text.to_string()).filter(|text| !text.is_empty())
}
