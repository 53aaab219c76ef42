//! A Debian userland under lunix-init, for the machine of `cargo xtask test debian`: mmdebstrap's smallest, with login, sshd and cron.

use crate::build::Built;
use crate::cpio::Archive;
use crate::failure::{Context, Failure, Result, expect_success};
use crate::image;
use crate::kernel::{self, Kernel};
use crate::need::{self, Need};
use crate::progress::Step;
use crate::project;
use serde_json::json;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What making it takes.
pub const NEEDS: &[Need] = &[
    Need::apt("mmdebstrap", "makes a Debian userland"),
    Need::apt_program("e2fsprogs", "mkfs.ext4", "its root's file system"),
    Need::apt_program("openssh-client", "ssh", "logs in to it"),
    Need::apt_program("passwd", "chpasswd", "sets its password"),
];

const SUITE: &str = "bookworm";
/// What it has beyond the packages that every Debian has.
const PACKAGES: &str = "openssh-server,cron,login,util-linux,procps,e2fsprogs,kmod,iproute2,kexec-tools";
/// Programs of ours that go into it.
const PROGRAMS: &[&str] = &["lunix-init", "lunix-boot", "lunix-sv", "lunix"];
const PASSWORD: &str = "a password for one test";

/// Why there is none here; `None`: there can be one.
pub fn missing() -> Option<String> {
    (!need::is_root()).then(|| "only root can unpack a Debian userland with its owners".to_owned())
}

/// Makes the disks, keys and the initial RAM disk in `folder`, and a description for the tests, whose path is returned.
///
/// # Errors
/// Among others when no mirror of Debian's archive answers.
pub fn prepare(built: &Built, folder: &Path) -> Result<PathBuf> {
    need::satisfy(&[NEEDS, kernel::NEEDS].concat())?;
    let kernel = kernel::find(None)?;
    let root = unpack(&base()?, folder)?;
    let key = furnish(&root, built, &kernel, folder)?;
    let initramfs = folder.join("initramfs.cpio");
    initial(&kernel, &initramfs)?;
    // For a second kernel that the first one starts.
    std::fs::copy(&initramfs, root.join("boot/initrd")).at(&initramfs)?;
    let data = folder.join("data");
    project::make_folder(&data.join("shown"))?;
    let disks = [("root", &root, 900), ("data", &data, 32)].map(|(label, content, size_mb)| {
        let image = folder.join(format!("{label}.img"));
        make_disk(&image, label, content, size_mb).map(|()| image)
    });
    let [disk, data] = disks;
    let (disk, data) = (disk?, data?);
    let path = folder.join("prepared.json");
    let object = json!({
        "kernel": kernel.image, "initramfs": initramfs, "user": "root", "password": PASSWORD,
        "disk": disk, "data": data, "key": key,
    });
    crate::vm::prepare::write_private(&path, &format!("{object}\n"))?;
    Ok(path)
}

/// The userland as it comes, made once.
fn base() -> Result<PathBuf> {
    let folder = project::vm().join("debian");
    project::make_folder(&folder)?;
    let key = PACKAGES
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let archive = folder.join(format!("{SUITE}-{key:016x}.tar"));
    if archive.is_file() {
        return Ok(archive);
    }
    let _step = Step::new(format!("make a Debian userland ({SUITE}, minbase)"));
    let partial = folder.join("partial.tar");
    let output = Command::new("mmdebstrap")
        .args(["--variant=minbase", "--quiet", &format!("--include={PACKAGES}"), SUITE])
        .arg(&partial)
        .env("DEBIAN_FRONTEND", "noninteractive")
        .stdin(Stdio::null())
        .output()
        .context("mmdebstrap")?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).lines().last().unwrap_or_default().to_owned();
        return Err(Failure::new(format!("mmdebstrap: {words}")));
    }
    std::fs::rename(&partial, &archive).at(&archive)?;
    Ok(archive)
}

fn unpack(archive: &Path, folder: &Path) -> Result<PathBuf> {
    let _step = Step::new("unpack it");
    let root = folder.join("root");
    if root.exists() {
        std::fs::remove_dir_all(&root).at(&root)?;
    }
    project::make_folder(&root)?;
    run(Command::new("tar")
        .args(["--extract", "--numeric-owner", "--file"])
        .arg(archive)
        .arg("--directory")
        .arg(&root))?;
    Ok(root)
}

