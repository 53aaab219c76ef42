//! What signals order: a reload, an end, and an end that is announced.

use super::error::Error;
use super::{Server, Source, system};
use crate::config;
use reactor::Instant;
use std::time::{Duration, SystemTime};
use sys::signal;

/// How long ending connections may take to write what waits, at shutdown.
const FAREWELL: Duration = Duration::from_secs(2);

impl Server {
    pub(super) fn signals(&mut self, now: Instant) -> Result<(), Error> {
        while let Some(received) = self.signals.read().map_err(system("read signalfd"))? {
            match received.signal {
                signal::TERM | signal::INT => self.ending = true,
                signal::HUP => self.reload(now),
                signal::USR1 => match self.log.reopen() {
                    Ok(()) => self.log.info("log file reopened"),
                    Err(error) => self.log.error(format_args!("cannot reopen the log file: {error}")),
                },
                signal::USR2 => self.lame_duck(now),
                other => self.log.warn(format_args!("unexpected signal ignored (signal={other})")),
            }
        }
        Ok(())
    }

    /// Closes the listeners and sends the clients away, one after the other.
    pub(super) fn lame_duck(&mut self, now: Instant) {
        if self.broker.is_lame_duck() {
            return;
        }
        self.log.info("Entering lame duck mode, stop accepting new clients");
        self.listeners.clear();
        self.socket_files.clear();
        self.broker.lame_duck(now);
    }

    /// Reads the configuration again. What a listener needs stays as it was started.
    pub(super) fn reload(&mut self, now: Instant) {
        let fresh = match config::load(&self.flags) {
            Ok(fresh) => fresh,
            Err(error) => return self.log.error(format_args!("configuration not reloaded: {error}")),
        };
        let known = self.broker.settings();
        let mut settings = fresh.broker.clone();
        if settings.host != known.host || (settings.port != 0 && settings.port != known.port) {
            self.log.warn("host and port are not reloaded: restart to change them");
        }
        #[cfg(feature = "leaf")]
        if settings.remotes != known.remotes {
            self.log.warn("leafnodes are not reloaded: restart to change them");
        }
        settings.server_id.clone_from(&known.server_id);
        settings.server_name.clone_from(&known.server_name);
        settings.host.clone_from(&known.host);
        settings.port = known.port;
        settings.closed_kept = known.closed_kept;
        if let (Some(web), Some(known)) = (&mut settings.web, &known.web) {
            web.host.clone_from(&known.host);
            web.port = known.port;
        }
        self.log.set_debug(fresh.debug);
        self.doors.configure(&fresh);
        self.loaded = now;
        let asks_anew =
            settings.local.as_ref().map(|policy| policy.tcp) != known.local.as_ref().map(|policy| policy.tcp);
        self.broker.set_calendar(now, SystemTime::now());
        self.broker.reload(settings);
        #[cfg(feature = "jwt")]
        self.broker.share_by_tokens();
        if asks_anew {
            self.ask_for_listeners();
        }
        self.log.info("Reloaded server configuration");
    }

    /// Writes what waits and closes everything; whoever does not read in time is closed all the same.
    pub(super) fn farewell(&mut self) {
        let until = Instant::now() + FAREWELL;
        self.broker.shut_down();
        loop {
            let now = Instant::now();
            self.flush(now);
            let mut list = std::mem::take(&mut self.list);
            self.broker.take_ending(&mut list);
            for &slot in &list {
                self.finish(now, slot);
            }
            self.list = list;
            if self.broker.connections() == 0 || now >= until || self.reactor.wait(Some(until - now)).is_err() {
                break;
            }
            while let Some(event) = self.reactor.next() {
                if let Source::Client(slot) = event.key {
                    self.write(now, slot);
                }
            }
        }
        self.log.notes(self.broker.take_notes());
        self.log.info("Server Exiting..");
    }
}
