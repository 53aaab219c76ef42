//! Starting the programs of services.

use super::command;
use super::control::COMPANION_NAME;
use super::log_service::SOCKET_NAME;
use super::privileges::Privileges;
use super::{Host, Key};
use crate::directory::folder::Folder;
use crate::environment;
use crate::lifecycle::Script;
use crate::scarcity::{is_scarce, is_scarcity};
use crate::supervisor::Supervisor;
use reactor::{Instant, Interest};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use sys::spawn::{Command, Process, Stage};

/// Most bytes read of a program to see what it begins with.
const PROGRAM_MAX: usize = 1024 * 1024;

/// What is said of a service whose directory cannot be entered any more.
const GONE: &str = "its directory is gone";

/// Which program of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    /// One that its life asks for.
    Script(Script),
    /// `reload`.
    Reload,
}

/// Why a program does not run.
pub(crate) struct Failure {
    /// Trying again later may help.
    pub(crate) passing: bool,
    pub(crate) sentence: String,
}

impl Failure {
    pub(crate) fn lasting(sentence: String) -> Self {
        Self { passing: false, sentence }
    }
}

impl Failure {
    /// The same, and what it is about.
    pub(crate) fn about(self, what: &str) -> Self {
        Self { sentence: format!("{what}: {}", self.sentence), ..self }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self { passing: is_scarcity(&error), sentence: error.to_string() }
    }
}

impl Host {
    pub(crate) fn run_script(&mut self, id: usize, script: Script) {
        let outcome = self.start_program(id, Program::Script(script));
        let now = Instant::now();
        match outcome {
            Ok(process) => {
                let pid = process.pid();
                if let Some(channels) = self.channels.get_mut(id) {
                    (channels.process, channels.heir) = (Some(process), None);
                }
                self.supervisor.spawned(now, id, pid, &mut self.acts);
                self.save_one(id);
            }
            Err(failure) => {
                self.close_notification(id);
                if let Script::End(_) = script {
                    let name = self.supervisor.get(id).map_or("", |service| &service.name);
                    self.console
                        .say(format_args!("warn: {name}: goes on without its end script: {}", failure.sentence));
                }
                self.supervisor.not_spawned(now, id, failure.passing, &failure.sentence, &mut self.acts);
            }
        }
    }

    pub(crate) fn start_program(&mut self, id: usize, program: Program) -> Result<Process, Failure> {
        self.reserve_record(id)?;
        self.open_channels(id)?;
        // Before there is a process: that it may be there already must be known, too.
        self.save_one(id);
        let is_main = program == Program::Script(Script::Main);
        let Some(service) = self.supervisor.get(id) else {
            return Err(Failure::lasting("there is no such service".to_owned()));
        };
        if is_main
            && !service.outdated
            && let Some(channels) = self.channels.get_mut(id)
        {
            channels.home = None;
        }
        let left = self.channels.get_mut(id).and_then(|channels| channels.home.take());
        let current = program == Program::Reload;
        let folder = match (&left, &self.folder) {
            (Some(left), _) if !current => left,
            (_, Some(base)) => {
                let entered = base.enter(service.folder())?.ok_or_else(|| Failure::lasting(GONE.to_owned()))?;
                // Most of what may be in it is not: it is looked through once instead of asked for each.
                entered.remember_names()?;
                &{ entered }
            }
            (_, None) => return Err(Failure::lasting("there is no service directory".to_owned())),
        };
        let outcome = self.execute(id, program, folder);
        if let Some(channels) = self.channels.get_mut(id) {
            channels.home = left;
        }
        outcome
    }

