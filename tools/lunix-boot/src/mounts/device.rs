//! From what fstab names to a node: by the links of a device manager, or by looking at the devices ourselves.

use super::entry::{Source, Tag};
use probe::{Content, Probe};
use reactor::Instant;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::fs::inotify;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Most block devices looked at.
const DEVICES_MAX: usize = 1024;
/// Where the kernel lists them.
const LIST: &str = "/sys/class/block";

/// The node of a source, when it is there. What is neither path nor tag is itself.
#[must_use]
pub fn find(source: &Source) -> Option<PathBuf> {
    match source {
        Source::Name(name) => Some(name.into()),
        Source::Path(path) => path.exists().then(|| path.clone()),
        Source::Tag(tag, value) => linked(*tag, value).or_else(|| scan(*tag, value)),
    }
}

/// The same, waiting for it to appear until `limit` has passed.
#[must_use]
pub fn wait_for(source: &Source, limit: Duration) -> Option<PathBuf> {
    let deadline = Instant::now() + limit;
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK).ok();
    for folder in ["/dev", "/dev/mapper"] {
        let flags = inotify::WatchFlags::CREATE | inotify::WatchFlags::MOVED_TO;
        // Where there is no such folder nothing appears in it.
        let _ = watch.as_ref().map(|watch| inotify::add_watch(watch, folder, flags));
    }
    loop {
        if let Some(node) = find(source) {
            return Some(node);
        }
        let now = Instant::now();
        if now >= deadline {
            return None;
        }
        let left = deadline.since(now);
        let limit = Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut one: Vec<PollFd<'_>> = watch
            .iter()
            .map(|watch| PollFd::from_borrowed_fd(std::os::fd::AsFd::as_fd(watch), PollFlags::IN))
            .collect();
        // However it ends, the next turn looks again.
        let _ = rustix::event::poll(&mut one, Some(&limit));
        drop(one);
        drain(watch.as_ref());
    }
}

/// Takes what is to be read, so that the next wait is for what is new.
fn drain(watch: Option<&std::os::fd::OwnedFd>) {
    let mut buffer = [0; 4096];
    while let Some(Ok(1..)) = watch.map(|watch| rustix::io::read(watch, &mut buffer)) {}
}

/// What udev and its like have made a link for.
fn linked(tag: Tag, value: &str) -> Option<PathBuf> {
    let folder = match tag {
        Tag::Uuid => "/dev/disk/by-uuid",
        Tag::Label => "/dev/disk/by-label",
        Tag::PartUuid => "/dev/disk/by-partuuid",
        Tag::PartLabel => "/dev/disk/by-partlabel",
    };
    let names = [encoded(value), encoded(&value.to_ascii_lowercase())];
    let mut paths = names.iter().map(|name| Path::new(folder).join(name));
    paths.find_map(|path| std::fs::canonicalize(path).ok())
}

/// As udev writes a value into the name of a link.
fn encoded(value: &str) -> String {
    let mut out = String::new();
    for letter in value.chars() {
        match letter {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '#' | '+' | '-' | '.' | ':' | '=' | '@' | '_' => out.push(letter),
            letter if !letter.is_ascii() => out.push(letter),
            letter => out.push_str(&format!("\\x{:02x}", u32::from(letter))),
        }
    }
    out
}

/// Looks at every device.
fn scan(tag: Tag, value: &str) -> Option<PathBuf> {
    let mut names: Vec<PathBuf> = std::fs::read_dir(LIST).ok()?.flatten().map(|entry| entry.path()).collect();
    names.sort();
    names.truncate(DEVICES_MAX);
    let is_it = |folder: &PathBuf| match tag {
        Tag::Uuid => {
            content(&node(folder)?).filter(|content| content.uuid.as_str().eq_ignore_ascii_case(value)).map(drop)
        }
        Tag::Label => content(&node(folder)?).filter(|content| content.label.as_str() == value).map(drop),
        Tag::PartUuid => partition_uuid(folder).filter(|uuid| uuid.eq_ignore_ascii_case(value)).map(drop),
        Tag::PartLabel => partition_name(folder).filter(|name| name == value).map(drop),
    };
    names.iter().find(|folder| is_it(folder).is_some()).and_then(|folder| node(folder))
}

fn node(folder: &Path) -> Option<PathBuf> {
    // The kernel writes a slash in a name as an exclamation mark in sysfs.
    let name = folder.file_name()?.to_str()?.replace('!', "/");
    Some(Path::new("/dev").join(name))
}

/// What is on the device at `path`.
#[must_use]
pub fn content(path: &Path) -> Option<Content> {
    let mut file = File::open(path).ok()?;
    let size_bytes = std::io::Seek::seek(&mut file, std::io::SeekFrom::End(0)).ok()?;
    let mut probe = Probe::new(size_bytes);
    let mut buffer = vec![0; probe::WANT_BYTES_MAX];
    while let Some(range) = probe.want() {
        let place = buffer.get_mut(..range.length)?;
        // What cannot be read is not there: a shorter answer means just that.
        let is_read = file.read_exact_at(place, range.offset).is_ok();
        probe.feed(if is_read { place } else { &[] });
    }
    probe.found().content
}

