//! The dead: services', and everybody's whose parent died before.
//!
//! Any child is waited for, by whatever number the kernel tells. That number is as good as a pidfd here: it stays the child's until it is
//! waited for, nobody else waits, and a service's number is forgotten in the same breath. Signals are another matter: see
//! [`sys::spawn::Process`].

use super::Host;
use crate::shutdown::{Input, Phase};
use init_control::Ended;
use reactor::Instant;
use rustix::process::{WaitOptions, WaitStatus};
use sys::signal::{self, Target};

/// Most dead processes buried per turn, so that a storm of them cannot hold up the rest.
const REAP_MAX: usize = 256;

impl Host {
    /// Buries the dead, and tells the supervisor of those that were its services'.
    pub(crate) fn reap(&mut self) {
        for _ in 0..REAP_MAX {
            match rustix::process::wait(WaitOptions::NOHANG) {
                Ok(Some((pid, status))) => self.bury(pid.as_raw_nonzero().get(), status),
                Ok(None) => return,
                Err(rustix::io::Errno::CHILD) => {
                    if matches!(self.shutdown.phase(), Phase::Strays | Phase::KillingStrays) {
                        self.feed_shutdown(Input::Alone);
                    }
                    return;
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    self.console.say(format_args!("error: cannot wait for children: {error}"));
                    return;
                }
            }
        }
        self.reap_again = true;
    }

    pub(crate) fn bury(&mut self, pid: i32, status: WaitStatus) {
        if self.is_finisher(pid) || self.is_shell(pid) {
            return;
        }
        self.exchange_tried(pid, &status);
        self.suspect_ended(pid);
        let service = self.supervisor.find_pid(pid);
        let reloader = self.supervisor.find_reloader(pid);
        if service.is_none() && reloader.is_none() {
            return;
        }
        let code = status.exit_status().and_then(|code| u8::try_from(code).ok());
        let Some(how) = code.map(Ended::Code).or_else(|| status.terminating_signal().map(Ended::Signal)) else {
            return;
        };
        if let Some(id) = reloader {
            if let Some(channels) = self.channels.get_mut(id) {
                channels.reloader = None;
            }
            let reason = if how == Ended::Code(0) { String::new() } else { how.to_string() };
            self.supervisor.reloaded(id, reason, &mut self.acts);
        }
        let Some(id) = service else { return };
        if self.hand_over_to_heir(id) {
            return;
        }
        self.close_notification(id);
        if how == Ended::Signal(signal::KILL) {
            // Why comes before that.
            self.look_for_oom(id);
        }
        let service = self.supervisor.get(id);
        let clears = service.is_some_and(|service| service.life.clears(&service.definition.policy, how));
        if clears && self.is_populated(id) {
            self.supervisor.left_behind(Instant::now(), id, how, &mut self.acts);
        } else {
            self.supervisor.exited(Instant::now(), id, how, &mut self.acts);
        }
        // At once, so that the next dead is not taken for the process that follows this one.
        self.run_acts();
    }

    /// The service's process has ended: the one that it named as its main one takes its place; true when that runs.
    fn hand_over_to_heir(&mut self, id: usize) -> bool {
        let Some(channels) = self.channels.get_mut(id) else { return false };
        channels.process = None;
        let Some(heir) = channels.heir.take_if(|heir| heir.signal(0).is_ok()) else { return false };
        channels.process = Some(heir);
        self.supervisor.succeeded(id)
    }

    /// Signals what still runs and is no service: as PID 1 everybody, otherwise the orphans that came to us.
    pub(crate) fn signal_strays(&mut self, number: signal::Signal) {
        if self.is_pid1 {
            let _ = signal::send(Target::Everyone, number);
            return;
        }
        let list = std::fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id()));
        for pid in list.unwrap_or_default().split_ascii_whitespace().filter_map(|word| word.parse().ok()) {
            let _ = signal::send(Target::Process(pid), number);
        }
    }
}
