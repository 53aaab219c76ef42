//! Doing what the supervisor asks for.

use super::Host;
use super::launch::Program;
use crate::supervisor::Act;
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
                Act::Reload(id) => self.reload(id),
                Act::Tell(news) => {
                    if news.what == What::Stopped
                        && let Some(channels) = self.channels.get_mut(news.id)
                    {
                        // Kept over its restarts, not over its being stopped.
                        channels.store.clear();
                        self.supervisor.touch(news.id);
                    }
                    self.follow_log_service(news.id, news.what);
                    self.tell(&news);
                }
                Act::Report(report) => self.tell_generation(&report),
                Act::Forget(id) => {
                    self.close_channels(id);
                    self.supervisor.release(id);
                }
            }
        }
    }

    /// Kills a service's process with its group, and what it reloads by.
    fn kill(&mut self, id: usize) {
        self.signal(id, signal::KILL, true);
        if let Some(pid) = self.supervisor.get(id).and_then(|service| service.reloader) {
            // Its end is on the way already, or it ends now.
            let _ = signal::send(Target::Group(pid), signal::KILL);
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
            Ok(pid) => self.supervisor.reloading(id, pid),
            Err(failure) => self.supervisor.reloaded(id, failure.sentence, &mut self.acts),
        }
    }

    /// Signals a service's process, or its whole group. That it is gone already is no error: its end is on the way.
    fn signal(&mut self, id: usize, number: i32, group: bool) {
        let Some(pid) = self.supervisor.get(id).and_then(|service| service.pid) else { return };
        let target = if group { Target::Group(pid) } else { Target::Process(pid) };
        match signal::send(target, number) {
            Err(error) if error.raw_os_error() != Some(Errno::SRCH.raw_os_error()) => {
                self.console.say(format_args!("warn: cannot signal process {pid}: {error}"));
            }
            Ok(()) | Err(_) => {}
        }
    }
}
