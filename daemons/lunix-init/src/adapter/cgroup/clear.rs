//! Killing all that is in a service's cgroup.

use super::{Host, write};
use crate::directory::folder::Folder;
use reactor::Instant;
use std::io;
use sys::signal::{self, Target};

/// How often the list of processes is gone through where the kernel cannot kill a cgroup itself.
const ROUNDS_MAX: usize = 32;
/// Most bytes of that list.
const PROCESSES_MAX: usize = 1024 * 1024;

impl Host {
    /// True when something runs in the service's cgroup.
    pub(crate) fn is_populated(&self, id: usize) -> bool {
        let group = self.channels.get(id).and_then(|channels| channels.group.as_ref());
        group.zip(self.groups.base.as_ref()).is_some_and(|(group, base)| base.is_populated(&group.name))
    }

    /// Kills everything in the service's cgroup; false where it has none.
    pub(crate) fn kill_group(&mut self, id: usize) -> bool {
        let Some(group) = self.channels.get_mut(id).and_then(|channels| channels.group.as_mut()) else { return false };
        let entered = self.groups.base.as_ref().and_then(|base| base.folder.enter(&group.name).ok().flatten());
        let Some(folder) = entered else { return false };
        group.was_killed = true;
        let outcome = match write(&folder, "cgroup.kill", b"1") {
            Err(error) if error.kind() == io::ErrorKind::NotFound => kill_one_by_one(&folder),
            outcome => outcome,
        };
        if let Err(error) = &outcome {
            self.console.say(format_args!("warn: cannot kill cgroup {}: {error}", group.name));
        }
        outcome.is_ok()
    }

    /// Kills what a service's process left behind, and waits for the kernel to say that it is gone.
    pub(crate) fn clear_group(&mut self, id: usize) {
        let watched = self.watch_emptying(id);
        self.kill_group(id);
        // Between the killing and the watch, or without a watch, it is to be asked.
        if !watched || !self.is_populated(id) {
            self.group_is_empty(id);
        }
    }

    /// Nothing is left in the service's cgroup.
    pub(super) fn group_is_empty(&mut self, id: usize) {
        self.unwatch_emptying(id);
        self.supervisor.emptied(Instant::now(), id, &mut self.acts);
        self.run_acts();
        if self.supervisor.get(id).is_none_or(|service| !service.life.is_active()) {
            self.leave_group(id);
        }
    }

    /// The service is down: its cgroup goes, and what is in it, unless that is to be left alone.
    pub(crate) fn end_group(&mut self, id: usize) {
        let keeps = self.supervisor.get(id).is_some_and(|service| service.definition.policy.keeps_children);
        if !keeps && self.is_populated(id) {
            self.watch_emptying(id);
            self.kill_group(id);
            if self.is_populated(id) {
                return;
            }
        }
        self.leave_group(id);
    }
}

/// What is done before Linux 5.14: everybody is held still, so that nobody can make more of them, and killed.
fn kill_one_by_one(folder: &Folder) -> io::Result<()> {
    // Before Linux 5.2 there is no holding still; then more rounds may be needed.
    let held = write(folder, "cgroup.freeze", b"1").is_ok();
    for _ in 0..ROUNDS_MAX {
        let list = folder.read("cgroup.procs", PROCESSES_MAX)?.unwrap_or_default();
        let pids = list.split(|&byte| byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok()?.parse().ok());
        let killed = pids.filter(|&pid| signal::send(Target::Process(pid), signal::KILL).is_ok()).count();
        if killed == 0 {
            break;
        }
    }
    if held { write(folder, "cgroup.freeze", b"0") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::cgroup::Base;
    use std::process::{Command, Stdio};

    #[test]
    fn without_cgroup_kill_everybody_is_killed_all_the_same() {
        let Ok(base) = Base::open(None, false) else { return };
        let (folder, _) = base.enter("one-by-one").unwrap();
        // Each of them starts the next before it ends.
        let spore = "echo 0 >\"$1\" || exit; trap '' TERM; s() { (s &) ; sleep 0.01; }; s & s & s & sleep 1000";
        let list = base.path.join("one-by-one/cgroup.procs");
        let mut child = Command::new("sh").args(["-c", spore, "sh"]).arg(list).stdout(Stdio::piped()).spawn().unwrap();
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(20);
        let in_time = || assert!(std::time::Instant::now() < deadline, "it takes too long");
        while !base.is_populated("one-by-one") {
            in_time();
            std::thread::yield_now();
        }
        kill_one_by_one(&folder).unwrap();
        child.wait().unwrap();
        while base.is_populated("one-by-one") {
            in_time();
            std::thread::yield_now();
        }
        base.close();
    }
}
