//! The machine's own PID 1 crashes, and gives its place away: services do not notice.

use crate::{SERVICES, soon};
use lunix_tests::ensure;
use std::collections::BTreeMap;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Error, Result};

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    suite.check("survival::services_go_on_after_a_crash_of_pid_1", || {
        goes_on(vm, "kill -SEGV 1", "goes on after a crash")
    });
    suite.check("survival::a_dead_service_is_noticed_after_a_crash_of_pid_1", || notices(vm));
    suite.check("survival::services_go_on_under_another_lunix_init", || {
        goes_on(vm, "lunix init reexec", "goes on in place of another program")
    });
}

/// Services and their processes, as lunix-init has them.
fn processes(vm: &mut Vm) -> Result<BTreeMap<String, String>> {
    let list = vm.sh("lunix service list", soon())?;
    let rows = list.lines().skip(1).filter_map(|line| {
        let mut words = line.split_whitespace();
        Some((words.next()?.to_owned(), format!("{} {}", words.next()?, words.nth(1)?)))
    });
    Ok(rows.collect())
}

fn goes_on(vm: &mut Vm, command: &str, said: &str) -> Result<()> {
    let before = processes(vm)?;
    let is_ready = |(service, _): &(&str, &str)| before.get(*service).is_some_and(|row| row.starts_with("ready "));
    ensure(SERVICES.iter().all(|one| is_ready(&one)), || format!("not all are ready: {before:?}"))?;
    vm.sh(command, soon())?;
    let deadline = soon();
    while !vm.console().contains(said) {
        deadline.left().ok_or_else(|| Error::Timeout(format!("`{said}` on the console"), vm.console()))?;
        vm.sh("true", soon())?;
    }
    let after = processes(vm)?;
    ensure(before == after, || format!("before {before:?}, after {after:?}"))
}

fn notices(vm: &mut Vm) -> Result<()> {
    let before = processes(vm)?;
    let row = before.get("natsps").ok_or_else(|| Error::unexpected(format!("no natsps in {before:?}")))?;
    let pid = row.split(' ').next_back().unwrap_or_default();
    vm.sh(&format!("kill -STOP 1; kill -9 {pid}; kill -BUS 1; kill -CONT 1"), soon())?;
    let deadline = soon();
    loop {
        let after = processes(vm)?;
        if after.get("natsps").is_some_and(|now| now.starts_with("ready ") && now != row) {
            let others = |all: &BTreeMap<String, String>| all.iter().filter(|(name, _)| *name != "natsps").count();
            return ensure(others(&before) == others(&after), || format!("before {before:?}, after {after:?}"));
        }
        deadline.left().ok_or_else(|| Error::Timeout("another natsps".to_owned(), format!("{after:?}")))?;
    }
}
