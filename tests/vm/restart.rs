//! Whatever is killed comes back, and what happened meanwhile is not lost.

use crate::boot::until_ready;
use crate::{SERVICES, soon};
use lunix_tests::ensure;
use lunix_tests::language::Language;
use serde_json::Value;
use testkit::disk::FileSystem;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Error, Result, TempDir};

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    for (service, program) in SERVICES {
        suite.check(&format!("restart::{program}_comes_back_after_kill_9"), || comes_back(vm, service));
    }
    suite.check("restart::a_stick_plugged_while_natsdev_is_dead_is_listed_once", || plug_during_outage(vm));
    for language in [Language::JavaScript, Language::Python] {
        let name = format!("restart::{}_learns_of_a_stick_plugged_while_the_bus_was_away", language.name());
        match language.missing() {
            Some(reason) => suite.skip(&name, &reason),
            None => drop(suite.check(&name, || plug_without_bus(vm, language))),
        }
    }
    suite.check("restart::natsdev_does_not_announce_again_what_was_there", || no_repetition(vm));
}

/// The process id of a service, as natsinit tells.
pub(crate) fn pid_of(vm: &Vm, service: &str) -> Result<u64> {
    let list = vm.bus(soon())?.request("init.list", b"", soon())?.json();
    let items = list.get("items").and_then(Value::as_array).into_iter().flatten();
    let mut named = items.filter(|item| item.get("name").is_some_and(|name| name == service));
    let pid = named.next().and_then(|item| item.get("pid")?.as_u64());
    pid.ok_or_else(|| Error::unexpected(format!("no pid of {service} in {list}")))
}

/// Waits until the service is ready under another process id.
fn until_new_pid(vm: &Vm, service: &str, old: u64) -> Result<()> {
    let deadline = soon();
    // The one who tells may be the one who was killed, or the bus, so this asks again until both are back.
    while pid_of(vm, service).ok().is_none_or(|pid| pid == old) {
        deadline.left().ok_or_else(|| Error::Timeout(format!("{service} under a new pid"), vm.console()))?;
    }
    until_ready(&mut vm.bus(soon())?, service)
}

/// Kills the service and waits until it is ready again, with its client on the bus.
pub(crate) fn comes_back(vm: &mut Vm, service: &str) -> Result<()> {
    let old = pid_of(vm, service)?;
    vm.sh(&format!("kill -9 {old}"), soon())?;
    until_new_pid(vm, service, old)
}

/// Sticks in `hardware.list` by the serial number that names them.
fn listed(vm: &Vm, serial: &str) -> Result<usize> {
    let list = vm.bus(soon())?.request("hardware.list", b"", soon())?.json();
    let items =
        list.get("items").and_then(Value::as_array).ok_or_else(|| Error::unexpected(format!("no items: {list}")))?;
    let is_stick = |item: &&Value| {
        item.get("subject").is_some_and(|subject| subject == "hardware.usb.add")
            && item.get("serial").is_some_and(|found| found == serial)
    };
    Ok(items.iter().filter(is_stick).count())
}

fn plug_during_outage(vm: &mut Vm) -> Result<()> {
    let old = pid_of(vm, "natsdev")?;
    // Stopped, not killed: the plug then surely falls into the outage.
    vm.sh(&format!("kill -STOP {old}"), soon())?;
    vm.plug_stick("stick5", FileSystem::Vfat, "LUNIX")?;
    let disk = "for i in $(seq 100); do grep -q 'sd[a-z]1' /proc/partitions && exit 0; usleep 100000; done; exit 1";
    let seen = vm.sh(disk, soon());
    vm.sh(&format!("kill -9 {old}"), soon())?;
    seen?;
    until_new_pid(vm, "natsdev", old)?;
    let count = listed(vm, "LUNIX-STICK5")?;
    ensure(count == 1, || format!("listed {count} times"))
}

/// The stock client away: the bus stands still, a stick comes, the bus is killed; the recipe of the example finds it once.
fn plug_without_bus(vm: &mut Vm, language: Language) -> Result<()> {
    let folder = TempDir::new("away")?;
    let mut example = language.start("sticks", &folder, &[("NATS_URL", vm.url())])?;
    example.line(soon(), "+ /dev/sd")?;
    let old = pid_of(vm, "bus")?;
    vm.sh(&format!("kill -STOP {old}"), soon())?;
    let name = format!("away-{}", language.name());
    let plugged = vm.plug_stick(&name, FileSystem::Vfat, "AWAY");
    let two =
        "for i in $(seq 100); do [ $(grep -c 'sd[a-z]1' /proc/partitions) = 2 ] && exit 0; usleep 100000; done; exit 1";
    let seen = vm.sh(two, soon());
    vm.sh(&format!("kill -9 {old}"), soon())?;
    plugged?;
    seen?;
    until_new_pid(vm, "bus", old)?;
    example.line(soon(), "+ /dev/sd")?;
    vm.unplug(&name, soon())?;
    example.line(soon(), "- /dev/sd")?;
    let printed = example.printed();
    ensure(printed.matches("+ /dev/sd").count() == 2, || format!("told more than once:\n{printed}"))?;
    let serial = format!("LUNIX-{}", name.to_ascii_uppercase());
    ensure(listed(vm, &serial)? == 0, || "still listed".to_owned())
}

/// The stick of `plug_during_outage` is still plugged in.
fn no_repetition(vm: &mut Vm) -> Result<()> {
    let mut bus = vm.bus(soon())?;
    bus.subscribe("hardware.usb.*")?;
    bus.subscribe("hardware.storage.*")?;
    let old = pid_of(vm, "natsdev")?;
    vm.sh(&format!("kill -9 {old}"), soon())?;
    until_new_pid(vm, "natsdev", old)?;
    let count = listed(vm, "LUNIX-STICK5")?;
    ensure(count == 1, || format!("listed {count} times"))?;
    let repeated = bus.drain()?;
    ensure(repeated.is_empty(), || format!("announced again: {repeated:?}"))?;
    vm.unplug("stick5", soon())?;
    bus.next_where(soon(), "hardware.usb.remove", |message| message.subject == "hardware.usb.remove").map(drop)
}
