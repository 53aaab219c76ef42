//! Shows toasts.
#![forbid(unsafe_code)]