/// Puts in what makes it boot under lunix-init, and a key to log in with; returns the key's path.
fn furnish(root: &Path, built: &Built, kernel: &Kernel, folder: &Path) -> Result<PathBuf> {
    let (ours, services) = (project::root(), root.join("etc/lunix/services"));
    project::make_folder(&services)?;
    copy(&ours.join("image/debian/etc"), root)?;
    for source in [ours.join("image/root/etc/lunix/services"), ours.join("services/debian")] {
        for entry in std::fs::read_dir(&source).at(&source)? {
            let path = entry.at(&source)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() && (source.ends_with("debian") || name.starts_with("boot")) {
                copy(&path, &services)?;
            }
        }
    }
    for program in PROGRAMS {
        let (from, to) = (built.folder.join(program), root.join("usr/sbin").join(program));
        std::fs::copy(&from, &to).at(&from)?;
    }
    let init = root.join("sbin/init");
    std::os::unix::fs::symlink("/usr/sbin/lunix-init", &init).at(&init)?;
    if let Some((modules, version)) = &kernel.modules {
        let selected = kernel::select_modules(modules, version, &image::wanted_modules()?)?;
        copy(&selected.join("lib/modules"), &root.join("usr/lib"))?;
        let compressed = modules.join("boot").join(format!("vmlinuz-{version}"));
        std::fs::copy(&compressed, root.join("boot/vmlinuz")).at(&compressed)?;
    }
    set_password(root)?;
    let key = folder.join("key");
    for old in [key.clone(), folder.join("key.pub")] {
        // Made anew; there may be none yet.
        let _ = std::fs::remove_file(old);
    }
    run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key))?;
    let place = root.join("root/.ssh");
    project::make_folder(&place)?;
    std::fs::copy(folder.join("key.pub"), place.join("authorized_keys")).at(&place)?;
    Ok(key)
}

fn set_password(root: &Path) -> Result<()> {
    let mut child =
        Command::new("chpasswd").arg("--root").arg(root).stdin(Stdio::piped()).spawn().context("chpasswd")?;
    let mut stdin = child.stdin.take().ok_or_else(|| Failure::new("no pipe"))?;
    stdin.write_all(format!("root:{PASSWORD}\n").as_bytes()).context("chpasswd")?;
    drop(stdin);
    expect_success("chpasswd", child.wait().context("chpasswd")?)
}

/// The initial RAM disk: busybox, the modules of the disk, and a script.
fn initial(kernel: &Kernel, path: &Path) -> Result<()> {
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "lib", "sbin"] {
        archive.folder(folder, 0o755);
    }
    archive.device("dev/console", 0o600, 5, 1);
    image::busybox(&mut archive, None)?;
    let script = project::root().join("image/debian/init");
    archive.file("init", 0o755, &std::fs::read(&script).at(&script)?);
    if let Some((root, version)) = &kernel.modules {
        let wanted = ["virtio_pci", "virtio_blk", "ext4", "crc32c_generic"].map(str::to_owned);
        let selected = kernel::select_modules(root, version, &wanted)?;
        archive.folder("lib/modules", 0o755);
        archive.tree("lib/modules/", &selected.join("lib/modules"))?;
    }
    std::fs::write(path, archive.finish()).at(path)
}

fn make_disk(image: &Path, label: &str, content: &Path, size_mb: u64) -> Result<()> {
    let _step = Step::new(format!("make the disk {label}"));
    let file = std::fs::File::create(image).at(image)?;
    file.set_len(size_mb * 1024 * 1024).at(image)?;
    let mut mkfs = Command::new(testkit::disk::find_tool("mkfs.ext4"));
    run(mkfs.args(["-q", "-F", "-L", label, "-d"]).arg(content).arg(image))
}

fn copy(from: &Path, into: &Path) -> Result<()> {
    run(Command::new("cp").args(["--recursive", "--no-dereference", "--preserve=mode"]).arg(from).arg(into))
}

fn run(command: &mut Command) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().context(&name)?;
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim())))
}
