//! Lines on their way to other machines: real receivers of other people, killed under load; a full queue; a cut link.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Stage, configuration, soon};
use rustix::process::Signal;
use std::io::Read;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use testkit::TempDir;
use testkit::process::Process;

/// A receiver that writes the text of each message to a file, a line each.
struct Receiver {
    folder: TempDir,
    kind: &'static str,
    address: String,
    process: Option<Process>,
}

impl Receiver {
    /// Starts it on a free port of the loopback; `None`, with a note, where it is not installed.
    fn start(test: &str, kind: &'static str) -> Option<Self> {
        if !Command::new(kind)
            .arg("--help")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.code().is_some())
        {
            testkit::skip::note(test, &format!("{kind} is not installed"));
            return None;
        }
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let mut receiver = Self { folder: TempDir::new("receiver").unwrap(), kind, address, process: None };
        receiver.up();
        Some(receiver)
    }

    fn up(&mut self) {
        let (host, port) = self.address.rsplit_once(':').unwrap();
        let (folder, conf) = (self.folder.path().display(), self.folder.join("conf"));
        let mut command = Command::new(self.kind);
        if self.kind == "rsyslogd" {
            let text = format!(
                "module(load=\"imtcp\")\ninput(type=\"imtcp\" address=\"{host}\" port=\"{port}\")\n\
                 template(name=\"plain\" type=\"string\" string=\"%hostname% %app-name% %msg%\\n\")\n\
                 action(type=\"omfile\" file=\"{folder}/out\" template=\"plain\")\n"
            );
            std::fs::write(&conf, text).unwrap();
            command.args(["-n", "-i", &format!("{folder}/pid"), "-f"]).arg(&conf);
        } else {
            let text = format!(
                "@version: 3.38\noptions {{ keep-hostname(yes); }};\nsource s {{ syslog(ip(\"{host}\") port({port}) transport(\"tcp\")); }};\n\
                 destination d {{ file(\"{folder}/out\" template(\"$HOST $PROGRAM $MSG\\n\") flush-lines(1)); }};\n\
                 log {{ source(s); destination(d); }};\n"
            );
            std::fs::write(&conf, text).unwrap();
            let control = [format!("--persist-file={folder}/persist"), format!("--pidfile={folder}/pid")];
            command.args(["-F", "--no-caps", &format!("--control={folder}/ctl")]).args(control).arg("-f").arg(&conf);
        }
        self.process = Some(Process::spawn(self.kind, &mut command).unwrap());
        let deadline = soon();
        while TcpStream::connect(&self.address).is_err() {
            assert!(
                deadline.left().is_some(),
                "{} does not listen: {}",
                self.kind,
                self.process.as_ref().unwrap().printed()
            );
        }
    }

    fn kill(&mut self) {
        let mut process = self.process.take().unwrap();
        process.signal(Signal::KILL).unwrap();
        process.exit(soon()).unwrap();
    }

    /// The numbers at the ends of the lines that have arrived.
    fn numbers(&self) -> Vec<u32> {
        let text = std::fs::read_to_string(self.folder.join("out")).unwrap_or_default();
        text.lines().filter_map(|line| line.rsplit_once(' ')?.1.parse().ok()).collect()
    }

    /// Waits until this number has arrived.
    fn until(&self, number: u32) -> Vec<u32> {
        let deadline = soon();
        loop {
            let numbers = self.numbers();
            if numbers.last() == Some(&number) {
                return numbers;
            }
            assert!(deadline.left().is_some(), "{number} has not arrived: {:?}", numbers.last());
        }
    }
}

/// What arrived for the first time, in the order of its arrival: a break makes some come twice.
fn once(numbers: &[u32]) -> Vec<u32> {
    let mut seen = std::collections::BTreeSet::new();
    numbers.iter().copied().filter(|number| seen.insert(*number)).collect()
}

/// Starts natslog anew with these targets.
fn forward(stage: &mut Stage, more: &str) {
    let config = configuration(stage.folder.path(), more);
    stage.natslog.end(soon()).unwrap();
    stage.natslog = stage.server.daemon("natslog", &["--config", config.to_str().unwrap()]).unwrap();
}

fn target(address: &str) -> String {
    format!("[[forward]]\nto = \"tcp://{address}\"\n")
}

fn nothing_is_lost_by(test: &str, kind: &'static str) {
    let Some(mut receiver) = Receiver::start(test, kind) else { return };
    let mut stage = Stage::start("");
    forward(&mut stage, &target(&receiver.address));
    let send = |stage: &Stage, numbers: std::ops::Range<u32>| {
        numbers.for_each(|number| stage.send(&format!("<13>app: number {number}")));
    };
    send(&stage, 0..500);
    receiver.until(499);
    for round in 1..4 {
        let first = round * 1000;
        send(&stage, first..first + 300);
        receiver.kill();
        send(&stage, first + 300..first + 700);
        stage.natslog.line(soon(), "takes no lines").unwrap();
        send(&stage, first + 700..first + 1000);
        receiver.up();
        stage.natslog.line(soon(), "takes lines again").unwrap();
        receiver.until(first + 999);
    }
    let expected: Vec<u32> = (0..500).chain(1000..4000).collect();
    assert_eq!(once(&receiver.numbers()), expected);
    let text = std::fs::read_to_string(receiver.folder.join("out")).unwrap();
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert!(text.lines().next().unwrap().starts_with(&format!("{host} app")), "{}", text.lines().next().unwrap());
}

