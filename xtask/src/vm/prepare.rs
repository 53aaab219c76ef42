//! Everything before the boot: what is missing, the programs, the kernel, the image.

use crate::build::{self, Flavour};
use crate::failure::{Context, Failure, Result};
use crate::image::{self, BUS_USER};
use crate::kernel;
use crate::need::{self, Need};
use crate::progress::Step;
use serde_json::json;
use std::io::Read;
use std::path::Path;
use testkit::vm::Prepared;

/// What the person asked for.
pub struct Wanted<'a> {
    pub flavour: Flavour,
    pub kernel: Option<&'a Path>,
    pub busybox: Option<&'a Path>,
    pub has_test_shell: bool,
}

/// What a virtual machine needs from the system.
pub const NEEDS: &[Need] = &[Need::apt_program("qemu-system-x86", "qemu-system-x86_64", "the virtual machine")];

/// Builds all that a machine boots from, into `folder`, and leaves a description there (`prepared.json`) that tests read.
pub fn prepare(wanted: &Wanted<'_>, folder: &Path) -> Result<Prepared> {
    need::satisfy(&[NEEDS, kernel::NEEDS, build::needs(wanted.flavour)].concat())?;
    let built = build::build(wanted.flavour)?;
    if !built.programs.iter().any(|program| program.name == "lunix-init") {
        return Err(Failure::new("the workspace has no lunix-init yet, and a machine cannot boot without"));
    }
    let kernel = kernel::find(wanted.kernel)?;
    let step = Step::new("make the image");
    let initramfs = folder.join("initramfs.cpio");
    let password = random_password()?;
    let plan = image::Plan {
        built: &built,
        kernel: &kernel,
        busybox: wanted.busybox,
        has_test_shell: wanted.has_test_shell,
        password: &password,
    };
    let remarks = image::write(&plan, &initramfs)?;
    drop(step);
    remarks.iter().for_each(|remark| eprintln!("{remark}"));
    let prepared = Prepared { kernel: kernel.image.clone(), initramfs, user: BUS_USER.to_owned(), password };
    describe(&prepared, &folder.join("prepared.json"))?;
    Ok(prepared)
}

fn describe(prepared: &Prepared, path: &Path) -> Result<()> {
    let Prepared { kernel, initramfs, user, password } = prepared;
    let object = json!({"kernel": kernel, "initramfs": initramfs, "user": user, "password": password});
    write_private(path, &format!("{object}\n"))
}

/// Writes a file that only its owner may read.
pub fn write_private(path: &Path, text: &str) -> Result<()> {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let opened = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path);
    opened.and_then(|mut file| file.write_all(text.as_bytes())).at(path)
}

/// 24 hexadecimal digits from the kernel.
fn random_password() -> Result<String> {
    let mut bytes = [0; 12];
    std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(&mut bytes)).context("/dev/urandom")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
