//! What needs no bus: help, version, completions, wrong words, an absent bus, the manual.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Ended, lunix};
use std::process::{Command, Stdio};

fn run(arguments: &[&str]) -> Ended {
    Ended::from(lunix(arguments).output().unwrap())
}

#[test]
fn help_is_found_in_three_ways() {
    let help = run(&["--help"]);
    assert!(help.code == Some(0) && help.out.contains("Usage: lunix [options] COMMAND"), "{help:?}");
    assert_eq!(run(&["help"]), help);
    let sub = run(&["sub", "--help"]);
    assert!(sub.out.contains("Usage: lunix sub [options] SUBJECT..."), "{sub:?}");
    assert_eq!(run(&["help", "sub"]), sub);
    assert!(run(&["help", "service", "log"]).out.contains("Usage: lunix service log [options] [NAME]"));
    assert_eq!(run(&["--version"]).out, format!("lunix {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_words_are_named() {
    let table: &[(&[&str], &str)] = &[
        (&[], "lunix needs a command"),
        (&["dance"], "unknown command 'dance'"),
        (&["sub"], "lunix sub needs SUBJECT"),
        (&["sub", "a..b"], "subject 'a..b'"),
        (&["sub", "a", "--count", "x"], "--count 'x': expected a number"),
        (&["sub", "--state", "*.add"], "--state needs the domain first"),
        (&["sub", "--state", "-q", "x", "a.b"], "exclude each other"),
        (&["pub", "a.*"], "subject 'a.*'"),
        (&["pub", "a", "--header", "x"], "expected KEY:VALUE"),
        (&["req", "a", "-t", "0"], "--timeout '0'"),
        (&["req", "a", "--url", "http://x"], "expected nats://host:port or unix:///path"),
        (&["up", "--bus", "http://x"], "expected nats://host:port or unix:///path"),
        (&["completions", "csh"], "expected bash, zsh, fish"),
        (&["service", "dance"], "expected list, status, start, stop, restart, reload, once, signal, why, tree, log"),
    ];
    for (words, sentence) in table {
        run(words).refuses(64, sentence);
    }
}

#[test]
fn absence_has_its_own_code() {
    run(&["pub", "a", "b", "--url", "nats://127.0.0.1:1"])
        .refuses(69, "cannot connect to the bus at nats://127.0.0.1:1");
    run(&["req", "a", "--url", "unix:///nonexistent"]).refuses(69, "cannot connect to the bus at unix:///nonexistent");
    run(&["service", "list", "--control", "/nonexistent"])
        .refuses(69, "lunix-init is not to be reached at /nonexistent");
    let status = run(&["status", "--url", "nats://127.0.0.1:1", "--control", "/nonexistent"]);
    status.refuses(69, "neither the bus nor lunix-init answers");
    assert!(status.err.contains("nats://127.0.0.1:1") && status.err.contains("/nonexistent"), "{status:?}");
}

#[test]
fn a_peer_that_does_not_speak_nats_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("nats://{}", listener.local_addr().unwrap());
    let peer = std::thread::spawn(move || {
        use std::io::Write as _;
        listener.accept().unwrap().0.write_all(b"SSH-2.0-OpenSSH_9.2\r\n").unwrap();
    });
    run(&["pub", "a", "--url", &url]).refuses(69, "does not speak NATS");
    peer.join().unwrap();
}

#[test]
fn bash_accepts_the_completions() {
    let script = run(&["completions", "bash"]).out;
    let check = Command::new("bash").args(["-n", "-c", &script]).stderr(Stdio::piped()).output().unwrap();
    assert!(check.status.success() && check.stderr.is_empty(), "{check:?}");
    for shell in ["zsh", "fish"] {
        assert!(run(&["completions", shell]).out.contains("completions"), "{shell}");
    }
}

#[test]
fn closed_output_is_a_quiet_end() {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = lunix(&["--help"]).stdout(writer).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
}

#[test]
fn a_tied_program_runs_in_place() {
    let done = run(&["tied", "--", "sh", "-c", "echo $0 $1; exit 7", "a", "b"]);
    assert_eq!((done.code, done.out.as_str()), (Some(7), "a b\n"));
    run(&["tied", "--parent", "1", "true"]).refuses(75, "the parent is not process 1");
    run(&["tied", "/nonexistent"]).refuses(77, "cannot execute /nonexistent");
}
