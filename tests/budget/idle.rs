//! Nobody makes a system call while nothing happens.

use crate::Flavour;
use crate::machine::Machine;
use crate::status::until_quiet;
use lunix_tests::ensure;
use std::process::Command;
use testkit::suite::Suite;
use testkit::{Deadline, Error, Result};

/// Attaching interrupts the wait once; what follows from that is over after so many seconds.
const ATTACHING_S: f64 = 1.0;

pub(crate) fn run(suite: &mut Suite, flavour: &Flavour) {
    let name = format!("idle::no_system_call_{}", flavour.name);
    if !suite.wants(&name) {
        return;
    }
    if !may_trace() {
        return suite.skip(&name, "strace is not here or may not attach to a process");
    }
    suite.check(&name, || watch(flavour));
}

fn may_trace() -> bool {
    Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success())
}

fn watch(flavour: &Flavour) -> Result<()> {
    let seconds = if std::env::var_os("LUNIX_FULL").is_some() { 30 } else { 5 };
    let machine = Machine::start(flavour)?;
    for (_, pid) in machine.pids() {
        until_quiet(pid, Deadline::seconds(30))?;
    }
    let mut strace = Command::new("timeout");
    strace.args(["--signal=INT", &(seconds + 1).to_string(), "strace", "-f", "-ttt"]);
    for (_, pid) in machine.pids() {
        strace.args(["-p", &pid.to_string()]);
    }
    let output = strace.output().map_err(Error::io("run strace"))?;
    let text = String::from_utf8_lossy(&output.stderr);
    let attached = text.matches(" attached").count();
    ensure(attached == machine.pids().count(), || format!("strace attached to {attached} processes:\n{text}"))?;
    let calls = calls_at_rest(&text);
    let names: Vec<String> = machine.pids().map(|(name, pid)| format!("{name} {pid}")).collect();
    ensure(calls.is_empty(), || format!("{}\nof {}", calls.join("\n"), names.join(", ")))
}

/// The calls that began after the programs had settled again. `-ttt` puts the time in front of each.
fn calls_at_rest(text: &str) -> Vec<&str> {
    let time =
        |line: &str| line.split_whitespace().find_map(|word| word.contains('.').then(|| word.parse::<f64>().ok())?);
    let calls: Vec<(f64, &str)> =
        text.lines().filter(|line| line.contains('(')).filter_map(|line| Some((time(line)?, line))).collect();
    let first = calls.first().map_or(0.0, |(time, _)| *time);
    calls.into_iter().filter(|(time, _)| time - first > ATTACHING_S).map(|(_, line)| line).collect()
}
