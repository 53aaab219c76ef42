//! Listening sockets that the parent process holds for us (`man 3 sd_listen_fds`): whoever holds them can start us again, and no client
//! is refused in between.
//!
//! Each takes the place of what the configuration would open: a unix socket the one of the same name, TCP sockets the TCP port, one that
//! LISTEN_FDNAMES calls `http` or `monitoring` the port for monitoring, one it calls `websocket` that for WebSockets.

use super::error::Error;
use super::listen::Listener;
use std::io;

/// Number of the first descriptor.
const FIRST: i32 = 3;
/// More are not taken.
const COUNT_MAX: i32 = 16;

/// What is handed over and not in use yet.
#[derive(Debug, Default)]
pub(super) struct Handed {
    clients: Vec<Listener>,
    monitoring: Option<Listener>,
    websocket: Option<Listener>,
}

impl Handed {
    /// Takes them. Call it before anything else is opened.
    pub(super) fn take() -> Result<Self, Error> {
        let number = |name| std::env::var(name).ok().and_then(|text| text.parse::<i32>().ok());
        let is_for_us = number("LISTEN_PID").and_then(|pid| u32::try_from(pid).ok()) == Some(std::process::id());
        let count = number("LISTEN_FDS").filter(|_| is_for_us).unwrap_or(0);
        if count > COUNT_MAX {
            let error = io::Error::new(io::ErrorKind::InvalidInput, format!("more than {COUNT_MAX} descriptors"));
            return Err(Error::Listen("what LISTEN_FDS hands over".to_owned(), error));
        }
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let mut names = names.split(':');
        let mut handed = Self::default();
        for number in FIRST..FIRST + count.max(0) {
            handed.add(number, names.next().unwrap_or_default())?;
        }
        Ok(handed)
    }

    fn add(&mut self, number: i32, name: &str) -> Result<(), Error> {
        let failed = |error| Error::Listen(format!("descriptor {number}"), error);
        let fd = sys::descriptor::inherited(number).map_err(failed)?;
        let listener = Listener::from_parent(number, fd)?;
        match name {
            "http" | "monitoring" => self.monitoring = Some(listener),
            "websocket" => self.websocket = Some(listener),
            "leafnodes" | "leaf" | "mqtt" | "cluster" => {
                let text = format!("{name:?} cannot be handed over");
                return Err(failed(io::Error::new(io::ErrorKind::Unsupported, text)));
            }
            _ => self.clients.push(listener),
        }
        Ok(())
    }

    /// The TCP sockets for clients.
    pub(super) fn tcp(&mut self) -> Vec<Listener> {
        let (tcp, unix) = std::mem::take(&mut self.clients).into_iter().partition(Listener::is_tcp);
        self.clients = unix;
        tcp
    }

    /// The unix socket called `name`.
    pub(super) fn unix(&mut self, name: &str) -> Option<Listener> {
        let place = self.clients.iter().position(|listener| !listener.is_tcp() && listener.name == name)?;
        Some(self.clients.swap_remove(place))
    }

    /// The socket for monitoring.
    pub(super) fn monitoring(&mut self) -> Option<Listener> {
        self.monitoring.take()
    }

    /// The socket for WebSockets.
    pub(super) fn websocket(&mut self) -> Option<Listener> {
        self.websocket.take()
    }

    /// Those for clients that nothing in the configuration is about.
    pub(super) fn rest(self) -> Vec<Listener> {
        self.clients
    }
}
