//! Times and sizes as systemd writes them (`man 7 systemd.time`).

/// Milliseconds of a time span; a number alone is seconds. `None`: no time span; `Some(None)`: `infinity`.
#[expect(clippy::option_option, reason = "no limit and no sense are two things")]
pub(crate) fn milliseconds(text: &str) -> Option<Option<u64>> {
    microseconds(text, 1_000_000).map(|span| span.map(|micros| micros.div_ceil(1000)))
}

/// Microseconds of a time span, where a number alone counts `unit_us` microseconds.
#[expect(clippy::option_option, reason = "no limit and no sense are two things")]
pub(crate) fn microseconds(text: &str, unit_us: u64) -> Option<Option<u64>> {
    if text.trim() == "infinity" {
        return Some(None);
    }
    let mut rest = text.trim();
    let mut total: u64 = 0;
    while !rest.is_empty() {
        let (number, after) = cut(rest, |letter| letter.is_ascii_digit());
        let (fraction, after) = match after.strip_prefix('.') {
            Some(after) => cut(after, |letter| letter.is_ascii_digit()),
            None => ("", after),
        };
        let (name, after) = cut(after.trim_start(), |letter| letter.is_alphabetic() || letter == 'µ');
        let unit = if name.is_empty() { unit_us } else { unit(name)? };
        if number.is_empty() && fraction.is_empty() {
            return None;
        }
        let whole = if number.is_empty() { 0 } else { number.parse::<u64>().ok()? };
        let mut part = unit;
        let mut extra: u64 = 0;
        for digit in fraction.chars().filter_map(|letter| letter.to_digit(10)) {
            part /= 10;
            extra = extra.checked_add(part.checked_mul(u64::from(digit))?)?;
        }
        total = total.checked_add(whole.checked_mul(unit)?)?.checked_add(extra)?;
        rest = after.trim_start();
    }
    (!text.trim().is_empty()).then_some(Some(total))
}

/// The letters at the front that are `wanted`, and the rest.
fn cut(text: &str, wanted: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|letter| !wanted(letter)).unwrap_or(text.len());
    text.split_at_checked(end).unwrap_or((text, ""))
}

/// Microseconds of a unit of time.
fn unit(name: &str) -> Option<u64> {
    const SECOND: u64 = 1_000_000;
    Some(match name {
        "us" | "usec" | "µs" | "μs" => 1,
        "ms" | "msec" => 1000,
        "s" | "sec" | "second" | "seconds" => SECOND,
        "m" | "min" | "minute" | "minutes" => 60 * SECOND,
        "h" | "hr" | "hour" | "hours" => 3600 * SECOND,
        "d" | "day" | "days" => 86_400 * SECOND,
        "w" | "week" | "weeks" => 604_800 * SECOND,
        "M" | "month" | "months" => 2_629_800 * SECOND,
        "y" | "year" | "years" => 31_557_600 * SECOND,
        _ => return None,
    })
}

/// Bytes of a size with a binary suffix: `512M`, `1.5G`. `None` for anything else (`infinity` and per cent, too).
pub(crate) fn bytes(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, suffix) = cut(text, |letter| letter.is_ascii_digit() || letter == '.');
    let shift = match suffix.trim() {
        "" | "B" => 0,
        "K" => 10,
        "M" => 20,
        "G" => 30,
        "T" => 40,
        "P" => 50,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (mut parts, mut of) = (0_u128, 1_u128);
    for digit in fraction.chars().take(18).map(|letter| letter.to_digit(10)) {
        (parts, of) = (parts * 10 + u128::from(digit?), of * 10);
    }
    let part = u64::try_from((parts << shift) / of).ok()?;
    whole.parse::<u64>().ok()?.checked_mul(1 << shift)?.checked_add(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_spans() {
        let table = [
            ("90", Some(Some(90_000))),
            ("5min 20s", Some(Some(320_000))),
            ("1h30m", Some(Some(5_400_000))),
            ("1.5s", Some(Some(1500))),
            (".5", Some(Some(500))),
            ("500 ms", Some(Some(500))),
            ("1us", Some(Some(1))),
            ("0", Some(Some(0))),
            ("infinity", Some(None)),
            ("", None),
            ("5 parsecs", None),
            ("s", None),
            ("-1", None),
            ("99999999999999999999", None),
        ];
        for (text, expected) in table {
            assert_eq!(milliseconds(text), expected, "{text}");
        }
        assert_eq!(microseconds("20ms", 1), Some(Some(20_000)));
        assert_eq!(microseconds("7", 1), Some(Some(7)));
    }

    #[test]
    fn sizes() {
        let table = [
            ("512M", Some(512 << 20)),
            ("1.5G", Some(3 << 29)),
            ("4096", Some(4096)),
            ("0", Some(0)),
            ("50%", None),
            ("infinity", None),
            ("M", None),
            ("999999999P", None),
        ];
        for (text, expected) in table {
            assert_eq!(bytes(text), expected, "{text}");
        }
    }
}
