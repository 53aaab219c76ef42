//! The side that makes system calls: one epoll, and the machines it feeds.

mod acts;
mod command;
mod control;
mod events;
mod launch;
mod log_service;
mod notify;
mod output;
mod overrides;
mod privileges;
mod reap;
mod scarcity;
mod sockets;
mod watch;

use crate::by_name::ByName;
use crate::console::Console;
use crate::directory::folder::Folder;
use crate::directory::{Known, Reading};
use crate::options::Options;
use crate::ring::Ring;
use crate::scarcity::is_scarcity;
use crate::service::Found;

use crate::shutdown::{Effect, Goal, Input, Phase, Shutdown};
use crate::supervisor::{Acts, Supervisor};
use crate::{directory, environment};
use control::Control;
use log_service::LogLink;
use notify::NotifySocket;
use output::Channels;
use reactor::{Event, Instant, Interest, Reactor, Signals, Timer};
use rustix::process::Resource;
use scarcity::Scarcity;
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;
use sys::signal;
use watch::{Watcher, Watching};

/// Bytes kept of the services' output.
const LOG_BYTES: usize = 64 * 1024;
/// Bytes kept of events, for watchers that are a little behind.
const EVENT_BYTES: usize = 32 * 1024;
/// Descriptors the reactor can watch: two for each of 4096 services, and the fixed ones.
const SOURCES_MAX: usize = 8192 + 64;

/// How soon a timer that could not be set is tried again.
const TIMER_AGAIN: Duration = Duration::from_millis(50);

/// What a ready descriptor is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Key {
    Signals,
    Deadline,
    Debounce,
    Inotify,
    Listener,
    Client(usize),
    Output(usize),
    Notification(usize),
    NotifySocket,
    LogLink,
}

/// Everything outside the machines.
pub(crate) struct Host {
    pub(crate) reactor: Reactor<Key>,
    signals: Signals,
    deadline: Timer,
    armed: Option<Instant>,
    pub(crate) supervisor: Supervisor,
    pub(crate) acts: Acts,
    pub(crate) shutdown: Shutdown,
    pub(crate) channels: Vec<Channels>,
    pub(crate) console: Console,
    pub(crate) log: Ring,
    pub(crate) events: Ring,
    pub(crate) control: Option<Control>,
    pub(crate) notify: Option<NotifySocket>,
    pub(crate) log_link: Option<LogLink>,
    /// When output is to be read here again, unless the log service is back before.
    pub(crate) drain_at: Option<Instant>,
    watcher: Option<Watcher>,
    services: PathBuf,
    stores: Vec<PathBuf>,
    /// Where the operator's word is written down.
    overrides: Option<PathBuf>,
    pub(crate) folder: Option<Folder>,
    pub(crate) environment: Vec<CString>,
    pub(crate) null: OwnedFd,
    pub(crate) descriptors: Option<(u64, u64)>,
    pub(crate) is_pid1: bool,
    pub(crate) scarcity: Scarcity,
    /// More children may have ended than one turn reaps.
    reap_again: bool,
    goal: Option<Goal>,
}

/// Supervises until the end; returns what that is to be.
///
/// # Errors
/// When what it cannot do without is missing at the start: descriptors, the control socket's place.
pub(crate) fn run(options: &Options, is_pid1: bool, ready: Option<OwnedFd>) -> io::Result<Goal> {
    let mut host = Host::new(options, is_pid1)?;
    if let Some(path) = &host.overrides {
        host.supervisor.remember(overrides::read(path));
    }
    host.rescan();
    host.turn();
    if let Some(ready) = ready {
        let _ = rustix::io::write(&ready, b"\n");
    }
    loop {
        if let Some(goal) = host.goal {
            host.remove_socket();
            return Ok(goal);
        }
        let limit = if host.reap_again { Some(Duration::ZERO) } else { host.scarcity.wait_max };
        match host.reactor.wait(limit) {
            Ok(()) => host.waits_again(),
            Err(error) => host.go_on_blindly(&error.into()),
        }
        while let Some(event) = host.reactor.next() {
            host.serve(event);
        }
        if std::mem::take(&mut host.reap_again) {
            host.reap();
        }
        host.turn();
    }
}

