//! Devices of the machine itself that are commanded by `ioctl(2)` alone: the random pool, the clock's chip, the watchdog, loop disks, swap.

use std::ffi::{CStr, c_int};
use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// Most bytes given to the random pool at once.
pub const SEED_BYTES_MAX: usize = 512;

const WORDS: usize = SEED_BYTES_MAX / 4;

/// `struct rand_pool_info` with room for a whole seed.
#[repr(C)]
struct Pool {
    entropy_bits: c_int,
    size_bytes: c_int,
    words: [u32; WORDS],
}

/// Adds `seed` to the random pool and says that all of it is unpredictable (`man 4 random`, RNDADDENTROPY).
///
/// # Errors
/// `EPERM` without CAP_SYS_ADMIN, `EINVAL` for a seed of more than [`SEED_BYTES_MAX`] bytes.
pub fn credit_entropy(random: impl AsFd, seed: &[u8]) -> io::Result<()> {
    let size_bytes = c_int::try_from(seed.len()).unwrap_or(c_int::MAX);
    if seed.len() > SEED_BYTES_MAX {
        return Err(io::Error::from_raw_os_error(libc::EINVAL));
    }
    let mut pool = Pool { entropy_bits: size_bytes.saturating_mul(8), size_bytes, words: [0; WORDS] };
    for (word, bytes) in pool.words.iter_mut().zip(seed.chunks(4)) {
        let mut whole = [0; 4];
        whole.iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        *word = u32::from_ne_bytes(whole);
    }
    // SAFETY: the kernel reads the two integers and then `size_bytes` bytes, which is at most the length of `words`.
    check(unsafe { libc::ioctl(random.as_fd().as_raw_fd(), ADD_ENTROPY, &raw const pool) })
}

/// A moment as the chip of the clock has it: a date and a time of day, with no word on which time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// The year, such as 2026.
    pub year: i32,
    /// 1 to 12.
    pub month: i32,
    /// 1 to 31.
    pub day: i32,
    /// 0 to 23.
    pub hour: i32,
    /// 0 to 59.
    pub minute: i32,
    /// 0 to 60.
    pub second: i32,
}

/// `struct rtc_time`.
#[repr(C)]
#[derive(Default)]
struct Chip {
    second: c_int,
    minute: c_int,
    hour: c_int,
    day: c_int,
    month0: c_int,
    year1900: c_int,
    unused: [c_int; 3],
}

/// Reads the chip of the clock (`man 4 rtc`).
///
/// # Errors
/// `EINVAL` when the chip holds no time.
pub fn chip_time(rtc: impl AsFd) -> io::Result<Moment> {
    let mut chip = Chip::default();
    // SAFETY: the kernel writes one `struct rtc_time`, which `Chip` is.
    check(unsafe { libc::ioctl(rtc.as_fd().as_raw_fd(), READ_TIME, &raw mut chip) })?;
    Ok(Moment {
        year: chip.year1900.saturating_add(1900),
        month: chip.month0.saturating_add(1),
        day: chip.day,
        hour: chip.hour,
        minute: chip.minute,
        second: chip.second,
    })
}

/// Sets the chip of the clock.
///
/// # Errors
/// `EACCES` without CAP_SYS_TIME, `EINVAL` for a moment that does not exist.
pub fn set_chip_time(rtc: impl AsFd, moment: Moment) -> io::Result<()> {
    let chip = Chip {
        second: moment.second,
        minute: moment.minute,
        hour: moment.hour,
        day: moment.day,
        month0: moment.month.saturating_sub(1),
        year1900: moment.year.saturating_sub(1900),
        unused: [0; 3],
    };
    // SAFETY: the kernel reads one `struct rtc_time`, which `Chip` is.
    check(unsafe { libc::ioctl(rtc.as_fd().as_raw_fd(), SET_TIME, &raw const chip) })
}

