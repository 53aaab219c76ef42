//! The end is in order: what is mounted is unmounted, the machine goes off by itself.

use crate::soon;
use lunix_tests::ensure;
use std::path::Path;
use testkit::disk::FileSystem;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Error, Result};

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    suite.check("power::poweroff_unmounts_and_switches_off", || poweroff(vm));
}

fn poweroff(vm: &mut Vm) -> Result<()> {
    vm.plug_stick("last", FileSystem::Ext4, "LAST")?;
    let mount = "for i in $(seq 100); do for n in /dev/sd?1; do mount -t ext4 $n /myplace 2>/dev/null && exit 0; done
        usleep 100000; done; exit 1";
    vm.sh(mount, soon())?;
    vm.sh("echo hello >/myplace/hello", soon())?;
    let image = vm.run_folder().join("last.img");
    ensure(!is_clean_ext4(&image)?, || "a mounted ext4 that looks clean: the check proves nothing".to_owned())?;
    vm.type_line("root")?;
    vm.prompt(soon(), "root@lunix")?;
    vm.type_line("poweroff")?;
    let status = vm.off(soon())?;
    ensure(status.success(), || format!("qemu ended with {status}"))?;
    ensure(is_clean_ext4(&image)?, || format!("not unmounted cleanly; the console:\n{}", vm.console()))
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
