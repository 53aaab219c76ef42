//! `hwclock`: the clock of the system by the chip that runs on a battery, and in the end the other way round (`man 8 hwclock`).
//!
//! No clock is set to before this program was installed or the machine was switched off last: without a chip, or with an empty battery, time
//! goes on from there instead of from 1970.

use crate::{Job, fields};
use program::{Fatal, exit};
use rustix::time::{ClockId, Timespec, clock_gettime, clock_settime};
use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use sys::device::Moment;

/// Whose time of change is when the machine was switched off last.
pub const STAMP: &str = "/var/lib/lunix/clock";
/// The chip.
const CHIP: &str = "/dev/rtc0";
/// What the kernel has set by itself is not set again: the chip tells whole seconds only.
const CLOSE_S: i64 = 2;

/// In which time zone the chip runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// None.
    Utc,
    /// That of /etc/localtime.
    Local,
}

/// What the clock is to be set to; `None`: it is right. `chip` is what the chip says, `floor` the latest moment that is surely past.
#[must_use]
pub fn decide(now: i64, chip: Option<i64>, floor: i64) -> Option<i64> {
    let right = chip.unwrap_or(now).max(floor);
    (right.abs_diff(now) >= CLOSE_S.unsigned_abs()).then_some(right)
}

/// Sets the clock by the chip, or with `save` the chip by the clock.
///
/// # Errors
/// When either cannot be set.
pub fn run(job: &Job, save: bool) -> Result<u8, Fatal> {
    let path = job.path("/etc/adjtime");
    let zone = match std::fs::read(&path) {
        Ok(text) => zone(&text)
            .map_err(|(line, sentence)| Fatal::new(exit::CONFIG, format!("{}:{line}: {sentence}", path.display())))?,
        Err(_) => Zone::Utc,
    };
    let chip = match File::open(CHIP) {
        Ok(chip) => Some(chip),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Fatal::system(&format!("cannot open {CHIP}"), error)),
    };
    let now = clock_gettime(ClockId::Realtime).tv_sec;
    if save {
        return keep(job, now, chip, zone);
    }
    let read = chip.map(|chip| sys::device::chip_time(&chip)).transpose();
    let chip = read.unwrap_or_else(|error| {
        job.warn(format_args!("{CHIP} holds no time: {error}"));
        None
    });
    let chip = chip.and_then(|moment| unix(moment, zone));
    let own = changed(Path::new("/proc/self/exe"));
    let floor = own.max(changed(&job.path(STAMP)));
    let right = decide(now, chip, floor);
    if job.check {
        return job
            .print(format_args!("set the clock to {right:?} (now {now}, chip {chip:?}, not before {floor})"))
            .map(|()| exit::OK);
    }
    if zone == Zone::Local {
        let west = chip.and_then(sys::device::local_moment).map(|there| (chip.unwrap_or(0) - of_civil(there)) / 60);
        let west = i32::try_from(west.unwrap_or(0)).unwrap_or(0);
        sys::device::chip_is_local(west).map_err(|error| Fatal::system("cannot set the time zone", error))?;
    }
    let Some(tv_sec) = right.or((zone == Zone::Local).then_some(chip.unwrap_or(now).max(floor))) else {
        return Ok(exit::OK);
    };
    let set = clock_settime(ClockId::Realtime, Timespec { tv_sec, tv_nsec: 0 });
    set.map_err(|errno| Fatal::system("cannot set the clock", errno))?;
    Ok(exit::OK)
}

fn keep(job: &Job, now: i64, chip: Option<File>, zone: Zone) -> Result<u8, Fatal> {
    if job.check {
        return job.print(format_args!("set the chip of the clock to {now} ({zone:?})")).map(|()| exit::OK);
    }
    let stamp = job.path(STAMP);
    let folder = stamp.parent().unwrap_or(Path::new("/"));
    let written = std::fs::create_dir_all(folder).and_then(|()| File::create(&stamp)).and_then(|file| {
        // An empty file that is truncated does not change.
        file.set_modified(std::time::SystemTime::now())?;
        file.sync_all()
    });
    written.map_err(|error| Fatal::system(&format!("cannot write {}", stamp.display()), error))?;
    let Some(chip) = chip else { return Ok(exit::OK) };
    let moment = match zone {
        Zone::Utc => civil(now),
        Zone::Local => sys::device::local_moment(now).unwrap_or_else(|| civil(now)),
    };
    sys::device::set_chip_time(&chip, moment).map_err(|error| Fatal::system(&format!("cannot set {CHIP}"), error))?;
    Ok(exit::OK)
}