#[test]
fn nothing_is_lost_when_rsyslogd_is_killed_under_load() {
    nothing_is_lost_by("rsyslogd", "rsyslogd");
}

#[test]
fn nothing_is_lost_when_syslog_ng_is_killed_under_load() {
    nothing_is_lost_by("syslog_ng", "syslog-ng");
}

/// Reads messages with their lengths in front until one ends with `last`.
fn read_until(stream: &mut TcpStream, last: &str) -> Vec<String> {
    stream.set_read_timeout(soon().left()).unwrap();
    let mut messages = Vec::new();
    loop {
        let (mut length, mut byte) = (0, [0]);
        loop {
            stream.read_exact(&mut byte).unwrap();
            if !byte[0].is_ascii_digit() {
                break;
            }
            length = length * 10 + usize::from(byte[0] - b'0');
        }
        let mut message = vec![0; length];
        stream.read_exact(&mut message).unwrap();
        messages.push(String::from_utf8(message).unwrap());
        if messages.last().unwrap().ends_with(last) {
            return messages;
        }
    }
}

#[test]
fn what_a_full_queue_gives_up_is_counted_and_told_to_the_last_one() {
    let mut stage = Stage::start("");
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    forward(&mut stage, &format!("{}queue_bytes = 16384\nresend_bytes = 0\n", target(&address)));
    stage.natslog.line(soon(), "takes no lines").unwrap();
    for number in 0..1000 {
        stage.send(&format!("<13>app: number {number}"));
    }
    stage.line("number 999");
    let listener = TcpListener::bind(&address).unwrap();
    let (mut stream, _) = listener.accept().unwrap();
    stage.send("<13>app: the end");
    let messages = read_until(&mut stream, "the end");
    let lost = |text: &str| text.split_once("(lost=")?.1.split_once(')')?.0.parse::<usize>().ok();
    let told: usize = messages.iter().filter_map(|message| lost(message)).sum();
    let arrived = messages.iter().filter(|message| message.contains(" number ")).count();
    // The first report made room for itself once the queue was full; a later one tells the rest.
    let later = stage.bus.drain().unwrap().iter().filter_map(|event| lost(&common::message(event))).sum::<usize>();
    assert!(told.max(later) > 0 && arrived > 50 && arrived < 1000, "{told} {later} {arrived}");
    let first: u32 = messages.iter().find_map(|message| message.rsplit_once("number ")?.1.parse().ok()).unwrap();
    assert_eq!(arrived, 1000 - first as usize, "the newest are kept, in order");
}

#[test]
fn only_what_is_meant_for_a_target_is_sent_there_as_datagrams_too() {
    let mut stage = Stage::start("");
    let (errors, all) = (UdpSocket::bind("127.0.0.1:0").unwrap(), UdpSocket::bind("127.0.0.1:0").unwrap());
    let uid = rustix::process::getuid().as_raw();
    let targets = format!(
        "[[forward]]\nto = \"udp://{}\"\nseverity = \"err\"\nsources = [\"user-{uid}\"]\n[[forward]]\nto = \"udp://{}\"\n",
        errors.local_addr().unwrap(),
        all.local_addr().unwrap()
    );
    forward(&mut stage, &targets);
    stage.send("<14>app: harmless");
    stage.send("<11>app: broken");
    let receive = |socket: &UdpSocket| {
        socket.set_read_timeout(soon().left()).unwrap();
        let mut buffer = [0; 2048];
        let count = socket.recv(&mut buffer).unwrap();
        String::from_utf8(buffer[..count].to_vec()).unwrap()
    };
    assert!(receive(&all).ends_with(" harmless"));
    assert!(receive(&all).ends_with(" broken"));
    let error = receive(&errors);
    assert!(error.starts_with("<11>1 ") && error.ends_with(" broken"), "{error}");
}

