//! Bad input is answered with a sentence, and nothing else is disturbed.

use crate::boot::services;
use crate::soon;
use lunix_tests::ensure;
use std::io::{Read, Write};
use std::net::TcpStream;
use testkit::bus::Bus;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Error, Result};

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    suite.check("trouble::garbage_on_the_bus_port_disturbs_nobody", || garbage(vm));
    suite.check("trouble::a_broken_service_directory_is_named_and_the_others_run_on", || broken_service(vm));
    suite.check("trouble::the_time_of_day_jumps_and_nobody_is_restarted", || clock_jumps(vm));
    suite.check("trouble::lost_uevents_are_told_and_made_up_for", || netlink_overflow(vm));
}

/// The process ids of all services: the same before and after means that nobody was restarted.
fn running(bus: &mut Bus) -> Result<Vec<String>> {
    let list = bus.request("init.list", b"", soon())?.json();
    let items = list.get("items").and_then(|items| items.as_array()).cloned().unwrap_or_default();
    Ok(items.iter().filter_map(|item| Some(format!("{} {}", item.get("name")?, item.get("pid")?))).collect())
}

fn garbage(vm: &Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    let before = running(&mut bus)?;
    let address = vm.url().rsplit('@').next().unwrap_or_default();
    let mut stream = TcpStream::connect(address).map_err(Error::io("connect"))?;
    stream.set_read_timeout(soon().left()).map_err(Error::io("set a timeout"))?;
    // The bus may hang up in the middle of it.
    let _ = stream.write_all(&b"\x00\xff GET / HTTP/1.1\r\n\r\n".repeat(1000));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    ensure(answer.contains("-ERR '"), || format!("the bus said {answer:?}"))?;
    let after = running(&mut bus)?;
    ensure(before == after, || format!("before {before:?}, after {after:?}"))
}

/// Waits until the bus lists the service with this last event, or without any when `what` is `None`.
fn until_listed(bus: &mut Bus, service: &str, what: Option<&str>) -> Result<()> {
    bus.subscribe(&format!("init.service.{service}.>"))?;
    let deadline = soon();
    loop {
        let now = services(bus)?;
        if now.get(service).map(String::as_str) == what {
            return Ok(());
        }
        let seen = || format!("{service} is {:?}, not {what:?}", now.get(service));
        bus.next(deadline).map_err(|error| Error::Timeout(error.to_string(), seen()))?;
    }
}

fn broken_service(vm: &mut Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    let before = running(&mut bus)?;
    vm.sh(
        "mkdir /tmp/broken && echo never >/tmp/broken/notification-fd && mv /tmp/broken /etc/lunix/services/",
        soon(),
    )?;
    until_listed(&mut bus, "broken", Some("broken"))?;
    let after: Vec<String> = running(&mut bus)?.into_iter().filter(|line| !line.contains("\"broken\"")).collect();
    ensure(before == after, || format!("before {before:?}, after {after:?}"))?;
    ensure(vm.console().contains("broken: "), || format!("no sentence on the console:\n{}", vm.console()))?;
    vm.sh("rm -r /etc/lunix/services/broken", soon())?;
    until_listed(&mut bus, "broken", None)
}

/// Ten years ahead, twenty back, and to where it was: nothing restarts, and what is killed comes back as quickly as ever.
fn clock_jumps(vm: &mut Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    let said = vm.sh("date +%s", soon())?;
    let now: i64 = said.trim().parse().map_err(|_| Error::unexpected(format!("date said {said:?}")))?;
    for years in [10, -10, 0] {
        let before = running(&mut bus)?;
        vm.sh(&format!("date -s @{}", now + years * 31_557_600), soon())?;
        let after = running(&mut bus)?;
        ensure(before == after, || format!("{years} years on: before {before:?}, after {after:?}"))?;
        crate::restart::comes_back(vm, "natsps")?;
        let others = |all: &[String]| all.iter().filter(|line| !line.contains("natsps")).cloned().collect::<Vec<_>>();
        let after = running(&mut bus)?;
        ensure(others(&before) == others(&after), || format!("{years} years on: before {before:?}, after {after:?}"))?;
    }
    Ok(())
}

/// Stops natsdev, lets the kernel say more than its socket holds, and lets it go on.
fn netlink_overflow(vm: &mut Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    let pid = crate::restart::pid_of(vm, "natsdev")?;
    bus.subscribe("hardware.overrun")?;
    // One write makes an event of about 200 bytes; a receive buffer of 2 MiB accounts some 768 bytes for each.
    vm.sh(&format!("kill -STOP {pid}"), soon())?;
    let flood = vm.sh("for i in $(seq 12000); do echo change >/sys/class/mem/null/uevent; done", soon());
    vm.sh(&format!("kill -CONT {pid}"), soon())?;
    flood?;
    bus.next(soon())?;
    ensure(crate::restart::pid_of(vm, "natsdev")? == pid, || "natsdev was restarted".to_owned())?;
    let list = bus.request("hardware.list", b"", soon())?.json();
    ensure(list.get("items").is_some(), || format!("no list after it: {list}"))
}
