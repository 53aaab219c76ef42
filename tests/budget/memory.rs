//! Memory and threads of every program, at rest after its start.

use crate::Flavour;
use crate::machine::{Machine, SERVICES};
use crate::status::{Status, pss_kib, until_quiet};
use crate::table::{Table, all};
use lunix_tests::ensure;
use testkit::suite::Suite;
use testkit::{Deadline, Result};

pub(crate) fn run(suite: &mut Suite, table: &Table, flavour: &Flavour) {
    suite.check(&format!("memory::{}_programs_at_rest_are_within_their_memory", flavour.name), || {
        let machine = Machine::start(flavour)?;
        for (_, pid) in machine.pids() {
            until_quiet(pid, Deadline::seconds(30))?;
        }
        let pss: Result<Vec<u64>> = machine.pids().map(|(_, pid)| pss_kib(pid)).collect();
        eprintln!("    all, lunix-init with {SERVICES} services: {} KiB of PSS", pss?.iter().sum::<u64>());
        all(machine.pids().map(|(program, pid)| one(table, flavour, program, pid)))
    });
}

fn one(table: &Table, flavour: &Flavour, program: &str, pid: u32) -> Result<()> {
    let status = Status::of(pid)?;
    let threads = status.get("Threads")?;
    all([
        table.holds(program, &format!("{} RSS KiB", flavour.name), status.get("VmRSS")?),
        table.holds(program, &format!("{} anonymous KiB", flavour.name), status.get("RssAnon")?),
        ensure(threads == 1, || format!("{program} has {threads} threads")),
    ])
}
