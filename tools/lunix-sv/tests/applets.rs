//! The same commands to the originals of Debian and to ours, on the same services: the same words and the same exit codes, but for numbers of processes
//! and seconds.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use testkit::TempDir;
use testkit::process::{Process, binary};
use testkit::{Deadline, skip};

const OURS: &str = env!("CARGO_BIN_EXE_lunix-sv");
const PATIENCE: Duration = Duration::from_secs(20);

fn is_installed(program: &str) -> bool {
    Command::new("sh").args(["-c", &format!("command -v {program}")]).stdout(Stdio::null()).status().unwrap().success()
}

fn plant(base: &Path, files: &[(&str, &str)]) {
    for (name, content) in files {
        let path = base.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(mode)).unwrap();
    }
}

/// A supervisor on services of its own: the original, or lunix-init.
struct Stage {
    services: PathBuf,
    socket: PathBuf,
    /// With the signal that has it end its services and then itself.
    original: Option<(Child, sys::signal::Signal)>,
    ours: Option<Process>,
    _folder: TempDir,
}

impl Stage {
    fn start(original: &str, files: &[(&str, &str)]) -> (Self, Self) {
        let place = || {
            let folder = TempDir::new("sv").unwrap();
            (folder.join("services"), folder.join("socket"), folder)
        };
        let (services, socket, folder) = place();
        plant(&services, files);
        let quiet = || Stdio::null();
        let child =
            Command::new(original).arg(&services).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn().unwrap();
        let signal = if original == "runsvdir" { sys::signal::HUP } else { sys::signal::TERM };
        let theirs = Self { services, socket, original: Some((child, signal)), ours: None, _folder: folder };
        let (services, socket, folder) = place();
        plant(&services, files);
        let mut command = Command::new(binary("lunix-init").unwrap());
        command.arg("--services").arg(&services).arg("--control").arg(&socket);
        let process = Process::spawn("lunix-init", &mut command).unwrap();
        let ours = Self { services, socket, original: None, ours: Some(process), _folder: folder };
        let end = Instant::now() + PATIENCE;
        while !ours.socket.exists() {
            assert!(Instant::now() < end, "lunix-init does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        (theirs, ours)
    }

    /// Runs a command line; `@` before a word is the directory of services.
    fn run(&self, line: &str) -> Output {
        let words: Vec<String> = line.split(' ').map(|word| self.word(word)).collect();
        let (name, arguments) = words.split_first().unwrap();
        let mut command = if self.original.is_some() {
            Command::new(name)
        } else {
            let mut command = Command::new(OURS);
            command.arg("--control").arg(&self.socket).arg(name);
            command
        };
        command.args(arguments).env("SVDIR", &self.services).output().unwrap()
    }

    fn word(&self, word: &str) -> String {
        word.strip_prefix('@').map_or_else(|| word.to_owned(), |name| self.services.join(name).display().to_string())
    }

    /// What a command says and its exit code, without what differs from one run to the next.
    fn said(&self, line: &str) -> String {
        let output = self.run(line);
        let text = String::from_utf8_lossy(&output.stdout).replace(self.services.to_str().unwrap(), "@");
        format!("{}{}", plain(&text), output.status.code().unwrap_or(-1))
    }

    fn until(&self, line: &str, expected: &str) {
        let end = Instant::now() + PATIENCE;
        loop {
            let said = self.said(line);
            if said.contains(expected) {
                return;
            }
            assert!(Instant::now() < end, "{line}: {said:?} instead of {expected:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if let Some((child, signal)) = &mut self.original {
            let pid = i32::try_from(child.id()).unwrap();
            let _ = sys::signal::send(sys::signal::Target::Process(pid), *signal);
            let _ = child.wait();
        }
        if let Some(process) = &mut self.ours {
            let _ = process.end(Deadline::seconds(10));
        }
    }
}

/// Numbers become `N`.
fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        match (letter.is_ascii_digit(), out.ends_with('N')) {
            (true, true) => {}
            (true, false) => out.push('N'),
            (false, _) => out.push(letter),
        }
    }
    out
}

fn compare(theirs: &Stage, ours: &Stage, lines: &[&str]) {
    for (number, line) in lines.iter().enumerate() {
        assert_eq!(ours.said(line), theirs.said(line), "{number}: {line}: ours, then theirs");
    }
}

#[test]
fn sv_says_what_sv_says() {
    if !is_installed("runsvdir") {
        return skip::note("sv_says_what_sv_says", "runit is not installed");
    }
    let sleeper = "#!/bin/sh\nexec sleep 1000\n";
    let files = [
        ("a/run", sleeper),
        ("a/log/run", "#!/bin/sh\nexec cat\n"),
        ("b/run", "#!/bin/sh\ntrap '' HUP\nexec sleep 1000\n"),
        ("b/down", ""),
        ("checked/run", sleeper),
        ("checked/check", "#!/bin/sh\nexec test -e ok\n"),
        ("deaf/run", "#!/bin/sh\ntrap '' TERM\nsleep 1000\n"),
    ];
    let (theirs, ours) = Stage::start("runsvdir", &files);
    for stage in [&theirs, &ours] {
        stage.until("sv status a", "run: a: (pid N) Ns; run: log: (pid N) Ns\n0");
        stage.until("sv status b", "down: b: Ns\n0");
        stage.until("sv status deaf", "run: deaf");
    }
    // What follows a command is asked once the original has come to rest, too.
    let settled = |line: &str, expected: &str| {
        theirs.until(line, expected);
        ours.until(line, expected);
    };
    let runs = "run: b: (pid N) Ns, normally down\n0";
    compare(&theirs, &ours, &["sv status a", "sv status b", "sv status @a @b", "sv s nosuch b", "sv -v up b"]);
    settled("sv status b", runs);
    compare(&theirs, &ours, &["sv check b", "sv stop b", "sv status b", "sv start b"]);
    settled("sv status b", runs);
    compare(&theirs, &ours, &["sv start b", "sv reload b", "sv once b"]);
    settled("sv status b", "run: b: (pid N) Ns, normally down, want down\n0");
    compare(&theirs, &ours, &["sv stop b", "sv start b"]);
    settled("sv status b", runs);
    compare(&theirs, &ours, &["sv restart b", "sv pause a"]);
    settled("sv status a", "run: a: (pid N) Ns, paused; run: log: (pid N) Ns\n0");
    compare(&theirs, &ours, &["sv cont a"]);
    settled("sv status a", "run: a: (pid N) Ns; run: log: (pid N) Ns\n0");
    compare(&theirs, &ours, &["sv -v stop a", "sv status a", "sv check a", "sv start a", "sv stop nosuch"]);
    compare(&theirs, &ours, &["sv -w 1 start checked", "sv -w 1 stop deaf", "sv -w 1 force-stop deaf"]);
    compare(&theirs, &ours, &["sv bogus a", "sv up", "sv"]);
}

#[test]
fn s6_commands_say_what_those_of_s6_say() {
    if !is_installed("s6-svscan") {
        return skip::note("s6_commands_say_what_those_of_s6_say", "s6 is not installed");
    }
    let files = [
        ("a/run", "#!/bin/sh\nexec sleep 1000\n"),
        ("b/run", "#!/bin/sh\nexit 3\n"),
        ("b/down", ""),
        ("told/run", "#!/bin/sh\necho >&5\nexec sleep 1000\n"),
        ("told/notification-fd", "5\n"),
    ];
    let (theirs, ours) = Stage::start("s6-svscan", &files);
    for stage in [&theirs, &ours] {
        stage.until("s6-svstat @a", "up (pid N) N seconds\n0");
        stage.until("s6-svstat @told", "up (pid N) N seconds, ready N seconds\n0");
        stage.until("s6-svstat @b", "down (exitcode N) N seconds, ready N seconds\n0");
    }
    let lines = [
        "s6-svstat -u @a",
        "s6-svstat -upN @a",
        "s6-svstat -uwr @b",
        "s6-svstat -o up,ready,paused,exitcode,signum,signal @told",
        "s6-svwait -t 1000 -u @a @told",
        "s6-svwait -t 1000 -U @told",
        "s6-svwait -t 50 -d @a",
        "s6-svwait -t 1000 -o -d @a @b",
        "s6-svc -wD -T 5000 -d @a",
        "s6-svstat @a",
        "s6-svstat -o exitcode,signal,signum @a",
        "s6-svc -wu -T 5000 -u @a",
        "s6-svstat @a",
        "s6-svc -wR -T 5000 -r @told",
        "s6-svc -p @a",
        "s6-svc -wd -T 50 -u @a",
        "s6-svc -c @a",
        "s6-svc",
        "s6-svc -Z @a",
        "s6-svstat",
        "s6-svwait",
        "s6-svstat @nosuch",
    ];
    compare(&theirs, &ours, &lines);
    for stage in [&theirs, &ours] {
        assert!(stage.run("s6-svc -o @b").status.success());
        let end = Instant::now() + PATIENCE;
        while stage.run("s6-svstat -e @b").stdout != b"3\n" {
            assert!(Instant::now() < end, "{:?}", stage.run("s6-svstat @b"));
            std::thread::sleep(Duration::from_millis(20));
        }
        stage.until("s6-svstat @b", "down (exitcode N) N seconds, ready N seconds\n0");
    }
}

#[test]
fn chpst_does_what_chpst_does() {
    if !is_installed("chpst") {
        return skip::note("chpst_does_what_chpst_does", "runit is not installed");
    }
    let folder = TempDir::new("chpst").unwrap();
    plant(&folder.join("env"), &[("COLOUR", "green \t\nrest"), ("HOME", ""), ("EMPTY", "\n")]);
    let env = folder.join("env").display().to_string();
    let lock = folder.join("lock").display().to_string();
    let run = |program: &Path, ours: bool, words: &[&str]| {
        let mut command = Command::new(program);
        if ours {
            command.arg("chpst");
        }
        let output = command.args(words).stdin(Stdio::null()).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&output.stdout), text(&output.stderr), output.status.code())
    };
    let print = "echo ${COLOUR-none} ${HOME-none} ${EMPTY-none} $UID $GID $(ulimit -S -n) $(nice) $0";
    let lines: [&[&str]; 14] = [
        &["-e", &env, "sh", "-c", print],
        &["-n", "3", "-o", "50", "sh", "-c", print],
        &["-b", "other", "sh", "-c", print],
        &["-U", "daemon", "sh", "-c", print],
        &["-u", "daemon:sys:adm", "id"],
        &["-u", ":1234:5:6", "sh", "-c", "id -u; id -G"],
        &["-u", "no-such-user", "id"],
        &["-l", &lock, "-P", "sh", "-c", "echo locked"],
        &["-c", "0", "sh", "-c", "ulimit -c"],
        &["-1", "sh", "-c", "echo lost"],
        &["-e", "/no/such", "id"],
        &["/no/such/program"],
        &["sh", "-c", "exit 7"],
        &["-C", "/etc", "pwd"],
    ];
    for words in lines {
        if !rustix::process::geteuid().is_root() && words.iter().any(|word| ["-u", "-U"].contains(word)) {
            continue;
        }
        if words.contains(&"-C") {
            // Younger than Debian's.
            assert_eq!(run(Path::new(OURS), true, words).0, "/etc\n");
            continue;
        }
        assert_eq!(run(Path::new(OURS), true, words), run(Path::new("chpst"), false, words), "{words:?}");
    }
    assert_eq!((run(Path::new(OURS), true, &[]).2, run(Path::new("chpst"), false, &[]).2), (Some(100), Some(100)));
}

#[test]
fn a_link_of_a_commands_name_is_that_command() {
    let folder = TempDir::new("link").unwrap();
    for name in ["setuidgid", "envdir", "s6-svstat", "sv"] {
        std::os::unix::fs::symlink(OURS, folder.join(name)).unwrap();
    }
    let code = |name: &str, words: &[&str]| Command::new(folder.join(name)).args(words).output().unwrap().status.code();
    assert_eq!((code("sv", &[]), code("s6-svstat", &[])), (Some(100), Some(100)));
    plant(&folder.join("env"), &[("COLOUR", "red")]);
    let output =
        Command::new(folder.join("envdir")).arg(folder.join("env")).args(["sh", "-c", "echo $COLOUR"]).output();
    assert_eq!(output.unwrap().stdout, b"red\n");
    let help = Command::new(OURS).arg("--help").output().unwrap();
    assert!(help.status.success() && help.stdout.starts_with(b"usage: lunix-sv"));
    assert_eq!(Command::new(OURS).arg("dance").output().unwrap().status.code(), Some(64));
}
