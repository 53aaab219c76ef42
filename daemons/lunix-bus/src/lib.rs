//! The NATS-compatible server.
#![forbid(unsafe_code)]