/// When the file was changed last; 0 when there is none.
fn changed(path: &Path) -> i64 {
    std::fs::metadata(path).map_or(0, |metadata| metadata.mtime())
}

/// The third line of adjtime (`man 5 adjtime_config`).
///
/// # Errors
/// The line and what was expected there.
pub fn zone(text: &[u8]) -> Result<Zone, (u32, String)> {
    let (mut found, mut last) = (Ok(Zone::Utc), 0);
    fields::lines(fields::FSTAB, text, |line, words| {
        last += 1;
        if last != 3 {
            return;
        }
        found = match words.ok().and_then(|words| words.first()).map(Vec::as_slice) {
            Some(b"UTC") => Ok(Zone::Utc),
            Some(b"LOCAL") => Ok(Zone::Local),
            Some(_) | None => Err((line, "expected UTC or LOCAL".to_owned())),
        };
    });
    found
}

fn unix(moment: Moment, zone: Zone) -> Option<i64> {
    match zone {
        Zone::Utc => Some(of_civil(moment)),
        Zone::Local => sys::device::unix_of_local(moment),
    }
}

/// Seconds since 1970 of a moment in UTC, by the civil calendar: years begin in March, so that the leap day is the last.
#[must_use]
pub fn of_civil(moment: Moment) -> i64 {
    let (month, year) = (i64::from(moment.month), i64::from(moment.year) - i64::from(moment.month <= 2));
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + i64::from(moment.day) - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    days * 86_400 + i64::from(moment.hour) * 3600 + i64::from(moment.minute) * 60 + i64::from(moment.second)
}

/// The other way round.
#[must_use]
pub fn civil(unix_s: i64) -> Moment {
    let (days, seconds) = (unix_s.div_euclid(86_400) + 719_468, unix_s.rem_euclid(86_400));
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let small = |number: i64| i32::try_from(number).unwrap_or(0);
    Moment {
        year: small(year_of_era + era * 400 + i64::from(month <= 2)),
        month: small(month),
        day: small(day_of_year - (153 * shifted + 2) / 5 + 1),
        hour: small(seconds / 3600),
        minute: small(seconds / 60 % 60),
        second: small(seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_never_goes_before_what_is_surely_past() {
        for (now, chip, floor, expected) in [
            (100, Some(100), 50, None),
            (101, Some(100), 50, None),
            (0, Some(100), 50, Some(100)),
            (0, Some(20), 50, Some(50)),
            (0, None, 50, Some(50)),
            (60, None, 50, None),
            (500, Some(100), 50, Some(100)),
            (500, Some(-3), 600, Some(600)),
        ] {
            assert_eq!(decide(now, chip, floor), expected, "{now} {chip:?} {floor}");
        }
    }

    #[test]
    fn the_third_line_says_which_zone() {
        assert_eq!(zone(b"0.0 0 0.0\n0\nLOCAL\n"), Ok(Zone::Local));
        assert_eq!(zone(b"0.0 0 0.0\n0\nUTC"), Ok(Zone::Utc));
        assert_eq!(zone(b"0.0 0 0.0\n0\n"), Ok(Zone::Utc));
        assert_eq!(zone(b""), Ok(Zone::Utc));
        assert_eq!(zone(b"0\n0\nlocal\n").unwrap_err(), (3, "expected UTC or LOCAL".to_owned()));
    }

    #[test]
    fn days_are_counted_as_the_calendar_has_them() {
        let moment = |year, month, day| Moment { year, month, day, hour: 0, minute: 0, second: 0 };
        for (moment, unix) in [
            (moment(1970, 1, 1), 0),
            (moment(2000, 2, 29), 951_782_400),
            (moment(2000, 3, 1), 951_868_800),
            (moment(2100, 3, 1), 4_107_542_400),
            (moment(1969, 12, 31), -86_400),
        ] {
            assert_eq!((of_civil(moment), civil(unix)), (unix, moment));
        }
        for unix in (-10_000_000_000..10_000_000_000).step_by(77_777_777) {
            assert_eq!(of_civil(civil(unix)), unix);
        }
    }
}
