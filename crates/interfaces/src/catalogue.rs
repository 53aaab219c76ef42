//! Every message of every domain, for code generation: subject, kind, schema, example.

mod hardware;
mod init;
mod log;
mod network;

use crate::{Event, List, Overrun, process, toast};
use schemars::{JsonSchema, Schema, schema_for};
use serde_json::{Value, json};

/// What a message is to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Published by the daemon when something happened.
    Event,
    /// Sent to the daemon, which answers.
    Request,
    /// Sent to the daemon, which does not answer.
    Command,
}

/// One message of a domain.
#[derive(Clone, Debug)]
pub struct Message {
    /// Subject; a token in angle brackets stands for any one token, `<name...>` for the rest.
    pub subject: &'static str,
    /// Direction.
    pub kind: Kind,
    /// One sentence.
    pub summary: &'static str,
    /// Schema of the payload; for a request, of the answer.
    pub schema: Schema,
    /// Name of the payload's type in generated code.
    pub type_name: &'static str,
    /// A payload as it travels; for a request, an answer.
    pub example: Value,
}

/// One subject domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// First token of its subjects and name of its pages.
    pub name: &'static str,
    /// The daemon that serves it.
    pub daemon: &'static str,
    /// One sentence.
    pub summary: &'static str,
    /// Its messages.
    pub messages: Vec<Message>,
}

/// All domains, in the order of the reference.
#[must_use]
pub fn domains() -> Vec<Domain> {
    vec![hardware::domain(), init::domain(), log::domain(), network::domain(), process_domain(), toast_domain()]
}

fn message<T: JsonSchema>(
    subject: &'static str,
    kind: Kind,
    type_name: &'static str,
    summary: &'static str,
    example: Value,
) -> Message {
    Message { subject, kind, summary, schema: schema_for!(T), type_name, example }
}

fn overrun(subject: &'static str) -> Message {
    let summary = "The kernel dropped events; the state was compared with the system and differences were published.";
    message::<Overrun<'_>>(subject, Kind::Event, "Overrun", summary, json!({"time": "2026-01-31T23:59:59.120Z"}))
}

fn with(mut base: Value, more: Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more);
    }
    base
}

fn stamp(seq: u64) -> Value {
    json!({"epoch": "5f1d7a84c09be6f2", "seq": seq, "time": "2026-01-31T23:59:59.120Z"})
}

fn process_domain() -> Domain {
    let calibre = json!({"pid": 812, "parent_pid": 640, "uid": 1000, "name": "calibre", "comm": "calibre",
        "executable": "/usr/bin/python3.11", "script": "/usr/bin/calibre", "started": "2026-01-31T23:59:59.100Z"});
    let item = with(json!({"subject": "process.calibre.started"}), calibre.clone());
    Domain {
        name: "process",
        daemon: "natsps",
        summary: "Who runs, who started, who ended.",
        messages: vec![
            message::<u32>(
                "ps.<name...>",
                Kind::Request,
                "Pid",
                "Answers the oldest matching process id, in digits; status 503 when nothing matches.",
                json!(812),
            ),
            message::<List<'_, process::Process<'_>>>(
                "process.list",
                Kind::Request,
                "ProcessList",
                "Answers every running process.",
                json!({"epoch": "5f1d7a84c09be6f2", "seq": 41, "items": [item]}),
            ),
            overrun("process.overrun"),
            message::<Event<'_, process::Process<'_>>>(
                "process.<name>.started",
                Kind::Event,
                "ProcessStarted",
                "A program started.",
                with(stamp(41), calibre.clone()),
            ),
            message::<Event<'_, process::Exited<'_>>>(
                "process.<name>.exited",
                Kind::Event,
                "ProcessExited",
                "A program ended, or its process runs another one now.",
                with(with(stamp(42), calibre), json!({"exit_code": 0})),
            ),
        ],
    }
}

fn toast_domain() -> Domain {
    let toast = json!({"summary": "a USB stick was plugged in!", "urgency": "normal"});
    Domain {
        name: "toast",
        daemon: "natstoast",
        summary: "Short messages for the person in front of the machine.",
        messages: vec![
            message::<toast::Toast<'_>>(
                "toast.in",
                Kind::Command,
                "Toast",
                "Shows a toast; plain text and a JSON string are taken as its summary.",
                toast.clone(),
            ),
            message::<Event<'_, toast::Shown<'_>>>(
                "toast.<id>.shown",
                Kind::Event,
                "ToastShown",
                "A toast was shown.",
                with(with(stamp(3), json!({"id": 3})), toast),
            ),
        ],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_example_is_read_by_its_type() {
        let examples: Vec<_> = domains().into_iter().flat_map(|domain| domain.messages).collect();
        let of = |name: &str| examples.iter().find(|m| m.type_name == name).unwrap().example.to_string();
        hardware::tests::read(&of);
        log::tests::read(&of);
        network::tests::read(&of);
        serde_json::from_str::<List<'_, process::Process<'_>>>(&of("ProcessList")).unwrap();
        serde_json::from_str::<Event<'_, process::Process<'_>>>(&of("ProcessStarted")).unwrap();
        serde_json::from_str::<Event<'_, process::Exited<'_>>>(&of("ProcessExited")).unwrap();
        init::tests::read(&of);
        serde_json::from_str::<toast::Toast<'_>>(&of("Toast")).unwrap();
        serde_json::from_str::<Event<'_, toast::Shown<'_>>>(&of("ToastShown")).unwrap();
    }
}
