//! natsdev
#![forbid(unsafe_code)]
pub mod machine;
