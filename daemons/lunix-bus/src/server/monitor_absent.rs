//! What stands in the place of monitoring over HTTP in a build without it: nothing listens.

use super::Server;
use super::error::Error;
use super::listen::Listener;
use crate::config::Monitoring;
use reactor::Instant;
use std::io;

/// There is none.
#[derive(Debug)]
pub(super) enum Monitor {}

impl Monitor {
    pub(super) fn open(config: &Monitoring) -> Result<Self, Error> {
        Err(Error::Listen(format!("{}:{}", config.host, config.port), absent()))
    }

    pub(super) fn on(listener: Listener) -> Result<Self, Error> {
        Err(Error::Listen(listener.name, absent()))
    }

    pub(super) fn listener(&self) -> &Listener {
        match *self {}
    }

    pub(super) fn next_due(&self) -> Option<Instant> {
        match *self {}
    }
}

fn absent() -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, "built without the feature monitoring")
}

impl Server {
    pub(super) fn monitor_accept(&mut self, _: Instant) {}

    pub(super) fn monitor_tick(&mut self, _: Instant) {}

    pub(super) fn answer_requests(&mut self, _: Instant) {}
}