    /// Executes one of a service's programs in `folder`.
    fn execute(&mut self, id: usize, program: Program, folder: &Folder) -> Result<Process, Failure> {
        let Some(service) = self.supervisor.get(id) else {
            return Err(Failure::lasting("there is no such service".to_owned()));
        };
        let is_main = program == Program::Script(Script::Main);
        let notification = service.definition.notification.filter(|_| is_main);
        let wants_socket = service.definition.notify_socket && is_main;
        let mut variables = self.environment.clone();
        environment::apply(&mut variables, folder)?;
        if let Some(instance) = &service.definition.rare().instance {
            environment::apply_instance(&mut variables, folder, instance)?;
        }
        if let Some(pid) = service.pid.filter(|_| program == Program::Reload) {
            environment::set(&mut variables, b"MAINPID", Some(pid.to_string().as_bytes()));
        }
        let line = command::line(service, program, folder, &variables)?;
        let privileges = Privileges::of(folder, self.descriptors)?;
        let watchdog = service.definition.policy.watchdog;
        let group = self.enter_group(id, folder, is_main)?;
        let mut pid_variable = None;
        if wants_socket {
            let address = self.notify_address()?;
            environment::set(&mut variables, b"NOTIFY_SOCKET", Some(&address));
            if let Some(limit) = watchdog {
                let micros = limit.as_micros().to_string();
                environment::set(&mut variables, b"WATCHDOG_USEC", Some(micros.as_bytes()));
            }
        }
        let mut log_socket = None;
        let mut companion_socket = None;
        if is_main {
            let is_log = service_is_log(&self.supervisor, id);
            self.open_sockets(id)?;
            if is_log {
                log_socket = Some(self.open_log_link(id)?);
            }
            companion_socket = self.open_companion(id)?;
        }
        let told = if notification.is_some() { Some(self.open_notification(id)?) } else { None };
        let (mut extra, mut names) = if is_main { self.handed_down(id) } else { (Vec::new(), String::new()) };
        for (socket, name) in [(&companion_socket, COMPANION_NAME), (&log_socket, SOCKET_NAME)] {
            let Some(socket) = socket else { continue };
            names = if names.is_empty() { name.to_owned() } else { format!("{names}:{name}") };
            extra.extend(std::iter::once(socket.as_fd()).zip(3 + i32::try_from(extra.len()).unwrap_or(0)..));
        }
        if !extra.is_empty() {
            environment::set(&mut variables, b"LISTEN_FDS", Some(extra.len().to_string().as_bytes()));
            environment::set(&mut variables, b"LISTEN_FDNAMES", Some(names.as_bytes()));
            pid_variable = Some(c"LISTEN_PID");
        }
        extra.extend(told.as_ref().zip(notification).map(|(writer, number)| (writer.as_fd(), number)));
        let stdio = self.stdio(id).ok_or_else(|| Failure::lasting("it has no output".to_owned()))?;
        let arguments: Vec<_> = line.arguments.iter().map(CString::as_c_str).collect();
        let command = Command {
            environment: &variables.iter().map(CString::as_c_str).collect::<Vec<_>>(),
            extra: &extra,
            identity: privileges.identity.as_ref(),
            capabilities: privileges.capabilities,
            limits: &privileges.limits,
            pid_variable,
            cgroup: group.as_ref().map(|(group, _)| group.as_fd()),
            moves: group.as_ref().is_some_and(|(_, moves)| *moves),
            oom_score: privileges.oom_score.or(self.oom_score),
            ..Command::new(&line.program, &arguments, folder.as_fd(), stdio)
        };
        sys::spawn::spawn(&command).map_err(|error| describe(folder, line.file, &error))
    }

    /// Opens the pipe a service announces itself on; returns the end it writes to.
    fn open_notification(&mut self, id: usize) -> io::Result<OwnedFd> {
        self.close_notification(id);
        let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&reader, true)?;
        self.watch_notification(id, reader)?;
        Ok(writer)
    }

    /// Hears from now on what the service announces there.
    pub(crate) fn watch_notification(&mut self, id: usize, reader: OwnedFd) -> io::Result<()> {
        let token = self.reactor.insert(&reader, Interest::READ, Key::Notification(id))?;
        if let Some(channels) = self.channels.get_mut(id) {
            channels.notification = Some((reader, token));
            self.supervisor.touch(id);
        }
        Ok(())
    }
}

fn service_is_log(supervisor: &Supervisor, id: usize) -> bool {
    supervisor.get(id).is_some_and(|service| service.definition.rare().is_log)
}

/// The sentence of a program that could not be executed.
fn describe(folder: &Folder, file: &str, error: &sys::spawn::Error) -> Failure {
    let mut failure = Failure::from(io::Error::from(error.cause.kind()));
    let errno = error.cause.raw_os_error().map(Errno::from_raw_os_error);
    failure.passing = errno.is_some_and(|errno| is_scarce(errno) || errno == Errno::TXTBSY);
    failure.sentence = match (error.stage, errno) {
        (Stage::Execute, Some(Errno::NOEXEC)) => format!("{file}: neither a program nor a script that begins with #!"),
        (Stage::Execute, Some(Errno::ACCESS)) => format!("{file}: not executable, or on a file system mounted noexec"),
        (Stage::Execute, Some(Errno::NOENT)) if folder.stat(file).is_ok_and(|found| found.is_some()) => {
            format!("{file}: its interpreter {} does not exist", interpreter(folder, file))
        }
        (Stage::Execute, _) => format!("{file}: {}", error.cause),
        (Stage::Groups | Stage::Group | Stage::User, _) => format!("user: {error}"),
        (Stage::Limit, _) => format!("limits: {error}"),
        (Stage::Capabilities, _) => format!("capabilities: {error}"),
        (Stage::OomScore, _) => format!("oom-score-adj: {error}"),
        (Stage::Cgroup, _) => format!("cgroup: {error}"),
        (Stage::Clone | Stage::Session | Stage::Directory | Stage::Descriptors, _) => error.to_string(),
    };
    failure
}

/// What follows `#!`; a binary has a loader instead.
fn interpreter(folder: &Folder, file: &str) -> String {
    let content = folder.read(file, PROGRAM_MAX).ok().flatten().unwrap_or_default();
    let first = content.split(|&byte| byte == b'\n').next().and_then(|line| line.strip_prefix(b"#!"));
    first.map_or_else(
        || "(its loader)".to_owned(),
        |line| String::from_utf8_lossy(line).trim().chars().take(128).collect(),
    )
}