impl Host {
    fn new(options: &Options, is_pid1: bool) -> io::Result<Self> {
        let signals = Signals::new(&[
            signal::CHLD,
            signal::TERM,
            signal::INT,
            signal::HUP,
            signal::USR1,
            signal::USR2,
            signal::PWR,
            signal::QUIT,
            signal::WINCH,
        ])?;
        let mut reactor = Reactor::new(SOURCES_MAX)?;
        let deadline = Timer::new()?;
        reactor.insert(&signals, Interest::READ, Key::Signals)?;
        reactor.insert(&deadline, Interest::READ, Key::Deadline)?;
        let mut console = Console::open();
        if is_pid1 && crate::poweroff::is_first_namespace() {
            console.tell_the_kernel();
        }
        let control = match &options.control {
            None => None,
            Some(path) => match Control::open(path, is_pid1, &mut reactor) {
                Ok(control) => Some(control),
                Err(error) if is_pid1 => {
                    console.say(format_args!("error: cannot listen on {}: {error}", path.display()));
                    None
                }
                Err(error) => return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
            },
        };
        let watcher = Watcher::open(&mut reactor);
        if let Err(error) = &watcher {
            console.say(format_args!("warn: cannot watch the service directory, use rescan: {error}"));
        }
        let null = open_null()?;
        Ok(Self {
            reactor,
            signals,
            deadline,
            armed: None,
            supervisor: Supervisor::new(),
            acts: Acts::new(),
            shutdown: Shutdown::new(options.stop_limit),
            channels: Vec::new(),
            console,
            log: Ring::new(LOG_BYTES),
            events: Ring::new(EVENT_BYTES),
            control,
            notify: None,
            log_link: None,
            drain_at: None,
            watcher: watcher.ok(),
            services: options.services.clone().unwrap_or_else(|| crate::options::SERVICES.into()),
            stores: stores(options),
            overrides: options.overrides.clone(),
            folder: None,
            environment: environment::own(),
            scarcity: Scarcity::new(&null),
            null,
            descriptors: raise_descriptor_limit(),
            is_pid1,
            reap_again: false,
            goal: None,
        })
    }

    fn serve(&mut self, event: Event<Key>) {
        match event.key {
            Key::Signals => self.take_signals(),
            Key::Deadline => {
                let _ = self.deadline.fired();
                self.armed = None;
            }
            Key::Inotify => self.directory_changed(),
            Key::Debounce => self.rescan_when_due(),
            Key::Listener => self.accept(),
            Key::Client(index) => self.serve_client(index, event),
            Key::Output(id) => self.drain(id),
            Key::Notification(id) => self.read_notification(id),
            Key::NotifySocket => self.read_notify_socket(),
            Key::LogLink => self.serve_log_link(event),
        }
    }

    fn take_signals(&mut self) {
        // Standard signals do not queue, so one reading of each kind is all there can be.
        for _ in 0..16 {
            let Ok(Some(received)) = self.signals.read() else { return };
            match (received.signal, self.is_pid1) {
                (signal::CHLD, _) => self.reap(),
                (signal::HUP, _) => self.rescan(),
                (signal::TERM | signal::INT, false) => self.ask(Goal::Leave),
                // What the reboot, halt and poweroff of busybox send, and ctrl-alt-del.
                (signal::TERM | signal::INT, true) => self.ask(Goal::Reboot),
                (signal::USR1, true) => self.ask(Goal::Halt),
                (signal::USR2 | signal::PWR, true) => self.ask(Goal::Poweroff),
                // The keyboard request, and what means nothing to a supervisor: ignored, and so harmless.
                (_, _) => {}
            }
        }
    }

    /// What every turn ends with: the machines come to rest, watchers are told, the timer is set.
    fn turn(&mut self) {
        let now = Instant::now();
        if self.supervisor.deadline().is_some_and(|deadline| deadline <= now) {
            self.supervisor.tick(now, &mut self.acts);
        }
        self.run_acts();
        self.advance_shutdown(now);
        self.take_output_back(now);
        self.try_again(now);
        self.save_overrides();
        self.tell_watchers();
        let deadlines = [self.supervisor.deadline(), self.shutdown.deadline(), self.drain_at, self.scarcity.again_at];
        let next = deadlines.into_iter().flatten().min();
        if next != self.armed {
            let set = next.map_or_else(|| self.deadline.disarm(), |deadline| self.deadline.arm(deadline));
            // A timer that cannot be set is tried again soon, for deadlines must be met.
            self.scarcity.wait_max = set.is_err().then_some(TIMER_AGAIN);
            self.armed = next.filter(|_| set.is_ok());
        }
    }

    /// Somebody wants the end.
    pub(crate) fn ask(&mut self, goal: Goal) {
        self.announce(goal.announcement());
        self.feed_shutdown(Input::Ask(goal));
    }

    fn advance_shutdown(&mut self, now: Instant) {
        if matches!(self.shutdown.phase(), Phase::Services | Phase::Killing) && self.supervisor.is_quiet() {
            self.feed_shutdown(Input::Quiet);
        }
        if self.shutdown.deadline().is_some_and(|deadline| deadline <= now) {
            self.feed_shutdown(Input::Timeout);
        }
    }

