//! How long the machine takes, in guest time that does not depend on the host: one nanosecond per instruction.

use crate::build::Flavour;
use crate::failure::{Failure, Result};
use crate::project;
use crate::vm::prepare::{Wanted, prepare};
use testkit::Deadline;
use testkit::vm::Vm;

/// Memory of the measured machine in MiB.
const MEMORY_MB: u32 = 256;

/// Services that are ready at the end of the boot have announced it; asked for until all have.
const ALL_READY: &str = "n=0; until lunix req init.list 2>/dev/null | tr '{' '\\n' | awk '/subject/ {n++} /ready\"/ {r++} END {exit !(n > 4 && n == r)}' || [ $n -gt 500 ]; do n=$((n+1)); done; cat /proc/uptime";

/// Boots once with `-icount` and prints the guest's clock when every service was ready, and the memory it left.
pub fn measure(flavour: Flavour) -> Result<()> {
    let folder = project::vm().join("bench");
    project::make_folder(&folder)?;
    let wanted = Wanted { flavour, kernel: None, busybox: None, has_test_shell: true };
    let prepared = prepare(&wanted, &folder)?;
    let failed = |error: testkit::Error| Failure::new(error.to_string());
    let mut machine = Vm::boot_measured(&prepared, &folder.join("run"), MEMORY_MB).map_err(failed)?;
    let minutes = Deadline::seconds(600);
    machine.prompt(minutes, "lunix login:").map_err(failed)?;
    let uptime = machine.sh(ALL_READY, minutes).map_err(failed)?;
    let memory = machine.sh("grep -E 'MemTotal|MemAvailable' /proc/meminfo", minutes).map_err(failed)?;
    let processes = machine.sh(PROCESSES, minutes).map_err(failed)?;
    println!(
        "\nboot to every service ready, guest time at 1 ns per instruction: {} s",
        uptime.split(' ').next().unwrap_or("?")
    );
    println!(
        "{}\n\n| process | resident KiB | anonymous KiB | PSS KiB |\n|---|---:|---:|---:|\n{processes}",
        memory.trim()
    );
    Ok(())
}

/// One row per program of ours.
const PROCESSES: &str = "for p in $(ls /proc | grep '^[0-9]'); do case $(readlink /proc/$p/exe) in /bin/lunix*|/bin/nats*) \
    echo \"| $(tr '\\0' ' ' < /proc/$p/cmdline) | $(awk '/VmRSS/ {print $2}' /proc/$p/status) | $(awk '/RssAnon/ {print $2}' /proc/$p/status) \
    | $(awk '/^Pss:/ {print $2}' /proc/$p/smaps_rollup) |\";; esac; done";
