//! The real binary among peers that behave badly.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Client, DEADLINE, Server, directory, ours};
use std::io::{Read, Write};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

fn with_file(name: &str, configuration: &str, test: impl FnOnce(&Path, &[&str])) {
    let directory = directory(name);
    let file = directory.join("nats.conf");
    std::fs::write(&file, configuration).unwrap();
    test(&directory, &["-c", file.to_str().unwrap()]);
    std::fs::remove_dir_all(&directory).unwrap();
}

fn unix_client(path: &Path) -> Client<UnixStream> {
    let stream = UnixStream::connect(path).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    Client::new(stream)
}

#[test]
fn garbage_half_open_and_giant_lines_disturb_nobody() {
    let server = Server::start(ours(), &[]);
    let mut honest = server.client();
    honest.connect();
    let mut half_open = Vec::new();
    for number in 0_u32..200 {
        let mut bad = server.client();
        match number % 4 {
            0 => bad.say(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
            1 => bad.say(&[b'S', b'U', b'B', b' '].into_iter().chain([b'x'; 100_000]).collect::<Vec<_>>()),
            2 => bad.say(b"PUB a 1000000\r\nonly this"),
            _ => bad.say(b"SUB a"),
        }
        if number % 4 < 2 {
            assert!(bad.rest().contains("-ERR '"));
        } else {
            half_open.push(bad);
        }
    }
    honest.say(b"SUB a 1\r\nPUB a 2\r\nhi\r\n");
    assert_eq!(honest.expect("hi\r\n"), "MSG a 1 2\r\nhi\r\n");
    drop(half_open);
    honest.ping();
}

#[test]
fn a_slow_consumer_is_cut_in_silence_and_the_others_get_everything() {
    with_file("slow", "max_pending: 256kb\nwrite_deadline: 1s", |_, arguments| {
        let mut server = Server::start(ours(), arguments);
        let (mut slow, mut reader, mut publisher) = (server.client(), server.client(), server.client());
        for client in [&mut slow, &mut reader, &mut publisher] {
            client.connect();
        }
        slow.say(b"SUB a 1\r\n");
        reader.say(b"SUB a 1\r\n");
        slow.ping();
        reader.ping();
        let message = [b"PUB a 10000\r\n".as_slice(), &[b'x'; 10_000], b"\r\n"].concat();
        // A dozen at a time: on a busy machine the reader must not become a slow consumer too.
        let (rounds, count) = (170, 12);
        let dozen = message.repeat(count);
        let round_len = count * ("MSG a 1 10000\r\n".len() + 10_000 + 2);
        for _ in 0..rounds {
            publisher.say(&dozen);
            let (heard, ended) = reader.read_until(|seen| seen.len() >= round_len);
            assert_eq!((heard.len(), ended), (round_len, false));
        }
        publisher.ping();
        let len = rounds * round_len;
        server.log_line("Slow Consumer");
        let heard = slow.rest();
        assert!(heard.len() < len && !heard.contains("-ERR"));
        reader.ping();
    });
}

#[test]
fn without_descriptors_new_clients_are_refused_and_the_old_ones_served() {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("ulimit -n 24; exec {} \"$@\"", env!("CARGO_BIN_EXE_lunix-bus")), "sh"]);
    let mut server = Server::start(command, &[]);
    let mut old = server.client();
    old.connect();
    let mut crowd: Vec<_> = (0..40).map(|_| server.client()).collect();
    server.log_line("no descriptor is free");
    old.ping();
    let refused = crowd.iter_mut().rev().take(5).filter(|client| {
        let mut byte = [0];
        matches!((&client.stream).read(&mut byte), Ok(0) | Err(_))
    });
    assert_eq!(refused.count(), 5);
    drop(crowd);
    let start = Instant::now();
    loop {
        let mut fresh = server.client();
        fresh.say(b"PING\r\n");
        let (heard, ended) = fresh.read_until(|seen| seen.ends_with(b"PONG\r\n"));
        if !ended && heard.ends_with(b"PONG\r\n") {
            break;
        }
        assert!(start.elapsed() < DEADLINE, "descriptors do not come back");
    }
}

#[test]
fn a_flood_of_subscriptions_stays_under_the_ceiling() {
    with_file("flood", "max_memory: 8mb", |_, arguments| {
        let mut server = Server::start(ours(), arguments);
        let mut honest = server.client();
        honest.connect();
        let mut flood = server.client();
        flood.connect();
        let mut stream = flood.stream.try_clone().unwrap();
        let writer = std::thread::spawn(move || {
            for sid in 0..1_000_000_u32 {
                if stream.write_all(format!("SUB flood.{sid}.> {sid}\r\n").as_bytes()).is_err() {
                    return;
                }
            }
        });
        server.log_line("Memory of its User");
        writer.join().unwrap();
        honest.ping();
        assert!(server.rss_kib() < 10 * 1024, "{} KiB", server.rss_kib());
    });
}

