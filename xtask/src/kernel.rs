//! The kernel of the virtual machine: Debian's, straight from its package, or any other given by path.
//!
//! A bzImage decompresses itself in the guest, which under emulation takes longer than all the rest of the boot, so the ELF file
//! is taken out of it here (`Documentation/arch/x86/boot.rst`: payload_offset, payload_length) and booted by PVH.

use crate::debian;
use crate::failure::{Context, Failure, Result, expect_success};
use crate::need::Need;
use crate::progress::Step;
use crate::project;
use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What makes a kernel usable here.
pub const NEEDS: &[Need] = &[
    Need::apt_program("xz-utils", "xz", "unpacks the kernel"),
    Need::apt_program("kmod", "depmod", "indexes the kernel's modules"),
];

/// Folders of the package that no virtual machine here has hardware for.
const EXCLUDED: &[&str] = &[
    "*/drivers/gpu/*",
    "*/drivers/media/*",
    "*/drivers/infiniband/*",
    "*/drivers/staging/*",
    "*/kernel/sound/*",
    "*/drivers/iio/*",
];

/// A kernel ready to boot.
pub struct Kernel {
    /// The file QEMU is given.
    pub image: PathBuf,
    /// The folder with `lib/modules/VERSION` and that version; none when there are no modules.
    pub modules: Option<(PathBuf, String)>,
}

/// The kernel at `path` (a vmlinux or vmlinuz, or a folder with one and `lib/modules`), or without a path Debian's current one.
pub fn find(path: Option<&Path>) -> Result<Kernel> {
    match path {
        None => debian_kernel(),
        Some(folder) if folder.is_dir() => from_folder(folder),
        Some(file) => {
            let folder = project::vm().join("packages/given");
            project::make_folder(&folder)?;
            Ok(Kernel { image: elf_of(file, &folder)?, modules: None })
        }
    }
}

fn debian_kernel() -> Result<Kernel> {
    let depends = debian::depends("linux-image-amd64")?;
    let name = depends.iter().find(|name| name.starts_with("linux-image-"));
    let name = name.ok_or_else(|| Failure::new("linux-image-amd64 depends on no kernel"))?;
    let package = debian::find(name)?;
    let folder = debian::unpack(&package, &["./boot/vmlinuz-*", "./boot/config-*", "*/lib/modules/*"], EXCLUDED)?;
    from_folder(&folder)
}

fn from_folder(folder: &Path) -> Result<Kernel> {
    let file = find_image(folder)?;
    let image = elf_of(&file, folder)?;
    let modules = find_modules(folder)?;
    if let Some((_, version)) = &modules {
        index(folder, version)?;
    }
    Ok(Kernel { image, modules })
}

fn find_image(folder: &Path) -> Result<PathBuf> {
    let is_image = |path: &PathBuf| {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        path.is_file() && (name.starts_with("vmlinu") || name == "bzImage")
    };
    let mut found: Vec<PathBuf> =
        [folder.to_owned(), folder.join("boot")].iter().flat_map(|folder| list(folder)).filter(is_image).collect();
    found.sort();
    found.into_iter().next().ok_or_else(|| Failure::new(format!("{}: no vmlinux or vmlinuz", folder.display())))
}

fn find_modules(folder: &Path) -> Result<Option<(PathBuf, String)>> {
    for prefix in ["", "usr/"] {
        let root = folder.join(prefix);
        let mut versions = list(&root.join("lib/modules"));
        versions.sort();
        if let Some(version) = versions.pop().and_then(|path| Some(path.file_name()?.to_string_lossy().into_owned())) {
            if !prefix.is_empty() {
                return Err(Failure::new(format!("{}: move usr/lib/modules to lib/modules", folder.display())));
            }
            return Ok(Some((root, version)));
        }
    }
    Ok(None)
}

fn list(folder: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(folder).map(|entries| entries.flatten().map(|entry| entry.path()).collect()).unwrap_or_default()
}

/// Runs depmod unless its index is there.
fn index(root: &Path, version: &str) -> Result<()> {
    let index = root.join("lib/modules").join(version).join("modules.dep");
    if index.is_file() {
        return Ok(());
    }
    let _step = Step::new(format!("index the modules of {version}"));
    depmod(root, version)
}

fn depmod(root: &Path, version: &str) -> Result<()> {
    let status = Command::new(testkit::disk::find_tool("depmod")).arg("-b").arg(root).arg(version).status();
    expect_success("depmod", status.context("depmod")?)
}

/// The ELF inside `file`, written to `folder/vmlinux`; `file` itself when it is one.
fn elf_of(file: &Path, folder: &Path) -> Result<PathBuf> {
    let bytes = std::fs::read(file).at(file)?;
    if bytes.starts_with(b"\x7fELF") {
        return Ok(file.to_owned());
    }
    let elf = folder.join("vmlinux");
    let is_fresh = |elf: &Path| Some(elf.metadata().ok()?.modified().ok()? >= file.metadata().ok()?.modified().ok()?);
    if is_fresh(&elf) == Some(true) {
        return Ok(elf);
    }
    let _step = Step::new("unpack the kernel itself");
    let payload = payload(&bytes)
        .ok_or_else(|| Failure::new(format!("{}: neither an ELF file nor a bzImage", file.display())))?;
    let unpacked = decompress(payload).context(file.display())?;
    if !unpacked.starts_with(b"\x7fELF") {
        return Err(Failure::new(format!("{}: what is inside is no ELF file", file.display())));
    }
    let partial = folder.join("vmlinux.partial");
    std::fs::write(&partial, unpacked).at(&partial)?;
    std::fs::rename(&partial, &elf).at(&elf)?;
    Ok(elf)
}

