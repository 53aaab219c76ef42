//! The last steps of PID 1: file systems, then the machine.

use crate::console::Console;
use crate::shutdown::Goal;
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use rustix::system::RebootCommand;
use std::ffi::CString;

/// The number of the first PID namespace (the kernel's PROC_PID_INIT_INO).
const FIRST_NAMESPACE: &[u8] = b"pid:[4026531836]";
/// File systems that hold nothing a power cut could lose.
const OF_THE_KERNEL: [&[u8]; 10] =
    [b"proc", b"sysfs", b"devtmpfs", b"devpts", b"tmpfs", b"cgroup2", b"cgroup", b"rootfs", b"ramfs", b"securityfs"];

/// One line of /proc/self/mountinfo, as far as it matters here.
#[derive(Debug, PartialEq, Eq)]
struct Mounted {
    target: Vec<u8>,
    kind: Vec<u8>,
}

/// Unmounts, makes the root read-only, syncs, and ends the machine. Returns only when the kernel refuses.
pub fn finish(goal: Goal, console: &mut Console) {
    // In a PID namespace of its own (a container, a test) the file systems belong to somebody else.
    if is_first_namespace() {
        unmount_all(console);
    }
    rustix::fs::sync();
    let command = match goal {
        Goal::Leave | Goal::Poweroff => RebootCommand::PowerOff,
        Goal::Halt => RebootCommand::Halt,
        Goal::Reboot => RebootCommand::Restart,
    };
    console.say(format_args!("info: goodbye"));
    if let Err(errno) = rustix::system::reboot(command) {
        console.say(format_args!("error: the kernel refused: {errno}"));
    }
}

/// True when this is the machine's own PID 1, not that of a container.
pub(crate) fn is_first_namespace() -> bool {
    let name = std::fs::read_link("/proc/self/ns/pid");
    name.is_ok_and(|name| name.as_os_str().as_encoded_bytes() == FIRST_NAMESPACE)
}

fn unmount_all(console: &mut Console) {
    let table = std::fs::read("/proc/self/mountinfo").unwrap_or_default();
    let all: Vec<Mounted> = table.split(|&byte| byte == b'\n').filter_map(parse).collect();
    // Later mounts may lie within earlier ones.
    for mounted in all.iter().rev().filter(|mounted| mounted.target != b"/") {
        let holds_nothing = OF_THE_KERNEL.contains(&mounted.kind.as_slice());
        let Ok(target) = CString::new(mounted.target.clone()) else { continue };
        match rustix::mount::unmount(target.as_c_str(), UnmountFlags::NOFOLLOW) {
            Ok(()) => {}
            Err(_) if holds_nothing => {}
            Err(errno) => {
                let name = target.to_string_lossy();
                let again = remount_read_only(&target);
                let then = again
                    .map_or_else(|error| format!("nor make it read-only: {error}"), |()| "made it read-only".into());
                console.say(format_args!("warn: cannot unmount {name}: {errno}; {then}"));
            }
        }
    }
    let root_holds_nothing = all.iter().any(|one| one.target == b"/" && OF_THE_KERNEL.contains(&one.kind.as_slice()));
    if let Err(errno) = remount_read_only(c"/")
        && !root_holds_nothing
    {
        console.say(format_args!("warn: cannot make / read-only: {errno}"));
    }
}

fn remount_read_only(target: &std::ffi::CStr) -> Result<(), Errno> {
    rustix::mount::mount_remount(target, MountFlags::RDONLY, c"")
}

/// `man 5 proc_pid_mountinfo`: the fifth field is the mount point, the one after ` - ` the file system.
fn parse(line: &[u8]) -> Option<Mounted> {
    let mut fields = line.split(|&byte| byte == b' ');
    let target = unescape(fields.nth(4)?);
    let kind = fields.skip_while(|field| *field != b"-").nth(1)?.to_vec();
    Some(Mounted { target, kind })
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
        let line = br"36 35 98:0 /mnt1 /my\040place rw,noatime master:1 - ext3 /dev/root rw,errors=continue";
        assert_eq!(parse(line), Some(Mounted { target: b"/my place".to_vec(), kind: b"ext3".to_vec() }));
        assert_eq!(parse(b""), None);
        assert_eq!(unescape(br"a\134b\\"), br"a\b\\");
    }
}