/// The moment in the machine's own time zone (`/etc/localtime`); `None` beyond what the C library can tell.
#[allow(clippy::useless_conversion, reason = "time_t is shorter on some machines")]
#[must_use]
pub fn local_moment(unix_s: i64) -> Option<Moment> {
    let time = unix_s.try_into().ok()?;
    // SAFETY: tm is plain integers and a pointer; all zero is a valid value.
    let mut broken: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are valid; the second one's target is written.
    if unsafe { libc::localtime_r(&raw const time, &raw mut broken) }.is_null() {
        return None;
    }
    Some(Moment {
        year: broken.tm_year.saturating_add(1900),
        month: broken.tm_mon.saturating_add(1),
        day: broken.tm_mday,
        hour: broken.tm_hour,
        minute: broken.tm_min,
        second: broken.tm_sec,
    })
}

/// Seconds since 1970 of a moment in the machine's own time zone; `None` beyond what the C library can tell.
#[allow(clippy::useless_conversion, reason = "time_t is shorter on some machines")]
#[must_use]
pub fn unix_of_local(moment: Moment) -> Option<i64> {
    // SAFETY: tm is plain integers and a pointer; all zero is a valid value.
    let mut broken: libc::tm = unsafe { std::mem::zeroed() };
    broken.tm_year = moment.year.checked_sub(1900)?;
    broken.tm_mon = moment.month.checked_sub(1)?;
    (broken.tm_mday, broken.tm_hour) = (moment.day, moment.hour);
    (broken.tm_min, broken.tm_sec) = (moment.minute, moment.second);
    broken.tm_isdst = -1;
    // SAFETY: a valid pointer; the C library normalises the target and writes nothing else.
    let time = unsafe { libc::mktime(&raw mut broken) };
    (time != -1).then(|| i64::try_from(time).ok()).flatten()
}

