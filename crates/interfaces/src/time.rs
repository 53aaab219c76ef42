//! RFC 3339 without a calendar library.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Formats a moment as `2026-01-31T23:59:59.000Z`. A clock before 1970 gives 1970.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// assert_eq!(interfaces::time::rfc3339(UNIX_EPOCH + Duration::from_millis(951_782_400_250)), "2000-02-29T00:00:00.250Z");
/// ```
#[must_use]
pub fn rfc3339(moment: SystemTime) -> String {
    let since = moment.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    let (year, month, day) = civil(since.as_secs() / 86_400);
    let second = since.as_secs() % 86_400;
    // By hand: it is done for every line of the log, and formatting takes several times as long.
    let mut text = String::with_capacity(24);
    for (number, digits, end) in [
        (year, 4, '-'),
        (month, 2, '-'),
        (day, 2, 'T'),
        (second / 3600, 2, ':'),
        (second / 60 % 60, 2, ':'),
        (second % 60, 2, '.'),
        (u64::from(since.subsec_millis()), 3, 'Z'),
    ] {
        push(number, digits, &mut text);
        text.push(end);
    }
    text
}

/// Appends a number with at least so many digits.
fn push(number: u64, digits: u32, text: &mut String) {
    if digits > 1 || number > 9 {
        push(number / 10, digits.saturating_sub(1), text);
    }
    let digit = u8::try_from(number % 10).unwrap_or_default();
    text.push(char::from(b'0' + digit));
}

/// Year, month and day of a day counted from 1970-01-01. The year is taken to begin in March, so that the leap day is its last.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (era * 400 + year_of_era + u64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_digits() {
        let shown = |number, digits| {
            let mut text = String::new();
            push(number, digits, &mut text);
            text
        };
        assert_eq!((shown(7, 3), shown(0, 2), shown(0, 1)), ("007".into(), "00".into(), "0".into()));
        assert_eq!((shown(12_345, 4), shown(2026, 4)), ("12345".into(), "2026".into()));
    }

    #[test]
    fn days_follow_the_calendar() {
        let table = [
            (0, (1970, 1, 1)),
            (58, (1970, 2, 28)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (11_017, (2000, 3, 1)),
            (20_454, (2026, 1, 1)),
            (47_541, (2100, 3, 1)),
        ];
        for (days, expected) in table {
            assert_eq!(civil(days), expected, "day {days}");
        }
    }
}
