//! What a request asks for: its subject and its argument.

use crate::trust::Needs;
use init_control::Request;
use interfaces::Argument;
use interfaces::init::{VERBS, WHOLE_VERBS};
use nats_subject::decode_token;
use serde::{Deserialize, Serialize};
use std::fmt;

/// Lines told when nobody says how many.
const LINES: usize = 100;

/// Most lines that are told.
pub const LINES_MAX: usize = 1000;

/// A question to lunix-init.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// The state of a service.
    Status {
        /// Which.
        name: String,
    },
    /// What a service uses, or all of them.
    Usage {
        /// Which.
        name: Option<String>,
    },
    /// The newest lines of a service, or of all.
    Log {
        /// Whose.
        name: Option<String>,
        /// How many at most.
        lines: usize,
    },
    /// Something is to be done with a service.
    Command {
        /// One of [`VERBS`].
        verb: String,
        /// With which.
        name: String,
        /// The signal to send, of the verb `signal`.
        signal: Option<String>,
    },
    /// Something is to be done with the whole.
    Whole {
        /// One of [`WHOLE_VERBS`].
        verb: String,
    },
}

impl Question {
    /// Reads a subject below `init.` and its payload.
    ///
    /// # Errors
    /// A sentence that says what is wrong.
    pub fn read(subject: &str, payload: &[u8]) -> Result<Self, String> {
        let argument = Argument::parse(payload).map_err(|malformed| malformed.to_string())?;
        let tokens: Vec<&str> = subject.split('.').skip(1).collect();
        let question = match *tokens.as_slice() {
            ["status", name] => Self::Status { name: decoded(name)? },
            ["usage"] => Self::Usage { name: None },
            ["usage", name] => Self::Usage { name: Some(decoded(name)?) },
            ["log"] => Self::Log { name: None, lines: lines(&argument)? },
            ["log", name] => Self::Log { name: Some(decoded(name)?), lines: lines(&argument)? },
            ["control", verb, name] if VERBS.contains(&verb) => {
                let signal = if verb == "signal" { Some(signal(&argument)?) } else { None };
                Self::Command { verb: verb.to_owned(), name: decoded(name)?, signal }
            }
            ["control", verb] if WHOLE_VERBS.contains(&verb) => Self::Whole { verb: verb.to_owned() },
            ["control", ..] => {
                let (some, all) = (VERBS.join(", "), WHOLE_VERBS.join(", "));
                return Err(format!(
                    "expected init.control.<verb>.<name> with one of {some}, or init.control.<verb> with one of {all}"
                ));
            }
            _ => return Err(format!("{subject} means nothing")),
        };
        match question {
            Self::Log { .. } | Self::Command { signal: Some(_), .. } => {}
            Self::Status { .. } | Self::Usage { .. } | Self::Command { .. } | Self::Whole { .. } => {
                if argument != Argument::None {
                    return Err(format!("{subject} takes no argument"));
                }
            }
        }
        Ok(question)
    }

    /// What asking it needs.
    #[must_use]
    pub fn needs(&self) -> Needs {
        match self {
            Self::Status { .. } | Self::Usage { .. } => Needs::Nothing,
            Self::Log { .. } => Needs::Log,
            Self::Command { .. } | Self::Whole { .. } => Needs::Command,
        }
    }

    /// The request of the control protocol; `None` for a verb that is not in the lists.
    #[must_use]
    pub fn request(&self) -> Option<Request<'_>> {
        Some(match self {
            Self::Status { name } => Request::Status { name },
            Self::Usage { name } => Request::Usage { name: name.as_deref() },
            Self::Log { name, .. } => Request::Log { name: name.as_deref(), follow: false },
            Self::Command { verb, name, signal } => match verb.as_str() {
                "start" => Request::Start { name },
                "stop" => Request::Stop { name },
                "restart" => Request::Restart { name },
                "reload" => Request::Reload { name },
                "once" => Request::Once { name },
                "signal" => Request::Signal { name, signal: signal.as_deref()? },
                _ => return None,
            },
            Self::Whole { verb } => match verb.as_str() {
                "rescan" => Request::Rescan,
                "poweroff" => Request::Poweroff,
                "reboot" => Request::Reboot,
                "halt" => Request::Halt,
                _ => return None,
            },
        })
    }
}

