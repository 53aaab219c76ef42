//! Letting a person in at the console.

use super::Host;
use crate::cmdline::{Mode, Shell};
use crate::rescue::{Effect, Input};
use crate::shutdown::Phase;
use crate::supervisor::{BOOT, Order};
use reactor::Instant;
use rustix::fs::{Mode as FileMode, OFlags};
use std::ffi::{CString, OsStr};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use sys::spawn::Command;

/// Where `sulogin` may be.
const FOLDERS: [&str; 4] = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

impl Host {
    /// Begins what the command line asks for.
    pub(super) fn begin(&mut self) {
        self.supervisor.boots_only(self.mode == Mode::Single);
        if self.mode == Mode::Emergency {
            self.console.say(format_args!("info: nothing is started before this shell ends"));
            return self.feed_rescue(Input::Wanted);
        }
        self.rescan();
    }

    /// Lets a person in when something that the boot needs is broken, or when the boot has come as far as was asked for.
    pub(super) fn look_after_the_boot(&mut self) {
        if !self.is_pid1 || self.shutdown.phase() != Phase::Running || self.rescue.is_open() {
            return;
        }
        if std::mem::take(&mut self.is_broken) {
            let broken = self.supervisor.broken_for_the_boot();
            for (_, sentence) in &broken {
                self.console.say(format_args!("error: {sentence}"));
            }
            if !broken.is_empty() {
                return self.feed_rescue(Input::Wanted);
            }
        }
        let boot = self.supervisor.find(BOOT).and_then(|id| self.supervisor.get(id));
        if self.mode == Mode::Single && boot.is_none_or(|boot| boot.life.is_up()) {
            self.console.say(format_args!("info: the rest is started when this shell ends"));
            self.feed_rescue(Input::Wanted);
        }
    }

    fn feed_rescue(&mut self, input: Input) {
        match self.rescue.step(Instant::now(), input) {
            None => {}
            Some(Effect::Open) => match self.start_shell() {
                Ok(pid) => self.shell = Some(pid),
                Err(sentence) => {
                    self.console.say(format_args!("error: no rescue shell: {sentence}"));
                    self.feed_rescue(Input::Ended);
                }
            },
            Some(Effect::GoOn) => self.go_on_with_the_boot(),
            Some(Effect::GiveUp) => {
                self.console.say(format_args!("error: nobody is at the console: services stay as they are"));
                self.go_on_with_the_boot();
            }
        }
    }

    /// Starts what was held back, and once more what is broken.
    fn go_on_with_the_boot(&mut self) {
        self.mode = Mode::Whole;
        self.supervisor.boots_only(false);
        self.rescan();
        if !self.rescue.is_given_up() {
            for (id, _) in self.supervisor.broken_for_the_boot() {
                // What cannot run at all stays broken, which lists show with the reason.
                let _ = self.supervisor.order(Instant::now(), id, Order::Restart, &mut self.acts);
            }
        }
        self.run_acts();
    }

    /// A process has ended: true when it was the shell.
    pub(super) fn is_shell(&mut self, pid: i32) -> bool {
        let is_it = self.shell == Some(pid);
        if is_it {
            self.shell = None;
            if self.shutdown.phase() == Phase::Running {
                self.console.say(format_args!("info: the rescue shell has ended: going on"));
                self.feed_rescue(Input::Ended);
            }
        }
        is_it
    }

    fn start_shell(&self) -> Result<i32, String> {
        let (program, name) = match self.login {
            Shell::Open => (PathBuf::from("/bin/sh"), c"-sh"),
            Shell::Login => (sulogin().ok_or("there is no sulogin; lunix.rescue=shell does without")?, c"sulogin"),
        };
        let program = CString::new(program.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        let root = File::open("/").map_err(|error| error.to_string())?;
        let terminal = terminal().map_err(|error| format!("no console: {error}"))?;
        let environment: Vec<_> = self.environment.iter().map(CString::as_c_str).collect();
        let stdio = terminal.each_ref().map(AsFd::as_fd);
        let arguments = [name];
        let command = Command { environment: &environment, ..Command::new(&program, &arguments, root.as_fd(), stdio) };
        let process = sys::spawn::spawn(&command).map_err(|error| error.to_string())?;
        Ok(process.pid())
    }
}

fn sulogin() -> Option<PathBuf> {
    FOLDERS.iter().map(|folder| Path::new(folder).join(OsStr::new("sulogin"))).find(|path| path.is_file())
}

/// The console as descriptors 0, 1 and 2; in a container what lunix-init itself was given.
fn terminal() -> io::Result<[OwnedFd; 3]> {
    if !crate::poweroff::is_first_namespace() {
        let own = |fd| rustix::io::fcntl_dupfd_cloexec(fd, 3);
        return Ok([own(rustix::stdio::stdin())?, own(rustix::stdio::stderr())?, own(rustix::stdio::stderr())?]);
    }
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let open = || rustix::fs::open("/dev/console", flags, FileMode::empty());
    Ok([open()?, open()?, open()?])
}
