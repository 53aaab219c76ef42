//! Kernel uevents: parser of the netlink message and of MODALIAS.
#![forbid(unsafe_code)]
