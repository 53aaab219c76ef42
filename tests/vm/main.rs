//! A real kernel: boot, plug, kill, power off. One boot serves all checks, in this order.
#![forbid(unsafe_code)]

mod boot;
mod idle;
mod limits;
mod plug;
mod power;
mod restart;
mod single;
mod survival;
mod trouble;
mod watchdog;

use std::process::ExitCode;
use testkit::suite::Suite;
use testkit::vm::{Prepared, Vm};
use testkit::{Deadline, TempDir};

/// The programs that a machine of ours runs all the time, by the name of their service.
const SERVICES: &[(&str, &str)] = &[
    ("bus", "lunix-bus"),
    ("natsinit", "natsinit"),
    ("natsdev", "natsdev"),
    ("natsnet", "natsnet"),
    ("natsps", "natsps"),
    ("natstoast", "natstoast"),
];

/// For what takes a moment in the guest, under emulation and on a busy machine.
fn soon() -> Deadline {
    Deadline::seconds(60)
}

fn main() -> ExitCode {
    let mut suite = Suite::from_arguments();
    let started = TempDir::new("vm").and_then(|folder| {
        let prepared = Prepared::from_environment()?;
        let vm = Vm::boot(&prepared, folder.path(), 256)?;
        Ok((folder, prepared, vm))
    });
    let (_folder, prepared, mut vm) = match started {
        Ok(started) => started,
        Err(error) => {
            suite.check("start", || Err(error));
            return suite.finish();
        }
    };
    if boot::run(&mut suite, &mut vm) {
        plug::run(&mut suite, &mut vm);
        idle::run(&mut suite, &mut vm);
        restart::run(&mut suite, &mut vm);
        limits::run(&mut suite, &mut vm);
        survival::run(&mut suite, &mut vm);
        trouble::run(&mut suite, &mut vm);
        power::run(&mut suite, &mut vm);
        single::run(&mut suite, &prepared);
        watchdog::run(&mut suite, &prepared);
    } else {
        eprintln!("the console:\n{}", vm.console());
    }
    suite.finish()
}