    fn feed_shutdown(&mut self, input: Input) {
        let now = Instant::now();
        match self.shutdown.step(now, input) {
            None => {}
            Some(Effect::EndServices) => self.supervisor.end(now, &mut self.acts),
            Some(Effect::KillServices) => {
                self.console.say(format_args!("warn: services did not end in time: killing them"));
                self.supervisor.kill_all(now, &mut self.acts);
            }
            Some(Effect::EndStrays) => {
                self.signal_strays(signal::TERM);
                self.signal_strays(signal::CONT);
                self.reap();
            }
            Some(Effect::KillStrays) => {
                self.signal_strays(signal::KILL);
                self.reap();
            }
            Some(Effect::Finish(goal)) => self.goal = Some(goal),
        }
        self.run_acts();
    }

    /// Reads the service directory and brings everything in line with it.
    pub(crate) fn rescan(&mut self) {
        if self.shutdown.phase() != Phase::Running {
            return;
        }
        let supervisor = &self.supervisor;
        let names = ByName::of(supervisor);
        let earlier = |name: &str, place: &str| supervisor.known(names.find(supervisor, name)?, place);
        let watching = self.begin_watching();
        let watch = |reading: Reading<'_>| watching.iter().for_each(|watching| watching.watch(reading));
        let known = Known { stores: &self.stores, earlier: &earlier, watch: &watch };
        let found = Folder::open(&self.services).and_then(|folder| {
            let found = directory::read_all(&folder, known)?;
            Ok((folder, found))
        });
        let seen = watching.map(Watching::end);
        let is_short = found.as_ref().is_err_and(is_scarcity);
        // A directory that is missing may come (back), and that is to be seen.
        self.end_watching(seen, !is_short);
        match found {
            Err(error) => {
                let path = self.services.display();
                if !self.scarcity.unread {
                    self.console.say(format_args!("error: cannot read {path}: {error}; services stay as they are"));
                }
                if is_short {
                    return self.read_again_later();
                }
            }
            Ok((folder, found)) => {
                self.scarcity.unread = false;
                self.take_over(folder, found);
            }
        }
        self.run_acts();
    }

    /// Takes the directory as read for what services are started from, unless it is another one than before and cannot run.
    fn take_over(&mut self, folder: Folder, found: Vec<Found>) {
        let is_another = self.folder.as_ref().is_some_and(|before| !before.is_same(&folder));
        let outcome = self.supervisor.reconcile(Instant::now(), found, is_another, &mut self.acts);
        if outcome.accepted {
            let before = self.folder.replace(folder);
            for (id, place) in outcome.left {
                self.keep_home(id, place, before.as_ref().filter(|_| is_another));
            }
        }
        for sentence in outcome.sentences {
            self.console.say(format_args!("warn: {sentence}"));
        }
    }

    /// Holds on to the directory that a running service was started from, for its `finish`.
    fn keep_home(&mut self, id: usize, place: Option<String>, before: Option<&Folder>) {
        let Some(service) = self.supervisor.get(id).filter(|service| service.life.is_active()) else { return };
        let Some(channels) = self.channels.get_mut(id).filter(|channels| channels.home.is_none()) else { return };
        let by_place = place.and_then(|place| Folder::open(place.as_ref()).ok());
        // Where neither is to be had, `finish` comes from the directory as it is now.
        channels.home = by_place.or_else(|| before?.enter(service.folder()).ok().flatten());
    }
}

/// The stores that were named, or the usual ones; as the kernel tells paths, without links.
fn stores(options: &Options) -> Vec<PathBuf> {
    let usual = || directory::place::STORES.map(PathBuf::from).to_vec();
    let named = if options.stores.is_empty() { usual() } else { options.stores.clone() };
    named.into_iter().map(|store| std::fs::canonicalize(&store).unwrap_or(store)).collect()
}

/// What reads as nothing: /dev/null, or an empty file in memory where there is no /dev.
fn open_null() -> io::Result<OwnedFd> {
    use rustix::fs::{MemfdFlags, Mode, OFlags};
    match rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        Ok(fd) => Ok(fd),
        Err(_) => Ok(rustix::fs::memfd_create("null", MemfdFlags::CLOEXEC)?),
    }
}

/// Takes as many descriptors as the kernel gives; returns the limit (soft, hard) that services are to have: the old one.
fn raise_descriptor_limit() -> Option<(u64, u64)> {
    let old = rustix::process::getrlimit(Resource::Nofile);
    let (soft, hard) = (old.current?, old.maximum?);
    let raised = rustix::process::Rlimit { current: Some(hard), maximum: Some(hard) };
    (soft < hard && rustix::process::setrlimit(Resource::Nofile, raised).is_ok()).then_some((soft, hard))
}
