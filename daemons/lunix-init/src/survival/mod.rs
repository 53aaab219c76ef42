//! PID 1 does not die: what it must know to go on is in a file in memory that outlives its program, so another program of the same kind can
//! take its place without a service noticing, after a crash or for an upgrade.
//!
//! [`copies`] is how a record stays whole, [`record`] what is in it.

pub mod copies;
pub mod evidence;
mod fields;
pub mod file;
mod numbers;
pub mod record;
pub mod rescue;
pub mod restore;
pub mod takeover;
pub mod text;
