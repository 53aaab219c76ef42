//! The end is in order: what is mounted is unmounted, the machine goes off by itself.

use crate::soon;
use lunix_tests::ensure;
use std::path::Path;
use testkit::disk::FileSystem;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Error, Result};

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    suite.check("power::lines_to_the_kernels_log_keep_to_its_limit", || kernel_log(vm));
    suite.check("power::poweroff_unmounts_and_switches_off", || poweroff(vm));
}

/// More lines at once than the kernel takes from one writer: what is not in its log is counted there, and nothing is missing on the console.
fn kernel_log(vm: &mut Vm) -> Result<()> {
    const CROWD: usize = 30;
    let make = |names: &str| {
        format!(
            "for i in {names}; do mkdir /tmp/$i; echo never >/tmp/$i/notification-fd; mv /tmp/$i /etc/lunix/services/; done"
        )
    };
    let numbered = |range: std::ops::Range<usize>| range.map(|number| format!("crowd{number} ")).collect::<String>();
    // At rest first, so that a window of the limit begins with the crowd.
    vm.sh("mkfifo /tmp/quiet; read -r -t 6 nothing <>/tmp/quiet; true", soon())?;
    vm.sh(&make(&numbered(0..CROWD)), soon())?;
    vm.sh("read -r -t 6 nothing <>/tmp/quiet; true", soon())?;
    vm.sh(&make(&numbered(CROWD..CROWD + 1)), soon())?;
    vm.line(soon(), &format!("crowd{CROWD}"))?;
    let console = vm.console();
    let shown = (0..=CROWD).filter(|number| console.contains(&format!("crowd{number}: "))).count();
    ensure(shown == CROWD + 1, || format!("only {shown} on the console:\n{console}"))?;
    let log = vm.sh("dmesg | grep lunix-init; rm -r /etc/lunix/services/crowd*", soon())?;
    let written = (0..=CROWD).filter(|number| log.contains(&format!("crowd{number}: "))).count();
    let lost: usize =
        log.split("(lost=").skip(1).filter_map(|rest| rest.split(')').next()?.parse::<usize>().ok()).sum();
    ensure(written <= 11 && lost > 0 && written + lost > CROWD, || format!("{written} written, {lost} counted:\n{log}"))
}

fn poweroff(vm: &mut Vm) -> Result<()> {
    vm.plug_stick("last", FileSystem::Ext4, "LAST")?;
    let mount = "for i in $(seq 100); do for n in /dev/sd?1; do mount -t ext4 $n /myplace 2>/dev/null && exit 0; done
        usleep 100000; done; exit 1";
    vm.sh(mount, soon())?;
    vm.sh("echo hello >/myplace/hello", soon())?;
    // What is swapped to and mounted from files on it must go first; what PID 1 itself works in is busy to the end.
    let within = "cd /myplace && dd if=/dev/zero of=disk bs=1M count=4 2>/dev/null && mkdosfs disk >/dev/null
        losetup /dev/loop0 disk && mkdir inner && mount -t vfat /dev/loop0 inner && echo inner >inner/file
        dd if=/dev/zero of=swap bs=1M count=2 2>/dev/null && mkswap swap >/dev/null && swapon swap";
    vm.sh(within, soon())?;
    vm.sh("cp -a /etc/lunix/services /myplace/services && mv /etc/lunix/services /etc/lunix/before && ln -s /myplace/services /etc/lunix/services", soon())?;
    vm.sh(
        "for i in $(seq 100); do ls -l /proc/1/fd | grep -q /myplace/services && exit 0; usleep 100000; done; exit 1",
        soon(),
    )?;
    let image = vm.run_folder().join("last.img");
    ensure(!is_clean_ext4(&image)?, || "a mounted ext4 that looks clean: the check proves nothing".to_owned())?;
    vm.type_line("root")?;
    vm.prompt(soon(), "root@lunix")?;
    vm.type_line("poweroff")?;
    let status = vm.off(soon())?;
    ensure(status.success(), || format!("qemu ended with {status}"))?;
    let console = vm.console();
    ensure(console.contains("/myplace is busy: made it read-only"), || format!("no word of it:\n{console}"))?;
    ensure(!console.contains("cannot"), || format!("something could not be done:\n{console}"))?;
    ensure(is_clean_ext4(&image)?, || format!("not left clean; the console:\n{console}"))
}

/// Whether the ext4 in the first partition needs no recovery: `s_state` is EXT4_VALID_FS and the journal is empty
/// (`Documentation/filesystems/ext4/super.rst`).
fn is_clean_ext4(image: &Path) -> Result<bool> {
    const SUPERBLOCK: usize = 1024 * 1024 + 1024;
    let bytes = std::fs::read(image).map_err(Error::io("read the image"))?;
    let short = |at: usize| bytes.get(SUPERBLOCK + at).copied().unwrap_or(0);
    let (magic, state, incompatible) = ([short(0x38), short(0x39)], short(0x3a), short(0x60));
    ensure(magic == [0x53, 0xef], || "no ext4 on the image".to_owned())?;
    Ok(state & 1 == 1 && incompatible & 4 == 0)
}
