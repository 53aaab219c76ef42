//! System calls that rustix lacks, wrapped safely.
//!
//! This is the only crate of lunix with `unsafe` code (beside the PAM FFI). Everything here is a thin, checked wrapper around one
//! kernel interface; policy lives elsewhere.
//!
//! ```
//! // Block SIGTERM for this thread and receive it as a readable descriptor instead.
//! let signals = sys::signal::SignalFd::new(&[sys::signal::TERM]).unwrap();
//! sys::signal::raise(sys::signal::TERM).unwrap();
//! assert_eq!(signals.read().unwrap().unwrap().signal, sys::signal::TERM);
//! ```

pub mod capability;
pub mod crash;
pub mod datagram;
pub mod descriptor;
pub mod device;
pub mod exec;
pub mod filter;
pub mod netlink;
pub mod network;
pub mod notify;
pub mod old_kernel;
pub mod peer;
pub mod seccomp;
pub mod signal;
pub mod spawn;
pub mod standard;
pub mod tcp;
