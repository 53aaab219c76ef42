//! The oracle: `blkid -p` on images made by the real mkfs tools. Tools that are not installed are printed as skipped; the images of
//! `images.rs` are checked everywhere.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use probe::{Found, Probe};
use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Image name, size in MiB, shell command with the image as `$1`. The first word is the tool that must exist.
const IMAGES: &[(&str, u64, &str)] = &[
    ("fat12", 1, "mkfs.vfat -F 12 -n FLOPPY $1"),
    ("fat16", 16, "mkfs.vfat -F 16 -n STICK16 $1"),
    ("fat16-no-label", 16, "mkfs.vfat -F 16 $1"),
    ("fat32", 64, "mkfs.vfat -F 32 -n 'MY STICK' $1"),
    ("fat32-4k", 300, "mkfs.vfat -F 32 -S 4096 -n BIGSECT $1"),
    (
        "fat32-deep-label",
        64,
        "mlabel -V >/dev/null; mkfs.vfat -F 32 $1 && for n in $(seq 60); do mmd -i $1 ::directory-with-a-long-name-$n; done && mlabel -i $1 ::LATE",
    ),
    ("fat32-label-removed", 64, "mlabel -V >/dev/null; mkfs.vfat -F 32 -n GONE $1 && mlabel -i $1 -c ::"),
    ("exfat", 64, "mkfs.exfat -L Grüße $1"),
    ("exfat-no-label", 64, "mkfs.exfat $1"),
    ("ext2", 16, "mkfs.ext2 -q -L two $1"),
    ("ext3", 16, "mkfs.ext3 -q -L three $1"),
    ("ext4", 16, "mkfs.ext4 -q -L 'the fourth' $1"),
    ("ext4-no-journal", 16, "mkfs.ext4 -q -O ^has_journal $1"),
    ("ext-journal", 16, "mke2fs -q -O journal_dev $1"),
    ("ntfs", 64, "mkfs.ntfs -F -q -Q -L Größe $1"),
    ("ntfs-64k", 64, "mkfs.ntfs -F -q -Q -c 65536 -L wide $1"),
    ("ntfs-no-label", 64, "mkfs.ntfs -F -q -Q $1"),
    ("btrfs", 320, "mkfs.btrfs -q -L butter $1"),
    ("xfs", 320, "mkfs.xfs -q -L fast $1"),
    ("f2fs", 320, "mkfs.f2fs -q -l fläsh $1"),
    ("swap", 16, "mkswap -L pages $1"),
    ("swap-64k", 16, "mkswap -p 65536 $1"),
    ("luks1", 32, "cryptsetup -q luksFormat --type luks1 --pbkdf-force-iterations 1000 $1 /etc/hostname"),
    (
        "luks2",
        32,
        "cryptsetup -q luksFormat --type luks2 --label vault --pbkdf pbkdf2 --pbkdf-force-iterations 1000 $1 /etc/hostname",
    ),
    ("squashfs", 1, "mksquashfs /etc/hostname $1 -noappend -quiet"),
    ("iso", 1, "genisoimage -quiet -V PLAIN -o $1 /etc/hostname"),
    ("iso-joliet", 1, "genisoimage -quiet -J -r -V 'Debian live test' -o $1 /etc/hostname"),
    ("iso-joliet-long", 1, "genisoimage -quiet -J -r -V 'Debian 12.1.0 amd64 1 live' -o $1 /etc/hostname"),
    ("gpt", 16, "sgdisk -n 1:0:0 $1"),
    ("mbr", 16, "sfdisk -q $1 <<< ',,c'"),
    ("empty", 16, "true $1"),
    ("ext4-over-fat", 16, "mkfs.vfat -n OLD $1 && mkfs.ext4 -F -q -L new $1"),
    ("vfat-over-ext4", 16, "mkfs.ext4 -q -L old $1 && mkfs.vfat -n NEW $1"),
];

/// An ordinary user's own lacks the folders where Debian keeps these tools.
const PATH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";

fn installed(tool: &str) -> bool {
    ["/sbin", "/usr/sbin", "/bin", "/usr/bin"].iter().any(|folder| Path::new(folder).join(tool).exists())
}

fn ours(path: &Path) -> Found {
    let file = File::open(path).unwrap();
    let mut probe = Probe::new(file.metadata().unwrap().len());
    let mut buffer = vec![0; probe::WANT_BYTES_MAX];
    while let Some(range) = probe.want() {
        let count = file.read_at(&mut buffer[..range.length], range.offset).unwrap();
        probe.feed(&buffer[..count]);
    }
    *probe.found()
}

fn theirs(path: &Path, tag: &str) -> String {
    let output =
        Command::new("blkid").env("PATH", PATH).args(["-p", "-o", "value", "-s", tag]).arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
}

fn make(folder: &Path, name: &str, mebibytes: u64, command: &str) -> PathBuf {
    let path = folder.join(name);
    File::create(&path).unwrap().set_len(mebibytes << 20).unwrap();
    let shell = ["-c", command, "bash"];
    let mut bash = Command::new("bash");
    bash.env("PATH", PATH).args(shell).arg(&path).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert!(bash.status().unwrap().success(), "{command}");
    path
}

#[test]
fn blkid_agrees_on_every_image_that_can_be_made_here() {
    if !installed("blkid") {
        testkit::skip::note("blkid_agrees_on_every_image_that_can_be_made_here", "blkid is not installed");
        return;
    }
    let folder = std::env::temp_dir().join(format!("probe-blkid-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let mut compared = 0;
    for (name, mebibytes, command) in IMAGES {
        let tool = command.split(' ').next().unwrap();
        if !installed(tool) && tool != "true" {
            println!("skipped: {name}: {tool} is not installed");
            continue;
        }
        let path = make(&folder, name, *mebibytes, command);
        let ours = ours(&path);
        let expected = |tag: &str| theirs(&path, tag);
        let kind = ours.content.map_or("", |content| content.kind.as_str());
        // An external journal is nothing that could be mounted or unlocked, so it is nothing to us.
        let expected_kind = expected("TYPE").replace("jbd", "");
        assert_eq!(kind, expected_kind, "{name}: type");
        match ours.content {
            Some(content) => {
                assert_eq!(content.label.as_str(), expected("LABEL"), "{name}: label");
                assert_eq!(content.uuid.as_str(), expected("UUID"), "{name}: uuid");
            }
            // Beside a file system blkid takes an exFAT boot sector for an empty table; such a table divides nothing.
            None => assert_eq!(ours.table.map_or("", probe::Table::as_str), expected("PTTYPE"), "{name}: table"),
        }
        std::fs::remove_file(&path).unwrap();
        compared += 1;
    }
    std::fs::remove_dir_all(&folder).unwrap();
    println!("compared {compared} of {} images", IMAGES.len());
    assert!(compared > 0);
}
