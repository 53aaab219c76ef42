//! Puts processes on the bus.
#![forbid(unsafe_code)]
