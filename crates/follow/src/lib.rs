//! Follows the state of a domain on the bus: what is there first, then what happens, missing and repeating nothing.
//!
//! The recipe of a client: subscribe to `<domain>.>`, request `<domain>.list`, drop the events that the list includes, list again
//! on reconnect, on a hole in the numbers and on a new epoch. [`Follower`] is this recipe as a pure machine; it also remembers what
//! is there, so that a second list shows only what changed meanwhile.
//!
//! | input | effect |
//! |---|---|
//! | the bus is there | ask for the list; events wait |
//! | the list | what is new is shown; of what vanished, the vanishing (`…add` → `…remove`) |
//! | an event of the list's epoch up to its number | nothing: the list includes it |
//! | the next event | shown |
//! | an event after a hole, or of another epoch | ask for the list; it waits |
//! | a message without number | shown as it is |
//! | no answer to the question | asked again after 0.5 s, 1 s … 30 s, and when the daemon is heard |
//! | the list is refused | events are shown as they come, each once |
//!
//! Shown is what matches one of the patterns. What comes from a list has the fields of its announcement without `epoch`, `seq` and
//! `time`.
//!
//! ```
//! use follow::{Effect, Follower, Input, Instant};
//!
//! let mut sticks = Follower::new("hardware", vec!["hardware.usb.add".into()]);
//! let (now, mut out) = (Instant::from_nanos(0), Vec::new());
//! sticks.step(now, Input::Connected, &mut out);
//! assert_eq!(out[0], Effect::Ask(1));
//!
//! out.clear();
//! let list = br#"{"epoch":"e","seq":7,"items":[{"subject":"hardware.usb.add","filesystem":"/dev/sda1"}]}"#;
//! sticks.step(now, Input::Listed(1, list), &mut out);
//! let event = br#"{"epoch":"e","seq":7,"filesystem":"/dev/sda1"}"#;
//! sticks.step(now, Input::Message { subject: "hardware.usb.add", payload: event }, &mut out);
//! let payload = br#"{"filesystem":"/dev/sda1"}"#.to_vec();
//! assert!(out.contains(&Effect::Show { subject: "hardware.usb.add".into(), payload }));
//! assert_eq!(out.iter().filter(|effect| matches!(effect, Effect::Show { .. })).count(), 1);
//! ```
#![forbid(unsafe_code)]

mod fields;
mod machine;
mod present;

pub use machine::{Effect, Follower, Input, Note};
pub use reactor::Instant;

/// The domain of a pattern: its first token, when that is no wildcard and something follows.
#[must_use]
pub fn domain(pattern: &str) -> Option<&str> {
    let (domain, rest) = pattern.split_once('.')?;
    (!rest.is_empty() && nats_subject::is_valid_publish(domain.as_bytes())).then_some(domain)
}
