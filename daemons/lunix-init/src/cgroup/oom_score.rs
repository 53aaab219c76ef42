//! How willingly the kernel kills a process when memory is short.

use super::scan::Line;

/// The number of an `oom-score-adj`, from -1000 (never) to 1000 (first).
///
/// # Errors
/// What was expected.
pub fn parse(content: &[u8]) -> Result<i16, &'static str> {
    let mut line = Line::new(content.trim_ascii());
    let negative = line.take(b"-");
    let number = line.number().and_then(|number| i16::try_from(number).ok()).filter(|&number| number <= 1000);
    match number {
        Some(number) if line.is_at_end() => Ok(if negative { -number } else { number }),
        Some(_) | None => Err("a number from -1000 to 1000"),
    }
}

/// Asks the kernel never to kill this process; returns what its children are to have: what it had itself before. `None` when it has to stay
/// as it was.
pub(crate) fn protect() -> Option<i16> {
    const FILE: &str = "/proc/self/oom_score_adj";
    let before = parse(&std::fs::read(FILE).ok()?).ok()?;
    std::fs::write(FILE, "-1000").ok()?;
    // That of an earlier self, which is no service's.
    Some(if before == -1000 { 0 } else { before })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_are_numbers_within_bounds() {
        assert_eq!((parse(b"-1000\n"), parse(b"0"), parse(b" 1000 ")), (Ok(-1000), Ok(0), Ok(1000)));
        for bad in [&b""[..], b"-", b"1001", b"-1001", b"+1", b"1 2", b"x", b"99999999999999999999"] {
            assert!(parse(bad).is_err(), "{bad:?}");
        }
    }
}
