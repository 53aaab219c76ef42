//! Puts what lunix-init does on the bus.
#![forbid(unsafe_code)]
