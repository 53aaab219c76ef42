//! Giving the process to another lunix-init: it is asked first whether it can go on from here, and only then executed.

use super::Host;
use crate::survival::takeover;
use crate::survival::text::{Item, Kind};
use reactor::Instant;
use rustix::fs::{Access, Mode, OFlags};
use rustix::process::WaitStatus;
use std::ffi::{CString, OsStr};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;
use std::time::Duration;
use sys::signal::{self, Target};
use sys::spawn::Command;

/// How long a program may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(5);
/// What the kernel says of a file that is not there any more.
const DELETED: &[u8] = b" (deleted)";

/// An exchange under way.
#[derive(Debug)]
pub(crate) struct Exchange {
    program: CString,
    /// The process that was asked, and until when; `None`: it has said yes.
    asked: Option<(i32, Instant)>,
    /// Who wants to know.
    client: usize,
}

impl Exchange {
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.asked.map(|(_, deadline)| deadline)
    }
}

impl Host {
    /// Asks the program that is to take over whether it can; the answer goes to the client.
    pub(crate) fn try_exchange(&mut self, client: usize) -> Result<(), (u8, String)> {
        if self.exchange.is_some() {
            return Err((75, "reexec: another one is under way".to_owned()));
        }
        if self.keeper.file.is_none() {
            return Err((71, "reexec: there is no state to go on from".to_owned()));
        }
        let program = program().ok_or_else(|| (69, "reexec: cannot tell which program this is".to_owned()))?;
        let asked = self.ask_program(&program).map_err(|error| (71, refused(&program, &error.to_string())))?;
        self.exchange = Some(Exchange { program, asked: Some((asked, Instant::now() + ANSWER_MAX)), client });
        Ok(())
    }

