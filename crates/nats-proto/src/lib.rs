//! The NATS wire protocol in both directions: streaming, zero-copy, without I/O.
#![forbid(unsafe_code)]