#[test]
fn a_unix_socket_serves_without_password_and_leaves_nothing_behind() {
    let secret = "authorization { token: s3cret }\nunix_mode: 600";
    with_file("unix", secret, |directory, arguments| {
        let path = directory.join("bus.sock");
        let (pid, ports) = (directory.join("pid"), directory.to_str().unwrap());
        let mut all = arguments.to_vec();
        all.extend(["--unix", path.to_str().unwrap(), "--pid", pid.to_str().unwrap(), "--ports_file_dir", ports]);
        let mut server = Server::start(ours(), &all);
        let kind = std::fs::metadata(&path).unwrap();
        assert!(kind.file_type().is_socket() && kind.permissions().mode() & 0o777 == 0o600);
        assert_eq!(std::fs::read_to_string(&pid).unwrap(), server.child.id().to_string());
        let told = std::fs::read_to_string(directory.join(format!("lunix-bus_{}.ports", server.child.id()))).unwrap();
        let expected =
            format!("{{\"nats\":[\"nats://127.0.0.1:{}\"],\"unix\":[\"unix://{}\"]}}", server.port, path.display());
        assert_eq!(told, expected);
        let mut local = unix_client(&path);
        local.connect();
        let mut remote = server.client();
        remote.say(b"PING\r\n");
        assert!(remote.rest().ends_with("-ERR 'Authorization Violation'\r\n"));
        let second = ours().args(["-p", "-1", "--unix", path.to_str().unwrap()]).output().unwrap();
        assert_eq!(second.status.code(), Some(73));
        assert!(String::from_utf8_lossy(&second.stderr).contains("another server answers there"));
        server.signal("TERM");
        assert_eq!((server.wait().code(), local.rest().as_str()), (Some(0), ""));
        let left: Vec<_> = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["nats.conf"]);
    });
}

