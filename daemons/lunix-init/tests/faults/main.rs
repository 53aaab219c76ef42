//! What may go wrong around PID 1, provoked: each row of `docs/pid1.md` names the test here that proves it.
#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "../common/mod.rs"]
mod common;

mod clients;
mod clock;
mod descriptors;
mod ends;
mod faults;
mod killing;
mod machine;
mod map;
mod scarcity;
mod scripts;
mod storms;
mod swaps;
