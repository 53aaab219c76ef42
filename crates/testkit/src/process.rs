//! A program under test.
//!
//! ```
//! use testkit::{Deadline, process::Process};
//! let mut cat = Process::spawn("echo", std::process::Command::new("echo").arg("hello"))?;
//! assert_eq!(cat.line(Deadline::seconds(5), "hello")?, "hello");
//! assert!(cat.exit(Deadline::seconds(5))?.success());
//! # Ok::<(), testkit::Error>(())
//! ```

use crate::deadline::Deadline;
use crate::error::{Error, Result};
use rustix::process::{Pid, Signal};
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Lines kept of a program's output; older ones are dropped.
const LINES_MAX: usize = 10_000;

/// Where the built programs are: `LUNIX_BIN_DIR`, or the folder of the test's own build profile.
///
/// # Errors
/// When there is no such program; the sentence names the command that builds it.
pub fn binary(name: &str) -> Result<PathBuf> {
    let folder = match std::env::var_os("LUNIX_BIN_DIR") {
        Some(folder) => PathBuf::from(folder),
        None => {
            let test = std::env::current_exe().map_err(Error::io("find the running test"))?;
            test.ancestors().nth(2).map(PathBuf::from).unwrap_or_default()
        }
    };
    let path = folder.join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(Error::unexpected(format!("{} is not built: run `cargo build -p {name}` or set LUNIX_BIN_DIR", path.display())))
}

#[derive(Debug, Default)]
struct Output {
    /// Lines not yet looked at.
    fresh: VecDeque<String>,
    /// All lines, for error messages.
    seen: VecDeque<String>,
    /// What each stream has printed since its last newline: a prompt has none.
    partial: [String; 2],
    open_streams: u8,
    ready: bool,
}

#[derive(Debug, Default)]
struct Shared {
    output: Mutex<Output>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Output> {
        self.output.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what stream 0 or 1 printed: whole lines to the queues, the rest stays as that stream's unfinished line.
    fn take_in(&self, stream: usize, bytes: &[u8]) {
        self.update(|output| {
            let text = String::from_utf8_lossy(bytes).replace('\r', "");
            let Some(partial) = output.partial.get_mut(stream) else { return };
            partial.push_str(&text);
            let Some((lines, rest)) = partial.rsplit_once('\n') else { return };
            let (lines, rest) = (lines.to_owned(), rest.to_owned());
            *partial = rest;
            for line in lines.split('\n') {
                push(&mut output.fresh, line);
                push(&mut output.seen, line);
            }
        });
    }

    fn update(&self, change: impl FnOnce(&mut Output)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }
}

/// A running program: what it prints (standard output and error together, by line), whether it is ready, killed when dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    shared: Arc<Shared>,
}

