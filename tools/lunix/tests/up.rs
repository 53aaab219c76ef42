//! `lunix up` with the real programs: what it shows, and that nothing stays behind.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Bed, Ended, lunix, soon};
use rustix::process::Signal;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use testkit::process::{Process, binary};
use testkit::{Deadline, TempDir};

/// The programs it starts. Their tests are theirs; here they only have to be there.
const PROGRAMS: [&str; 5] = ["lunix-init", "lunix-bus", "natsinit", "natsps", "natstoast"];

/// A running `lunix up`.
struct Up {
    process: Process,
    url: String,
    folder: PathBuf,
    _programs: Option<TempDir>,
}

/// `lunix` with its daemons beside it, where nobody can run them. Root's clone may be in a home that only root can enter: then the
/// programs are linked or copied to a folder that lasts as long as what is returned with it.
fn reachable() -> (PathBuf, Option<TempDir>) {
    let lunix = PathBuf::from(env!("CARGO_BIN_EXE_lunix"));
    // Looked at by a program of the other user's: setpriv itself starts it with root's rights to enter folders.
    let script = format!("test -x '{}'", lunix.display());
    if bare(Path::new("/bin/sh"), &["-c", &script]).status().unwrap().success() {
        return (lunix, None);
    }
    let folder = TempDir::new("programs").unwrap();
    let built = |name: &&str| lunix.with_file_name(name).is_file();
    for name in PROGRAMS.into_iter().chain(["lunix", "natsdev"]).filter(built) {
        let (from, to) = (lunix.with_file_name(name), folder.join(name));
        std::fs::hard_link(&from, &to).or_else(|_| std::fs::copy(&from, &to).map(drop)).unwrap();
    }
    (folder.join("lunix"), Some(folder))
}

/// The command without anything of the tester's environment, run by nobody where root runs the test.
fn bare(program: &Path, arguments: &[&str]) -> Command {
    let mut command = if rustix::process::geteuid().is_root() {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "--no-new-privs", "--"]).arg(program);
        command
    } else {
        Command::new(program)
    };
    command.args(arguments).env_clear().current_dir("/");
    command
}

impl Up {
    /// Starts it, or notes why `test` is skipped.
    fn start(test: &str, arguments: &[&str]) -> Option<Self> {
        if let Some(error) = PROGRAMS.iter().find_map(|name| binary(name).err()) {
            testkit::skip::note(test, &error.to_string());
            return None;
        }
        let all = [&["up"], arguments].concat();
        let (program, programs) = reachable();
        Some(Self { _programs: programs, ..Self::of(&mut bare(&program, &all)) })
    }

    fn of(command: &mut Command) -> Self {
        let mut process = Process::spawn("lunix up", command).unwrap();
        let line = process.line(soon(), "NATS_URL=").unwrap();
        let folder = PathBuf::from(format!("/tmp/lunix-up-{}", process.pid()));
        assert!(folder.is_dir(), "{}", folder.display());
        Self { url: line.replace("NATS_URL=", ""), folder, process, _programs: None }
    }

    fn lunix(&self, arguments: &[&str]) -> Ended {
        Ended::from(lunix(arguments).env("NATS_URL", &self.url).output().unwrap())
    }

