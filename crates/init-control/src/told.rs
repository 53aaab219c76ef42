//! Replies as the types that travel on the bus (`interfaces::init`), with memory of their own.

use crate::{Ended, Line, Service, Text, Usage};
use interfaces::init;

impl From<&Service<'_>> for init::ServiceStatus<'static> {
    fn from(service: &Service<'_>) -> Self {
        let kind = match (service.bundle, service.oneshot) {
            (true, _) => "bundle",
            (false, true) => "oneshot",
            (false, false) => "longrun",
        };
        let (exit_code, signal) = match service.ended {
            Some(Ended::Code(code)) => (Some(code), None),
            Some(Ended::Signal(signal)) => (None, u8::try_from(signal).ok()),
            None => (None, None),
        };
        Self {
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
}

impl From<&Usage<'_>> for init::Usage<'static> {
    fn from(usage: &Usage<'_>) -> Self {
        Self {
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
}

impl From<&Line<'_>> for init::OutputLine<'static> {
    fn from(line: &Line<'_>) -> Self {
        Self { service: line.service.unwrap_or_default().to_owned().into(), line: line.text.to_string().into() }
    }
}

fn sentence(text: Text<'_>) -> Option<String> {
    Some(text.to_string()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reply;

    #[test]
    fn rows_numbers_and_lines_keep_what_they_say() {
        let row = b"service name=s state=backoff type=oneshot wanted=up override=started pid=7 since_ms=12 restarts=1 signal=9 after=\"a\\x0ab\" reason=why";
        let Reply::Service(service) = Reply::decode(row).unwrap() else { panic!() };
        let status = init::ServiceStatus::from(&service);
        assert_eq!(
            (&*status.state, &*status.kind, status.signal, status.exit_code),
            ("backoff", "oneshot", Some(9), None)
        );
        assert_eq!(
            (status.r#override.as_deref(), status.after.len(), status.reason.as_deref()),
            (Some("started"), 2, Some("why"))
        );
        let Reply::Usage(usage) = Reply::decode(b"usage name=s memory=4096 io_pressure=1").unwrap() else { panic!() };
        let usage = init::Usage::from(&usage);
        assert_eq!((usage.memory_bytes, usage.io_pressure_per_10000, usage.cpu_us), (Some(4096), Some(1), None));
        let Reply::Line(line) = Reply::decode(b"line service=s text=hello").unwrap() else { panic!() };
        let line = init::OutputLine::from(&line);
        assert_eq!((&*line.service, &*line.line), ("s", "hello"));
    }
}
