//! The hardware watchdog (`Documentation/watchdog/watchdog-api.rst`): the machine starts anew when PID 1 does not say often enough that it is
//! well. It says so from the loop that does all its work, so a loop that stands still says nothing.

use super::{Host, Key};
use reactor::{Instant, Interest, Timer};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

const DEVICE: &str = "/dev/watchdog0";
/// What the end may take beyond its own limit before the machine starts anew all the same: the kernel's own part of it.
const KERNEL_LIMIT_S: u64 = 30;

/// The watchdog, where one is wanted.
#[derive(Debug)]
pub(super) struct Watchdog {
    /// Seconds without a sign; `None`: it is not wanted.
    wanted: Option<u16>,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    device: OwnedFd,
    timer: Timer,
    period: Duration,
    /// It counts down to the end of the machine and is not fed any more.
    is_last: bool,
}

impl Watchdog {
    pub(super) const fn new(wanted: Option<u16>) -> Self {
        Self { wanted, held: None }
    }
}

impl Host {
    /// Takes the watchdog, when it is wanted and there; its driver may come later, so this is tried again when a service is ready.
    pub(super) fn open_watchdog(&mut self) {
        let Some(seconds) = self.watchdog.wanted.filter(|_| self.watchdog.held.is_none()) else { return };
        match Held::open(seconds) {
            Ok(None) => {}
            Ok(Some((held, taken))) => {
                if let Err(error) = self.reactor.insert(&held.timer, Interest::READ, Key::Watchdog) {
                    return self.console.say(format_args!("error: cannot feed {DEVICE}: {error}"));
                }
                self.console
                    .say(format_args!("info: {DEVICE} is fed; without, the machine starts anew after {taken} s"));
                self.watchdog.held = Some(held);
                self.feed_watchdog();
            }
            Err(error) => {
                self.console.say(format_args!("error: cannot use {DEVICE}: {error}"));
                self.watchdog.wanted = None;
            }
        }
    }

    /// Says that PID 1 is well.
    pub(super) fn feed_watchdog(&mut self) {
        let Some(held) = &self.watchdog.held else { return };
        let _ = held.timer.fired();
        if held.is_last {
            return;
        }
        let fed = rustix::io::write(&held.device, b"1").map_err(io::Error::from);
        if let Err(error) = fed.and_then(|_| held.timer.arm(Instant::now() + held.period)) {
            self.console.say(format_args!("error: cannot feed {DEVICE}: {error}"));
        }
    }

    /// From now on the machine has as long as an orderly end may take, and not longer. Where the hardware cannot wait that long it goes on
    /// being fed, until the loop ends.
    pub(super) fn allow_watchdog_the_end(&mut self) {
        let limit_s = self.shutdown.limit().as_secs() + KERNEL_LIMIT_S;
        let Some(held) = &mut self.watchdog.held else { return };
        let wanted = u16::try_from(limit_s).unwrap_or(u16::MAX);
        let taken = sys::device::set_watchdog_timeout(&held.device, wanted);
        if taken.is_ok_and(|taken| taken >= wanted) {
            held.is_last = rustix::io::write(&held.device, b"1").is_ok();
        }
    }

    /// A machine that is to stand still must not start anew.
    pub(super) fn release_watchdog(&mut self) {
        if let Some(held) = self.watchdog.held.take() {
            // The letter that tells the driver that closing is meant.
            let _ = rustix::io::write(&held.device, b"V");
        }
    }
}

impl Held {
    /// Opens and sets it, with the seconds it took; `None`: there is none (yet).
    fn open(seconds: u16) -> io::Result<Option<(Self, u16)>> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC;
        let device = match rustix::fs::open(DEVICE, flags, Mode::empty()) {
            Ok(device) => device,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        };
        let taken = match sys::device::set_watchdog_timeout(&device, seconds) {
            Ok(taken) => taken,
            // It is fixed, or cannot be that: what it is decides how often it is fed.
            Err(_) => sys::device::watchdog_timeout(&device)?,
        };
        let period = Duration::from_millis(u64::from(taken) * 500).max(Duration::from_millis(100));
        Ok(Some((Self { device, timer: Timer::new()?, period, is_last: false }, taken)))
    }
}