/// As the log tells of a command.
impl fmt::Display for Question {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status { name } => write!(f, "status {name}"),
            Self::Usage { name } => write!(f, "usage {}", name.as_deref().unwrap_or("of all")),
            Self::Log { name, .. } => write!(f, "log {}", name.as_deref().unwrap_or("of all")),
            Self::Command { verb, name, .. } => write!(f, "{verb} {name}"),
            Self::Whole { verb } => f.write_str(verb),
        }
    }
}

fn decoded(token: &str) -> Result<String, String> {
    let bytes = decode_token(token.as_bytes()).ok_or_else(|| format!("{token} is not a percent-encoded name"))?;
    String::from_utf8(bytes).map_err(|_| format!("{token} is not a name in UTF-8"))
}

fn lines(argument: &Argument<'_>) -> Result<usize, String> {
    match argument.number("lines").map_err(|malformed| malformed.to_string())? {
        None => Ok(LINES),
        Some(number) => match usize::try_from(number) {
            Ok(lines @ 1..=LINES_MAX) => Ok(lines),
            Ok(_) | Err(_) => Err(format!("lines: expected 1 to {LINES_MAX}")),
        },
    }
}

fn signal(argument: &Argument<'_>) -> Result<String, String> {
    let word = argument.text("signal").map_err(|malformed| malformed.to_string())?;
    Ok(word.ok_or("expected a signal, as in HUP or {\"signal\":\"HUP\"}")?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_and_arguments_are_questions() {
        let packet = |subject: &str, payload: &str| {
            let question = Question::read(subject, payload.as_bytes())?;
            let mut buffer = [0; 512];
            let packet = question.request().unwrap().encode(&mut buffer).unwrap();
            Ok::<String, String>(String::from_utf8_lossy(packet).into_owned())
        };
        for (subject, payload, expected) in [
            ("init.status.sshd", "", "status name=sshd"),
            ("init.status.a%20b", "{}", "status name=\"a b\""),
            ("init.usage", "null", "usage"),
            ("init.usage.sshd", "", "usage name=sshd"),
            ("init.log", "5", "log"),
            ("init.log.sshd", "{\"lines\":5}", "log name=sshd"),
            ("init.control.start.sshd", "", "start name=sshd"),
            ("init.control.once.getty%40tty1", "", "once name=getty@tty1"),
            ("init.control.signal.sshd", "HUP", "signal name=sshd signal=HUP"),
            ("init.control.signal.sshd", "{\"signal\":\"HUP\"}", "signal name=sshd signal=HUP"),
            ("init.control.poweroff", "", "poweroff"),
        ] {
            assert_eq!(packet(subject, payload).as_deref(), Ok(expected), "{subject}");
        }
        for (subject, payload, why) in [
            ("init.control.start", "", "expected init.control.<verb>.<name>"),
            ("init.control.reexec", "", "expected init.control.<verb>.<name>"),
            ("init.control.poweroff.now", "", "expected init.control.<verb>.<name>"),
            ("init.control.start.sshd", "now", "init.control.start.sshd takes no argument"),
            ("init.control.signal.sshd", "", "expected a signal"),
            ("init.log", "0", "lines: expected 1 to 1000"),
            ("init.log", "many", "the field lines of the argument must be a number"),
            ("init.status.%zz", "", "%zz is not a percent-encoded name"),
            ("init.status.%FF", "", "%FF is not a name in UTF-8"),
            ("init.weather", "", "init.weather means nothing"),
        ] {
            let said = packet(subject, payload).unwrap_err();
            assert!(said.starts_with(why), "{subject}: {said}");
        }
    }
}
