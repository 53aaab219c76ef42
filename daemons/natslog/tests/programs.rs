//! Programs of other people that log through /dev/log: each runs in a mount namespace where /dev/log leads to natslog.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test")]

mod common;

use common::Stage;
use serde_json::json;
use std::process::{Command, Stdio};

/// A /dev with what every program wants, and /dev/log; then the words are executed.
const DEV: &str = r#"socket=$1; shift
mount -t tmpfs none /dev || exit 99
mknod -m 666 /dev/null c 1 3 || exit 99
touch /dev/log && mount --bind "$socket" /dev/log || exit 99
exec "$@""#;

const PROGRAM_IN_C: &str = r#"#include <syslog.h>
int main(void) {
    openlog("cprogram", LOG_PID, LOG_LOCAL3);
    syslog(LOG_WARNING, "one %d", 1);
    syslog(LOG_AUTHPRIV | LOG_INFO, "two\nlines");
    closelog();
    return 0;
}
"#;

/// Runs the words where /dev/log is natslog's; false, with a note, when that cannot be done here.
fn run(test: &str, stage: &Stage, words: &[&str]) -> bool {
    let there = Command::new("sh").args(["-c", "command -v \"$0\"", words[0]]).stdout(Stdio::null()).status();
    if !there.is_ok_and(|status| status.success()) {
        testkit::skip::note(test, &format!("{} is not installed", words[0]));
        return false;
    }
    let socket = stage.dev_log().display().to_string();
    let status = Command::new("unshare").args(["-m", "sh", "-c", DEV, "sh", &socket]).args(words).status();
    match status.ok().and_then(|status| status.code()) {
        Some(0) => true,
        // The shell's own, and unshare's.
        Some(99 | 1) | None => {
            testkit::skip::note(test, "no mount namespaces here");
            false
        }
        Some(code) => panic!("{words:?} ended with {code}"),
    }
}

#[test]
fn logger_of_util_linux() {
    let mut stage = Stage::start("");
    if run("logger_of_util_linux", &stage, &["logger", "-p", "cron.err", "-t", "job", "it failed"]) {
        let (subject, line) = stage.line("it failed");
        let uid = rustix::process::getuid().as_raw();
        assert_eq!((subject, &line["facility"]), (format!("log.user-{uid}.err"), &json!("cron")));
        assert_eq!(line["program"], "job");
    }
    let words = ["logger", "--rfc5424", "--msgid", "ID47", "--sd-id", "a@1", "--sd-param", "x=\"1\"", "structured"];
    if run("logger_of_util_linux", &stage, &words) {
        let line = stage.line("structured").1;
        assert_eq!((&line["message_id"], &line["raw"]), (&json!("ID47"), &json!(null)));
        let elements = line["structured"].as_array().unwrap();
        assert!(elements.iter().any(|element| element["id"] == "a@1"), "{line}");
    }
}

#[test]
fn logger_of_busybox() {
    let mut stage = Stage::start("");
    if run("logger_of_busybox", &stage, &["busybox", "logger", "-p", "daemon.info", "-t", "box", "hello from busybox"])
    {
        let line = stage.line("hello from busybox").1;
        assert_eq!(
            (&line["program"], &line["facility"], &line["raw"]),
            (&json!("box"), &json!("daemon"), &json!(null))
        );
    }
}

#[test]
fn syslog_of_glibc_in_python() {
    let mut stage = Stage::start("");
    let text = "import syslog; syslog.openlog('snake', 0, syslog.LOG_MAIL); syslog.syslog(syslog.LOG_NOTICE, 'sss')";
    if run("syslog_of_glibc_in_python", &stage, &["/usr/bin/python3", "-c", text]) {
        let line = stage.line("sss").1;
        assert_eq!((&line["program"], &line["facility"]), (&json!("snake"), &json!("mail")));
    }
}

/// Compiles the program in C and runs it.
fn in_c(test: &str, compiler: &[&str]) {
    let mut stage = Stage::start("");
    let (source, program) = (stage.folder.join("program.c"), stage.folder.join("program"));
    std::fs::write(&source, PROGRAM_IN_C).unwrap();
    let compiled = Command::new(compiler[0]).args(&compiler[1..]).arg("-o").arg(&program).arg(&source).status();
    if !compiled.is_ok_and(|status| status.success()) {
        return testkit::skip::note(test, &format!("{} does not compile here", compiler[0]));
    }
    if run(test, &stage, &[program.to_str().unwrap()]) {
        let (subject, line) = stage.line("one 1");
        let uid = rustix::process::getuid().as_raw();
        assert_eq!((subject, &line["facility"]), (format!("log.user-{uid}.warning"), &json!("local3")));
        assert_eq!((&line["program"], &line["raw"]), (&json!("cprogram"), &json!(null)));
        assert_eq!(stage.line("two\nlines").0, "log.auth.info");
    }
}

#[test]
fn syslog_of_glibc() {
    in_c("syslog_of_glibc", &["gcc"]);
}

#[test]
fn syslog_of_musl() {
    in_c("syslog_of_musl", &["musl-gcc", "-static"]);
}
