//! What every lunix event daemon shares: flags, configuration, readiness, the bus link, numbered events, service answers, the log
//! line, recording.
//!
//! A daemon is three things: a pure machine (input → effects), an adapter that implements [`Daemon`] and is the only place that
//! makes system calls, and a `main` that hands over to [`main`]. natsps is the one to read first.
//!
//! Every daemon answers `$SRV.PING|INFO|STATS` (NATS ADR-32), ends in order on SIGTERM and SIGINT, reads its configuration again on
//! SIGHUP (a broken file leaves the old configuration in force), connects again when the bus goes away, and keeps its last events
//! until the bus has proved that it took them.
//!
//! ```
//! use daemon::{Effects, Instant, Machine};
//!
//! /// Counts knocks and says so at every third one.
//! #[derive(Default)]
//! struct Porter { knocks: u32 }
//! enum Input { Knock }
//! #[derive(Debug, PartialEq)]
//! enum Effect { Open }
//!
//! impl Machine for Porter {
//!     type Input<'a> = Input;
//!     type Effect = Effect;
//!     fn step(&mut self, _now: Instant, input: Input, out: &mut Effects<Effect>) {
//!         match input {
//!             Input::Knock => self.knocks += 1,
//!         }
//!         if self.knocks % 3 == 0 {
//!             out.push(Effect::Open);
//!         }
//!     }
//! }
//!
//! let (mut porter, mut effects) = (Porter::default(), Effects::with_limit(8));
//! for _ in 0..3 {
//!     porter.step(Instant::from_nanos(0), Input::Knock, &mut effects);
//! }
//! assert_eq!(effects.pop(), Some(Effect::Open));
//! ```
#![forbid(unsafe_code)]

mod config;
mod confine;
mod context;
mod effects;
pub mod flags;
mod outbox;
pub mod payload;
mod ready;
mod record;
mod run;
mod service;

pub use context::{Context, Request};
pub use effects::{Effects, Machine};
pub use flags::{Flag, Given, Program};
pub use outbox::{Outbox, Unproven};
pub use program::{Fatal, Level, exit, log};
pub use reactor::{Instant, Interest, Token};
pub use run::{Daemon, main};
pub use sys::seccomp::Call;
