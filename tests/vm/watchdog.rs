//! A machine whose PID 1 stands still is ended by its hardware. Another boot, with QEMU's watchdog.

use crate::soon;
use lunix_tests::ensure;
use testkit::qmp::Qmp;
use testkit::suite::Suite;
use testkit::vm::{Prepared, Special, Vm};
use testkit::{Deadline, Result, TempDir};

/// Seconds without a sign.
const LIMIT_S: u64 = 10;
const NAME: &str = "watchdog::a_pid_1_that_stands_still_is_noticed_and_one_that_runs_is_not";

pub(crate) fn run(suite: &mut Suite, prepared: &Prepared) {
    if suite.wants(NAME) {
        suite.check(NAME, || noticed(prepared));
    }
}

fn noticed(prepared: &Prepared) -> Result<()> {
    let folder = TempDir::new("watchdog")?;
    let special = Special {
        append: format!("lunix.watchdog={LIMIT_S} modules_load=i6300esb"),
        arguments: ["-device", "i6300esb", "-action", "watchdog=pause"].map(str::to_owned).to_vec(),
        ..Special::default()
    };
    let mut vm = Vm::boot_with(prepared, folder.path(), 256, special)?;
    vm.line(Deadline::seconds(120), "/dev/watchdog0 is fed")?;
    let mut qmp = Qmp::connect(folder.path())?;
    // Longer than the limit: who answers after that was fed.
    let wait = format!(
        "mkfifo /tmp/never; read -r -t {} nothing <>/tmp/never; cat /sys/class/watchdog/watchdog0/state",
        2 * LIMIT_S + 1
    );
    let state = vm.sh(&wait, Deadline::seconds(2 * LIMIT_S + 120))?;
    ensure(state.contains("active"), || format!("the watchdog is {state:?}"))?;
    // PID 1 hears no SIGSTOP; frozen with its cgroup it stands still all the same.
    let freeze = "mkdir /sys/fs/cgroup/cold && echo 1 >/sys/fs/cgroup/cold/cgroup.procs && echo 1 >/sys/fs/cgroup/cold/cgroup.freeze";
    vm.sh(freeze, soon())?;
    qmp.announced("WATCHDOG", Deadline::seconds(LIMIT_S + 60)).map(drop)
}
