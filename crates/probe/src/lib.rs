//! Recognises file systems from a few blocks of a device.
#![forbid(unsafe_code)]
