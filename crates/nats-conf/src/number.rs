//! What a bare word means: a number with or without unit, a truth value, or itself.

use crate::value::Value;
use std::time::Duration;

/// The value of a bare word.
pub(crate) fn bare(word: &str) -> Value {
    match word.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" => return Value::Bool(true),
        "false" | "no" | "off" => return Value::Bool(false),
        _ => {}
    }
    if let Some(number) = integer(word) {
        return Value::Integer(number);
    }
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, word.strip_prefix('+').unwrap_or(word)),
    };
    match decimal(digits).filter(|_| word.contains('.')) {
        Some(number) => Value::Float(sign * number),
        None => Value::String(word.to_owned()),
    }
}

/// Digits with at most one point among them as a number: exact to the last bit up to 15 digits. `None` for anything else. The standard
/// library's parser reads more forms, with tables of 13 kB.
fn decimal(text: &str) -> Option<f64> {
    let (mut number, mut scale, mut has_digits, mut has_point) = (0.0, 1.0, false, false);
    for byte in text.bytes() {
        match byte {
            b'0'..=b'9' => {
                has_digits = true;
                number = number * 10.0 + f64::from(byte - b'0');
                scale *= if has_point { 10.0 } else { 1.0 };
            }
            b'.' if !has_point => has_point = true,
            _ => return None,
        }
    }
    Some(number / scale).filter(|number| has_digits && number.is_finite())
}

fn integer(word: &str) -> Option<i64> {
    let digits_end = word.find(|letter: char| !letter.is_ascii_digit() && letter != '-' && letter != '+');
    let (digits, unit) = word.split_at_checked(digits_end.unwrap_or(word.len()))?;
    digits.parse::<i64>().ok()?.checked_mul(factor(unit)?)
}

fn factor(unit: &str) -> Option<i64> {
    let unit = unit.to_ascii_lowercase();
    let (letter, rest) = match unit.as_str() {
        "" => return Some(1),
        text => text.split_at_checked(1)?,
    };
    let base = match rest {
        "" => 1000_i64,
        "b" | "i" | "ib" => 1024,
        _ => return None,
    };
    let power = match letter {
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return None,
    };
    base.checked_pow(power)
}

/// Reads a duration as Go writes it: numbers with `ns us ms s m h`, one after the other (`1m30s`, `0.5s`). `None` for anything else.
#[must_use]
pub fn parse_duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let number_end = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
        let (number, after) = rest.split_at_checked(number_end)?;
        let unit_end = after.find(|letter: char| letter.is_ascii_digit() || letter == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(unit_end)?;
        let seconds = match unit {
            "ns" => 1e-9,
            "us" | "µs" => 1e-6,
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total = total.checked_add(Duration::try_from_secs_f64(decimal(number)? * seconds).ok()?)?;
        rest = after;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_mean_what_the_reference_says() {
        let table = [
            ("4222", Value::Integer(4222)),
            ("-1", Value::Integer(-1)),
            ("1k", Value::Integer(1000)),
            ("1kb", Value::Integer(1024)),
            ("8MB", Value::Integer(8 << 20)),
            ("2GiB", Value::Integer(2 << 30)),
            ("1.5", Value::Float(1.5)),
            ("-0.25", Value::Float(-0.25)),
            ("+3.125", Value::Float(3.125)),
            (".5", Value::Float(0.5)),
            ("2.", Value::Float(2.0)),
            (".", Value::String(".".into())),
            ("1.5.1", Value::String("1.5.1".into())),
            ("1.-5", Value::String("1.-5".into())),
            ("yes", Value::Bool(true)),
            ("Off", Value::Bool(false)),
            ("10s", Value::String("10s".into())),
            ("127.0.0.1", Value::String("127.0.0.1".into())),
            ("9999999999999999999", Value::String("9999999999999999999".into())),
            ("inf", Value::String("inf".into())),
            ("k", Value::String("k".into())),
        ];
        for (word, value) in table {
            assert_eq!(bare(word), value);
        }
    }

    #[test]
    fn decimals_are_read_as_the_standard_library_reads_them() {
        for whole in ["", "0", "7", "12", "4222", "1234567"] {
            for rest in ["", "0", "1", "25", "001", "3333333", "99999999"] {
                let text = format!("{whole}.{rest}");
                assert_eq!(decimal(&text), text.parse().ok(), "{text}");
            }
        }
    }

    #[test]
    fn durations() {
        assert_eq!(parse_duration("2s"), Some(Duration::from_secs(2)));
        assert_eq!(parse_duration("1m30s"), Some(Duration::from_secs(90)));
        assert_eq!(parse_duration("0.5s"), Some(Duration::from_millis(500)));
        assert_eq!(parse_duration("250ms"), Some(Duration::from_millis(250)));
        for bad in ["", "2", "s", "2x", "-1s", "1..5s", "2 s"] {
            assert_eq!(parse_duration(bad), None, "{bad}");
        }
    }
}
