//! One service: what its directory says, and what has become of it.

use crate::directory::sockets::Socket;
use crate::lifecycle::{Lifecycle, Policy};
use crate::uncommon::{Said, Troubles};
use init_control::{Ended, ServiceState};
use reactor::Instant;
use std::rc::Rc;

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

/// What a service directory says, but for what is read anew at each start (`run` itself, `env/`, `user`, `limits` ...).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// How it lives and ends.
    pub policy: Policy,
    /// Names of the services that must be ready first (`dependencies.d/`, its logger, what a bundle contains).
    pub after: Vec<String>,
    /// There is a `down` file: it is not started by itself.
    pub starts_down: bool,
    /// There is nothing to execute: a bundle, or a oneshot with an empty `up`. It is done once what it depends on is.
    pub runs_nothing: bool,
    /// It stands for other services (`type` is bundle).
    pub is_bundle: bool,
    /// The operator may restart it, not stop it (`flag-essential`, `critical`).
    pub is_essential: bool,
    /// The boot cannot do without it (`critical`).
    pub is_critical: bool,
    /// It announces itself by sd_notify (`notify-socket`).
    pub notify_socket: bool,
    /// There is a program that tells it to reload (`reload`).
    pub has_reload: bool,
    /// What a change does while it runs (`on-change`).
    pub on_change: OnChange,
    /// The signal that tells it to end (`down-signal`).
    pub down_signal: i32,
    /// The signal that tells it to reload where there is no program (`reload-signal`).
    pub reload_signal: i32,
    /// The descriptor it writes its ready line to (`notification-fd`).
    pub notification: Option<i32>,
    /// What few services have.
    pub rare: Option<Box<Rare>>,
}

/// What few services have: kept apart, so that the others need no memory for it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rare {
    /// The service that reads its standard output (its own `log`, `producer-for`).
    pub logger: Option<String>,
    /// Its standard input is the output of others (it is a `log`, or has a `consumer-for`).
    pub is_logger: bool,
    /// It keeps the output of all services (`type` is log).
    pub is_log: bool,
    /// Those others, as `consumer-for` names them.
    pub producers: Vec<String>,
    /// The bundle of all services of its pipeline (`pipeline-name`).
    pub pipeline: Option<String>,
    /// What lunix-init listens on for it (`sockets`).
    pub sockets: Vec<Socket>,
    /// What it may ask for on the socket it is born with (`companion`).
    pub companion: Option<Box<[&'static str]>>,
    /// What comes after the `@` of its name.
    pub instance: Option<String>,
    /// Its directory below that of all services, when that is not its name.
    pub folder: Option<String>,
}

const COMMON: Rare = Rare {
    logger: None,
    is_logger: false,
    is_log: false,
    producers: Vec::new(),
    pipeline: None,
    sockets: Vec::new(),
    companion: None,
    instance: None,
    folder: None,
};

impl Definition {
    /// What few services have.
    #[must_use]
    pub fn rare(&self) -> &Rare {
        static NOTHING: Rare = COMMON;
        self.rare.as_deref().unwrap_or(&NOTHING)
    }

    /// The same, to be changed.
    pub fn rare_mut(&mut self) -> &mut Rare {
        self.rare.get_or_insert_default()
    }
}

