//! The kernel's log as a place for lunix-init's own lines (`man 4 kmsg`), where log services and `dmesg` find them.
//!
//! The kernel takes ten lines in five seconds from each writer and drops what comes beyond, without a word to anybody (`printk_devkmsg` in
//! `Documentation/admin-guide/sysctl/kernel.rst`). So what is beyond is counted here, and the count told as soon as there is room.

use reactor::Instant;
use rustix::fs::{Mode, OFlags};
use std::fmt;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The kernel's own numbers (DEFAULT_RATELIMIT_INTERVAL and DEFAULT_RATELIMIT_BURST).
const WINDOW: Duration = Duration::from_secs(5);
const LINES_MAX: u32 = 10;

/// What the machine's owner lets programs write there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everything.
    On,
    /// Ten lines in five seconds.
    Limited,
    /// Nothing.
    Off,
}

impl Rule {
    /// What /proc/sys/kernel/printk_devkmsg says; the kernel's own default where it says nothing.
    #[must_use]
    pub fn of(content: &[u8]) -> Self {
        match content.trim_ascii() {
            b"on" => Self::On,
            b"off" => Self::Off,
            _ => Self::Limited,
        }
    }
}

/// How many lines there is room for. One of a window's lines is kept for the count of those that are lost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Room {
    begun: Option<Instant>,
    used: u32,
    lost: u32,
}

/// What is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// The line.
    Line,
    /// How many were lost, then the line.
    CountAndLine(u32),
    /// Nothing now.
    Nothing,
}

impl Room {
    /// There is one more line.
    pub fn take(&mut self, now: Instant, rule: Rule) -> Take {
        match rule {
            Rule::On => return Take::Line,
            Rule::Off => return Take::Nothing,
            Rule::Limited => {}
        }
        if self.begun.is_none_or(|begun| now.since(begun) > WINDOW) {
            (self.begun, self.used) = (Some(now), 0);
        }
        let lost = self.lost;
        let needed = if lost > 0 { 2 } else { 1 };
        if self.used + needed > LINES_MAX {
            self.lost = self.lost.saturating_add(1);
            return Take::Nothing;
        }
        (self.used, self.lost) = (self.used + needed, 0);
        if lost > 0 { Take::CountAndLine(lost) } else { Take::Line }
    }
}

/// The log, opened.
#[derive(Debug)]
pub struct KernelLog {
    fd: OwnedFd,
    rule: Rule,
    room: Room,
}

impl KernelLog {
    /// Opens it; `None` where there is none, or it is not for us.
    #[must_use]
    pub fn open() -> Option<Self> {
        let flags = OFlags::WRONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
        let fd = rustix::fs::open("/dev/kmsg", flags, Mode::empty()).ok()?;
        let rule = Rule::of(&std::fs::read("/proc/sys/kernel/printk_devkmsg").unwrap_or_default());
        Some(Self { fd, rule, room: Room::default() })
    }

    /// Writes a line of ours, or counts it.
    pub fn say(&mut self, words: &str) {
        match self.room.take(Instant::now(), self.rule) {
            Take::Nothing => {}
            Take::Line => self.write(format_args!("{words}")),
            Take::CountAndLine(lost) => {
                self.write(format_args!("warn: lines are missing here (lost={lost})"));
                self.write(format_args!("{words}"));
            }
        }
    }

    fn write(&self, words: fmt::Arguments<'_>) {
        // Facility daemon, at the level that the kernel does not print: the console has the line already. What finds no room there is on
        // the console all the same.
        let _ = rustix::io::write(&self.fd, format!("<31>lunix-init: {words}\n").as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(0) + Duration::from_millis(ms)
    }

    #[test]
    fn what_the_kernel_would_drop_is_counted_and_the_count_told() {
        let mut room = Room::default();
        let takes: Vec<Take> = (0..15).map(|turn| room.take(at(turn * 10), Rule::Limited)).collect();
        assert!(
            takes[..10].iter().all(|take| *take == Take::Line) && takes[10..].iter().all(|take| *take == Take::Nothing)
        );
        assert_eq!(room.take(at(5000), Rule::Limited), Take::Nothing);
        assert_eq!(room.take(at(5001), Rule::Limited), Take::CountAndLine(6));
        assert_eq!(room.take(at(5002), Rule::Limited), Take::Line);
    }

    /// Never more than the kernel takes, and no line disappears uncounted.
    #[test]
    fn every_line_is_written_or_counted() {
        let mut rng = testkit::rng::Rng::printed("kernel_log");
        let (mut room, mut now, mut written, mut counted) = (Room::default(), 0, Vec::new(), 0);
        const LINES: u32 = 5000;
        for _ in 0..LINES {
            now += u64::try_from(rng.below(900)).unwrap();
            match room.take(at(now), Rule::Limited) {
                Take::Line => written.push(now),
                Take::CountAndLine(lost) => {
                    counted += lost;
                    written.extend([now, now]);
                }
                Take::Nothing => {}
            }
        }
        let counts = u32::try_from(written.windows(2).filter(|pair| pair[0] == pair[1]).count()).unwrap();
        assert!(counts > 0 && u32::try_from(written.len()).unwrap() + counted + room.lost >= LINES);
        // As the kernel counts: a window begins with the first line after the one before.
        let (mut begun, mut used) = (0, 0);
        for moment in written {
            if moment > begun + 5000 || used == 0 {
                (begun, used) = (moment, 0);
            }
            used += 1;
            assert!(used <= 10);
        }
    }

    #[test]
    fn the_owners_rule_counts() {
        assert_eq!(
            [&b"on\n"[..], b"off", b"ratelimit\n", b""].map(Rule::of),
            [Rule::On, Rule::Off, Rule::Limited, Rule::Limited]
        );
        let mut room = Room::default();
        assert!(
            (0..99).all(|_| room.take(at(0), Rule::On) == Take::Line && room.take(at(0), Rule::Off) == Take::Nothing)
        );
    }
}
