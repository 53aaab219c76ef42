//! Every message of lunix as a type: the single source of schemas and docs.
#![forbid(unsafe_code)]
