//! Flags are one table for all programs, so all answer alike.

use std::process::Command;
use testkit::process::binary;

const PROGRAMS: &[&str] = &[
    "lunix",
    "lunix-boot",
    "lunix-bus",
    "lunix-init",
    "lunix-sv",
    "natsdev",
    "natsinit",
    "natslog",
    "natsnet",
    "natsps",
    "natstoast",
];

/// The programs that are built.
fn built() -> Vec<(&'static str, std::path::PathBuf)> {
    PROGRAMS.iter().filter_map(|name| Some((*name, binary(name).ok()?))).collect()
}

#[test]
fn version_and_help() {
    for (name, path) in built() {
        for flag in ["--version", "--help"] {
            let output = Command::new(&path).arg(flag).output().unwrap();
            assert!(output.status.success(), "{name} {flag}: {output:?}");
            assert!(String::from_utf8_lossy(&output.stdout).contains(name), "{name} {flag}: {output:?}");
        }
    }
}

#[test]
fn an_unknown_flag_is_a_usage_error_that_names_it() {
    for (name, path) in built() {
        let output = Command::new(&path).arg("--no-such-flag").output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{name}: {output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-flag"), "{name}: {output:?}");
    }
}