    /// Process id of a service when it is ready; of another process than `not`.
    fn ready(&self, name: &str, not: Option<i32>) -> i32 {
        let control = self.folder.join("init.sock").display().to_string();
        let deadline = soon();
        loop {
            let list = self.lunix(&["service", "list", "--control", &control]);
            let row = list.out.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
            let row = row.into_iter().find(|row| row.first() == Some(&name) && row.get(1) == Some(&"ready"));
            let pid = row.and_then(|row| row.get(3)?.parse().ok());
            if let Some(pid) = pid.filter(|pid| Some(*pid) != not) {
                return pid;
            }
            assert!(deadline.left().is_some(), "{name} is not ready: {list:?}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }

    /// Publishes a toast until it is shown: natstoast subscribes when it likes.
    fn toasts(&mut self, text: &str) {
        let shown = format!("toast: {text}");
        for _ in 0..20 {
            // The bus may be starting again.
            drop(self.lunix(&["pub", "toast.in", text]));
            if self.process.line(Deadline::seconds(1), &shown).is_ok() {
                return;
            }
        }
        panic!("no toast {text}: {}", self.process.printed());
    }

    /// Waits until it has printed this.
    fn says(&self, text: &str) {
        let deadline = soon();
        while !self.process.printed().contains(text) {
            assert!(deadline.left().is_some(), "{text} in {}", self.process.printed());
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }

    /// Checks that no process and no file is left.
    fn is_gone(&self) {
        let left = processes_of(&self.folder);
        assert!(left.is_empty(), "left: {left:?}\n{}", self.process.printed());
        assert!(!self.folder.exists(), "{} is left", self.folder.display());
    }
}

/// Processes that have the folder in their command line or live in it.
fn processes_of(folder: &Path) -> Vec<String> {
    let folder = folder.display().to_string();
    let entries = std::fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.path());
    let ours = entries.filter_map(|path| {
        path.file_name()?.to_str()?.parse::<u32>().ok()?;
        let command = std::fs::read(path.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        let place = std::fs::read_link(path.join("cwd")).map(|path| path.display().to_string()).unwrap_or_default();
        (command.contains(&folder) || place.starts_with(&folder)).then(|| format!("{}: {command}", path.display()))
    });
    ours.collect()
}

#[test]
fn it_shows_events_and_toasts_and_leaves_nothing_behind() {
    for signal in [Signal::INT, Signal::TERM, Signal::HUP] {
        let Some(mut up) = Up::start("it_shows_events_and_toasts_and_leaves_nothing_behind", &[]) else { return };
        up.toasts("hello");
        let event = r#"{"filesystem":"/dev/sda1"}"#;
        assert_eq!(up.lunix(&["pub", "hardware.usb.add", event]).code, Some(0));
        let line = up.process.line(soon(), "hardware.usb.add {\"f").unwrap();
        assert_eq!(line, format!("hardware.usb.add {event}"));
        up.ready("natsps", None);
        let control = up.folder.join("init.sock").display().to_string();
        let status = up.lunix(&["status", "--control", &control]).out;
        assert!(status.contains("\nlunix-bus  -") && status.contains("\nnatsps     process ps"), "{status}");
        up.process.signal(signal).unwrap();
        assert!(up.process.exit(soon()).unwrap().success(), "{}", up.process.printed());
        up.is_gone();
    }
}

#[test]
fn what_is_killed_is_started_again_and_nothing_stays_behind() {
    let Some(mut up) = Up::start("what_is_killed_is_started_again_and_nothing_stays_behind", &["--quiet"]) else {
        return;
    };
    for name in ["natsps", "lunix-bus"] {
        let pid = up.ready(name, None);
        rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
        up.ready(name, Some(pid));
    }
    // The address is the same as before.
    up.toasts("still here");
    up.process.signal(Signal::TERM).unwrap();
    assert!(up.process.exit(soon()).unwrap().success());
    up.is_gone();
}

#[test]
fn when_it_is_killed_its_processes_end_and_the_next_one_sweeps() {
    let Some(up) = Up::start("when_it_is_killed_its_processes_end_and_the_next_one_sweeps", &[]) else { return };
    up.ready("natstoast", None);
    up.process.signal(Signal::KILL).unwrap();
    let deadline = soon();
    while !processes_of(&up.folder).is_empty() {
        assert!(deadline.left().is_some(), "left: {:?}", processes_of(&up.folder));
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let Some(mut next) = Up::start("when_it_is_killed_its_processes_end_and_the_next_one_sweeps", &[]) else { return };
    up.is_gone();
    next.process.signal(Signal::TERM).unwrap();
    assert!(next.process.exit(soon()).unwrap().success());
    next.is_gone();
}

#[test]
fn when_lunix_init_is_killed_everything_ends() {
    let Some(mut up) = Up::start("when_lunix_init_is_killed_everything_ends", &[]) else { return };
    up.ready("natstoast", None);
    let init = processes_of(&up.folder).into_iter().find(|line| line.contains("lunix-init --services")).unwrap();
    let pid: i32 = init.split([':', '/']).nth(2).unwrap().parse().unwrap();
    rustix::process::kill_process(rustix::process::Pid::from_raw(pid).unwrap(), Signal::KILL).unwrap();
    assert_eq!(up.process.exit(soon()).unwrap().code(), Some(71));
    up.says("lunix-init has ended: signal: 9");
    up.is_gone();
}

#[test]
fn a_reader_that_leaves_ends_it() {
    if let Some(error) = PROGRAMS.iter().find_map(|name| binary(name).err()) {
        return testkit::skip::note("a_reader_that_leaves_ends_it", &error.to_string());
    }
    let (program, _programs) = reachable();
    let mut command = bare(&program, &["up"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let folder = PathBuf::from(format!("/tmp/lunix-up-{}", child.id()));
    let mut output = std::io::BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    assert!(line.starts_with("NATS_URL=nats://127.0.0.1:"), "{line}");
    drop(output);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(!folder.exists() && processes_of(&folder).is_empty());
}

#[test]
fn another_bus_can_be_used() {
    let Some(bed) = Bed::foreign("another_bus_can_be_used") else { return };
    let Some(mut up) = Up::start("another_bus_can_be_used", &["--bus", &bed.url]) else { return };
    assert_eq!(up.url, bed.url);
    assert!(!processes_of(&up.folder).iter().any(|line| line.contains("lunix-bus")));
    up.toasts("over there");
    up.process.signal(Signal::TERM).unwrap();
    assert!(up.process.exit(soon()).unwrap().success());
    up.is_gone();
}

#[test]
fn what_is_missing_is_named_and_the_rest_goes_on() {
    let test = "what_is_missing_is_named_and_the_rest_goes_on";
    if let Some(error) = PROGRAMS.iter().find_map(|name| binary(name).err()) {
        return testkit::skip::note(test, &error.to_string());
    }
    let folder = TempDir::new("some").unwrap();
    let copy = |name: &str, from: &Path| std::fs::copy(from, folder.join(name)).map(|_| ()).unwrap();
    copy("lunix", Path::new(env!("CARGO_BIN_EXE_lunix")));
    let run = || Ended::from(bare(&folder.join("lunix"), &["up"]).env("PATH", "/bin:/usr/bin").output().unwrap());
    run().refuses(69, "lunix-bus is missing: neither beside lunix nor in PATH");
    copy("lunix-bus", &binary("lunix-bus").unwrap());
    run().refuses(69, "lunix-init is missing");
    copy("lunix-init", &binary("lunix-init").unwrap());
    copy("natstoast", &binary("natstoast").unwrap());
    // One that is there but cannot run.
    std::fs::write(folder.join("natsps"), "#!/nonexistent\n").unwrap();
    std::fs::set_permissions(folder.join("natsps"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut up = Up::of(bare(&folder.join("lunix"), &["up"]).env("PATH", "/bin:/usr/bin"));
    up.toasts("all the same");
    for line in ["lunix: warn: natsdev is missing", "lunix: warn: natsinit is missing", "cannot execute"] {
        up.says(line);
        let printed = up.process.printed();
        assert_eq!(printed.matches(line).count(), 1, "{line} in {printed}");
    }
    up.process.signal(Signal::TERM).unwrap();
    assert!(up.process.exit(soon()).unwrap().success());
    up.is_gone();
}
