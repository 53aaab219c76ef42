//! Times in messages.

use crate::scan::Scan;

/// A time as a message has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Time {
    /// With year and zone (RFC 5424, and what rsyslog sends by itself).
    Full(Moment),
    /// Without year and zone, in the sender's local time (RFC 3164).
    Local {
        /// Month, from 1.
        month: u8,
        /// Day, from 1.
        day: u8,
        /// Hour.
        hour: u8,
        /// Minute.
        minute: u8,
        /// Second; 60 in a leap second.
        second: u8,
    },
}

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Seconds since 1970 in UTC.
    pub seconds: i64,
    /// Microseconds.
    pub micros: u32,
}

const MONTHS: [&[u8]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

fn small(scan: &mut Scan<'_>, digits: usize, least: u8, most: u8) -> Option<u8> {
    let number = u8::try_from(scan.number(digits, digits)?).ok()?;
    (least..=most).contains(&number).then_some(number)
}

/// `2003-10-11T22:14:15.003Z`; a blank in the place of the T is taken, too.
pub(crate) fn full(scan: &mut Scan<'_>) -> Option<Moment> {
    scan.try_take(|scan| {
        let year = i64::try_from(scan.number(4, 4)?).ok()?;
        scan.byte(b'-')?;
        let month = small(scan, 2, 1, 12)?;
        scan.byte(b'-')?;
        let day = small(scan, 2, 1, 31)?;
        scan.byte(b'T').or_else(|| scan.byte(b' '))?;
        let (hour, minute, second) = clock(scan)?;
        let micros = fraction(scan)?;
        let offset = zone(scan)?;
        let days = days_since_epoch(year, i64::from(month), i64::from(day));
        let of_day = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        Some(Moment { seconds: days * 86_400 + of_day - offset, micros })
    })
}

/// `Oct 11 22:14:15`; the day may have a blank in front (or, of some senders, a zero), and some put the year behind.
pub(crate) fn local(scan: &mut Scan<'_>) -> Option<Time> {
    scan.try_take(|scan| {
        let (_, month) = MONTHS.iter().zip(1..).find(|(name, _)| scan.word(name).is_some())?;
        scan.byte(b' ')?;
        let blank = scan.byte(b' ').is_some();
        let day = u8::try_from(scan.number(1, if blank { 1 } else { 2 })?).ok().filter(|day| (1..=31).contains(day))?;
        scan.byte(b' ')?;
        scan.try_take(|scan| scan.number(4, 4).zip(scan.byte(b' ')));
        let (hour, minute, second) = clock(scan)?;
        fraction(scan)?;
        Some(Time::Local { month, day, hour, minute, second })
    })
}

fn clock(scan: &mut Scan<'_>) -> Option<(u8, u8, u8)> {
    let hour = small(scan, 2, 0, 23)?;
    scan.byte(b':')?;
    let minute = small(scan, 2, 0, 59)?;
    scan.byte(b':')?;
    Some((hour, minute, small(scan, 2, 0, 60)?))
}

/// Microseconds after a point; none without one. Digits beyond the sixth are dropped.
fn fraction(scan: &mut Scan<'_>) -> Option<u32> {
    if scan.byte(b'.').is_none() {
        return Some(0);
    }
    let digits = scan.some(|byte| byte.is_ascii_digit())?;
    let padded = digits.iter().copied().chain(core::iter::repeat(b'0')).take(6);
    Some(padded.fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0')))
}

/// Seconds east of UTC.
fn zone(scan: &mut Scan<'_>) -> Option<i64> {
    if scan.byte(b'Z').is_some() {
        return Some(0);
    }
    let sign = if scan.byte(b'+').is_some() { 1 } else { scan.byte(b'-').map(|()| -1)? };
    // RFC 3339 has a colon between hours and minutes; some senders do not.
    let (hours, minutes) = match scan.number(4, 4) {
        Some(both) => (u8::try_from(both / 100).ok()?, u8::try_from(both % 100).ok()?),
        None => {
            let hours = small(scan, 2, 0, 23)?;
            scan.byte(b':')?;
            (hours, small(scan, 2, 0, 59)?)
        }
    };
    Some(sign * (i64::from(hours) * 3600 + i64::from(minutes) * 60))
}

/// Days from 1970-01-01 in the Gregorian calendar, counted in eras of 400 years that begin in March.
fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        type Case = (&'static [u8], Option<(i64, u32)>);
        let table: [Case; 12] = [
            (b"1970-01-01T00:00:00Z", Some((0, 0))),
            (b"2003-10-11T22:14:15.003Z", Some((1_065_910_455, 3000))),
            (b"2003-08-24T05:14:15.000003-07:00", Some((1_061_727_255, 3))),
            (b"2024-02-29T23:59:60+00:00", Some((1_709_251_200, 0))),
            (b"1969-12-31T23:59:59Z", Some((-1, 0))),
            (b"2026-01-31 10:00:00+0100", Some((1_769_850_000, 0))),
            (b"2003-10-11T22:14:15.1234567Z", Some((1_065_910_455, 123_456))),
            (b"2003-13-11T22:14:15Z", None),
            (b"2003-10-11T24:14:15Z", None),
            (b"2003-10-11T22:14:15.Z", None),
            (b"2003-10-11T22:14:15", None),
            (b"03-10-11T22:14:15Z", None),
        ];
        for (text, expected) in table {
            let mut scan = Scan::new(text);
            let moment = full(&mut scan).map(|moment| (moment.seconds, moment.micros));
            assert_eq!(moment, expected, "{}", text.escape_ascii());
            assert_eq!(scan.rest().is_empty(), expected.is_some());
        }
    }

    #[test]
    fn local_times() {
        for (text, expected) in [
            (&b"Oct 11 22:14:15"[..], Some((10, 11, 22))),
            (b"Jan  1 00:00:00", Some((1, 1, 0))),
            (b"Jan 01 00:00:00", Some((1, 1, 0))),
            (b"Jan  1 2026 00:00:00", Some((1, 1, 0))),
            (b"Jan  1 00:00:00.123", Some((1, 1, 0))),
            (b"Jan  12 00:00:00", None),
            (b"Jan 1", None),
            (b"jan  1 00:00:00", None),
            (b"Foo  1 00:00:00", None),
        ] {
            let read = local(&mut Scan::new(text)).map(|time| match time {
                Time::Local { month, day, hour, .. } => (month, day, hour),
                Time::Full(_) => (0, 0, 0),
            });
            assert_eq!(read, expected, "{}", text.escape_ascii());
        }
    }
}
