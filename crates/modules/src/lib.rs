//! Finds and loads kernel modules by alias, in process.
#![forbid(unsafe_code)]
