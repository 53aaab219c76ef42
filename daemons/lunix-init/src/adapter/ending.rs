//! The end: what the machine in `shutdown` asks for is done here.

use super::Host;
use crate::last::{self, Steps};
use crate::shutdown::{Effect, Goal, Input, Phase};
use crate::supervisor::Order;
use reactor::Instant;
use std::ffi::CString;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use sys::signal;
use sys::spawn::Command;

/// The service that the keyboard request starts, where there is one.
const KEYBOARD_REQUEST: &str = "kbrequest";
/// Most processes named that are abandoned.
const NAMED_MAX: usize = 16;

impl Host {
    /// Somebody wants the end.
    pub(crate) fn ask(&mut self, goal: Goal) {
        self.announce(goal.announcement());
        if self.shutdown.phase() == Phase::Running {
            self.allow_watchdog_the_end();
        }
        self.feed_shutdown(Input::Ask(goal));
    }

    /// Alt and the up arrow on the console, or what the keyboard table has for it.
    pub(crate) fn keyboard_request(&mut self) {
        let Some(id) = self.supervisor.find(KEYBOARD_REQUEST) else { return };
        if let Err(sentence) = self.supervisor.order(Instant::now(), id, Order::Once, &mut self.acts) {
            self.console.say(format_args!("warn: {KEYBOARD_REQUEST}: {sentence}"));
        }
    }

    pub(super) fn advance_shutdown(&mut self, now: Instant) {
        if matches!(self.shutdown.phase(), Phase::Services | Phase::Killing) && self.supervisor.is_quiet() {
            self.feed_shutdown(Input::Quiet);
        }
        if self.shutdown.deadline().is_some_and(|deadline| deadline <= now) {
            if matches!(self.shutdown.phase(), Phase::Killing | Phase::KillingStrays) {
                self.name_the_abandoned();
            }
            self.feed_shutdown(Input::Timeout);
        }
    }

    pub(super) fn feed_shutdown(&mut self, input: Input) {
        let now = Instant::now();
        match self.shutdown.step(now, input) {
            None => {}
            Some(Effect::EndServices) => self.supervisor.end(now, &mut self.acts),
            Some(Effect::KillServices) => {
                self.console.say(format_args!("warn: services did not end in time: killing them"));
                self.supervisor.kill_all(now, &mut self.acts);
            }
            Some(Effect::EndStrays) => {
                self.name_survivors();
                self.signal_strays(signal::TERM);
                self.signal_strays(signal::CONT);
                self.reap();
            }
            Some(Effect::KillStrays) => {
                self.signal_strays(signal::KILL);
                self.reap();
            }
            Some(Effect::TakeLastSteps) => self.take_last_steps(Steps::All),
            Some(Effect::SaveWhatCanBe) => {
                self.console.say(format_args!("warn: unmounting takes too long: saving what can be saved"));
                self.take_last_steps(Steps::Save);
            }
            Some(Effect::Finish(goal)) => {
                if self.finisher.is_some() {
                    self.console.say(format_args!("warn: that takes too long, too: going on without"));
                }
                self.goal = Some(goal);
            }
        }
        self.run_acts();
    }

    /// Starts the process of the last steps. In a PID namespace of its own (a container, a test) the file systems belong to somebody else.
    fn take_last_steps(&mut self, steps: Steps) {
        if !crate::poweroff::is_first_namespace() {
            return self.feed_shutdown(Input::Stepped);
        }
        match self.start_finisher(steps) {
            Ok(pid) => self.finisher = Some(pid),
            Err(error) => {
                self.console.say(format_args!("warn: no process for the last steps, taking them without: {error}"));
                last::take(steps, &mut self.console);
                self.feed_shutdown(Input::Stepped);
            }
        }
    }

    fn start_finisher(&mut self, steps: Steps) -> io::Result<i32> {
        let root = File::open("/")?;
        let output = rustix::io::fcntl_dupfd_cloexec(rustix::stdio::stderr(), 3)?;
        let arguments = last::arguments(steps);
        let arguments: Vec<_> = arguments.iter().flatten().map(CString::as_c_str).collect();
        let stdio = [self.null.as_fd(), output.as_fd(), output.as_fd()];
        let command = Command::new(c"/proc/self/exe", &arguments, root.as_fd(), stdio);
        sys::spawn::spawn(&command).map(|process| process.pid()).map_err(|error| error.cause)
    }

    /// A process has ended: true when it was that of the last steps.
    pub(super) fn is_finisher(&mut self, pid: i32) -> bool {
        let is_it = self.finisher == Some(pid);
        if is_it {
            self.finisher = None;
            self.feed_shutdown(Input::Stepped);
        }
        is_it
    }

    /// Says who did not even end by SIGKILL: they are in the kernel, and nothing more can be done.
    fn name_the_abandoned(&mut self) {
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
        let pids = names.filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && name != "1");
        for pid in pids.filter(|pid| is_deaf(pid)).take(NAMED_MAX) {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            self.console.say(format_args!("warn: process {pid} ({}) cannot be killed: abandoned", name.trim()));
        }
    }
}

/// True for a process of somebody, not of the kernel, that waits in the kernel and hears no signal (`man 5 proc_pid_stat`, state D).
fn is_deaf(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(')').and_then(|(_, rest)| rest.trim_start().chars().next());
    let is_ours = std::fs::read_link(format!("/proc/{pid}/exe")).is_ok();
    state == Some('D') && is_ours
}
