//! PID 1 and supervisor.
#![forbid(unsafe_code)]
