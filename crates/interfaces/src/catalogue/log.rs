//! The messages of natslog.

use super::{Domain, Kind, message, stamp, with};
use crate::Event;
use crate::log::{Entry, Line, Tail};
use serde_json::{Value, json};

pub(super) fn domain() -> Domain {
    let item = with(with(json!({"subject": "log.sshd.info"}), stamp(812)), line());
    Domain {
        name: "log",
        daemon: "natslog",
        summary: "What programs, services, the kernel and other machines have to say.",
        messages: vec![
            message::<Tail<'_>>(
                "log.tail",
                Kind::Request,
                "LogTail",
                "Answers lines that are still kept; argument: source, severity, program, since, count.",
                json!({"epoch": "5f1d7a84c09be6f2", "seq": 812, "oldest": 1, "items": [item]}),
            ),
            message::<Entry<'_>>(
                "log.in",
                Kind::Command,
                "LogEntry",
                "Writes a line; plain text and a JSON string are taken as its message.",
                json!({"message": "the heating is on", "severity": "notice", "program": "heating"}),
            ),
            message::<Event<'_, Line<'_>>>(
                "log.<source>.<severity>",
                Kind::Event,
                "LogLine",
                "A line of the log.",
                with(stamp(812), line()),
            ),
            message::<Event<'_, Line<'_>>>(
                "log.auth.<severity>",
                Kind::Event,
                "LogLine",
                "A line about who came in and what he was allowed.",
                with(stamp(813), auth()),
            ),
        ],
    }
}

fn line() -> Value {
    json!({"source": "sshd", "severity": "info", "facility": "daemon", "message": "Server listening on 0.0.0.0 port 22.",
        "monotonic_us": 4_120_331})
}

fn auth() -> Value {
    json!({"source": "user-0", "severity": "info", "facility": "authpriv", "message": "Accepted publickey for alice",
        "program": "sshd", "pid": 812, "uid": 0, "monotonic_us": 91_120_331, "written": "Jan 31 23:59:59"})
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in super::super) fn read(of: &dyn Fn(&str) -> String) {
        serde_json::from_str::<Tail<'_>>(&of("LogTail")).unwrap();
        serde_json::from_str::<Entry<'_>>(&of("LogEntry")).unwrap();
        serde_json::from_str::<Event<'_, Line<'_>>>(&of("LogLine")).unwrap();
    }
}
