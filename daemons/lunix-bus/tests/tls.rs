//! TLS as nats-server speaks it: the same tables to both, and what is our own. The reference takes part where `NATS_SERVER` names
//! its binary.
#![cfg(feature = "tls")]
#![expect(clippy::unwrap_used, reason = "a test")]

#[path = "common/certificates.rs"]
mod certificates;
mod common;

use certificates::{Authority, Shows, line};
use common::{Client, DEADLINE, Server, directory, ours, reference};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// How a client comes.
#[derive(Clone, Copy, Debug)]
enum Way {
    /// Reads INFO, then shakes hands.
    Told,
    /// Shakes hands, then reads INFO.
    First,
    /// Without TLS.
    Clear,
}

/// What a client hears of its INFO's TLS keys, and then up to the end: `PONG` when it is served.
type Case = (Way, Option<&'static str>, &'static str);

const REQUIRED: &[Case] = &[
    (Way::Told, None, "tls_required PONG"),
    (Way::Told, Some("alice"), "tls_required PONG"),
    (Way::Clear, None, "tls_required <end>"),
];
const VERIFIED: &[Case] = &[
    (Way::Told, None, "tls_required tls_verify <end>"),
    (Way::Told, Some("alice"), "tls_required tls_verify PONG"),
    (Way::Told, Some("stranger"), "tls_required tls_verify <end>"),
    (Way::Clear, None, "tls_required tls_verify <end>"),
];
const FIRST: &[Case] = &[(Way::First, None, "tls_required PONG"), (Way::Clear, None, "<end>")];
const AUTO: &[Case] = &[
    (Way::First, None, "tls_required PONG"),
    (Way::Told, None, "tls_required PONG"),
    (Way::Clear, None, "tls_required <end>"),
];
const OPTIONAL: &[Case] = &[(Way::Told, None, "tls_available PONG"), (Way::Clear, None, "tls_available PONG")];
const OPTIONAL_AUTO: &[Case] = &[
    (Way::First, None, "tls_required tls_available PONG"),
    (Way::Told, None, "tls_available PONG"),
    (Way::Clear, None, "tls_available PONG"),
];
const MAPPED: &[Case] = &[
    (Way::Told, Some("alice"), "auth_required tls_required tls_verify PONG"),
    (Way::Told, Some("bob"), "auth_required tls_required tls_verify -ERR 'Authorization Violation'\r\n<end>"),
];

/// Everything one client hears, in the words of the tables.
fn hear(server: &Server, directory: &Path, (way, certificate, _): &Case) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    let (mut info, shows) = (String::new(), Shows::new(directory, *certificate));
    if let Way::Told = way {
        info = line(&mut stream);
    }
    let rest = match way {
        Way::Clear => {
            info = line(&mut stream);
            talk(stream, &mut info)
        }
        Way::Told | Way::First => shows.over(stream).map_or("<end>".into(), |stream| talk(stream, &mut info)),
    };
    let known = ["auth_required", "tls_required", "tls_verify", "tls_available"];
    let keys = known.iter().filter(|key| info.contains(&format!("\"{key}\":true"))).map(|key| format!("{key} "));
    keys.collect::<String>() + &rest
}

/// Connects and asks for a PONG, reading INFO before that if it is still to come.
fn talk(mut stream: impl Read + Write, info: &mut String) -> String {
    let said = b"CONNECT {\"verbose\":false}\r\nPING\r\n";
    if info.is_empty() {
        *info = line(&mut stream);
    }
    // A server that has closed already is no error here: that is what is heard next.
    let _ = stream.write_all(said).and_then(|()| stream.flush());
    let mut heard = line(&mut stream);
    if heard == "PONG\r\n" {
        return "PONG".into();
    }
    if heard.starts_with("-ERR") {
        heard += &line(&mut stream);
    }
    heard + "<end>"
}

fn certificates(name: &str) -> std::path::PathBuf {
    let directory = directory(name);
    let authority = Authority::new(&directory, "ca");
    authority.server("server");
    authority.client("alice");
    authority.client("bob");
    Authority::new(&directory, "other").client("stranger");
    directory
}

