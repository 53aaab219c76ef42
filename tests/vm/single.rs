//! A boot that stops for a person, and an end that is held up. Another boot, with words on the kernel's command line.

use crate::{SERVICES, soon};
use lunix_tests::ensure;
use testkit::disk::FileSystem;
use testkit::suite::Suite;
use testkit::vm::{Prepared, Special, Vm};
use testkit::{Deadline, Result, TempDir};

const NAME: &str = "single::a_shell_comes_after_the_boot_set_and_what_hangs_does_not_hold_up_ctrl_alt_del";

pub(crate) fn run(suite: &mut Suite, prepared: &Prepared) {
    if suite.wants(NAME) {
        suite.check(NAME, || single(prepared));
    }
}

fn single(prepared: &Prepared) -> Result<()> {
    let folder = TempDir::new("single")?;
    let special =
        Special { append: "single lunix.rescue=shell lunix.stop-limit-ms=3000".to_owned(), ..Special::default() };
    let mut vm = Vm::boot_with(prepared, folder.path(), 256, special)?;
    vm.line(Deadline::seconds(120), "the rest is started when this shell ends")?;
    let programs: Vec<&str> = SERVICES.iter().map(|(_, program)| *program).collect();
    vm.type_line(&format!("for p in {}; do pidof $p; done; hostname; echo so far $((6 * 7))", programs.join(" ")))?;
    vm.line(soon(), "so far 42")?;
    let console = vm.console();
    let after = console.rsplit("this shell ends").next().unwrap_or_default();
    ensure(after.lines().any(|line| line.trim() == "lunix"), || format!("the boot set is not done:\n{after}"))?;
    let is_number = |line: &str| !line.trim().is_empty() && line.trim().bytes().all(|byte| byte.is_ascii_digit());
    ensure(!after.lines().any(is_number), || format!("services run already:\n{after}"))?;
    vm.type_line("exit")?;
    vm.prompt(soon(), "lunix login:")?;
    vm.bus(soon())?;
    frozen_writer(&mut vm)?;
    // What the kernel sends PID 1 for the three keys.
    vm.sh("(read -r -t 1 nothing <>/tmp/never; kill -INT 1) >/dev/null 2>&1 & true", soon())?;
    vm.line(soon(), "cannot be killed: abandoned")?;
    vm.line(soon(), "lunix-init: info: goodbye")?;
    let status = vm.off(soon())?;
    ensure(status.success(), || format!("qemu ended with {status}"))
}

/// A process that waits in the kernel for a file system that never answers: nothing ends it.
fn frozen_writer(vm: &mut Vm) -> Result<()> {
    vm.plug_stick("frozen", FileSystem::Ext4, "FROZEN")?;
    let mount = "mkfifo /tmp/never; for i in $(seq 100); do for n in /dev/sd?1; do mount -t ext4 $n /myplace 2>/dev/null && exit 0; done
        usleep 100000; done; exit 1";
    vm.sh(mount, soon())?;
    vm.sh("fsfreeze --freeze /myplace && (echo never >/myplace/file) >/dev/null 2>&1 & true", soon())?;
    let waits =
        "for i in $(seq 100); do grep -l '^State:.D' /proc/[0-9]*/status && exit 0; usleep 100000; done; exit 1";
    vm.sh(waits, soon()).map(drop)
}