impl Process {
    /// Starts `command`. Its standard input is a pipe that [`Self::stdin`] hands out.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn(name: &str, command: &mut Command) -> Result<Self> {
        Self::start(name, command.stdin(Stdio::piped()), None)
    }

    /// Starts `program` with `arguments` and descriptor 3 open for its ready notification (give it `--ready-fd 3`).
    /// Its standard input is empty; the environment is the test's plus `environment`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn spawn_notifying<S: AsRef<OsStr>>(
        name: &str,
        program: impl AsRef<OsStr>,
        arguments: &[S],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let (reader, writer) = std::io::pipe().map_err(Error::io("make the ready pipe"))?;
        let mut command = Command::new("/bin/sh");
        // Safe Rust can pass a descriptor only as 0, 1 or 2; the shell moves it to 3.
        command.args(["-c", "exec 3>&0 0</dev/null; exec \"$@\"", "sh"]).arg(program).args(arguments);
        command.envs(environment.iter().copied()).stdin(writer);
        let process = Self::start(name, &mut command, Some(reader))?;
        Ok(process)
    }

    fn start(name: &str, command: &mut Command, ready: Option<std::io::PipeReader>) -> Result<Self> {
        // A group of its own, so that what a shell started ends with it.
        let spawned = command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.map_err(Error::io(format!("start {name}")))?;
        let shared = Arc::new(Shared::default());
        shared.lock().open_streams = 2;
        if let Some(stdout) = child.stdout.take() {
            follow(Arc::clone(&shared), 0, stdout);
        }
        if let Some(stderr) = child.stderr.take() {
            follow(Arc::clone(&shared), 1, stderr);
        }
        if let Some(mut pipe) = ready {
            // The command keeps its copy of the writing end; only a newline counts as ready.
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || {
                let mut byte = [0];
                let ready = matches!(pipe.read(&mut byte), Ok(1)) && byte == *b"\n";
                shared.update(|output| output.ready = ready);
            });
        }
        Ok(Self { name: name.to_owned(), child, shared })
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The writing end of its standard input, once; dropping it is end of file.
    #[must_use]
    pub fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Waits for its ready notification.
    ///
    /// # Errors
    /// When the deadline passes or the program ends before.
    pub fn ready(&mut self, deadline: Deadline) -> Result<()> {
        self.wait(deadline, "its ready notification", |output| output.ready.then_some(()))
    }

    /// Waits for the next line that contains `text`, and returns it. Lines before it are passed over.
    ///
    /// # Errors
    /// When the deadline passes or the output ends before.
    pub fn line(&mut self, deadline: Deadline, text: &str) -> Result<String> {
        self.line_where(deadline, &format!("a line with {text:?}"), |line| line.contains(text))
    }

    /// Waits for the next line that `matches`; `what` names it in the error.
    ///
    /// # Errors
    /// When the deadline passes or the output ends before.
    pub fn line_where(&mut self, deadline: Deadline, what: &str, matches: impl Fn(&str) -> bool) -> Result<String> {
        self.wait(deadline, what, |output| {
            while let Some(line) = output.fresh.pop_front() {
                if matches(&line) {
                    return Some(line);
                }
            }
            None
        })
    }

    /// Waits until `text` stands in an unfinished line, as a prompt does, or in a line. Lines up to it are passed over.
    ///
    /// # Errors
    /// When the deadline passes or the output ends before.
    pub fn prompt(&mut self, deadline: Deadline, text: &str) -> Result<()> {
        self.wait(deadline, &format!("a prompt with {text:?}"), |output| {
            while let Some(line) = output.fresh.pop_front() {
                if line.contains(text) {
                    return Some(());
                }
            }
            output.partial.iter().any(|line| line.contains(text)).then_some(())
        })
    }

    /// Everything it has printed so far.
    #[must_use]
    pub fn printed(&self) -> String {
        let output = self.shared.lock();
        let lines = output.seen.iter().chain(&output.partial).filter(|line| !line.is_empty());
        lines.fold(String::new(), |text, line| text + line + "\n")
    }

    /// Sends it a signal.
    ///
    /// # Errors
    /// When it is gone.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        let pid = pid.ok_or_else(|| Error::unexpected("a process id out of range"))?;
        rustix::process::kill_process(pid, signal)
            .map_err(|error| Error::Io(format!("signal {}", self.name), error.into()))
    }

    /// Asks it to end (SIGTERM) and waits until it has. Dropping kills it instead, which leaves behind what a supervisor started.
    ///
    /// # Errors
    /// When it is gone already, or the deadline passes.
    pub fn end(&mut self, deadline: Deadline) -> Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        self.exit(deadline)
    }

    /// Waits until it has ended, and returns how.
    ///
    /// # Errors
    /// When the deadline passes.
    pub fn exit(&mut self, deadline: Deadline) -> Result<ExitStatus> {
        // The streams close when the program ends (unless a child of its holds them), so this seldom turns more than once.
        loop {
            if let Some(status) = self.child.try_wait().map_err(Error::io(format!("wait for {}", self.name)))? {
                return Ok(status);
            }
            let Some(left) = deadline.left() else {
                return Err(Error::Timeout(format!("the end of {}", self.name), self.printed()));
            };
            let output = self.shared.lock();
            let pause = left.min(Duration::from_millis(20));
            drop(self.shared.changed.wait_timeout(output, pause).unwrap_or_else(PoisonError::into_inner));
        }
    }

    fn wait<T>(
        &mut self,
        deadline: Deadline,
        what: &str,
        mut found: impl FnMut(&mut Output) -> Option<T>,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        let mut output = shared.lock();
        loop {
            if let Some(value) = found(&mut output) {
                return Ok(value);
            }
            let left = deadline.left().filter(|_| output.open_streams > 0);
            let Some(left) = left else {
                drop(output);
                return Err(Error::Timeout(format!("{what}, from {}", self.name), self.printed()));
            };
            output = shared.changed.wait_timeout(output, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // An error here means that it has ended already.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = rustix::process::kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- {} printed:\n{}---", self.name, self.printed());
        }
    }
}

fn push(queue: &mut VecDeque<String>, line: &str) {
    if queue.len() == LINES_MAX {
        queue.pop_front();
    }
    queue.push_back(line.to_owned());
}

fn follow(shared: Arc<Shared>, number: usize, mut stream: impl Read + Send + 'static) {
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = stream.read(&mut buffer) {
            shared.take_in(number, buffer.get(..count).unwrap_or_default());
        }
        shared.take_in(number, b"\n");
        shared.update(|output| output.open_streams -= 1);
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ready_notification_arrives_on_descriptor_3() {
        let script = "echo started; echo >&3; exec sleep 60";
        let mut process = Process::spawn_notifying("sh", "/bin/sh", &["-c", script], &[]).unwrap();
        process.ready(Deadline::seconds(10)).unwrap();
        process.line(Deadline::seconds(10), "started").unwrap();
        process.signal(Signal::TERM).unwrap();
        assert!(!process.exit(Deadline::seconds(10)).unwrap().success());
    }

    #[test]
    fn a_program_that_ends_is_noticed_before_the_deadline() {
        let mut process = Process::spawn("true", &mut Command::new("true")).unwrap();
        let error = process.line(Deadline::seconds(60), "never").unwrap_err();
        assert!(error.to_string().contains("never"), "{error}");
    }
}
