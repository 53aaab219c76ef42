//! The side that makes system calls: one epoll, and the machines it feeds.

mod acts;
mod adopt;
mod cgroup;
mod command;
mod control;
mod ending;
mod events;
mod launch;
mod log_service;
mod notify;
mod output;
mod overrides;
mod privileges;
mod reap;
mod reexec;
mod rescue;
mod resources;
mod resume;
mod save;
mod scarcity;
mod sockets;
mod take_over;
mod usage;
mod watch;
mod watchdog;

use crate::by_name::ByName;
use crate::cgroup::oom_score;
use crate::cmdline::{Mode, Shell};
use crate::console::Console;
use crate::directory::folder::Folder;
use crate::directory::{Known, Reading};
use crate::options::Options;
use crate::rescue::Rescue;
use crate::ring::Ring;
use crate::scarcity::is_scarcity;
use crate::shutdown::{Goal, Phase, Shutdown};
use crate::supervisor::{Acts, Supervisor};
use crate::survival::takeover::Begun;
use crate::{directory, environment};
use cgroup::Groups;
use control::Control;
use log_service::LogLink;
use notify::NotifySocket;
use output::Channels;
use reactor::{Event, Instant, Interest, Reactor, Signals, Timer};
use reexec::Exchange;
use save::Keeper;
use scarcity::Scarcity;
use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;
use sys::signal;
use watch::{Watcher, Watching};
use watchdog::Watchdog;

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
    Watchdog,
    Debounce,
    Inotify,
    Listener,
    Client(usize),
    Output(usize),
    Notification(usize),
    NotifySocket,
    LogLink,
    Groups,
    Pressure(usize),
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
    pub(crate) control: Control,
    /// Where clients are to find it.
    pub(crate) control_path: Option<PathBuf>,
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
    pub(crate) groups: Groups,
    /// What a service's process is to have where its directory says nothing (`oom-score-adj`); `None`: what lunix-init has.
    pub(crate) oom_score: Option<i16>,
    pub(crate) environment: Vec<CString>,
    pub(crate) null: OwnedFd,
    pub(crate) descriptors: Option<(u64, u64)>,
    pub(crate) is_pid1: bool,
    pub(crate) scarcity: Scarcity,
    /// More children may have ended than one turn reaps.
    reap_again: bool,
    goal: Option<Goal>,
    /// The process of the last steps.
    finisher: Option<i32>,
    watchdog: Watchdog,
    mode: Mode,
    /// Who is let in at the console.
    login: Shell,
    rescue: Rescue,
    /// The process of the rescue shell.
    shell: Option<i32>,
    /// Something broke since the boot was looked after last.
    is_broken: bool,
    pub(crate) keeper: Keeper,
    /// A program that is to take the place of this one, when it can.
    pub(crate) exchange: Option<Exchange>,
    /// Services whose records were lost, and the processes that may be theirs.
    pub(crate) lost: Vec<(usize, Vec<i32>)>,
}

