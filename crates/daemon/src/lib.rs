//! What every lunix event daemon shares.
#![forbid(unsafe_code)]
