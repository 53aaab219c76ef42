//! Services within their bounds: memory that runs out, processes that multiply, and what the kernel counts of them.

use crate::soon;
use lunix_tests::ensure;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Error, Result};

/// Where the services' cgroups are.
const GROUPS: &str = "/sys/fs/cgroup/lunix";

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    suite.check("limits::init_is_never_killed_for_lack_of_memory_and_its_services_may_be", || oom_scores(vm));
    suite.check("limits::every_service_is_counted_in_its_cgroup", || counted(vm));
    suite.check("limits::a_service_that_takes_too_much_memory_is_killed_and_told_of", || out_of_memory(vm));
    suite.check("limits::a_fork_bomb_stays_within_its_bounds_and_is_stopped", || fork_bomb(vm));
    suite.check("limits::what_waits_for_memory_is_told_of", || pressure(vm));
}

/// Makes a service appear as a whole: its `run` and more files, as `name content`.
fn plant(vm: &mut Vm, name: &str, run: &str, files: &[(&str, &str)]) -> Result<()> {
    let mut script = format!(
        "mkdir -p /tmp/{name}/cgroup && cd /tmp/{name} && cat >run <<'END'\n#!/bin/sh\n{run}\nEND\nchmod +x run"
    );
    for (file, content) in files {
        script.push_str(&format!(" && echo '{content}' >{file}"));
    }
    vm.sh(&format!("{script} && cd / && mv /tmp/{name} /etc/lunix/services/"), soon()).map(drop)
}

fn remove(vm: &mut Vm, name: &str) -> Result<()> {
    vm.sh(&format!("rm -r /etc/lunix/services/{name}"), soon())?;
    until(vm, &format!("test ! -e {GROUPS}/{name}"))
}

/// Waits until a command of the guest succeeds.
fn until(vm: &mut Vm, command: &str) -> Result<()> {
    let deadline = soon();
    while vm.sh_status(command, soon())?.0 != 0 {
        deadline.left().ok_or_else(|| Error::Timeout(command.to_owned(), vm.console()))?;
    }
    Ok(())
}

fn oom_scores(vm: &mut Vm) -> Result<()> {
    let scores = vm.sh("cat /proc/1/oom_score_adj /proc/$(pidof lunix-bus)/oom_score_adj", soon())?;
    ensure(scores.trim() == "-1000\n0", || format!("the scores are {scores:?}"))
}

fn counted(vm: &mut Vm) -> Result<()> {
    let bus = vm.sh("pidof lunix-bus", soon())?;
    let script = format!("cd {GROUPS}/bus && cat cgroup.procs memory.current pids.current && grep usage_usec cpu.stat");
    let numbers = vm.sh(&script, soon())?;
    let lines: Vec<&str> = numbers.lines().collect();
    ensure(lines.contains(&bus.trim()), || format!("the bus ({bus}) is not there: {numbers}"))?;
    ensure(lines.iter().any(|line| line.starts_with("usage_usec ")), || format!("no processor time: {numbers}"))
}

fn out_of_memory(vm: &mut Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    bus.subscribe("init.service.hungry.>")?;
    // Each line is kept in memory; nothing is written.
    let run = "echo hungry; exec awk 'BEGIN { while (1) all[n++] = sprintf(\"%1000d\", n) }'";
    plant(vm, "hungry", run, &[("cgroup/memory.max", "16M"), ("cgroup/pids.max", "20")])?;
    let deadline = soon();
    loop {
        let event = bus.next(deadline)?;
        if event.subject == "init.service.hungry.oom" {
            let reason = event.json().get("reason").map(ToString::to_string).unwrap_or_default();
            ensure(reason.contains("1 of its processes killed") && reason.contains("16777216"), || reason.clone())?;
            break;
        }
    }
    remove(vm, "hungry")
}

fn fork_bomb(vm: &mut Vm) -> Result<()> {
    let spore = "echo bomb; trap '' TERM; b() { b | b & }; b; while :; do sleep 1; done";
    plant(vm, "bomb", spore, &[("cgroup/pids.max", "40"), ("timeout-kill", "500")])?;
    until(vm, &format!("grep -q 'max [1-9]' {GROUPS}/bomb/pids.events"))?;
    let count = vm.sh(&format!("cat {GROUPS}/bomb/pids.current"), soon())?;
    ensure(count.trim().parse::<u32>().is_ok_and(|count| count <= 40), || format!("{count} processes"))?;
    vm.sh("lunix service stop bomb", soon())?;
    until(vm, &format!("test ! -e {GROUPS}/bomb"))?;
    remove(vm, "bomb")
}

fn pressure(vm: &mut Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    bus.subscribe("init.service.thrash.pressure")?;
    // More pages of files than it may keep: read again and again.
    let run = "dd if=/dev/zero of=/tmp/thrash bs=1M count=24 2>/dev/null; while :; do cat /tmp/thrash >/dev/null; done";
    plant(vm, "thrash", run, &[("cgroup/memory.high", "4M"), ("pressure", "memory some 10 500")])?;
    bus.next(soon())?;
    remove(vm, "thrash")?;
    vm.sh("rm -f /tmp/thrash", soon()).map(drop)
}
