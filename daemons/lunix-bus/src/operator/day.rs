//! Times of day at which users may be connected, in UTC.

use nats_keys::TimeRange;

const DAY: i64 = 24 * 60 * 60;

/// The second of the day of `hh:mm:ss`.
fn second(text: &str) -> Option<i64> {
    let mut parts = text.split(':').map(|part| {
        let digits = (1..=2).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i64>().ok().filter(|_| digits)
    });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let good = parts.next().is_none() && hours < 24 && minutes < 60 && seconds < 60;
    good.then_some((hours * 60 + minutes) * 60 + seconds)
}

/// True when every range is one.
pub(super) fn are_valid(ranges: &[TimeRange]) -> bool {
    ranges.iter().all(|range| second(&range.start).is_some() && second(&range.end).is_some())
}

/// The second at which the range around `now` ends; `None` outside of all. An end before the start is on the next day.
pub(super) fn end(ranges: &[TimeRange], now: i64) -> Option<i64> {
    let of_day = now.rem_euclid(DAY);
    let left = ranges.iter().filter_map(|range| {
        let (start, end) = (second(&range.start)?, second(&range.end)?);
        let length = (end - start).rem_euclid(DAY);
        let passed = (of_day - start).rem_euclid(DAY);
        (passed < length).then_some(length - passed)
    });
    left.max().map(|left| now + left)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(list: &[(&str, &str)]) -> Vec<TimeRange> {
        list.iter().map(|&(start, end)| TimeRange { start: start.into(), end: end.into() }).collect()
    }

    #[test]
    fn inside_and_outside() {
        let at = |text: &str| 20_000 * DAY + second(text).unwrap();
        let day = ranges(&[("08:00:00", "12:00:00"), ("13:30:00", "17:00:00")]);
        for (now, until) in [
            ("07:59:59", None),
            ("08:00:00", Some("12:00:00")),
            ("11:59:59", Some("12:00:00")),
            ("12:00:00", None),
            ("14:00:00", Some("17:00:00")),
            ("23:00:00", None),
        ] {
            assert_eq!(end(&day, at(now)), until.map(at), "{now}");
        }
        let night = ranges(&[("22:00:00", "06:00:00")]);
        assert_eq!(end(&night, at("23:00:00")), Some(at("06:00:00") + DAY));
        assert_eq!(end(&night, at("1:00:00")), Some(at("06:00:00")));
        assert_eq!(end(&night, at("12:00:00")), None);
    }

    #[test]
    fn what_is_no_time() {
        for text in
            ["", "8", "08:00", "24:00:00", "08:60:00", "08:00:60", "08:00:00:00", "+8:00:00", "008:00:00", "a:b:c"]
        {
            assert!(!are_valid(&ranges(&[(text, "10:00:00")])), "{text}");
        }
    }
}
