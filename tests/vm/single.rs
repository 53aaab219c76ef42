//! A boot that stops for a person, and ctrl-alt-del. Another boot, with words on the kernel's command line.

use crate::{SERVICES, soon};
use lunix_tests::ensure;
use testkit::suite::Suite;
use testkit::vm::{Prepared, Special, Vm};
use testkit::{Deadline, Result, TempDir};

const NAME: &str = "single::a_shell_comes_after_the_boot_set_and_ctrl_alt_del_reboots_in_order";

pub(crate) fn run(suite: &mut Suite, prepared: &Prepared) {
    if suite.wants(NAME) {
        suite.check(NAME, || single(prepared));
    }
}

fn single(prepared: &Prepared) -> Result<()> {
    let folder = TempDir::new("single")?;
    let special = Special { append: "single lunix.rescue=shell".to_owned(), ..Special::default() };
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
    // What the kernel sends PID 1 for the three keys.
    vm.sh("(read -r -t 1 nothing <>/dev/ttyS1; kill -INT 1) >/dev/null 2>&1 & true", soon())?;
    vm.line(soon(), "lunix-init: info: goodbye")?;
    let status = vm.off(soon())?;
    ensure(status.success(), || format!("qemu ended with {status}"))
}
