//! Capabilities of a process about to execute another program (`man 7 capabilities`).

/// Names of the capabilities in the order of their numbers, without `CAP_`.
pub const NAMES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

/// The number of a capability by its name, with or without `CAP_`, in any case; `None` for no such name.
#[must_use]
pub fn number_of(name: &str) -> Option<u32> {
    let bare = match name.get(..4) {
        Some(prefix) if prefix.eq_ignore_ascii_case("cap_") => name.get(4..)?,
        Some(_) | None => name,
    };
    NAMES.iter().zip(0..).find(|(one, _)| one.eq_ignore_ascii_case(bare)).map(|(_, number)| number)
}

/// Version 3 of the kernel's structures: two words of 32 bits each.
const VERSION: u32 = 0x2008_0522;

#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

#[repr(C)]
#[derive(Clone, Copy)]
struct Word {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// Takes all capabilities but `wanted` out of the bounding set, and keeps those that are held over a change of user. Makes system calls
/// only, so a child of `clone` may call it. True when all went well; `errno` tells otherwise.
pub(crate) fn bound(wanted: u64) -> bool {
    for number in 0..64 {
        // SAFETY: plain integers. Reading tells which capabilities the kernel has.
        let held = unsafe { libc::prctl(libc::PR_CAPBSET_READ, number, 0, 0, 0) };
        if held == 1 && wanted & (1 << number) == 0 {
            // SAFETY: plain integers.
            if unsafe { libc::prctl(libc::PR_CAPBSET_DROP, number, 0, 0, 0) } != 0 {
                return false;
            }
        }
    }
    // SAFETY: plain integers.
    unsafe { libc::prctl(libc::PR_SET_KEEPCAPS, 1, 0, 0, 0) == 0 }
}

/// Gives the process exactly `wanted`, and hands it on to what it executes. As [`bound`], which must have come before.
pub(crate) fn take(wanted: u64) -> bool {
    let header = Header { version: VERSION, pid: 0 };
    let low = u32::try_from(wanted & 0xffff_ffff).unwrap_or(0);
    let high = u32::try_from(wanted >> 32).unwrap_or(0);
    let words = [low, high].map(|bits| Word { effective: bits, permitted: bits, inheritable: bits });
    // SAFETY: both structures are the kernel's of this version, initialised, and outlive the call.
    if unsafe { libc::syscall(libc::SYS_capset, &raw const header, words.as_ptr()) } != 0 {
        return false;
    }
    (0..64).filter(|number| wanted & (1 << number) != 0).all(|number| {
        // SAFETY: plain integers.
        unsafe { libc::prctl(libc::PR_CAP_AMBIENT, libc::PR_CAP_AMBIENT_RAISE, number, 0, 0) == 0 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_numbers() {
        assert_eq!(
            (number_of("CHOWN"), number_of("cap_net_admin"), number_of("CAP_BPF")),
            (Some(0), Some(12), Some(39))
        );
        assert_eq!((number_of("CAP_"), number_of("FLY"), number_of("")), (None, None, None));
    }
}
