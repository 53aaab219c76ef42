//! From power on to a login prompt with the services up.

use crate::{SERVICES, soon};
use lunix_tests::ensure;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Deadline, Error, Result};

/// Returns whether the machine is fit for the other checks.
pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) -> bool {
    suite.check("boot::the_console_ends_at_a_login_prompt", || vm.prompt(Deadline::seconds(120), "lunix login:"))
        && suite.check("boot::the_bus_answers_the_host_with_user_and_password", || vm.bus(soon()).map(drop))
        && suite.check("boot::the_test_shell_answers", || vm.sh("true", soon()).map(drop))
        && suite.check("boot::every_service_is_ready", || every_service_is_ready(vm))
        && suite.check("boot::root_logs_in_on_the_console", || log_in(vm))
        && suite.check("boot::the_bus_wants_the_password", || without_password(vm))
}

fn every_service_is_ready(vm: &mut Vm) -> Result<()> {
    let wait = "for i in $(seq 200); do
        lunix service list >/tmp/services && ! grep -qvE '^(NAME|[^ ]+ +(ready|done))' /tmp/services && break; usleep 200000
    done; cat /tmp/services";
    let list = vm.sh(wait, soon())?;
    for (service, _) in SERVICES {
        let line = list.lines().find(|line| line.split_whitespace().next() == Some(service));
        ensure(line.is_some_and(|line| line.contains("ready")), || format!("{service} is not ready:\n{list}"))?;
    }
    Ok(())
}

fn log_in(vm: &mut Vm) -> Result<()> {
    vm.type_line("root")?;
    vm.prompt(soon(), "root@lunix")?;
    vm.type_line("echo I am $(id -u); exit")?;
    vm.line(soon(), "I am 0").map(drop)?;
    vm.prompt(soon(), "lunix login:")
}

fn without_password(vm: &Vm) -> Result<()> {
    let (scheme, rest) = vm.url().split_once("://").unwrap_or_default();
    let address = rest.rsplit('@').next().unwrap_or_default();
    match testkit::bus::Bus::connect(&format!("{scheme}://{address}"), soon()) {
        Ok(_) => Err(Error::unexpected("the bus let in a client without a password")),
        Err(error) => ensure(error.to_string().contains("Authorization"), || error.to_string()),
    }
}
