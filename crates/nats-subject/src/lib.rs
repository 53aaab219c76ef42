//! NATS subjects: validation, wildcard matching and the subscription index.
#![forbid(unsafe_code)]
