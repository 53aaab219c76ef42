//! A small NATS client for epoll programs.
#![forbid(unsafe_code)]
