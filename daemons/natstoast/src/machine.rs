//! From a payload to a line.

use daemon::{Effects, Instant, Level};
use interfaces::argument::{Argument, Malformed};
use interfaces::toast::{Shown, Toast, Urgency};
use serde::{Deserialize, Serialize};

/// Longest summary in bytes.
const SUMMARY_MAX: usize = 1024;
/// Longest body in bytes.
const BODY_MAX: usize = 4096;
/// Longest name of an application in bytes.
const APPLICATION_MAX: usize = 64;

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// A toast was sent.
    Command {
        /// The payload.
        #[serde(with = "daemon::payload")]
        payload: Vec<u8>,
        /// Where an answer goes, when one is wanted.
        reply: Option<String>,
    },
    /// The console could not take so many toasts.
    Dropped(u64),
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Write the lines to the console, each ended by a line feed.
    Show(String),
    /// Publish that a toast was shown.
    Shown(Shown<'static>),
    /// Answer with the toast's number.
    Accepted {
        /// Where to.
        reply: String,
        /// The number.
        id: u64,
    },
    /// Answer with a bad-request error.
    Refused {
        /// Where to.
        reply: String,
        /// The sentence.
        why: String,
    },
    /// Write a log line.
    Note(Note),
}

/// What the log is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// A payload was no toast.
    NoToast(String),
    /// The console could not take so many toasts.
    Dropped(u64),
}

impl Note {
    /// How much it matters.
    #[must_use]
    pub fn level(&self) -> Level {
        match self {
            Self::NoToast(_) | Self::Dropped(_) => Level::Warn,
        }
    }
}

impl std::fmt::Display for Note {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoToast(why) => write!(f, "toast refused: {why}"),
            Self::Dropped(lost) => write!(f, "toasts not shown: the console takes no more (lost={lost})"),
        }
    }
}

/// Numbers toasts and makes lines of them.
#[derive(Debug, Default)]
pub struct Machine {
    last_id: u64,
}

impl daemon::Machine for Machine {
    type Input<'a> = Input;
    type Effect = Effect;

    fn step(&mut self, _now: Instant, input: Input, out: &mut Effects<Effect>) {
        match input {
            Input::Command { payload, reply } => self.command(&payload, reply, out),
            Input::Dropped(lost) => out.push(Effect::Note(Note::Dropped(lost))),
        }
    }
}

impl Machine {
    fn command(&mut self, payload: &[u8], reply: Option<String>, out: &mut Effects<Effect>) {
        match read(payload) {
            Ok(toast) => {
                self.last_id += 1;
                out.push(Effect::Show(lines(&toast)));
                out.push(Effect::Shown(Shown { id: self.last_id, toast }));
                if let Some(reply) = reply {
                    out.push(Effect::Accepted { reply, id: self.last_id });
                }
            }
            Err(why) => {
                out.push(Effect::Note(Note::NoToast(why.clone())));
                if let Some(reply) = reply {
                    out.push(Effect::Refused { reply, why });
                }
            }
        }
    }
}

/// Reads a payload and cuts it to the limits.
fn read(payload: &[u8]) -> Result<Toast<'static>, String> {
    let toast: Toast<'_> = match Argument::parse(payload).map_err(|error: Malformed| error.to_string())? {
        Argument::None => return Err("a toast needs a summary".to_owned()),
        Argument::Text(text) => Toast { summary: text.into_owned().into(), ..Toast::default() },
        Argument::Object(_) => {
            serde_json::from_slice(payload).map_err(|error| format!("the argument is no toast: {error}"))?
        }
    };
    if toast.summary.trim().is_empty() {
        return Err("a toast needs a summary".to_owned());
    }
    Ok(Toast {
        summary: cut(&toast.summary, SUMMARY_MAX).into(),
        body: toast.body.map(|body| cut(&body, BODY_MAX).into()),
        application: toast.application.map(|application| cut(&application, APPLICATION_MAX).into()),
        urgency: toast.urgency,
    })
}

fn cut(text: &str, bytes_max: usize) -> String {
    let mut end = text.len().min(bytes_max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default().to_owned()
}

/// The toast as lines for a terminal.
fn lines(toast: &Toast<'_>) -> String {
    let urgency = match toast.urgency {
        Urgency::Low | Urgency::Normal => "",
        Urgency::Critical => "critical: ",
    };
    let application = toast.application.as_ref().map(|name| format!("{}: ", plain(name))).unwrap_or_default();
    let mut text = format!("toast: {urgency}{application}{}\n", plain(&toast.summary));
    for line in toast.body.iter().flat_map(|body| body.lines()) {
        text.push_str(&format!("       {}\n", plain(line)));
    }
    text
}

/// The text without control characters.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(cut("größe", 3), "gr");
        assert_eq!(cut("größe", 4), "grö");
        assert_eq!(cut("", 4), "");
    }

    #[test]
    fn control_characters_cannot_reach_the_terminal() {
        assert_eq!(plain("a\x1b[2Jb\u{9b}c\x07"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}");
    }
}
