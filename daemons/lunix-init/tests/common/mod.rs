//! A real lunix-init on a directory of its own, gone with everything it started when the test ends.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "each test uses what it needs"
)]

pub mod namespace;

use init_control::{Client, Reply, Request, ServiceState, Watch};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::{Duration, Instant};

/// Nothing here takes this long, even on a machine that is busy with other things.
pub const PATIENCE: Duration = Duration::from_secs(30);

pub const BINARY: &str = env!("CARGO_BIN_EXE_lunix-init");

/// One row of the list, owned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    pub state: ServiceState,
    pub pid: Option<i32>,
    pub restarts: u32,
    pub wanted: bool,
    pub chosen: Option<bool>,
    pub status: String,
    pub reason: String,
}

/// A place for services, and the lunix-init that supervises it once it is started.
pub struct Stage {
    pub home: PathBuf,
    child: Option<Child>,
    lines: Option<Receiver<String>>,
}

impl Stage {
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("lunix-init-test-{}-{number}", std::process::id()));
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(home.join("services")).unwrap();
        fs::set_permissions(&home, fs::Permissions::from_mode(0o755)).unwrap();
        Self { home, child: None, lines: None }
    }

    pub fn services(&self) -> PathBuf {
        self.home.join("services")
    }

    pub fn socket(&self) -> PathBuf {
        self.home.join("control")
    }

    /// Writes a service's files; those that begin with `#!` are executable. The directory appears as a whole.
    pub fn service(&mut self, name: &str, files: &[(&str, &str)]) -> &mut Self {
        let draft = self.home.join(".draft");
        fs::create_dir_all(&draft).unwrap();
        for (file, content) in files {
            let path = draft.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, content).unwrap();
            let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        fs::rename(&draft, self.services().join(name)).unwrap();
        self
    }

    /// A service that only sleeps.
    pub fn sleeper(&mut self, name: &str) -> &mut Self {
        self.service(name, &[("run", "#!/bin/sh\nexec sleep 1000\n")])
    }

    pub fn command(&self) -> Command {
        let mut command = Command::new(BINARY);
        command.arg("--services").arg(self.services()).arg("--control").arg(self.socket());
        command
    }

    pub fn start(&mut self) -> &mut Self {
        let command = self.command();
        self.start_as(command)
    }

    /// Starts it, and waits until its control socket answers.
    pub fn start_as(&mut self, command: Command) -> &mut Self {
        self.spawn(command).until_it_answers()
    }

    /// The same, with this as its standard input.
    pub fn start_reading(&mut self, command: Command, input: Stdio) -> &mut Self {
        self.spawn_reading(command, input).until_it_answers()
    }

    /// Starts it, and waits for nothing.
    pub fn spawn(&mut self, command: Command) -> &mut Self {
        self.spawn_reading(command, Stdio::null())
    }

    fn spawn_reading(&mut self, mut command: Command, input: Stdio) -> &mut Self {
        let mut child = command.stdin(input).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = mpsc::channel();
        let stderr = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).split(b'\n').map_while(Result::ok) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
            }
        });
        (self.child, self.lines) = (Some(child), Some(lines));
        self
    }

    /// Waits until its control socket answers.
    pub fn until_it_answers(&mut self) -> &mut Self {
        let end = Instant::now() + PATIENCE;
        while Client::connect(&self.socket(), PATIENCE).is_err() {
            assert!(Instant::now() < end, "lunix-init does not answer");
            assert!(self.child.as_mut().unwrap().try_wait().unwrap().is_none(), "lunix-init ended");
            std::thread::sleep(Duration::from_millis(2));
        }
        self
    }

    pub fn pid(&self) -> i32 {
        i32::try_from(self.child.as_ref().unwrap().id()).unwrap()
    }

    pub fn client(&self) -> Client {
        Client::connect(&self.socket(), PATIENCE).unwrap()
    }

    /// Asks; the rows of the answer, or the refusal's sentence.
    pub fn ask(&self, request: &Request<'_>) -> Result<Vec<(String, Row)>, (u8, String)> {
        let mut rows = Vec::new();
        let mut refusal = None;
        let mut each = |reply: &Reply<'_>| match reply {
            Reply::Service(one) => rows.push((
                one.name.to_owned(),
                Row {
                    state: one.state,
                    pid: one.pid,
                    restarts: one.restarts,
                    wanted: one.wanted,
                    chosen: one.chosen,
                    status: one.status.to_string(),
                    reason: one.reason.to_string(),
                },
            )),
            Reply::Refused { code, reason } => refusal = Some((*code, reason.to_string())),
            _ => {}
        };
        self.client().ask(request, &mut each).unwrap();
        refusal.map_or(Ok(rows), Err)
    }

    pub fn row(&self, name: &str) -> Option<Row> {
        self.ask(&Request::List).unwrap().into_iter().find(|(one, _)| one == name).map(|(_, row)| row)
    }

    /// Waits until the service's row is as asked; looks again after each event.
    pub fn until(&self, name: &str, what: &str, is: impl Fn(&Row) -> bool) -> Row {
        self.until_option(name, what, |row| row.filter(|row| is(row)).cloned())
    }

    pub fn until_option<T>(&self, name: &str, what: &str, find: impl Fn(Option<&Row>) -> Option<T>) -> T {
        let mut watch = self.client();
        watch.send(&Request::Watch).unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            let row = self.row(name);
            if let Some(found) = find(row.as_ref()) {
                return found;
            }
            assert!(Instant::now() < end, "{name} is not {what}: {row:?}");
            loop {
                match watch.reply() {
                    Ok(Reply::Event(_) | Reply::End { .. }) => break,
                    Ok(_) => {}
                    Err(error) => panic!("{name} is not {what}: {row:?}: {error}"),
                }
            }
        }
    }

    /// Looks again and again, for what no event tells.
    pub fn until_seen<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(seen) = look() {
                return seen;
            }
            assert!(Instant::now() < end, "{what} is not to be seen");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn until_state(&self, name: &str, state: ServiceState) -> Row {
        self.until(name, state.word(), |row| row.state == state)
    }

    /// Waits for a line on standard error that contains `text`.
    pub fn line(&self, text: &str) -> String {
        let end = Instant::now() + PATIENCE;
        let mut seen = Vec::new();
        loop {
            let left = end.saturating_duration_since(Instant::now());
            match self.lines.as_ref().unwrap().recv_timeout(left) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => seen.push(line),
                Err(error) => panic!("no line with {text:?} ({error}): {seen:#?}"),
            }
        }
    }

    /// All lines until standard error is closed.
    pub fn rest_of_lines(&self) -> Vec<String> {
        self.lines.as_ref().unwrap().iter().collect()
    }

    /// The lines in the ring: what services have printed.
    pub fn log_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut each = |reply: &Reply<'_>| {
            if let Reply::Line(text) = reply {
                lines.push(text.to_string());
            }
        };
        self.client().ask(&Request::Log { name: None, follow: false }, &mut each).unwrap();
        lines
    }

    pub fn signal(&self, signal: sys::signal::Signal) {
        sys::signal::send(sys::signal::Target::Process(self.pid()), signal).unwrap();
    }

    /// Waits for the end of lunix-init.
    pub fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.as_mut().unwrap().try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "lunix-init does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Ends it in order.
    pub fn end(&mut self) -> ExitStatus {
        self.signal(sys::signal::TERM);
        self.wait()
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Waits until a file a service writes has content that satisfies.
    pub fn until_file(&self, name: &str, is: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + PATIENCE;
        loop {
            let content = fs::read_to_string(self.file(name)).unwrap_or_default();
            if is(&content) {
                return content;
            }
            assert!(Instant::now() < end, "{name}: {content:?}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn watch(&self) -> Watch {
        Watch::connect(&self.socket()).unwrap()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some(child) = self.child.as_mut()
            && child.try_wait().unwrap().is_none()
        {
            let _ =
                sys::signal::send(sys::signal::Target::Process(i32::try_from(child.id()).unwrap()), sys::signal::TERM);
            let end = Instant::now() + Duration::from_secs(5);
            while child.try_wait().unwrap().is_none() && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(2));
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        // Some tests make their services read-only, which stops an ordinary user from removing them.
        let _ = Command::new("chmod").args(["-R", "u+w"]).arg(&self.home).status();
        let _ = fs::remove_dir_all(&self.home);
    }
}

pub fn is_alive(pid: i32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Notes that the running test cannot be made here.
pub fn skip(why: &str) {
    testkit::skip::note(std::thread::current().name().unwrap_or("lunix-init"), why);
}
