//! Limits of resources, and the numbers the kernel knows them by.

/// A limit of a resource (`man 2 setrlimit`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// `RLIMIT_*`: see [`RESOURCES`].
    pub resource: u32,
    /// Up to here it works; `u64::MAX` is without limit.
    pub soft: u64,
    /// Up to here the soft limit may be raised.
    pub hard: u64,
}

/// The resources that have limits: their names, and the numbers of the kernel.
pub const RESOURCES: [(&str, u32); 16] = [
    ("as", number_of(libc::RLIMIT_AS as i64)),
    ("core", number_of(libc::RLIMIT_CORE as i64)),
    ("cpu", number_of(libc::RLIMIT_CPU as i64)),
    ("data", number_of(libc::RLIMIT_DATA as i64)),
    ("fsize", number_of(libc::RLIMIT_FSIZE as i64)),
    ("locks", number_of(libc::RLIMIT_LOCKS as i64)),
    ("memlock", number_of(libc::RLIMIT_MEMLOCK as i64)),
    ("msgqueue", number_of(libc::RLIMIT_MSGQUEUE as i64)),
    ("nice", number_of(libc::RLIMIT_NICE as i64)),
    ("nofile", NOFILE),
    ("nproc", number_of(libc::RLIMIT_NPROC as i64)),
    ("rss", number_of(libc::RLIMIT_RSS as i64)),
    ("rtprio", number_of(libc::RLIMIT_RTPRIO as i64)),
    ("rttime", number_of(libc::RLIMIT_RTTIME as i64)),
    ("sigpending", number_of(libc::RLIMIT_SIGPENDING as i64)),
    ("stack", number_of(libc::RLIMIT_STACK as i64)),
];

/// The number of the limit of open descriptors.
pub const NOFILE: u32 = number_of(libc::RLIMIT_NOFILE as i64);

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "kernel numbers from 0 to 15; const")]
const fn number_of(resource: i64) -> u32 {
    resource as u32
}

/// The kernel's structure.
#[allow(clippy::useless_conversion, reason = "rlim_t is not u64 on every target")]
pub(super) fn value(soft: u64, hard: u64) -> libc::rlimit {
    let number = |value: u64| libc::rlim_t::try_from(value).unwrap_or(libc::RLIM_INFINITY);
    libc::rlimit { rlim_cur: number(soft), rlim_max: number(hard) }
}
