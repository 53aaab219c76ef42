//! natstoast shows toasts: short messages for the person in front of the machine.
//!
//! | input | effect |
//! |---|---|
//! | command `toast.in`: text, JSON string or object | one line on the console, `toast.<id>.shown` |
//! | the same as a request | also an answer with the toast's number |
//! | a payload that is no toast | an error answer where one is wanted, a log line |
//! | more toasts than the console takes | the oldest that waits is dropped and counted |
//!
//! The console is standard output, or the file or terminal of the configuration. A terminal that stands still delays nobody.
//!
//! It never interprets what it shows: control characters are replaced, so a message cannot move the cursor or ring the bell.
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
pub mod machine;

pub use adapter::Natstoast;
