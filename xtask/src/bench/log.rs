//! The log: processor time of a message from a unix socket to a file and to a subscriber of the bus, and that of the peers to a file.

use super::table::{median, ratio};
use crate::failure::{Context, Failure, Result};
use crate::need::{self, Need};
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::TempDir;
use testkit::process::Process;
use testkit::{Deadline, server::Server};

/// The peers, as packages.
const PEERS: [Need; 2] = [
    Need::apt_program("busybox-static", "busybox", "a log daemon to compare with"),
    Need::apt_program("rsyslog", "rsyslogd", "a log daemon to compare with"),
];

/// Messages of one round.
const MESSAGES: usize = 100_000;

/// Clock ticks a second in `/proc/<pid>/stat`; Linux shows no other value.
const TICKS: f64 = 100.0;

/// A program that logs, and where.
struct Logger {
    name: &'static str,
    pid: u32,
    _processes: Vec<Process>,
    _server: Option<Server>,
    folder: TempDir,
}

/// Measures all and prints the table.
pub fn compare(programs: &Path, rounds: usize) -> Result<()> {
    need::satisfy(&PEERS)?;
    println!(
        "\nlog: processor time of a message of 100 bytes, µs; over busybox; messages per second of processor time"
    );
    let mut all: Vec<(&str, f64)> = Vec::new();
    for kind in ["busybox syslogd, file", "rsyslogd, file", "natslog, file", "natslog, bus", "natslog, bus and file"] {
        let mut each = Vec::new();
        for _ in 0..rounds.max(1) {
            each.push(measure(&start(kind, programs)?)?);
        }
        all.push((kind, median(each)));
    }
    let first = all.first().map_or(0.0, |(_, value)| *value);
    for (name, value) in all {
        println!("{name:24} {value:7.2} {:>8} {:>10.0}", ratio(value, first), 1e6 / value);
    }
    Ok(())
}

/// Sends the messages, waits until they have all been taken, and says what one cost.
fn measure(logger: &Logger) -> Result<f64> {
    let socket = UnixDatagram::unbound().context("open a socket")?;
    let path = logger.folder.join("log");
    let deadline = Deadline::seconds(20);
    while socket.connect(&path).is_err() {
        deadline.left().ok_or_else(|| Failure::new(format!("{} made no socket", logger.name)))?;
    }
    let filler = "x".repeat(60);
    let before = processor(logger.pid)?;
    for number in 0..MESSAGES {
        socket
            .send(format!("<13>Jan 31 23:59:59 bench[1]: {number:08} {filler}").as_bytes())
            .context(format_args!("send to {}", logger.name))?;
    }
    until_idle(logger.pid)?;
    let spent = processor(logger.pid)? - before;
    Ok(spent / TICKS * 1e6 / MESSAGES as f64)
}

/// Waits until the process has used no processor time for a while.
fn until_idle(pid: u32) -> Result<()> {
    let (mut last, mut since) = (processor(pid)?, Instant::now());
    while since.elapsed() < Duration::from_millis(500) {
        std::thread::sleep(Duration::from_millis(20));
        let now = processor(pid)?;
        if now > last {
            (last, since) = (now, Instant::now());
        }
    }
    Ok(())
}

/// Processor time of a process, all its threads included, in clock ticks.
fn processor(pid: u32) -> Result<f64> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .context(format_args!("read the processor time of {pid}"))?;
    let after_name = text.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields: Vec<f64> = after_name.split_whitespace().skip(11).take(2).filter_map(|n| n.parse().ok()).collect();
    Ok(fields.iter().sum())
}

fn start(kind: &'static str, programs: &Path) -> Result<Logger> {
    let folder = TempDir::new("benchlog")?;
    if kind.starts_with("natslog") {
        return natslog(kind, folder, programs);
    }
    let mut command = if kind.starts_with("busybox") {
        // It knows no other socket than /dev/log, so it has a /dev of its own, which is the folder.
        let script = "mount --bind \"$1\" /dev && exec busybox syslogd -n -O \"$1/out\"";
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", script, "sh"]).arg(folder.path());
        command
    } else {
        let (conf, place) = (folder.join("conf"), folder.path().display());
        let text = format!(
            "module(load=\"imuxsock\" SysSock.Name=\"{place}/log\" SysSock.RateLimit.Interval=\"0\")\n*.* {place}/out\n"
        );
        write(&conf, &text)?;
        let mut command = Command::new("rsyslogd");
        command.args(["-n", "-i"]).arg(folder.join("pid")).arg("-f").arg(&conf);
        command
    };
    let process = Process::spawn(kind, &mut command)?;
    Ok(Logger { name: kind, pid: process.pid(), _processes: vec![process], _server: None, folder })
}

fn natslog(kind: &'static str, folder: TempDir, programs: &Path) -> Result<Logger> {
    let files = if kind.ends_with("file") { folder.join("kept").display().to_string() } else { String::new() };
    let config = folder.join("natslog.toml");
    let text = format!(
        "unix = [\"dgram:{}\"]\nkmsg = \"\"\nlines_per_s = 0\n[files]\ndirectory = \"{files}\"\nbytes_max = 1000000000\ncompress = false\n",
        folder.join("log").display()
    );
    write(&config, &text)?;
    let config = config.display().to_string();
    let (mut processes, mut server) = (Vec::new(), None);
    let natslog = if kind.contains("bus") {
        let bus = Server::start_from(programs)?;
        let mut subscriber = Command::new(programs.join("lunix"));
        subscriber.args(["sub", "--get", "none", "log.*.*", "--url", &bus.url()]);
        processes.push(Process::spawn("sub", &mut subscriber)?);
        let natslog = bus.daemon("natslog", &["--config", &config])?;
        server = Some(bus);
        natslog
    } else {
        // Nobody is there: the address is that of no bus.
        let url = format!("unix://{}", folder.join("none").display());
        let words = ["--config", &config, "--url", &url, "--ready-fd", "3"];
        let mut natslog = Process::spawn_notifying("natslog", programs.join("natslog"), &words, &[])?;
        natslog.ready(Deadline::seconds(20))?;
        natslog
    };
    let pid = natslog.pid();
    processes.push(natslog);
    Ok(Logger { name: kind, pid, _processes: processes, _server: server, folder })
}

fn write(path: &Path, text: &str) -> Result<()> {
    std::fs::write(path, text).context(format_args!("write {}", path.display()))
}
