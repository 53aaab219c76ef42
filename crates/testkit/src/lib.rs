//! Virtual time, split feeding, golden traces, processes and virtual machines for tests.
#![forbid(unsafe_code)]