/// Tells the kernel how many minutes the machine's time zone is west of Greenwich, and by that, the first time, that the chip of the clock
/// runs on local time: it then does not write its own time there. The kernel moves its clock by as much, so set that afterwards.
///
/// # Errors
/// `EPERM` without CAP_SYS_TIME.
pub fn chip_is_local(minutes_west: i32) -> io::Result<()> {
    let zone: [c_int; 2] = [minutes_west, 0];
    let no_time: *const libc::timeval = std::ptr::null();
    // SAFETY: settimeofday reads a `struct timezone`, which is two ints, and no time where the pointer to it is null. C libraries leave the
    // zone out, hence the bare call.
    if unsafe { libc::syscall(libc::SYS_settimeofday, no_time, zone.as_ptr()) } == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Sets after how many seconds without a sign the watchdog acts; returns what the hardware made of it.
///
/// # Errors
/// `EOPNOTSUPP` when it is fixed, `EINVAL` when the hardware cannot do that.
pub fn set_watchdog_timeout(watchdog: impl AsFd, seconds: u16) -> io::Result<u16> {
    let mut value = c_int::from(seconds);
    // SAFETY: the kernel reads and writes one int.
    check(unsafe { libc::ioctl(watchdog.as_fd().as_raw_fd(), SET_TIMEOUT, &raw mut value) })?;
    Ok(u16::try_from(value).unwrap_or(u16::MAX))
}

/// After how many seconds without a sign the watchdog acts.
///
/// # Errors
/// `EOPNOTSUPP` when the driver does not tell.
pub fn watchdog_timeout(watchdog: impl AsFd) -> io::Result<u16> {
    let mut value: c_int = 0;
    // SAFETY: the kernel writes one int.
    check(unsafe { libc::ioctl(watchdog.as_fd().as_raw_fd(), GET_TIMEOUT, &raw mut value) })?;
    Ok(u16::try_from(value).unwrap_or(u16::MAX))
}

/// Takes the file away from a loop disk (`man 4 loop`); while something is mounted from it, that happens when it no longer is.
///
/// # Errors
/// `ENXIO` when it has none.
pub fn detach_loop(disk: impl AsFd) -> io::Result<()> {
    // SAFETY: this request takes no argument.
    check(unsafe { libc::ioctl(disk.as_fd().as_raw_fd(), LOOP_DETACH, 0) })
}

/// The key for the keyboard request sends us this signal from now on (KDSIGACCEPT, `man 2 ioctl_console`).
///
/// # Errors
/// `EPERM` without CAP_KILL, `ENOTTY` for what is no virtual console.
pub fn accept_keyboard_request(console: impl AsFd, signal: crate::signal::Signal) -> io::Result<()> {
    let number = libc::c_ulong::try_from(signal).unwrap_or(0);
    // SAFETY: this request takes a number.
    check(unsafe { libc::ioctl(console.as_fd().as_raw_fd(), KEYBOARD_REQUEST, number) })
}

/// Swaps to the device or file, with this priority (0 to 32767) when there is one.
///
/// # Errors
/// `EINVAL` when it holds no swap space, `EBUSY` when it is swapped to already, `EPERM` without CAP_SYS_ADMIN.
pub fn swap_on(path: &CStr, priority: Option<u16>, discard: bool) -> io::Result<()> {
    let mut flags = 0;
    if let Some(priority) = priority {
        flags |= PREFER | (c_int::from(priority) & PRIORITY_MASK);
    }
    if discard {
        flags |= DISCARD;
    }
    // SAFETY: the string ends with a NUL.
    check(unsafe { libc::swapon(path.as_ptr(), flags) })
}

/// Swaps to it no more; what is there is brought back to memory first.
///
/// # Errors
/// `EINVAL` when it is not swapped to, `ENOMEM` when there is no room for what is there.
pub fn swap_off(path: &CStr) -> io::Result<()> {
    // SAFETY: the string ends with a NUL.
    check(unsafe { libc::swapoff(path.as_ptr()) })
}

fn check(result: c_int) -> io::Result<()> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What the kernel's headers make of each request; the generic encoding, which x86, ARM and RISC-V share.
const ADD_ENTROPY: libc::Ioctl = request(WRITE, b'R', 3, 8);
const READ_TIME: libc::Ioctl = request(READ, b'p', 9, 36);
const SET_TIME: libc::Ioctl = request(WRITE, b'p', 10, 36);
const SET_TIMEOUT: libc::Ioctl = request(READ | WRITE, b'W', 6, 4);
const GET_TIMEOUT: libc::Ioctl = request(READ, b'W', 7, 4);
const LOOP_DETACH: libc::Ioctl = 0x4C01;
const KEYBOARD_REQUEST: libc::Ioctl = 0x4B4E;
const WRITE: u32 = 1;
const READ: u32 = 2;

/// SWAP_FLAG_PREFER, SWAP_FLAG_PRIO_MASK and SWAP_FLAG_DISCARD.
const PREFER: c_int = 0x8000;
const PRIORITY_MASK: c_int = 0x7fff;
const DISCARD: c_int = 0x1_0000;

/// `_IOC` of `asm-generic/ioctl.h`, in the type that this C library's `ioctl` takes.
const fn request(direction: u32, kind: u8, number: u32, bytes: u32) -> libc::Ioctl {
    ((direction << 30) | (bytes << 16) | ((kind as u32) << 8) | number) as libc::Ioctl
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;

    #[test]
    fn requests_have_the_numbers_of_the_kernels_headers() {
        let all = [ADD_ENTROPY, READ_TIME, SET_TIME, SET_TIMEOUT, GET_TIMEOUT];
        let expected = [0x4008_5203_u32, 0x8024_7009, 0x4024_700a, 0xc004_5706, 0x8004_5707];
        assert_eq!(all, expected.map(|number| number as libc::Ioctl));
        assert_eq!(size_of::<Chip>(), 36);
    }

    #[test]
    fn what_is_not_such_a_device_says_so() {
        let null = File::open("/dev/null").unwrap();
        for result in [
            chip_time(&null).map(drop),
            set_watchdog_timeout(&null, 1).map(drop),
            detach_loop(&null),
            credit_entropy(&null, &[1, 2, 3]),
        ] {
            assert_eq!(result.unwrap_err().raw_os_error(), Some(libc::ENOTTY));
        }
        assert!(credit_entropy(&null, &[0; SEED_BYTES_MAX + 1]).is_err());
        assert!(swap_off(c"/dev/null").is_err());
    }

    #[test]
    fn local_time_goes_there_and_back() {
        for unix in [0, 1_000_000_000, 1_790_000_000] {
            assert_eq!(local_moment(unix).and_then(unix_of_local), Some(unix));
        }
    }
}
