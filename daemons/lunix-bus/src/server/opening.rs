//! What the server listens on: opened, or handed over.

use super::error::Error;
use super::files::Urls;
use super::handed::Handed;
use super::listen::{Listener, SocketFile};
use super::log::Log;
use super::monitor::Monitor;
use crate::config::Config;
use std::io;

/// All that is open.
pub(super) struct Sockets {
    pub(super) listeners: Vec<Listener>,
    pub(super) socket_files: Vec<SocketFile>,
    pub(super) monitor: Option<Monitor>,
    /// Which of the listeners is for WebSockets.
    pub(super) web_listener: Option<u32>,
}

impl Sockets {
    /// Opens what the configuration says, or takes what was handed over in its place. The configuration then says on which address
    /// and ports.
    pub(super) fn open(config: &mut Config, mut handed: Handed, log: &mut Log) -> Result<Self, Error> {
        let (handed_monitor, handed_web) = (handed.monitoring(), handed.websocket());
        let (mut listeners, socket_files) = for_clients(config, handed)?;
        let monitor = match handed_monitor {
            Some(listener) => Some(Monitor::on(listener)),
            None => config.monitoring.as_ref().map(Monitor::open).transpose()?,
        };
        let web_listener = for_websockets(config, handed_web, &mut listeners, log)?;
        Ok(Self { listeners, socket_files, monitor, web_listener })
    }

    fn is_web(&self, number: usize) -> bool {
        self.web_listener.is_some_and(|web| web as usize == number)
    }

    /// Tells the log.
    pub(super) fn tell(&self, log: &mut Log) {
        if let Some(monitor) = &self.monitor {
            log.info(format_args!("Starting http monitor on {}", monitor.listener.name));
        }
        for (number, listener) in self.listeners.iter().enumerate() {
            if !self.is_web(number) {
                log.info(format_args!("Listening for client connections on {}", listener.name));
            }
        }
    }

    /// What the ports file says.
    pub(super) fn urls(&self, config: &Config) -> Urls {
        let mut urls = Urls::default();
        let scheme = if config.broker.security.is_some() { "tls" } else { "nats" };
        for (number, listener) in self.listeners.iter().enumerate() {
            match (self.is_web(number), listener.is_tcp()) {
                (true, _) => {
                    let plain = config.broker.web.as_ref().is_some_and(|web| web.no_tls);
                    urls.add("websocket", if plain { "ws" } else { "wss" }, listener);
                }
                (false, true) => urls.add("nats", scheme, listener),
                (false, false) => urls.add("unix", "unix", listener),
            }
        }
        if let Some(monitor) = &self.monitor {
            urls.add("monitoring", "http", &monitor.listener);
        }
        urls
    }
}

fn for_clients(config: &mut Config, mut handed: Handed) -> Result<(Vec<Listener>, Vec<SocketFile>), Error> {
    let mut listeners = handed.tcp();
    if let Some(address) = listeners.first().and_then(Listener::address) {
        config.broker.host = address.ip().to_string();
        config.broker.port = address.port();
    } else if config.tcp {
        let (listener, port) = Listener::tcp(&config.broker.host, config.broker.port)?;
        config.broker.port = port;
        listeners.push(listener);
    }
    let mut socket_files = Vec::new();
    for name in &config.unix {
        if let Some(listener) = handed.unix(name) {
            // Its file is of whoever made it.
            listeners.push(listener);
            continue;
        }
        let (listener, file) = Listener::unix(name, config.unix_mode)?;
        socket_files.extend(file);
        listeners.push(listener);
    }
    listeners.extend(handed.rest());
    Ok((listeners, socket_files))
}

/// Returns which of the listeners is for WebSockets.
fn for_websockets(
    config: &mut Config,
    handed: Option<Listener>,
    listeners: &mut Vec<Listener>,
    log: &mut Log,
) -> Result<Option<u32>, Error> {
    let Some(web) = &mut config.broker.web else {
        // Served as one of clients, it would let web pages speak as the user of the browser.
        let why =
            || io::Error::new(io::ErrorKind::InvalidInput, "handed over for WebSockets, which are not configured");
        return handed.map_or(Ok(None), |listener| Err(Error::Listen(listener.name, why())));
    };
    let listener = match handed {
        Some(listener) => listener,
        None => Listener::tcp(&web.host, web.port)?.0,
    };
    if let Some(address) = listener.address() {
        web.port = address.port();
    }
    let scheme = if web.no_tls { "ws" } else { "wss" };
    log.info(format_args!("Listening for websocket clients on {scheme}://{}:{}", web.host, web.port));
    if web.no_tls {
        log.warn("Websocket not configured with TLS. DO NOT USE IN PRODUCTION!");
    }
    listeners.push(listener);
    Ok(u32::try_from(listeners.len() - 1).ok())
}
