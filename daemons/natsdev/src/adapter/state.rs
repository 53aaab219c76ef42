//! The file that makes a restart unnoticeable.
//!
//! It is written at the end of every turn that changed something, before what the turn published leaves: numbers, things, and the
//! events the bus has not proved to have. A natsdev that is killed between the two sends them again with the same numbers; one that
//! is killed before has published nothing, and finds the same difference anew.

use daemon::{Outbox, Unproven};
use interfaces::hardware::Thing;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// What an earlier process of this boot left.
#[derive(Debug)]
pub(super) struct Saved {
    pub(super) epoch: String,
    pub(super) seq: u64,
    pub(super) unproven: Vec<Unproven>,
    pub(super) things: Vec<Thing<'static>>,
}

/// The file; `T` is a thing, or a reference to one.
#[derive(Serialize, Deserialize)]
struct Contents<T> {
    boot: String,
    epoch: String,
    seq: u64,
    unproven: Vec<Event>,
    things: Vec<T>,
}

#[derive(Serialize, Deserialize)]
struct Event {
    seq: u64,
    subject: String,
    payload: String,
}

/// What was last written, as far as it is needed to know that nothing changed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Mark {
    seq: u64,
    unproven: usize,
    version: u64,
}

/// The state file.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    boot: String,
    written: Option<Mark>,
}

impl State {
    pub(super) fn new(path: PathBuf) -> Self {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        Self { path, boot: boot.trim().to_owned(), written: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// What an earlier process left; `None` at the first start of this boot.
    pub(super) fn load(&self) -> io::Result<Option<Saved>> {
        let text = match std::fs::read_to_string(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let file: Contents<Thing<'_>> = serde_json::from_str(&text)?;
        if file.boot != self.boot {
            return Ok(None);
        }
        let event =
            |event: Event| Unproven { seq: event.seq, subject: event.subject, payload: event.payload.into_bytes() };
        Ok(Some(Saved {
            epoch: file.epoch,
            seq: file.seq,
            unproven: file.unproven.into_iter().map(event).collect(),
            things: file.things.into_iter().map(Thing::into_owned).collect(),
        }))
    }

    /// Writes the state where it changed. `version` changes whenever the things do.
    pub(super) fn save<'t>(
        &mut self,
        outbox: &Outbox,
        version: u64,
        things: impl Iterator<Item = &'t Thing<'static>>,
    ) -> io::Result<()> {
        let mark = Mark { seq: outbox.seq(), unproven: outbox.unproven().count(), version };
        if self.written == Some(mark) {
            return Ok(());
        }
        let event = |event: &Unproven| Event {
            seq: event.seq,
            subject: event.subject.clone(),
            payload: String::from_utf8_lossy(&event.payload).into_owned(),
        };
        let file = Contents {
            boot: self.boot.clone(),
            epoch: outbox.epoch().to_owned(),
            seq: outbox.seq(),
            unproven: outbox.unproven().map(event).collect(),
            things: things.collect(),
        };
        self.replace(&serde_json::to_vec(&file)?)?;
        self.written = Some(mark);
        Ok(())
    }

    fn replace(&self, text: &[u8]) -> io::Result<()> {
        let temporary = self.path.with_extension("new");
        let create = || File::options().write(true).create(true).truncate(true).mode(0o600).open(&temporary);
        let mut file = match create() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
                create()?
            }
            other => other?,
        };
        file.write_all(text)?;
        std::fs::rename(&temporary, &self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use interfaces::hardware::Tty;

    #[test]
    fn what_was_saved_is_loaded_and_another_boots_state_is_not() {
        let folder = testkit::TempDir::new("natsdev-state").unwrap();
        let mut state = State::new(folder.path().join("sub/natsdev.state"));
        assert!(state.load().unwrap().is_none());
        let mut outbox = Outbox::new().unwrap();
        let thing = Thing::Tty(Tty { devpath: "/devices/x".into(), node: "/dev/ttyUSB0".into() });
        outbox.stage("hardware.tty.add".into(), "T", &thing).unwrap();
        state.save(&outbox, 1, [&thing].into_iter()).unwrap();
        let saved = state.load().unwrap().unwrap();
        assert_eq!((saved.epoch.as_str(), saved.seq, saved.things), (outbox.epoch(), 1, vec![thing]));
        assert_eq!(saved.unproven, outbox.unproven().cloned().collect::<Vec<_>>());
        state.boot.push('x');
        assert!(state.load().unwrap().is_none());
    }
}
