//! Puts hardware on the bus.
#![forbid(unsafe_code)]
