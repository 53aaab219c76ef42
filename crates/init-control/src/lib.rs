//! The control protocol of lunix-init: messages and a small client.
#![forbid(unsafe_code)]