/// Runs openssl; false when it is not there or does not succeed.
fn openssl(words: &str, folder: &TempDir) -> bool {
    let mut command = Command::new("openssl");
    command.args(words.split(' ')).current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[test]
fn lines_travel_encrypted_to_whom_the_certificate_names_and_to_nobody_else() {
    let folder = TempDir::new("tls").unwrap();
    let new = |name: &str, more: &str| {
        let key = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2";
        openssl(&format!("{key} -keyout {name}.key -out {name}.pem -subj /CN={name}.example{more}"), &folder)
    };
    let signed =
        " -CA ca.pem -CAkey ca.key -addext subjectAltName=DNS:logs.example -addext basicConstraints=critical,CA:FALSE";
    if !(new("ca", "") && new("logs", signed)) {
        return testkit::skip::note("lines_travel_encrypted", "openssl is not installed");
    }
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let mut command = Command::new("openssl");
    command.args(["s_server", "-quiet", "-accept", &address, "-cert", "logs.pem", "-key", "logs.key"]);
    command.current_dir(folder.path()).stdin(Stdio::piped());
    let mut server = Process::spawn("s_server", &mut command).unwrap();
    let mut stage = Stage::start("");
    let tls = |name: &str| {
        let ca = folder.join("ca.pem");
        format!("[[forward]]\nto = \"tls://{address}\"\nca_file = \"{}\"\nserver_name = \"{name}\"\n", ca.display())
    };
    forward(&mut stage, &tls("elsewhere.example"));
    let refused = stage.natslog.line(soon(), "takes no lines").unwrap();
    let deadline = soon();
    let mut printed = refused;
    while !printed.contains("certificate") {
        assert!(deadline.left().is_some(), "{printed}");
        printed = stage.natslog.printed();
    }
    forward(&mut stage, &tls("logs.example"));
    // A line feed, so that the test sees it: messages have their length, not an end.
    stage.send("<13>1 - h app - - - secret\nend");
    server.line(soon(), "secret").unwrap();
}

/// Two network namespaces with a link between them, gone when dropped.
struct Link {
    names: [String; 2],
}

impl Link {
    fn make() -> Option<Self> {
        let names = ["a", "b"].map(|end| format!("natslog{}{end}", std::process::id()));
        let this = Self { names };
        let [a, b] = &this.names;
        let commands = [
            format!("netns add {a}"),
            format!("netns add {b}"),
            format!("-n {a} link add v0 type veth peer name v1 netns {b}"),
            format!("-n {a} addr add 192.0.2.1/24 dev v0"),
            format!("-n {b} addr add 192.0.2.2/24 dev v1"),
            format!("-n {a} link set v0 up"),
            format!("-n {b} link set v1 up"),
        ];
        commands.iter().all(|command| ip(command)).then_some(this)
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        for name in &self.names {
            ip(&format!("netns del {name}"));
        }
    }
}

fn ip(words: &str) -> bool {
    Command::new("ip").args(words.split(' ')).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}

/// Takes the connection in the other namespace and writes what comes to a file.
fn listen_in(namespace: &str, out: &Path) -> Process {
    let script = "import socket,sys\ns=socket.create_server(('192.0.2.2',5140))\nprint('listening',flush=True)\n\
        f=open(sys.argv[1],'ab',buffering=0)\nwhile True:\n c,_=s.accept()\n while True:\n  b=c.recv(65536)\n  if not b: break\n  f.write(b)\n";
    let mut command = Command::new("ip");
    command.args(["netns", "exec", namespace, "/usr/bin/python3", "-c", script]).arg(out);
    let mut process = Process::spawn("listener", &mut command).unwrap();
    process.line(soon(), "listening").unwrap();
    process
}

#[test]
fn nothing_is_lost_when_the_link_is_cut() {
    let Some(link) = Link::make().filter(|_| Path::new("/usr/bin/python3").exists()) else {
        return testkit::skip::note("link_cut", "takes network namespaces and python3");
    };
    let mut stage = Stage::start("");
    let out: PathBuf = stage.folder.join("out");
    let _listener = listen_in(&link.names[1], &out);
    let config = configuration(stage.folder.path(), &target("192.0.2.2:5140"));
    stage.natslog.end(soon()).unwrap();
    let within = ["ip", "netns", "exec", &link.names[0]];
    stage.natslog = stage.server.daemon_within(&within, "natslog", &["--config", config.to_str().unwrap()]).unwrap();
    let numbers = || -> Vec<u32> {
        let text = String::from_utf8_lossy(&std::fs::read(&out).unwrap_or_default()).into_owned();
        text.split("number ")
            .skip(1)
            .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.get(..5)?.parse().ok())
            .collect()
    };
    let until = |last: u32| {
        let deadline = testkit::Deadline::seconds(60);
        while numbers().last() != Some(&last) {
            assert!(deadline.left().is_some(), "{last} has not arrived: {:?}", numbers().last());
        }
    };
    let send = |stage: &Stage, range: std::ops::Range<u32>| {
        range.for_each(|number| stage.send(&format!("<13>app: number {:05}.", number + 10_000)));
    };
    send(&stage, 0..100);
    until(10_099);
    assert!(ip(&format!("-n {} link set v0 down", link.names[0])));
    send(&stage, 100..1500);
    stage.line("number 11499.");
    assert!(ip(&format!("-n {} link set v0 up", link.names[0])));
    send(&stage, 1500..1600);
    until(11_599);
    assert_eq!(once(&numbers()), (10_000..11_600).collect::<Vec<_>>());
}
