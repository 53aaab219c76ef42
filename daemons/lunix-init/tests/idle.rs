//! At rest it makes no system call at all.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{PATIENCE, Stage, skip};
use init_control::ServiceState as S;
use std::process::Command;

/// Waits until the process has not been scheduled between two looks.
fn until_at_rest(pid: i32) {
    let switches = || {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        status.lines().filter(|line| line.contains("ctxt_switches")).collect::<String>()
    };
    let end = std::time::Instant::now() + PATIENCE;
    let mut before = switches();
    loop {
        std::thread::sleep(std::time::Duration::from_millis(100));
        let now = switches();
        if now == before {
            return;
        }
        assert!(std::time::Instant::now() < end, "it does not come to rest");
        before = now;
    }
}

#[test]
fn at_idle_there_is_not_one_system_call() {
    if Command::new("strace").arg("-V").output().is_err() {
        return skip("strace is needed to count system calls");
    }
    let mut stage = Stage::new();
    for number in 0..20 {
        stage.sleeper(&format!("s{number}"));
    }
    stage.start();
    for number in 0..20 {
        stage.until_state(&format!("s{number}"), S::Ready);
    }
    // The last look at new watches is over once the directory was read twice.
    stage.ask(&init_control::Request::Rescan).unwrap();
    until_at_rest(stage.pid());
    let output = Command::new("timeout")
        .args(["--signal=INT", "3", "strace", "-f", "-p", &stage.pid().to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    if !text.contains("attached") {
        return skip("strace may not attach here");
    }
    let calls: Vec<&str> = text.lines().filter(|line| line.contains('(')).collect();
    // The one it sleeps in, which strace shows unfinished.
    assert!(calls.iter().all(|line| line.contains("epoll_")) && calls.len() <= 1, "{text}");
}