#[test]
fn the_socket_of_a_killed_server_is_taken_over() {
    let directory = directory("stale");
    let path = directory.join("bus.sock");
    let arguments = ["--unix", path.to_str().unwrap(), "--unix", &format!("@lunix-bus-test-{}", std::process::id())];
    let mut first = Server::start(ours(), &arguments);
    first.child.kill().unwrap();
    first.wait();
    assert!(path.exists());
    let second = Server::start(ours(), &arguments);
    unix_client(&path).connect();
    drop(second);
    std::fs::remove_file(&path).unwrap();
    std::fs::write(&path, "precious").unwrap();
    let third = ours().args(["-p", "-1", "--unix", path.to_str().unwrap()]).output().unwrap();
    assert_eq!((third.status.code(), std::fs::read_to_string(&path).unwrap().as_str()), (Some(73), "precious"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_reload_takes_new_limits_and_a_broken_file_changes_nothing() {
    with_file("reload", "max_payload: 10", |directory, arguments| {
        let file = directory.join("nats.conf");
        let mut server = Server::start(ours(), arguments);
        let mut client = server.client();
        client.connect();
        std::fs::write(&file, "max_payload: 10\n  bogus: 1").unwrap();
        server.signal("HUP");
        let line = server.log_line("not reloaded");
        assert!(line.contains("nats.conf:2:3: unknown field \"bogus\""), "{line}");
        std::fs::write(&file, "max_payload: 5").unwrap();
        server.signal("HUP");
        server.log_line("Reloaded");
        client.say(b"PUB a 6\r\n");
        assert!(client.rest().ends_with("-ERR 'Maximum Payload Violation'\r\n"));
    });
}

#[test]
fn bad_flags_and_files_end_with_their_exit_codes() {
    with_file("codes", "port: 4222\nbogus: 1", |_, arguments| {
        for (line, code, text) in [
            (["--bogus"].as_slice(), 64, "flag provided but not defined: -bogus"),
            (&["--jetstream"], 64, "not supported"),
            (&["-c", "/nowhere/nats.conf"], 78, "cannot read /nowhere/nats.conf"),
            (arguments, 78, "nats.conf:2:1: unknown field \"bogus\""),
            (&["-a", "192.0.2.77"], 73, "cannot listen on 192.0.2.77:4222"),
            (&["--user", "a"], 78, "user and password"),
            (&["--signal", "bogus"], 64, "unknown signal"),
        ] {
            let output = ours().args(line).output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(code), "{line:?}: {told}");
            assert!(told.contains(text), "{line:?}: {told}");
        }
    });
    let version = ours().arg("-v").output().unwrap();
    assert!(version.status.success() && version.stdout.starts_with(b"nats-server: v2.15.1"));
}

#[test]
fn wrong_users_are_refused_with_their_place() {
    for (users, text) in [
        ("users: []", "2:8: at least one user"),
        ("users: [{user: a, password: p}, {user: a, password: q}]", "duplicate user \"a\""),
        ("users: [{user: a}]", "user \"a\" needs a password"),
        ("users: [{user: a, password: p, permissions: {publish: \"a..b\"}}]", "not a valid subject"),
        ("users: [{user: a, password: p, permissions: {publish: \"a q\"}}]", "not a valid subject"),
        ("users: [{user: a, password: p, permissions: {publish: []}}]", "an empty list is ambiguous"),
        ("users: [{user: a, password: p, permissions: {bogus: a}}]", "unknown field \"bogus\""),
        ("user: b\npassword: c\nusers: [{user: a, password: p}]", "exclude each other"),
    ] {
        with_file("wrong-users", &format!("authorization {{\n{users}\n}}"), |_, arguments| {
            let output = ours().args(arguments).arg("-t").output().unwrap();
            let told = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(78), "{users}: {told}");
            assert!(told.contains(text), "{users}: {told}");
        });
    }
    with_file("no-guest", "no_auth_user: x\nauthorization { users: [{user: a, password: p}] }", |_, arguments| {
        let output = ours().args(arguments).arg("-t").output().unwrap();
        assert!(String::from_utf8_lossy(&output.stderr).contains("no_auth_user \"x\" is not among the users"));
    });
}

#[test]
fn readiness_is_told_on_the_descriptor() {
    let directory = directory("ready");
    let path = directory.join("ready");
    let script =
        format!("exec {} -p -1 -a 127.0.0.1 --ready-fd 3 3>{}", env!("CARGO_BIN_EXE_lunix-bus"), path.display());
    let mut child = Command::new("sh").args(["-c", &script]).stderr(Stdio::null()).spawn().unwrap();
    let start = Instant::now();
    while std::fs::read(&path).unwrap_or_default() != b"\n" {
        assert!(start.elapsed() < DEADLINE);
        std::thread::sleep(Duration::from_millis(5));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn a_supervisor_hears_by_its_socket_when_it_is_ready_and_when_it_ends() {
    let directory = directory("notify");
    let path = directory.join("socket");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    let heard = || {
        let mut bytes = [0; 64];
        let count = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(bytes.get(..count).unwrap_or_default()).into_owned()
    };
    let mut command = ours();
    let mut child = command.args(["-p", "-1"]).env("NOTIFY_SOCKET", &path).stderr(Stdio::null()).spawn().unwrap();
    assert_eq!(heard(), "READY=1");
    let asked = Command::new("kill").arg(child.id().to_string()).status().unwrap();
    assert!(asked.success());
    assert_eq!(heard(), "STOPPING=1");
    child.wait().unwrap();
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn at_rest_it_makes_no_system_call() {
    let server = Server::start(ours(), &[]);
    let mut clients: Vec<_> = (0..10).map(|_| server.client()).collect();
    for client in &mut clients {
        client.connect();
        client.say(b"SUB a.b 1\r\n");
        client.ping();
    }
    for client in &mut clients {
        // The first PING comes after two seconds; from then on there is silence for two minutes.
        client.expect("PING\r\n");
        client.say(b"PONG\r\n");
        client.ping();
    }
    let traced = Command::new("timeout")
        .args(["-s", "INT", "3", "strace", "-f", "-c", "-p", &server.child.id().to_string()])
        .output();
    let Ok(traced) = traced else {
        return testkit::skip::note("at_rest_it_makes_no_system_call", "strace cannot be run");
    };
    let told = String::from_utf8_lossy(&traced.stderr);
    if !told.contains("attached") {
        return testkit::skip::note("at_rest_it_makes_no_system_call", "strace cannot attach");
    }
    // The wait that strace itself interrupts by attaching and leaving may show up, nothing else.
    let calls =
        told.lines().filter(|line| line.starts_with(' ') && !line.contains("total") && !line.contains("epoll_"));
    assert_eq!(calls.filter(|line| !line.contains("restart_syscall")).count(), 0, "{told}");
}