fn block(directory: &Path, more: &str) -> String {
    let at = directory.display();
    format!(
        "tls {{ cert_file: \"{at}/server.pem\", key_file: \"{at}/server.key\", ca_file: \"{at}/ca.pem\", {more} }}\n"
    )
}

/// Runs a test against the reference, if there is one, then against ours.
fn both(name: &str, configure: impl Fn(&Path) -> String, test: impl Fn(&mut Server, &Path)) {
    for (program, command) in [("reference", reference()), ("ours", Some(ours()))] {
        let Some(command) = command else {
            eprintln!("NATS_SERVER is unset: the reference was not asked");
            continue;
        };
        let directory = certificates(&format!("{name}-{program}"));
        let mut server = start(command, &directory, &configure(&directory));
        test(&mut server, &directory);
        std::fs::remove_dir_all(&directory).unwrap();
    }
}

fn start(command: Command, directory: &Path, configuration: &str) -> Server {
    let file = directory.join("nats.conf");
    std::fs::write(&file, configuration).unwrap();
    Server::start(command, &["-c", file.to_str().unwrap(), "-m", "-1"])
}

fn table(name: &str, more: &str, cases: &[Case]) {
    both(
        name,
        |directory| {
            let (tls, others) = more.split_once(';').unwrap_or((more, ""));
            block(directory, tls) + others
        },
        |server, directory| {
            for case in cases {
                assert_eq!(hear(server, directory, case), case.2, "{name}: {case:?}");
            }
        },
    );
}

#[test]
fn clients_come_in_as_into_the_reference() {
    table("required", "timeout: 5", REQUIRED);
    table("verified", "verify: true", VERIFIED);
    table("first", "handshake_first: true, timeout: 1", FIRST);
    table("auto", "handshake_first: 300ms", AUTO);
    table("optional", ";allow_non_tls: true", OPTIONAL);
    table("optional-auto", "handshake_first: 300ms;allow_non_tls: true", OPTIONAL_AUTO);
}

#[test]
fn a_certificate_says_which_user_a_client_is() {
    for user in [
        "alice@acme.com",
        "alice.acme.com",
        "spiffe://acme/alice",
        "CN=alice,OU=Dev,O=Acme",
        "O=Acme,OU=Dev,CN=alice",
        "cn=alice, o=Acme, ou=Dev",
    ] {
        table("mapped", &format!("verify_and_map: true;authorization {{ users: [{{user: \"{user}\"}}] }}"), MAPPED);
    }
}

