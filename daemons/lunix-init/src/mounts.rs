//! What is mounted, and what is swapped to, as the kernel tells.

use std::ffi::CString;

/// File systems that hold nothing a power cut could lose.
const OF_THE_KERNEL: [&[u8]; 20] = [
    b"autofs",
    b"binfmt_misc",
    b"bpf",
    b"cgroup",
    b"cgroup2",
    b"configfs",
    b"debugfs",
    b"devpts",
    b"devtmpfs",
    b"efivarfs",
    b"hugetlbfs",
    b"mqueue",
    b"nsfs",
    b"proc",
    b"pstore",
    b"ramfs",
    b"rootfs",
    b"securityfs",
    b"sysfs",
    b"tracefs",
];

/// One line of /proc/self/mountinfo, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
pub struct Mounted {
    /// Where.
    pub target: CString,
    /// The file system.
    pub kind: Vec<u8>,
    /// What.
    pub source: Vec<u8>,
    /// Nothing can be written, neither here nor by another mount of it.
    pub is_read_only: bool,
}

impl Mounted {
    /// Everything that this process sees, in the order it was mounted.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let table = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
        table.split(|&byte| byte == b'\n').filter_map(parse).collect()
    }

    /// True for what is on a disk or elsewhere outside of memory.
    #[must_use]
    pub fn holds_data(&self) -> bool {
        self.kind != b"tmpfs" && !OF_THE_KERNEL.contains(&self.kind.as_slice())
    }

    /// True for what the end unmounts: data, but not the root; and what lies in memory only where the system did not put it.
    #[must_use]
    pub fn is_to_be_unmounted(&self) -> bool {
        let target = self.target.as_bytes();
        let is_ours =
            |place: &&[u8]| target == *place || target.strip_prefix(*place).is_some_and(|rest| rest.starts_with(b"/"));
        let is_needed = [&b"/dev"[..], b"/proc", b"/sys", b"/run"].iter().any(is_ours);
        target != b"/" && (self.holds_data() || (self.kind == b"tmpfs" && !is_needed))
    }
}

/// What is swapped to (`man 5 proc_swaps`).
#[must_use]
pub fn swaps() -> Vec<CString> {
    let table = std::fs::read("/proc/swaps").unwrap_or_default();
    let lines = table.split(|&byte| byte == b'\n').skip(1);
    lines
        .filter_map(|line| line.split(|&byte| byte == b' ' || byte == b'\t').next())
        .filter(|path| path.starts_with(b"/"))
        .filter_map(|path| CString::new(unescape(path)).ok())
        .collect()
}

/// `man 5 proc_pid_mountinfo`: the fifth field is the mount point; after ` - ` come the file system, the source and the options of both.
fn parse(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|&byte| byte == b' ');
    let target = CString::new(unescape(fields.nth(4)?)).ok()?;
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let kind = rest.next()?.to_vec();
    let source = unescape(rest.next()?);
    let is_read_only = rest.next()?.split(|&byte| byte == b',').any(|word| word == b"ro");
    Some(Mounted { target, kind, source, is_read_only })
}

/// Undoes `\040` and its like.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&byte, after)) = rest.split_first() {
        match (byte, after) {
            (b'\\', [a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', more @ ..]) => {
                out.push(((a - b'0') << 6) | ((b - b'0') << 3) | (c - b'0'));
                rest = more;
            }
            (byte, after) => {
                out.push(byte);
                rest = after;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_mounts_is_read() {
        let line = br"36 35 98:0 /mnt1 /my\040place rw,noatime master:1 - ext3 /dev/my\040root rw,errors=continue";
        let expected = Mounted {
            target: c"/my place".to_owned(),
            kind: b"ext3".to_vec(),
            source: b"/dev/my root".to_vec(),
            is_read_only: false,
        };
        assert_eq!(parse(line), Some(expected));
        assert!(parse(b"1 2 0:1 / / rw - ext4 /dev/sda ro,x").unwrap().is_read_only);
        assert_eq!(parse(b""), None);
        assert_eq!(parse(b"1 2 0:1 / / rw - ext4"), None);
        assert_eq!(unescape(br"a\134b\\"), br"a\b\\");
        assert!(Mounted::all().iter().any(|one| one.target.as_c_str() == c"/proc"));
    }

    #[test]
    fn what_the_kernel_keeps_in_memory_stays() {
        let one = |target: &str, kind: &str| {
            parse(format!("1 2 0:1 / {target} rw - {kind} none rw").as_bytes()).unwrap().is_to_be_unmounted()
        };
        assert!(one("/home", "ext4") && one("/mnt", "tmpfs") && one("/run/media", "vfat") && one("/device", "tmpfs"));
        assert!(!one("/", "ext4") && !one("/proc", "proc") && !one("/run", "tmpfs") && !one("/dev/shm", "tmpfs"));
    }
}
