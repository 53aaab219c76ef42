//! From power on to a login prompt with the services up.

use crate::{SERVICES, soon};
use lunix_tests::ensure;
use serde_json::Value;
use std::collections::BTreeMap;
use testkit::bus::Bus;
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
        && suite.check("boot::without_the_password_the_host_is_nobody", || without_password(vm))
        && suite.check("boot::each_user_of_the_machine_gets_what_the_policy_says", || users(vm))
}

/// The services and the last thing that happened to each, as natsinit tells.
pub(crate) fn services(bus: &mut Bus) -> Result<BTreeMap<String, String>> {
    let list = bus.request("init.list", b"", soon())?.json();
    let items =
        list.get("items").and_then(Value::as_array).ok_or_else(|| Error::unexpected(format!("no items: {list}")))?;
    let subjects = items.iter().filter_map(|item| item.get("subject")?.as_str()?.strip_prefix("init.service."));
    Ok(subjects
        .filter_map(|rest| rest.rsplit_once('.'))
        .map(|(name, what)| (name.to_owned(), what.to_owned()))
        .collect())
}

/// Waits until the service is ready: it is by the list, or an event says so.
pub(crate) fn until_ready(bus: &mut Bus, service: &str) -> Result<()> {
    bus.subscribe(&format!("init.service.{service}.ready"))?;
    if services(bus)?.get(service).is_some_and(|what| what == "ready") {
        return Ok(());
    }
    let subject = format!("init.service.{service}.ready");
    bus.next_where(soon(), &subject, |message| message.subject == subject).map(drop)
}

/// Waits until somebody on the bus tells of services: the sockets take connections before anybody else is there.
fn until_told(bus: &mut Bus) -> Result<()> {
    let deadline = soon();
    while let Err(error) = services(bus) {
        deadline.left().ok_or_else(|| Error::Timeout("services on the bus".to_owned(), error.to_string()))?;
    }
    Ok(())
}

fn every_service_is_ready(vm: &Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    until_told(&mut bus)?;
    for (service, _) in SERVICES {
        until_ready(&mut bus, service)?;
    }
    let all = services(&mut bus)?;
    let unready: Vec<_> = all.iter().filter(|(_, what)| *what != "ready").collect();
    ensure(unready.is_empty(), || format!("not ready: {unready:?}"))
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
    let mut nobody = Bus::connect(&format!("{scheme}://{address}"), soon())?;
    let answer = nobody.request("init.list", b"", soon())?;
    ensure(answer.header.contains("503"), || {
        format!("the bus answers a client without a password: {}", answer.text())
    })?;
    let wrong = Bus::connect(&format!("{scheme}://lunix:wrong@{address}"), soon());
    let error = wrong.err().ok_or_else(|| Error::unexpected("the bus let in a client with a wrong password"))?;
    ensure(error.to_string().contains("Authorization"), || error.to_string())
}

/// Root, the person in front of the machine, a daemon's user, a user of the system: over the unix socket and over TCP.
fn users(vm: &mut Vm) -> Result<()> {
    let mut toasts = vm.bus(soon())?;
    toasts.subscribe("toast.*.shown")?;
    let url = "NATS_URL=nats://127.0.0.1:4222";
    for (user, command, answers) in [
        ("root", "lunix req init.list".to_owned(), true),
        ("user", "lunix req init.list".to_owned(), true),
        ("user", format!("{url} lunix req init.list"), true),
        ("root", format!("{url} lunix req init.list"), false),
        ("natstoast", "lunix req init.list".to_owned(), false),
        ("nobody", "lunix req init.list".to_owned(), false),
    ] {
        let whole = format!("su -s /bin/sh -c '{command}' {user}");
        let (code, output) = vm.sh_status(&whole, soon())?;
        ensure((code == 0) == answers, || format!("{user}: `{command}` ended with {code}: {output}"))?;
    }
    vm.sh("su -s /bin/sh -c 'lunix pub toast.in from-the-user' user", soon())?;
    toasts.next_where(soon(), "the user's toast", |message| message.text().contains("from-the-user")).map(drop)
}