#[test]
fn a_user_without_password_is_nobody_where_no_certificate_is_asked_for() {
    let directory = certificates("no-password");
    let file = directory.join("nats.conf");
    std::fs::write(&file, block(&directory, "verify: true") + "authorization { users: [{user: a}] }").unwrap();
    let output = ours().args(["-c", file.to_str().unwrap(), "-t"]).output().unwrap();
    assert_eq!(output.status.code(), Some(78));
    assert!(String::from_utf8_lossy(&output.stderr).contains("user \"a\" needs a password"));
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn handshakes_are_counted_per_second() {
    both(
        "rate",
        |directory| block(directory, "connection_rate_limit: 2, timeout: 0.5"),
        |server, _| {
            let mut streams: Vec<_> = (0..4).map(|_| TcpStream::connect(("127.0.0.1", server.port)).unwrap()).collect();
            let mut hear = || streams.iter_mut().map(line).collect::<Vec<_>>();
            assert!(hear().iter().all(|info| info.starts_with("INFO ")));
            let heard = hear();
            let text = "-ERR 'Connection throttling is active. Please try again later.'\r\n";
            assert_eq!(heard.iter().filter(|heard| *heard == text).count(), 2, "{heard:?}");
        },
    );
}

#[test]
fn monitoring_tells_of_tls() {
    both(
        "monitored",
        |directory| block(directory, "verify: true, timeout: 3"),
        |server, directory| {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
            let _ = line(&mut stream);
            let mut client = Client::new(Shows::new(directory, Some("alice")).over(stream).unwrap());
            client.say(b"CONNECT {\"verbose\":false,\"name\":\"it\"}\r\nPING\r\n");
            client.expect("PONG\r\n");
            let varz = server.json("/varz");
            assert_eq!(
                (&varz["tls_required"], &varz["tls_verify"], &varz["tls_timeout"]),
                (&true.into(), &true.into(), &3.into())
            );
            assert!(varz["tls_cert_not_after"].as_str().unwrap().ends_with('Z'));
            let connection = &server.json("/connz?auth=1")["connections"][0];
            assert_eq!(connection["tls_version"], "1.3");
            assert!(connection["tls_cipher_suite"].as_str().unwrap().starts_with("TLS_"));
            let shown = &connection["tls_peer_certs"][0];
            assert_eq!(shown["subject"], "CN=alice,OU=Dev,O=Acme");
            assert_eq!(
                (shown["spki_sha256"].as_str().unwrap().len(), shown["cert_sha256"].as_str().unwrap().len()),
                (64, 64)
            );
            let mut clear = server.client();
            clear.say(b"CONNECT {}\r\n");
            clear.rest();
            let start = Instant::now();
            while server.json("/connz?state=closed")["connections"][0]["reason"] != "TLS Handshake Failure" {
                assert!(start.elapsed() < DEADLINE);
            }
        },
    );
}

#[test]
fn only_pinned_certificates_are_let_in() {
    let directory = certificates("pinned");
    let mut server = start(ours(), &directory, &block(&directory, "verify: true"));
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let _ = line(&mut stream);
    let mut client = Client::new(Shows::new(&directory, Some("alice")).over(stream).unwrap());
    client.say(b"PING\r\n");
    client.expect("PONG\r\n");
    let known =
        server.json("/connz?auth=1")["connections"][0]["tls_peer_certs"][0]["spki_sha256"].as_str().unwrap().to_owned();
    let pinned = block(&directory, &format!("verify: true, pinned_certs: [\"{known}\"]"));
    std::fs::write(directory.join("nats.conf"), &pinned).unwrap();
    server.signal("HUP");
    server.log_line("Reloaded");
    for mut server in
        [Some(server), reference().map(|command| start(command, &directory, &pinned))].into_iter().flatten()
    {
        for (who, wanted) in [("alice", "PONG"), ("bob", "<end>")] {
            let case = (Way::Told, Some(who), "");
            assert!(hear(&server, &directory, &case).ends_with(wanted), "{who}");
        }
        let _ = server.child.kill();
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn new_certificates_are_taken_and_broken_ones_are_not() {
    both(
        "rotate",
        |directory| block(directory, "timeout: 5"),
        |server, directory| {
            let connect = |authority: &'static str, server: &Server| {
                let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                let _ = line(&mut stream);
                Shows { authority, ..Shows::new(directory, None) }.over(stream).map(Client::new)
            };
            let mut old = connect("ca", server).unwrap();
            old.say(b"PING\r\n");
            old.expect("PONG\r\n");
            Authority::new(directory, "next").server("server");
            server.signal("HUP");
            server.log_line("Reloaded server configuration");
            let mut new = connect("next", server).unwrap();
            assert!(connect("ca", server).is_err());
            for client in [&mut old, &mut new] {
                client.say(b"PING\r\n");
                client.expect("PONG\r\n");
            }
            std::fs::write(directory.join("server.pem"), "nothing").unwrap();
            server.signal("HUP");
            let error = server.log_line("reload");
            // The reference does not say which file it is.
            let names = error.contains(directory.join("server.pem").to_str().unwrap());
            assert!(names || error.contains("failed to find any PEM data"), "{error}");
            connect("next", server).unwrap();
        },
    );
}

#[test]
fn half_a_handshake_ends_in_time_and_disturbs_nobody() {
    let directory = certificates("half");
    let server = start(ours(), &directory, &block(&directory, "timeout: 0.5"));
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    let _ = line(&mut stream);
    let mut honest = Client::new(Shows::new(&directory, None).over(stream).unwrap());
    honest.say(b"PING\r\n");
    honest.expect("PONG\r\n");
    let start = Instant::now();
    let mut crowd: Vec<_> = (0..300_usize)
        .map(|number| {
            let mut client = server.client();
            client.expect("\r\n");
            // The beginning of a hello, a record of the greatest length, rubbish, or nothing.
            let beginnings: [&[u8]; 4] = [b"\x16\x03\x01\x02\x00\x01\x00", b"\x16\x03\x01\x3f\xff", b"\xff\xff", b""];
            client.say(beginnings[number % 4]);
            if number % 4 == 1 {
                client.say(&[1; 10_000]);
            }
            client
        })
        .collect();
    honest.say(b"PING\r\n");
    honest.expect("PONG\r\n");
    for client in &mut crowd {
        client.rest();
    }
    assert!(start.elapsed() < DEADLINE);
    honest.say(b"PING\r\n");
    honest.expect("PONG\r\n");
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn large_messages_pass_and_who_does_not_read_is_cut() {
    let directory = certificates("large");
    let configuration = block(&directory, "timeout: 5") + "max_pending: 3mb\nwrite_deadline: 2s";
    let mut server = start(ours(), &directory, &configuration);
    let connect = || {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let _ = line(&mut stream);
        let mut client = Client::new(Shows::new(&directory, None).over(stream).unwrap());
        client.say(b"CONNECT {\"verbose\":false}\r\nPING\r\n");
        client.expect("PONG\r\n");
        client
    };
    let (mut reader, mut slow, mut publisher) = (connect(), connect(), connect());
    for client in [&mut reader, &mut slow] {
        client.say(b"SUB a 1\r\nPING\r\n");
        client.expect("PONG\r\n");
    }
    let payload: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let message = [b"PUB a 1000000\r\n".as_slice(), &payload, b"\r\n"].concat();
    let expected = [b"MSG a 1 1000000\r\n".as_slice(), &payload, b"\r\n"].concat();
    for _ in 0..12 {
        publisher.say(&message);
        let (heard, ended) = reader.read_until(|seen| seen.len() >= expected.len());
        assert!(heard == expected && !ended);
    }
    server.log_line("Slow Consumer");
    publisher.say(b"PING\r\n");
    publisher.expect("PONG\r\n");
    drop(slow);
    std::thread::yield_now();
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn flags_ask_for_tls_too_and_wrong_files_are_named() {
    let directory = certificates("flags");
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    let (certificate, key, roots) = (path("server.pem"), path("server.key"), path("ca.pem"));
    let flags = ["--tlsverify", "--tlscert", &certificate, "--tlskey", &key, "--tlscacert", &roots];
    for command in [reference(), Some(ours())].into_iter().flatten() {
        let server = Server::start(command, &flags);
        let case = (Way::Told, Some("alice"), "tls_required tls_verify PONG");
        assert_eq!(hear(&server, &directory, &case), case.2);
    }
    for (flags, wanted) in [
        (vec!["--tls"], "cert_file is missing"),
        (vec!["--tlscert", &certificate], "key_file is missing"),
        (vec!["--tlscert", "/nowhere.pem", "--tlskey", &key], "cannot read /nowhere.pem"),
        (vec!["--tlscert", &key, "--tlskey", &key], "no certificate in"),
        (vec!["--tlscert", &certificate, "--tlskey", &roots], "no private key in"),
        (vec!["--tlscert", &path("alice.pem"), "--tlskey", &key], "alice.pem and key"),
    ] {
        let output = ours().args(&flags).arg("-t").output().unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.code() == Some(78) && error.contains(wanted), "{error}");
    }
    std::fs::remove_dir_all(&directory).unwrap();
}

#[test]
fn unix_sockets_go_without() {
    let directory = certificates("local");
    let path = directory.join("bus.sock");
    let configuration = block(&directory, "verify: true") + &format!("unix: \"{}\"", path.display());
    let _server = start(ours(), &directory, &configuration);
    let stream = std::os::unix::net::UnixStream::connect(&path).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut client = Client::new(stream);
    let info = client.expect("\r\n");
    assert!(!info.contains("tls"), "{info}");
    client.say(b"PING\r\n");
    client.expect("PONG\r\n");
    std::fs::remove_dir_all(&directory).unwrap();
}