    fn ask_program(&self, program: &CString) -> io::Result<i32> {
        let root = rustix::fs::open("/", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        let [question, version] = takeover::question();
        let command = Command {
            program,
            arguments: &[program, &question, &version],
            environment: &self.environment.iter().map(CString::as_c_str).collect::<Vec<_>>(),
            directory: root.as_fd(),
            stdio: [self.null.as_fd(); 3],
            extra: &[],
            identity: None,
            capabilities: None,
            limits: &[],
            pid_variable: None,
            cgroup: None,
            moves: false,
            oom_score: None,
        };
        sys::spawn::spawn(&command).map(|process| process.pid()).map_err(|error| error.cause)
    }

    /// A process ended: the program's that was asked?
    pub(crate) fn exchange_tried(&mut self, pid: i32, status: &WaitStatus) {
        let Some(exchange) = self.exchange.as_mut().filter(|one| one.asked.is_some_and(|asked| asked.0 == pid)) else {
            return;
        };
        exchange.asked = None;
        if status.exit_status() == Some(0) {
            return;
        }
        let how = match (status.exit_status(), status.terminating_signal()) {
            (Some(code), _) => format!("it says no (exited {code})"),
            (None, Some(number)) => format!("it was ended by signal {number}"),
            (None, None) => "it did not answer".to_owned(),
        };
        self.refuse_exchange(&how);
    }

    /// Nobody waits for ever for an answer.
    pub(crate) fn give_up_exchange_when_late(&mut self, now: Instant) {
        let asked = self.exchange.as_ref().and_then(|exchange| exchange.asked);
        if let Some((pid, _)) = asked.filter(|asked| asked.1 <= now) {
            // Its end is seen as an answer; that it is gone already is, too.
            let _ = signal::send(Target::Group(pid), signal::KILL);
            if let Some(exchange) = &mut self.exchange {
                exchange.asked = Some((pid, now + ANSWER_MAX));
            }
        }
    }

    fn refuse_exchange(&mut self, why: &str) {
        let Some(Exchange { program, client, .. }) = self.exchange.take() else { return };
        let sentence = refused(&program, why);
        self.console.say(format_args!("error: {sentence}"));
        self.conclude(client, Err((78, sentence)));
    }

    /// Gives the process away, when that was asked for and the program has said yes. Returns when it cannot be executed after all.
    pub(crate) fn exchange_when_due(&mut self) {
        let Some(Exchange { program, asked: None, client }) = &self.exchange else { return };
        let (program, client) = (program.clone(), *client);
        self.console.say(format_args!("info: gives its place to {}", program.to_string_lossy()));
        let error = match self.hand_on() {
            Err(error) => error,
            Ok(arguments) => {
                self.conclude(client, Ok(()));
                self.keep_descriptors(true);
                let error = sys::exec::replace(&program, &arguments, &self.environment);
                self.keep_descriptors(false);
                error
            }
        };
        self.refuse_exchange(&error.to_string());
    }

    /// Writes down what the records do not have; returns the arguments of the next program.
    fn hand_on(&mut self) -> io::Result<Vec<CString>> {
        self.save();
        let mut text = Vec::new();
        let mut cursor = self.log.oldest();
        let mut line = [0; crate::ring::RECORD_MAX];
        while let crate::ring::Read::Record(length) = self.log.read(&mut cursor, &mut line) {
            Item { kind: Kind::Line, id: 0, bytes: line.get(..length).unwrap_or_default() }.write(&mut text);
        }
        for (number, service) in self.supervisor.iter() {
            let id = u32::try_from(number).unwrap_or(u32::MAX);
            let partial = self.channels.get(number).map_or(&[][..], super::output::Channels::partial);
            let status = service.status().unwrap_or_default();
            for (kind, bytes) in
                [(Kind::Partial, partial), (Kind::Status, status.as_bytes()), (Kind::Reason, service.reason.as_bytes())]
            {
                Item { kind, id, bytes }.write(&mut text);
            }
        }
        let file = self.keeper.file.as_ref().ok_or(io::ErrorKind::NotFound)?;
        file.write_text(&text)?;
        let mut arguments = takeover::arguments();
        arguments.extend(takeover::state_argument(Some(file)));
        Ok(arguments)
    }

    /// Lets everything that a record names stay open in the next program, or not.
    fn keep_descriptors(&self, stays: bool) {
        let flags = if stays { rustix::io::FdFlags::empty() } else { rustix::io::FdFlags::CLOEXEC };
        let set = |fd: BorrowedFd<'_>| {
            // It is open, so the kernel cannot refuse.
            let _ = rustix::io::fcntl_setfd(fd, flags);
        };
        self.channels.iter().for_each(|channels| channels.each_descriptor(set));
        let control = self.control.listener();
        let notify = self.notify.as_ref().map(|notify| notify.socket.as_fd());
        let folder = self.folder.as_ref().map(AsFd::as_fd);
        let link = self.log_link.as_ref().map(super::log_service::LogLink::socket);
        let state = self.keeper.file.as_ref().map(AsFd::as_fd);
        let groups = self.groups.directory();
        [control, notify, folder, link, state, groups].into_iter().flatten().for_each(set);
    }
}

fn refused(program: &CString, why: &str) -> String {
    format!("reexec: {} cannot take over: {why}", program.to_string_lossy())
}

/// The path this program was started by, when that leads to one now; otherwise the path it had.
fn program() -> Option<CString> {
    let first = std::env::args_os().next().map(PathBuf::from).filter(|path| path.is_absolute());
    let by_path = first.filter(|path| rustix::fs::access(path, Access::EXEC_OK).is_ok());
    let path = by_path.or_else(|| {
        let path = std::fs::read_link("/proc/self/exe").ok()?;
        let bytes = path.as_os_str().as_bytes();
        Some(PathBuf::from(OsStr::from_bytes(bytes.strip_suffix(DELETED).unwrap_or(bytes))))
    });
    CString::new(path?.into_os_string().into_vec()).ok()
}
