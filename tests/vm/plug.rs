//! From a stick to a toast.

use crate::soon;
use lunix_tests::ensure;
use lunix_tests::language::Language;
use lunix_tests::readme;
use serde_json::Value;
use testkit::bus::{Bus, Message};
use testkit::disk::FileSystem;
use testkit::qemu::Plug;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Result, TempDir};

/// The README's line of shell: mount what is plugged in.
const MOUNT: &str =
    "lunix sub hardware.usb.add --get filesystem | while read -r node; do mount \"$node\" /myplace; done";

/// And unmount what is taken out.
const UNMOUNT: &str = "lunix sub hardware.usb.remove --get filesystem | while read -r _; do umount /myplace; done";

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    let toasters = [
        (Language::JavaScript, "stick1", FileSystem::Vfat),
        (Language::Python, "stick2", FileSystem::Ext4),
        (Language::C, "stick3", FileSystem::Exfat),
    ];
    for (language, stick, file_system) in toasters {
        let name = format!("plug::a_stick_makes_one_event_with_its_partition_and_one_toast_by_{}", language.name());
        match language.missing() {
            Some(reason) => suite.skip(&name, &reason),
            None => drop(suite.check(&name, || one_event_one_toast(vm, language, stick, file_system))),
        }
    }
    let has_cli = vm.sh("command -v lunix", soon()).is_ok();
    if has_cli {
        suite.check("plug::a_stick_is_mounted_and_unmounted_by_one_line_of_shell", || automount(vm));
    } else {
        suite.skip("plug::a_stick_is_mounted_and_unmounted_by_one_line_of_shell", "the image has no lunix command");
    }
    suite.check("plug::a_keyboard_makes_one_input_event_and_mounts_nothing", || keyboard(vm));
    suite.check("plug::a_reader_without_a_card_is_announced_without_a_file_system", || empty_reader(vm));
    if has_cli {
        suite.check("plug::the_automounter_ends", || vm.sh("kill -9 -$(cat /tmp/mount.pid)", soon()).map(drop));
    }
}

/// Runs a line in the background of the guest, and returns when its subscription to `subject` is there.
fn start(vm: &mut Vm, name: &str, line: &str, subject: &str) -> Result<()> {
    let quoted = line.replace('\'', "'\\''");
    vm.sh(&format!("setsid sh -c '{quoted}' >/tmp/{name}.log 2>&1 & echo $! >/tmp/{name}.pid"), soon())?;
    vm.bus(soon())?.publish_when_heard(subject, KEYBOARD, soon())
}

/// What the examples pass over: a device without a file system.
const KEYBOARD: &[u8] = br#"{"epoch":"played","seq":0}"#;

fn listen(vm: &Vm, subjects: &[&str]) -> Result<Bus> {
    let mut bus = vm.bus(soon())?;
    subjects.iter().try_for_each(|subject| bus.subscribe(subject))?;
    Ok(bus)
}

/// Waits for the message on `subject`.
fn await_subject(bus: &mut Bus, subject: &str) -> Result<Message> {
    bus.next_where(soon(), subject, |message| message.subject == subject)
}

fn one_event_one_toast(vm: &Vm, language: Language, name: &str, file_system: FileSystem) -> Result<()> {
    let folder = TempDir::new("toast")?;
    let _example = language.start("toast", &folder, &[("NATS_URL", vm.url())])?;
    vm.bus(soon())?.publish_when_heard("hardware.usb.add", KEYBOARD, soon())?;
    let mut bus = listen(vm, &["hardware.usb.*", "toast.in"])?;
    vm.plug_stick(name, file_system, "LUNIX")?;
    let add = await_subject(&mut bus, "hardware.usb.add")?.json();
    let node = add.get("filesystem").and_then(Value::as_str).unwrap_or_default();
    ensure(node.starts_with("/dev/sd") && node.ends_with('1'), || format!("no partition in {add}"))?;
    if file_system == FileSystem::Vfat {
        let (shown, real) = (readme::shape(&readme::event("hardware.usb.add")?), readme::shape(&add));
        ensure(shown == real, || format!("the README shows other fields: {:?}", shown.symmetric_difference(&real)))?;
    }
    let first = add.pointer("/filesystems/0");
    let label = first.and_then(|first| first.get("label"));
    ensure(label.is_some_and(|label| label == "LUNIX"), || format!("no label in {add}"))?;
    let toast = await_subject(&mut bus, "toast.in")?.text();
    ensure(toast == "a USB stick was plugged in!", || toast.clone())?;
    // The removal comes after everything that the plug caused, so what came until then is all there is.
    vm.unplug(name, soon())?;
    let remove = await_subject(&mut bus, "hardware.usb.remove")?.json();
    ensure(remove.get("filesystem") == add.get("filesystem"), || format!("removed: {remove}"))?;
    let rest = bus.drain()?;
    ensure(rest.is_empty(), || format!("more than one event and one toast: {rest:?}"))
}

/// Waits until the shell's condition holds.
fn until(vm: &mut Vm, condition: &str) -> Result<()> {
    let wait = format!("for i in $(seq 100); do {condition} && exit 0; usleep 100000; done; exit 1");
    vm.sh(&wait, soon()).map(drop)
}

fn automount(vm: &mut Vm) -> Result<()> {
    start(vm, "mount", MOUNT, "hardware.usb.add")?;
    start(vm, "unmount", UNMOUNT, "hardware.usb.remove")?;
    for name in ["stick4", "stick4-again"] {
        vm.plug_stick(name, FileSystem::Vfat, "LUNIX")?;
        until(vm, "grep -q ' /myplace vfat ' /proc/mounts")?;
        vm.sh("echo hello >/myplace/hello && sync && cat /myplace/hello", soon())?;
        vm.unplug(name, soon())?;
        until(vm, "! grep -q ' /myplace ' /proc/mounts")?;
    }
    vm.sh("kill -9 -$(cat /tmp/unmount.pid)", soon()).map(drop)
}

/// `MOUNT` still runs when this starts.
fn keyboard(vm: &mut Vm) -> Result<()> {
    let mut bus = listen(vm, &["hardware.usb.*", "hardware.input.*"])?;
    vm.plug("keyboard", &Plug::Keyboard)?;
    let input = await_subject(&mut bus, "hardware.input.add")?.json();
    let name = input.get("name").and_then(Value::as_str).unwrap_or_default();
    ensure(name.contains("Keyboard"), || format!("no keyboard in {input}"))?;
    let usb = await_subject(&mut bus, "hardware.usb.add")?.json();
    ensure(usb.get("filesystem").is_none(), || format!("a keyboard with a file system: {usb}"))?;
    vm.unplug("keyboard", soon())?;
    await_subject(&mut bus, "hardware.usb.remove")?;
    let rest = bus.drain()?;
    ensure(rest.iter().all(|message| message.subject.ends_with(".remove")), || format!("too many: {rest:?}"))?;
    let mounts = vm.sh("cat /proc/mounts", soon())?;
    ensure(!mounts.contains("/myplace"), || mounts)
}

fn empty_reader(vm: &Vm) -> Result<()> {
    let mut bus = listen(vm, &["hardware.usb.*"])?;
    vm.plug("reader", &Plug::UsbStick(None))?;
    let add = await_subject(&mut bus, "hardware.usb.add")?.json();
    ensure(add.get("filesystem").is_none(), || format!("an empty reader with a file system: {add}"))?;
    vm.unplug("reader", soon())?;
    await_subject(&mut bus, "hardware.usb.remove").map(drop)
}