/// Supervises until the end; returns what that is to be.
///
/// # Errors
/// When what it cannot do without is missing at the start: descriptors, the control socket's place.
pub(crate) fn run(options: &Options, is_pid1: bool, ready: Option<OwnedFd>, begun: &mut Begun) -> io::Result<Goal> {
    let mut host = Host::new(options, is_pid1, begun)?;
    if let Some(path) = &host.overrides {
        host.supervisor.remember(overrides::read(path));
    }
    match begun.inherited.take() {
        None => host.begin(),
        Some(inherited) => {
            host.resume(inherited);
            host.begin_again();
        }
    }
    host.open_watchdog();
    host.turn();
    if let Some(ready) = ready {
        let _ = rustix::io::write(&ready, b"\n");
    }
    loop {
        if let Some(goal) = host.goal {
            host.drain_all();
            host.remove_socket();
            if goal == Goal::Halt {
                host.release_watchdog();
            }
            host.close_groups();
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
        host.exchange_when_due();
    }
}

/// What is taken note of in the loop.
const SIGNALS: [signal::Signal; 9] = [
    signal::CHLD,
    signal::TERM,
    signal::INT,
    signal::HUP,
    signal::USR1,
    signal::USR2,
    signal::PWR,
    signal::QUIT,
    signal::WINCH,
];

impl Host {
    fn new(options: &Options, is_pid1: bool, begun: &mut Begun) -> io::Result<Self> {
        let signals = Signals::new(&SIGNALS)?;
        let mut reactor = Reactor::new(SOURCES_MAX)?;
        let deadline = Timer::new()?;
        reactor.insert(&signals, Interest::READ, Key::Signals)?;
        reactor.insert(&deadline, Interest::READ, Key::Deadline)?;
        let mut console = Console::open();
        if is_pid1 && crate::poweroff::is_first_namespace() {
            console.tell_the_kernel();
        }
        let control = resources::open_control(options, is_pid1, begun, &mut reactor, &mut console)?;
        let (groups, reason) = Groups::open(options, is_pid1, begun.groups());
        if let Some(reason) = reason {
            console.say(format_args!("info: services run without cgroups: {reason}"));
        }
        let watcher = Watcher::open(&mut reactor);
        if let Err(error) = &watcher {
            console.say(format_args!("warn: cannot watch the service directory, use rescan: {error}"));
        }
        let limits = begun.limits().or_else(resources::raise_descriptor_limit);
        let null = resources::open_null()?;
        let file = begun.file.take();
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
            control_path: options.control.clone(),
            notify: None,
            log_link: None,
            drain_at: None,
            watcher: watcher.ok(),
            services: options.services.clone().unwrap_or_else(|| crate::options::SERVICES.into()),
            stores: resources::stores(options),
            overrides: options.overrides.clone(),
            folder: None,
            groups,
            oom_score: if is_pid1 { oom_score::protect() } else { None },
            environment: environment::own(),
            scarcity: Scarcity::new(&null),
            null,
            descriptors: limits,
            is_pid1,
            reap_again: false,
            goal: None,
            finisher: None,
            watchdog: Watchdog::new(options.watchdog),
            mode: options.mode,
            login: options.shell,
            rescue: Rescue::default(),
            shell: None,
            is_broken: false,
            keeper: Keeper::new(file),
            exchange: None,
            lost: Vec::new(),
        })
    }

    fn serve(&mut self, event: Event<Key>) {
        match event.key {
            Key::Signals => self.take_signals(),
            Key::Deadline => {
                let _ = self.deadline.fired();
                self.armed = None;
            }
            Key::Watchdog => self.feed_watchdog(),
            Key::Inotify => self.directory_changed(),
            Key::Debounce => self.rescan_when_due(),
            Key::Listener => self.accept(),
            Key::Client(index) => self.serve_client(index, event),
            Key::Output(id) => self.drain(id),
            Key::Notification(id) => self.read_notification(id),
            Key::NotifySocket => self.read_notify_socket(),
            Key::LogLink => self.serve_log_link(event),
            Key::Groups => self.groups_changed(),
            Key::Pressure(id) => self.pressure(id, event),
        }
    }

    fn take_signals(&mut self) {
        // Standard signals do not queue, so one reading of each kind is all there can be.
        for _ in 0..16 {
            let Ok(Some(received)) = self.signals.read() else { return };
            match (received.signal, self.is_pid1) {
                (signal::CHLD, _) => self.reap(),
                (signal::HUP, _) => {
                    self.listen_again();
                    self.rescan();
                }
                (signal::TERM | signal::INT, false) => self.ask(Goal::Leave),
                // What the reboot, halt and poweroff of busybox send, and ctrl-alt-del.
                (signal::TERM | signal::INT, true) => self.ask(Goal::Reboot),
                (signal::USR1, true) => self.ask(Goal::Halt),
                (signal::USR2 | signal::PWR, true) => self.ask(Goal::Poweroff),
                (signal::WINCH, true) => self.keyboard_request(),
                // What means nothing to a supervisor: ignored, and so harmless.
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
        self.look_after_the_boot();
        self.advance_shutdown(now);
        self.take_output_back(now);
        self.try_again(now);
        self.save_overrides();
        self.wake_companions(now);
        self.tell_watchers();
        self.save();
        self.give_up_exchange_when_late(now);
        let deadlines = [
            self.supervisor.deadline(),
            self.shutdown.deadline(),
            self.drain_at,
            self.scarcity.again_at,
            self.companion_deadline(),
            self.exchange.as_ref().and_then(Exchange::deadline),
        ];
        let next = deadlines.into_iter().flatten().min();
        if next != self.armed {
            let set = next.map_or_else(|| self.deadline.disarm(), |deadline| self.deadline.arm(deadline));
            // A timer that cannot be set is tried again soon, for deadlines must be met.
            self.scarcity.wait_max = set.is_err().then_some(TIMER_AGAIN);
            self.armed = next.filter(|_| set.is_ok());
        }
    }

    /// Reads the service directory and brings everything in line with it.
    pub(crate) fn rescan(&mut self) {
        if self.shutdown.phase() != Phase::Running || self.mode == Mode::Emergency {
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
}