/// The compressed kernel inside a bzImage.
fn payload(image: &[u8]) -> Option<&[u8]> {
    let word = |at: usize| Some(u32::from_le_bytes(image.get(at..at + 4)?.try_into().ok()?) as usize);
    if image.get(0x202..0x206)? != b"HdrS" {
        return None;
    }
    let sectors = match *image.get(0x1f1)? {
        0 => 4,
        sectors => usize::from(sectors),
    };
    let start = (sectors + 1) * 512 + word(0x248)?;
    image.get(start..start + word(0x24c)?)
}

/// Decompresses with the tool that its first bytes call for. The last four bytes are the size, which the tools take for garbage.
fn decompress(payload: &[u8]) -> Result<Vec<u8>> {
    let payload = payload.get(..payload.len().saturating_sub(4)).unwrap_or_default();
    let tool: &[&str] = match payload {
        [0xfd, b'7', b'z', ..] => &["xz", "-dc"],
        [0x1f, 0x8b, ..] => &["gzip", "-dc"],
        [0x28, 0xb5, 0x2f, 0xfd, ..] => &["zstd", "-dc"],
        [0x02, 0x21, 0x4c, 0x18, ..] => &["lz4", "-dc"],
        [first, second, ..] => return Err(Failure::new(format!("unknown compression {first:02x} {second:02x}"))),
        _ => return Err(Failure::new("empty payload")),
    };
    let (program, arguments) = tool.split_first().ok_or_else(|| Failure::new("no tool"))?;
    let spawned = Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
    let mut child = spawned.context(program)?;
    let mut stdin = child.stdin.take().ok_or_else(|| Failure::new("no pipe"))?;
    std::thread::scope(|scope| {
        // A failure to write shows in the tool's exit status.
        scope.spawn(move || drop(stdin.write_all(payload)));
        let output = child.wait_with_output().context(program)?;
        expect_success(program, output.status)?;
        Ok(output.stdout)
    })
}

/// Makes a small module tree for the image: the modules in `wanted` and what they depend on, indexed. Returns its root, which has
/// the single folder `lib`.
pub fn select_modules(root: &Path, version: &str, wanted: &[String]) -> Result<PathBuf> {
    let source = root.join("lib/modules").join(version);
    let files = closure(&source, wanted)?;
    let key = files.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, file| {
        file.bytes().fold(hash, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    });
    let selected = root.join(format!("selected-{key:016x}"));
    let target = selected.join("lib/modules").join(version);
    if target.join("modules.dep").is_file() {
        return Ok(selected);
    }
    let builtin = ["modules.builtin", "modules.builtin.modinfo", "modules.order"].map(str::to_owned);
    for file in files.iter().chain(&builtin) {
        let to = target.join(file);
        project::make_folder(to.parent().unwrap_or(&target))?;
        std::fs::copy(source.join(file), &to).at(&to)?;
    }
    depmod(&selected, version)?;
    Ok(selected)
}

/// The files of `wanted` and of all that they need, relative to the module folder.
fn closure(source: &Path, wanted: &[String]) -> Result<BTreeSet<String>> {
    let index = source.join("modules.dep");
    let text = std::fs::read_to_string(&index).at(&index)?;
    let builtin = std::fs::read_to_string(source.join("modules.builtin")).unwrap_or_default();
    let built_in: BTreeSet<String> = builtin.lines().map(module_name).collect();
    let lines: BTreeMap<String, (&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(file, needs)| (module_name(file), (file, needs)))
        .collect();
    let mut files = BTreeSet::new();
    for name in wanted {
        match lines.get(&module_name(name)) {
            Some((file, needs)) => {
                files.insert((*file).to_owned());
                files.extend(needs.split_ascii_whitespace().map(str::to_owned));
            }
            None if built_in.contains(&module_name(name)) => {}
            None => eprintln!("this kernel has no module {name}"),
        }
    }
    Ok(files)
}

/// The kernel's name of a module, from its file or from a list: `usb-storage.ko.xz` is `usb_storage`.
fn module_name(file: &str) -> String {
    let name = file.rsplit('/').next().unwrap_or(file);
    name.split(".ko").next().unwrap_or(name).replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_has_one_name_however_it_is_written() {
        assert_eq!(module_name("kernel/drivers/usb/storage/usb-storage.ko"), "usb_storage");
        assert_eq!(module_name("usb-storage"), "usb_storage");
        assert_eq!(module_name("a/b.ko.xz"), "b");
    }

    #[test]
    fn the_payload_is_found_by_the_boot_header() {
        let mut image = vec![0; 4096];
        image[0x1f1] = 1;
        image[0x202..0x206].copy_from_slice(b"HdrS");
        image[0x248..0x24c].copy_from_slice(&16_u32.to_le_bytes());
        image[0x24c..0x250].copy_from_slice(&3_u32.to_le_bytes());
        image[1040..1043].copy_from_slice(b"abc");
        assert_eq!(payload(&image), Some(&b"abc"[..]));
        assert_eq!(payload(b"short"), None);
    }
}
