//! Times as they are typed: `500ms`, `2s`, `1m`.

use std::time::Duration;

/// The span, or `None` when it is not a number with `ms`, `s`, `m` or nothing (seconds) behind it.
pub(crate) fn span(text: &str) -> Option<Duration> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: f64 = digits.parse().ok()?;
    let seconds = match text.get(digits.len()..)? {
        "ms" => number / 1000.0,
        "s" | "" => number,
        "m" => number * 60.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok().filter(|span| !span.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_with_and_without_units() {
        for (text, ms) in [("500ms", 500), ("2s", 2000), ("2", 2000), ("1.5s", 1500), ("1m", 60_000)] {
            assert_eq!(span(text), Some(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1s", "0", "2h", "1e999", "nan", "2 s", "inf"] {
            assert_eq!(span(text), None, "{text}");
        }
    }
}
