//! One service: what its directory says, and what has become of it.

use crate::lifecycle::{Lifecycle, Policy};
use init_control::{Ended, ServiceState};
use reactor::Instant;

/// What a change of its directory does to a service that runs (`on-change`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnChange {
    /// It ends and starts again.
    #[default]
    Restart,
    /// It is told to reload.
    Reload,
    /// It goes on as it is; the change counts from its next start.
    Keep,
    /// It goes on as it is and is started as it was, until lunix-init itself starts anew.
    NextBoot,
}

/// What a service directory says, but for what is read anew at each start (`run` itself, `env/`, `user`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// How it lives and ends.
    pub policy: Policy,
    /// Names of the services that must be ready first (`dependencies.d/`, and its own `log`).
    pub after: Vec<String>,
    /// There is a `down` file: it is not started by itself.
    pub starts_down: bool,
    /// The signal that tells it to end (`down-signal`).
    pub down_signal: i32,
    /// The descriptor it writes its ready line to (`notification-fd`).
    pub notification: Option<i32>,
    /// It announces itself by sd_notify (`notify-socket`).
    pub notify_socket: bool,
    /// It has a `log/`: its standard output goes there.
    pub has_logger: bool,
    /// What a change does while it runs (`on-change`).
    pub on_change: OnChange,
    /// How it is told to reload: there is a program `reload`, otherwise a signal (`reload-signal`).
    pub has_reload: bool,
    /// That signal.
    pub reload_signal: i32,
    /// It is the `log/` of the service of this name.
    pub logs_for: Option<String>,
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            after: Vec::new(),
            starts_down: false,
            down_signal: sys::signal::TERM,
            notification: None,
            notify_socket: false,
            has_logger: false,
            on_change: OnChange::Restart,
            has_reload: false,
            reload_signal: sys::signal::HUP,
            logs_for: None,
        }
    }
}

/// One entry of the service directory, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name: the directory's, or that and `/log`.
    pub name: String,
    /// Where it lies in a store whose paths never change what they hold; `None` outside of stores.
    pub place: Option<String>,
    /// Changes whenever something in the directory does.
    pub fingerprint: u64,
    /// What it says; otherwise the sentence that says what is wrong.
    pub definition: Result<Definition, String>,
    /// Files that are known and not supported, a sentence each.
    pub remarks: Vec<String>,
}

/// One service under supervision.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// What its process was started by.
    pub definition: Definition,
    /// What it will be started by next time, when that differs.
    pub next: Option<Box<Definition>>,
    /// Its life.
    pub life: Lifecycle,
    /// Its process, or that of its `finish` or `down`.
    pub pid: Option<i32>,
    /// How its own process ended last.
    pub ended: Option<Ended>,
    /// Why it is in its state; empty when there is nothing to say.
    pub reason: String,
    /// The operator's word where it differs from the directory: true for started.
    pub chosen: Option<bool>,
    /// The process of its program `reload`.
    pub reloader: Option<i32>,
    /// It is to reload once more when that has ended.
    pub(crate) reload_again: bool,
    /// Its directory changed and that does not count before the next boot.
    pub outdated: bool,
    pub(crate) place: Option<String>,
    pub(crate) fingerprint: u64,
    /// What was wrong with its directory when it was read first, or has been ever since.
    pub(crate) unreadable: Option<String>,
    /// Why it cannot run, by the directory as it is now.
    pub(crate) fault: Option<String>,
    /// The last fault told of.
    pub(crate) told_fault: Option<String>,
    /// The fingerprint of a change that could not be read.
    pub(crate) refused: Option<u64>,
    pub(crate) removed: bool,
    /// It is to be forgotten already.
    pub(crate) gone: bool,
    pub(crate) after: Vec<usize>,
    pub(crate) before: Vec<usize>,
}

impl Service {
    pub(crate) fn new(now: Instant, found: Found) -> Self {
        let (definition, unreadable) = match found.definition {
            Ok(definition) => (definition, None),
            Err(sentence) => (Definition::default(), Some(sentence)),
        };
        Self {
            name: found.name,
            definition,
            next: None,
            life: Lifecycle::new(now),
            pid: None,
            ended: None,
            reason: String::new(),
            chosen: None,
            reloader: None,
            reload_again: false,
            outdated: false,
            place: found.place,
            fingerprint: found.fingerprint,
            unreadable,
            fault: None,
            told_fault: None,
            refused: None,
            removed: false,
            gone: false,
            after: Vec::new(),
            before: Vec::new(),
        }
    }

    /// What the directory says now.
    #[must_use]
    pub fn newest(&self) -> &Definition {
        self.next.as_deref().unwrap_or(&self.definition)
    }

    /// True when it should run, by the directory and the operator's word.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.removed && self.chosen.unwrap_or(!self.newest().starts_down)
    }

    /// True when its directory is gone and it goes on until it ends by itself.
    #[must_use]
    pub fn lingers(&self) -> bool {
        let stays = match self.definition.on_change {
            OnChange::Keep | OnChange::NextBoot => true,
            OnChange::Restart | OnChange::Reload => false,
        };
        self.removed && stays && self.chosen != Some(false)
    }

    /// Its state, as lists show it.
    #[must_use]
    pub fn shown_state(&self) -> ServiceState {
        if self.fault.is_some() && !self.life.is_active() { ServiceState::Broken } else { self.life.state() }
    }
}
