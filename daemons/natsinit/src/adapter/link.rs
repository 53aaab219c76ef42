//! The records of lunix-init as inputs.

use crate::machine::{Happened, Input};
use crate::row::{Diff, Row};
use init_control::{Ended, Event, Line, Reply, Service, Text, Usage, Watch};
use interfaces::init::{OutputLine, ServiceStatus, Usage as Told};
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
        Reply::Service(service) => Input::Row(status(service)),
        Reply::Usage(usage) => Input::Usage(told(usage)),
        Reply::Line(line) => Input::Line(log_line(line)),
        Reply::End { seq, dropped } => Input::End { seq: *seq, dropped: *dropped },
        Reply::Event(event) => Input::Event { seq: event.seq, happened: happened(event)? },
        Reply::Refused { code, reason } => Input::Refused { code: *code, reason: reason.to_string() },
        Reply::Ok => Input::Taken,
        Reply::Lost(count) => Input::Overwritten(*count),
        Reply::Unknown => return None,
    })
}

fn status(service: &Service<'_>) -> ServiceStatus<'static> {
    let kind = match (service.bundle, service.oneshot) {
        (true, _) => "bundle",
        (false, true) => "oneshot",
        (false, false) => "longrun",
    };
    let (exit_code, signal) = ended(service.ended);
    ServiceStatus {
        name: service.name.to_owned().into(),
        state: service.state.word().into(),
        kind: kind.into(),
        wanted: service.wanted,
        r#override: service.chosen.map(|started| if started { "started" } else { "stopped" }.into()),
        once: service.once,
        pid: service.pid.and_then(|pid| u32::try_from(pid).ok()),
        since_ms: service.since_ms,
        process_ms: service.process_ms,
        ready_ms: service.ready_ms,
        restarts: service.restarts,
        exit_code,
        signal,
        after: service.after.all().into_iter().map(Into::into).collect(),
        status: sentence(service.status).map(Into::into),
        reason: sentence(service.reason).map(Into::into),
    }
}

fn told(usage: &Usage<'_>) -> Told<'static> {
    Told {
        name: usage.name.to_owned().into(),
        process_only: usage.process_only,
        cpu_us: usage.cpu_us,
        cpu_user_us: usage.cpu_user_us,
        cpu_system_us: usage.cpu_system_us,
        memory_bytes: usage.memory,
        memory_peak_bytes: usage.memory_peak,
        swap_bytes: usage.swap,
        io_read_bytes: usage.io_read,
        io_write_bytes: usage.io_write,
        pids: usage.pids,
        cpu_pressure_per_10000: usage.cpu_pressure,
        memory_pressure_per_10000: usage.memory_pressure,
        io_pressure_per_10000: usage.io_pressure,
    }
}

fn log_line(line: &Line<'_>) -> OutputLine<'static> {
    OutputLine { service: line.service.unwrap_or_default().to_owned().into(), line: line.text.to_string().into() }
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
