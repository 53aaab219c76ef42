//! The oracle: `modprobe -R` and `modprobe --show-depends` on a distribution's real module tree.
//!
//! The tree is looked for in `kernel/kern/lib/modules` of the target folder (an unpacked linux-image package, after `depmod -b`)
//! and in `/lib/modules`. Where there is none, or no modprobe, the test says so; `trees.rs` asserts everywhere.
#![expect(clippy::unwrap_used, reason = "a test")]

use modules::{Policy, Tree};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Real aliases: a stick, its disk, a keyboard, virtio, PCI, ACPI, platform, file systems, crypto, network families.
const ALIASES: [&str; 22] = [
    "usb:v46F4p0001d0000dc00dsc00dp00ic08isc06ip50in00",
    "usb:v0627p0001d0000dc00dsc00dp00ic03isc01ip01in00",
    "usb:v1D6Bp0003d0601dc09dsc00dp03ic09isc00ip00in00",
    "scsi:t-0x00",
    "scsi:t-0x05",
    "hid:b0003g0001v00000627p00000001",
    "input:b0003v0627p0001e0111-e0,1,4,11,14,k71,72,73,ram4,l0,1,2,3,4,sfw",
    "virtio:d00000002v00001AF4",
    "virtio:d00000001v00001AF4",
    "pci:v00001AF4d00001042sv00001AF4sd00001100bc01sc00i00",
    "pci:v00001B36d0000000Dsv00001AF4sd00001100bc0Csc03i30",
    "pci:v00008086d000010D3sv00008086sd00000000bc02sc00i00",
    "acpi:PNP0303:",
    "acpi:PNP0501:PNP0500:",
    "serio:ty01pr00id00ex00",
    "fs-vfat",
    "fs-ext4",
    "fs-btrfs",
    "crypto-crc32c",
    "net-pf-10",
    "cpu:type:x86,ven0000fam0006mod003A:feature:,0000,0001,00C0",
    "no:such:alias",
];

fn tree() -> Option<(PathBuf, String)> {
    let unpacked = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../kernel/kern");
    [unpacked, PathBuf::from("/")].into_iter().find_map(|root| {
        let mut releases = std::fs::read_dir(root.join("lib/modules")).ok()?.filter_map(Result::ok);
        let release = releases.find(|entry| entry.path().join("modules.alias.bin").exists())?;
        Some((root, release.file_name().into_string().ok()?))
    })
}

fn modprobe(root: &Path, release: &str, what: &str, alias: &str) -> Vec<String> {
    let empty = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modprobe.d");
    std::fs::create_dir_all(&empty).unwrap();
    let mut command = Command::new("/sbin/modprobe");
    command.arg("-q").arg("-C").arg(&empty).arg("-d").arg(root).args(["-S", release, what, alias]);
    let text = String::from_utf8(command.output().unwrap().stdout).unwrap();
    let mut seen = BTreeSet::new();
    text.lines().map(|line| line.trim_end().to_owned()).filter(|line| seen.insert(line.clone())).collect()
}

/// A text that the pattern matches: `*` becomes a digit, a class its first letter.
fn instance(pattern: &str) -> String {
    let mut letters = pattern.chars();
    let mut text = String::new();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => text.push('0'),
            '[' => {
                text.extend(letters.next());
                let _ = letters.by_ref().find(|&letter| letter == ']');
            }
            plain => text.push(plain),
        }
    }
    text
}

#[test]
fn modprobe_names_the_same_modules_in_the_same_order() {
    let Some((root, release)) = tree() else { return skip("no module tree to compare on") };
    if !Path::new("/sbin/modprobe").exists() {
        return skip("modprobe is not installed");
    }
    let folder = root.join("lib/modules").join(&release);
    let mut tree = Tree::open(&folder).unwrap();
    let policy = Policy::default();
    let patterns = std::fs::read_to_string(folder.join("modules.alias")).unwrap();
    let sampled = patterns.lines().filter_map(|line| line.split(' ').nth(1)).step_by(97).map(instance);
    let (mut resolved, mut planned) = (0, 0);
    for alias in ALIASES.map(str::to_owned).into_iter().chain(sampled) {
        let mut theirs = modprobe(&root, &release, "-R", &alias);
        theirs.retain(|name| !tree.is_builtin(name).unwrap());
        let ours = tree.resolve(&alias, &policy).unwrap();
        assert_eq!(ours, theirs, "modprobe -R {alias}");
        resolved += ours.len();
    }
    for alias in ALIASES {
        let shown = modprobe(&root, &release, "--show-depends", alias);
        let theirs: Vec<&str> = shown.iter().filter_map(|line| line.strip_prefix("insmod ")).map(str::trim).collect();
        let plan = tree.plan(alias, &policy).unwrap();
        let ours: Vec<String> = plan.iter().map(|step| step.path.display().to_string()).collect();
        assert_eq!(ours, theirs, "modprobe --show-depends {alias}");
        planned += ours.len();
    }
    println!("compared {resolved} names and {planned} files of {release}");
    assert!(resolved > 300 && planned > 20);
}

#[test]
fn text_files_and_tries_give_the_same_answers() {
    let Some((root, release)) = tree() else { return skip("no module tree to compare on") };
    let folder = root.join("lib/modules").join(&release);
    let texts = Path::new(env!("CARGO_TARGET_TMPDIR")).join("texts");
    std::fs::create_dir_all(&texts).unwrap();
    for name in ["modules.alias", "modules.dep", "modules.softdep", "modules.builtin"] {
        std::fs::copy(folder.join(name), texts.join(name)).unwrap();
    }
    let (mut binary, mut text) = (Tree::open(&folder).unwrap(), Tree::open(&texts).unwrap());
    let policy = Policy::default();
    let names = |steps: Vec<modules::Step>| steps.into_iter().map(|step| step.name).collect::<Vec<_>>();
    for alias in ALIASES {
        assert_eq!(names(binary.plan(alias, &policy).unwrap()), names(text.plan(alias, &policy).unwrap()), "{alias}");
    }
}

/// Notes that the running test cannot be made here.
fn skip(why: &str) {
    testkit::skip::note(std::thread::current().name().unwrap_or("modprobe"), why);
}
