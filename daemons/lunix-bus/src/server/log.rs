//! Log lines, on standard error or in a file.

use crate::broker::{Note, Peer};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::collections::VecDeque;
use std::fmt::{Arguments, Display, Write as _};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::PathBuf;

/// A pipe that is ready takes so many bytes at once (PIPE_BUF, `man 7 pipe`): longer lines are cut.
const LINE_MAX: usize = 4096;

/// Where lines go and which.
#[derive(Debug)]
pub(crate) struct Log {
    path: Option<PathBuf>,
    file: Option<File>,
    debug: bool,
    /// Lines that had no room since the last one that had.
    lost: u64,
}

impl Log {
    pub(crate) fn open(path: Option<PathBuf>, debug: bool) -> io::Result<Self> {
        let mut log = Self { path, file: None, debug, lost: 0 };
        log.reopen()?;
        Ok(log)
    }

    pub(crate) fn set_debug(&mut self, debug: bool) {
        self.debug = debug;
    }

    /// Opens the file again by its name, after it was moved away.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        if let Some(path) = &self.path {
            self.file = Some(OpenOptions::new().create(true).append(true).open(path)?);
        }
        Ok(())
    }

    fn line(&mut self, level: &str, text: Arguments<'_>) {
        // A log that cannot be written must not stop the messages, and one that nobody reads must not either.
        if self.file.is_none() && !has_room() {
            self.lost += 1;
            return;
        }
        let lost = std::mem::take(&mut self.lost);
        let mut line =
            if lost > 0 { format!("lunix-bus: warn: log lines lost (lost={lost})\n") } else { String::new() };
        // Writing to a string does not fail.
        let _ = write!(&mut line, "lunix-bus: {level}: {text}");
        let mut bytes = line.into_bytes();
        bytes.truncate(LINE_MAX - 1);
        bytes.push(b'\n');
        let _ = match &mut self.file {
            Some(file) => file.write_all(&bytes),
            None => io::stderr().write_all(&bytes),
        };
    }

    pub(crate) fn error(&mut self, text: impl Display) {
        self.line("error", format_args!("{text}"));
    }

    pub(crate) fn warn(&mut self, text: impl Display) {
        self.line("warn", format_args!("{text}"));
    }

    pub(crate) fn info(&mut self, text: impl Display) {
        self.line("info", format_args!("{text}"));
    }

    /// Writes what the broker noted. Clients coming and going are told only at debug level.
    pub(crate) fn notes(&mut self, (notes, lost): (VecDeque<(u64, Note)>, u64)) {
        for (client, note) in notes {
            match note {
                Note::Refused(peer, text) => self.warn(format_args!("{text} client={client} peer={}", Named(peer))),
                Note::Denied(peer, text) => self.warn(format_args!("{text} client={client} peer={}", Named(peer))),
                Note::Opened(peer) if self.debug => {
                    self.line("debug", format_args!("client connected client={client} peer={}", Named(peer)));
                }
                Note::Closed(peer, reason) if self.debug => {
                    let (peer, reason) = (Named(peer), reason.text());
                    self.line("debug", format_args!("client connection closed: {reason} client={client} peer={peer}"));
                }
                Note::Opened(_) | Note::Closed(..) => {}
                Note::Linked(peer, account) => {
                    let place = Place(peer);
                    self.info(format_args!(
                        "{place} - lid:{client} - Leafnode connection created for account: {account} "
                    ));
                }
                Note::Unlinked(peer, reason, hub) => {
                    let (place, reason) = (Place(peer), reason.text());
                    let hub = if hub.is_empty() { String::new() } else { format!(" - Remote: {hub}") };
                    self.info(format_args!("{place} - lid:{client} - Leafnode connection closed: {reason}{hub}"));
                }
                Note::LinkTrouble(peer, text) => self.error(format_args!("{} - lid:{client} - {text}", Place(peer))),
                Note::NoLink { url, attempt, why } => self.error(format_args!(
                    "Error trying to connect as leafnode to remote server {url:?} (attempt {attempt}): {why}"
                )),
                Note::Trace(text) => self.line("trace", format_args!("{text} client={client}")),
            }
        }
        if lost > 0 && self.debug {
            self.line("debug", format_args!("more happened than there is room to tell lost={lost}"));
        }
    }
}

/// Address and port, as the reference names the other end of a link.
struct Place(Peer);

impl Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Peer::Tcp(address) => write!(f, "{address}"),
            Peer::Unix { uid } => write!(f, "unix:{uid}"),
        }
    }
}

/// Whether standard error takes a line without waiting. It may be a pipe whose reader has stopped.
fn has_room() -> bool {
    let stderr = io::stderr();
    let mut ready = [PollFd::new(&stderr, PollFlags::OUT)];
    poll(&mut ready, Some(&Timespec::default())).is_ok_and(|count| count > 0)
}

struct Named(Peer);

impl Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Peer::Tcp(address) => write!(f, "{}", address.ip().to_canonical()),
            Peer::Unix { uid } => write!(f, "unix:{uid}"),
        }
    }
}
