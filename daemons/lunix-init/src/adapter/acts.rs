//! Doing what the supervisor asks for.

use super::Host;
use super::launch::Program;
use crate::supervisor::{Act, QUEUE_KEPT};
use init_control::What;
use rustix::io::Errno;
use sys::signal::{self, Target};

impl Host {
    /// Does everything asked for, in order, until nothing more is.
    pub(crate) fn run_acts(&mut self) {
        while let Some(act) = self.acts.pop_front() {
            match act {
                Act::Run(id, script) => self.run_script(id, script),
                Act::Terminate(id, number) => {
                    self.signal(id, number, false);
                    self.signal(id, signal::CONT, false);
                }
                Act::Kill(id) => self.kill(id),
                Act::Clear(id) => self.clear_group(id),
                Act::Reload(id) => self.reload(id),
                Act::Tell(news) => {
                    if news.what == What::Stopped
                        && let Some(channels) = self.channels.get_mut(news.id)
                    {
                        // Kept over its restarts, not over its being stopped.
                        channels.kept_mut().store.clear();
                        self.supervisor.touch(news.id);
                    }
                    if news.what == What::Ready {
                        self.open_watchdog();
                    }
                    self.is_broken |= news.what == What::Broken;
                    if news.what == What::Stopped {
                        self.end_group(news.id);
                    }
                    self.follow_log_service(news.id, news.what);
                    self.follow_companion(news.id, news.what);
                    self.tell(&news);
                }
                Act::Report(report) => self.tell_generation(&report),
                Act::Forget(id) => {
                    self.leave_group(id);
                    self.close_channels(id);
                    self.supervisor.release(id);
                }
            }
        }
        self.acts.shrink_to(QUEUE_KEPT);
    }

    /// Kills a service's process with all that it started, or (without a cgroup) with its group and what it reloads by.
    fn kill(&mut self, id: usize) {
        let keeps = self.supervisor.get(id).is_some_and(|service| service.definition.policy.keeps_children);
        if !keeps && self.kill_group(id) {
            return;
        }
        self.signal(id, signal::KILL, true);
        if let Some(process) = self.channels.get(id).and_then(|channels| channels.reloader.as_ref()) {
            // It is not waited for yet, so its number is that of its group still; its end is on the way already, or it ends now.
            let _ = signal::send(Target::Group(process.pid()), signal::KILL);
        }
    }

    /// Says which services are still there after they were killed: in the kernel, waiting for what does not come.
    pub(crate) fn name_survivors(&mut self) {
        for (_, service) in self.supervisor.iter().filter(|(_, service)| service.life.is_active()) {
            let Some(pid) = service.pid else { continue };
            let name = &service.name;
            self.console.say(format_args!("error: {name}: process {pid} cannot be killed: it is left behind"));
        }
    }

    /// Tells a service to read its configuration again.
    fn reload(&mut self, id: usize) {
        let Some(service) = self.supervisor.get(id) else { return };
        if !service.definition.has_reload {
            let number = service.definition.reload_signal;
            self.signal(id, number, false);
            return self.supervisor.reloaded(id, String::new(), &mut self.acts);
        }
        if self.supervisor.reload_later(id) {
            return;
        }
        match self.start_program(id, Program::Reload) {
            Ok(process) => {
                self.supervisor.reloading(id, process.pid());
                if let Some(channels) = self.channels.get_mut(id) {
                    channels.reloader = Some(process);
                }
            }
            Err(failure) => self.supervisor.reloaded(id, failure.sentence, &mut self.acts),
        }
    }

    /// Signals a service's process, or its whole group. That it is gone already is no error: its end is on the way.
    fn signal(&mut self, id: usize, number: i32, group: bool) {
        let Some(process) = self.channels.get(id).and_then(|channels| channels.process.as_ref()) else { return };
        let pid = process.pid();
        // Once it is gone the number may be that of another group.
        let group = if group && process.signal(0).is_ok() { signal::send(Target::Group(pid), number) } else { Ok(()) };
        match process.signal(number).and(group) {
            Err(error) if error.raw_os_error() != Some(Errno::SRCH.raw_os_error()) => {
                self.console.say(format_args!("warn: cannot signal process {pid}: {error}"));
            }
            Ok(()) | Err(_) => {}
        }
    }
}