/// The name in a GUID partition table, as the kernel tells it.
fn partition_name(folder: &Path) -> Option<String> {
    let text = std::fs::read_to_string(folder.join("uevent")).ok()?;
    text.lines().find_map(|line| line.strip_prefix("PARTNAME=").map(str::to_owned))
}

/// The identifier of a partition, from the table of its disk.
fn partition_uuid(folder: &Path) -> Option<String> {
    let number: u32 = std::fs::read_to_string(folder.join("partition")).ok()?.trim().parse().ok()?;
    let disk = std::fs::canonicalize(folder).ok()?.parent()?.to_owned();
    let block: u64 = std::fs::read_to_string(disk.join("queue/logical_block_size")).ok()?.trim().parse().ok()?;
    let file = File::open(node(&disk)?).ok()?;
    let read = |offset: u64, length: usize| {
        let mut bytes = vec![0; length];
        file.read_exact_at(&mut bytes, offset).ok().map(|()| bytes)
    };
    table_uuid(number, block, &read)
}

/// UEFI 2.10, 5.3 for a GUID partition table; otherwise the disk's signature and the number, as the kernel has it.
fn table_uuid(number: u32, block: u64, read: &dyn Fn(u64, usize) -> Option<Vec<u8>>) -> Option<String> {
    let header = read(block, 92)?;
    let word = |bytes: &[u8], at: usize| Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    if header.get(..8)? != b"EFI PART" {
        let signature = word(&read(440, 4)?, 0)?;
        return Some(format!("{signature:08x}-{number:02x}"));
    }
    let first = u64::from_le_bytes(header.get(72..80)?.try_into().ok()?);
    let (count, size) = (word(&header, 80)?, word(&header, 84)?);
    let index = number.checked_sub(1).filter(|index| *index < count)?;
    let offset = first.checked_mul(block)?.checked_add(u64::from(index) * u64::from(size))?;
    let guid = read(offset.checked_add(16)?, 16)?;
    let hex = |range: &mut dyn Iterator<Item = usize>| {
        range.filter_map(|at| guid.get(at)).map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let parts =
        [hex(&mut (0..4).rev()), hex(&mut (4..6).rev()), hex(&mut (6..8).rev()), hex(&mut (8..10)), hex(&mut (10..16))];
    Some(parts.join("-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_named_as_udev_does() {
        assert_eq!(encoded("my disk/1é"), "my\\x20disk\\x2f1é");
    }

    #[test]
    fn a_partition_is_known_by_its_table() {
        let mut disk = vec![0_u8; 4096];
        disk[440..444].copy_from_slice(&0x1234_abcd_u32.to_le_bytes());
        let read = |disk: Vec<u8>| {
            move |at: u64, length: usize| {
                let at = usize::try_from(at).unwrap();
                disk.get(at..at + length).map(<[u8]>::to_vec)
            }
        };
        assert_eq!(table_uuid(2, 512, &read(disk.clone())).unwrap(), "1234abcd-02");
        disk[512..520].copy_from_slice(b"EFI PART");
        disk[584..592].copy_from_slice(&2_u64.to_le_bytes());
        disk[592..596].copy_from_slice(&4_u32.to_le_bytes());
        disk[596..600].copy_from_slice(&128_u32.to_le_bytes());
        for (at, slot) in disk[1024 + 128 + 16..1024 + 128 + 32].iter_mut().enumerate() {
            *slot = u8::try_from(at).unwrap();
        }
        assert_eq!(table_uuid(2, 512, &read(disk.clone())).unwrap(), "03020100-0504-0706-0809-0a0b0c0d0e0f");
        assert_eq!(table_uuid(5, 512, &read(disk)), None);
    }

    #[test]
    fn what_is_not_there_is_not_waited_for_longer_than_said() {
        let source = Source::Tag(Tag::Uuid, "no-such-uuid".to_owned());
        assert_eq!(wait_for(&source, Duration::from_millis(20)), None);
        assert_eq!(find(&Source::Name("tmpfs".to_owned())), Some("tmpfs".into()));
        assert_eq!(find(&Source::Path("/dev/null".into())), Some("/dev/null".into()));
    }

    #[test]
    fn an_image_is_recognised() {
        let folder = testkit::TempDir::new("probe").unwrap();
        let path = folder.path().join("image");
        let mut image = vec![0_u8; 1 << 20];
        image[..4].copy_from_slice(b"XFSB");
        image[4..8].copy_from_slice(&4096_u32.to_be_bytes());
        image[108..113].copy_from_slice(b"music");
        std::fs::write(&path, image).unwrap();
        assert_eq!(content(&path).unwrap().label.as_str(), "music");
    }
}
