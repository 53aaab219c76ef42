//! The bus of the image, its sockets held by init: whoever connects while it is killed again and again is served.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use rustix::process::{Pid, Signal, kill_process};
use std::io::{BufRead, BufReader};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};
use testkit::process::{Process, binary};
use testkit::{Deadline, TempDir};

/// How often it is killed.
const KILLS: usize = 5;
/// How often somebody connects.
const EVERY: Duration = Duration::from_millis(5);

/// The service directory as the image has it, with a place and a port of our own.
fn service(folder: &Path, port: u16) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../image/root/etc/lunix/services/bus");
    let service = folder.join("services/bus");
    std::fs::create_dir_all(&service).unwrap();
    let socket = folder.join("bus.sock");
    for name in ["sockets", "run", "notification-fd"] {
        let text = std::fs::read_to_string(source.join(name)).unwrap();
        let text = text
            .replace("/run/lunix/bus.sock", socket.to_str().unwrap())
            .replace("0.0.0.0:4222", &format!("127.0.0.1:{port}"))
            .replace("/etc/lunix/bus.conf", folder.join("bus.conf").to_str().unwrap())
            .replace(
                "exec lunix-bus",
                &format!("echo $$ >{0}/new; mv {0}/new {0}/pid\nexec lunix-bus", folder.display()),
            );
        std::fs::write(service.join(name), text).unwrap();
    }
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(service.join("run"), mode).unwrap();
    let config = format!("listen: \"127.0.0.1:{port}\"\nunix: [\"{}\"]\n", socket.display());
    std::fs::write(folder.join("bus.conf"), config).unwrap();
}

fn is_greeted(stream: impl std::io::Read) -> bool {
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).is_ok() && line.starts_with("INFO ")
}

/// Connects by both ways; true when the bus, then or later, said hello. Being refused is a failure, being cut off is not: that one had reached
/// the bus that was killed.
fn connect(folder: &Path, port: u16) -> bool {
    let local = UnixStream::connect(folder.join("bus.sock")).expect("the unix socket refuses");
    let remote = TcpStream::connect(("127.0.0.1", port)).expect("the port refuses");
    local.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    remote.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    is_greeted(local) & is_greeted(remote)
}

#[test]
fn killing_the_bus_refuses_nobody() {
    let folder = TempDir::new("refused").unwrap();
    let port = testkit::qemu::free_port().unwrap();
    service(folder.path(), port);
    let init = binary("lunix-init").unwrap();
    let path = format!("{}:{}", init.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(&init);
    command.arg("--services").arg(folder.join("services")).env("PATH", path);
    let mut process = Process::spawn("lunix-init", &mut command).unwrap();
    process.line(Deadline::seconds(20), "Server is ready").unwrap();
    let pid = || std::fs::read_to_string(folder.join("pid")).unwrap().trim().parse::<i32>().unwrap();
    let (mut greeted, mut connected, mut next) = (0, 0, Instant::now());
    for _ in 0..KILLS {
        let old = pid();
        kill_process(Pid::from_raw(old).unwrap(), Signal::KILL).unwrap();
        let limit = Instant::now() + Duration::from_secs(30);
        let mut is_back = false;
        while !is_back {
            assert!(Instant::now() < limit, "no new bus after {old}: {}", process.printed());
            // The rhythm of the clients, not a wait for something.
            std::thread::sleep(next.saturating_duration_since(Instant::now()));
            next = Instant::now() + EVERY;
            connected += 1;
            let is_served = connect(folder.path(), port);
            greeted += usize::from(is_served);
            is_back = is_served && pid() != old;
        }
    }
    assert!(connected >= KILLS && greeted + KILLS >= connected, "{greeted} greeted of {connected}");
}