impl Default for Definition {
    fn default() -> Self {
        Self {
            policy: Policy::default(),
            after: Vec::new(),
            starts_down: false,
            runs_nothing: false,
            is_bundle: false,
            is_essential: false,
            is_critical: false,
            notify_socket: false,
            has_reload: false,
            on_change: OnChange::Restart,
            down_signal: sys::signal::TERM,
            reload_signal: sys::signal::HUP,
            notification: None,
            rare: None,
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
    pub definition: Result<Rc<Definition>, String>,
    /// Files that are known and not supported, a sentence each.
    pub remarks: Vec<String>,
}

impl Found {
    /// Its directory below that of all services.
    #[must_use]
    pub fn folder(&self) -> &str {
        let other = self.definition.as_ref().ok().and_then(|definition| definition.rare().folder.as_deref());
        other.unwrap_or(&self.name)
    }
}

/// Definitions that are alike, kept once: most services differ in their programs alone.
#[derive(Debug, Default)]
pub struct Definitions(Vec<Rc<Definition>>);

impl Definitions {
    /// How many different ones are compared with.
    const COMPARED_MAX: usize = 32;

    /// Makes the definition one with an equal one before it.
    pub fn share(&mut self, definition: &mut Rc<Definition>) {
        if let Some(known) = self.0.iter().find(|known| *known == definition) {
            *definition = Rc::clone(known);
        } else if self.0.len() < Self::COMPARED_MAX {
            self.0.push(Rc::clone(definition));
        }
    }
}

/// One service under supervision. There may be thousands, so what few of them have is kept apart.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: Box<str>,
    /// What its process was started by.
    pub definition: Rc<Definition>,
    /// What it will be started by next time, when that differs.
    pub next: Option<Rc<Definition>>,
    /// Its life.
    pub life: Lifecycle,
    /// Its process, or that of its `finish` or `down`.
    pub pid: Option<i32>,
    /// Its last own process.
    pub last_pid: Option<i32>,
    /// How its own process ended last.
    pub ended: Option<Ended>,
    /// Why it is in its state; empty when there is nothing to say.
    pub reason: Box<str>,
    /// The operator's word where it differs from the directory: true for started.
    pub chosen: Option<bool>,
    /// The operator wants it to run until it ends, not longer.
    pub once: bool,
    /// Its directory changed and that does not count before the next boot.
    pub outdated: bool,
    pub(crate) said: Said,
    pub(crate) troubles: Troubles,
    pub(crate) place: Option<Box<str>>,
    pub(crate) fingerprint: u64,
    /// There is a bundle of what is to be started, and it does not lead here.
    pub(crate) unlisted: bool,
    pub(crate) removed: bool,
    /// It is to be forgotten already.
    pub(crate) gone: bool,
    /// Something may have changed since it was written down last.
    pub(crate) unsaved: bool,
    /// Its directory could not be read since another lunix-init left it: what it says is taken when it can.
    pub(crate) undefined: bool,
    pub(crate) after: Box<[u32]>,
    pub(crate) before: Box<[u32]>,
}

impl Service {
    pub(crate) fn new(now: Instant, found: Found) -> Self {
        let (definition, unreadable) = match found.definition {
            Ok(definition) => (definition, None),
            Err(sentence) => (Rc::default(), Some(sentence)),
        };
        let mut troubles = Troubles::default();
        troubles.set(|all| all.unreadable = unreadable);
        Self {
            name: found.name.into(),
            definition,
            next: None,
            life: Lifecycle::new(now),
            pid: None,
            last_pid: None,
            ended: None,
            reason: Box::default(),
            chosen: None,
            once: false,
            outdated: false,
            said: Said::default(),
            troubles,
            place: found.place.map(String::into_boxed_str),
            fingerprint: found.fingerprint,
            unlisted: false,
            removed: false,
            gone: false,
            unsaved: false,
            undefined: false,
            after: Box::default(),
            before: Box::default(),
        }
    }

    /// What it said last of itself (`STATUS=`).
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.said.get()?.status.as_deref()
    }

    /// The process that it says takes the place of its first (`MAINPID=`).
    #[must_use]
    pub fn heir(&self) -> Option<i32> {
        self.said.get()?.heir
    }

    /// The process of its program `reload`.
    #[must_use]
    pub fn reloader(&self) -> Option<i32> {
        self.said.get()?.reloader
    }

    /// Why it cannot run, by the directory as it is now.
    #[must_use]
    pub fn fault(&self) -> Option<&str> {
        self.troubles.get()?.fault.as_deref()
    }

    /// The numbers of the services it depends on.
    pub fn after(&self) -> impl Iterator<Item = usize> {
        self.after.iter().filter_map(|&id| usize::try_from(id).ok())
    }

    /// The numbers of the services that depend on it.
    pub fn before(&self) -> impl Iterator<Item = usize> {
        self.before.iter().filter_map(|&id| usize::try_from(id).ok())
    }

    /// True when its directory was read with this fingerprint before and made no sense.
    pub(crate) fn has_refused(&self, fingerprint: u64) -> bool {
        self.troubles.get().is_some_and(|faults| faults.refused == Some(fingerprint))
    }

    /// Forgets a service that it depended on, or that depended on it.
    pub(crate) fn unlink(&mut self, gone: usize) {
        for list in [&mut self.after, &mut self.before] {
            if list.iter().any(|&id| usize::try_from(id) == Ok(gone)) {
                *list = list.iter().copied().filter(|&id| usize::try_from(id) != Ok(gone)).collect();
            }
        }
    }

    /// What the directory says now.
    #[must_use]
    pub fn newest(&self) -> &Rc<Definition> {
        self.next.as_ref().unwrap_or(&self.definition)
    }

    /// Its directory below that of all services.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.definition.rare().folder.as_deref().unwrap_or(&self.name)
    }

    /// True when it should run, by the directory and the operator's word.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.removed && self.chosen.unwrap_or(self.is_wanted_by_directory())
    }

    /// True when it should run as far as the directory goes.
    #[must_use]
    pub fn is_wanted_by_directory(&self) -> bool {
        !self.newest().starts_down && !self.unlisted
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
        if self.fault().is_some() && !self.life.is_active() { ServiceState::Broken } else { self.life.state() }
    }
}
