//! The files that say what a service may do: `capabilities`, `limits`.

use super::parse::Expected;
use sys::capability;
use sys::spawn::{Limit, RESOURCES};

/// Names of capabilities, separated by blanks; `#` begins a comment. An empty file: none at all.
///
/// # Errors
/// What was expected.
pub fn capabilities(content: &[u8]) -> Result<u64, Expected> {
    const EXPECTED: Expected = "names of capabilities, such as CAP_NET_BIND_SERVICE";
    let mut all = 0;
    for word in lines(content, EXPECTED)?.iter().flat_map(|line| line.split_ascii_whitespace()) {
        all |= 1_u64 << capability::number_of(word).ok_or(EXPECTED)?;
    }
    Ok(all)
}

/// A limit per line: the name of the resource as in `man 2 setrlimit` without RLIMIT_, then the limit, or soft and hard limit; `unlimited` or a number.
///
/// # Errors
/// What was expected.
pub fn limits(content: &[u8]) -> Result<Vec<Limit>, Expected> {
    const EXPECTED: Expected = "lines such as nofile 1024, nofile 1024 4096 or core unlimited";
    let number = |word: &str| if word == "unlimited" { Ok(u64::MAX) } else { word.parse().map_err(|_| EXPECTED) };
    let mut all = Vec::new();
    for line in lines(content, EXPECTED)? {
        let mut words = line.split_ascii_whitespace();
        let Some(name) = words.next() else { continue };
        let resource = RESOURCES.iter().find(|(one, _)| one.eq_ignore_ascii_case(name)).ok_or(EXPECTED)?.1;
        let soft = number(words.next().ok_or(EXPECTED)?)?;
        let hard = words.next().map_or(Ok(soft), number)?;
        if words.next().is_some() || soft > hard {
            return Err(EXPECTED);
        }
        all.push(Limit { resource, soft, hard });
    }
    Ok(all)
}

/// The lines without comments.
fn lines(content: &[u8], expected: Expected) -> Result<Vec<&str>, Expected> {
    let text = std::str::from_utf8(content).map_err(|_| expected)?;
    Ok(text.lines().map(|line| line.split('#').next().unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_bits() {
        assert_eq!(capabilities(b""), Ok(0));
        assert_eq!(capabilities(b"CAP_CHOWN net_raw # for ping\nCAP_KILL\n"), Ok(1 | 1 << 13 | 1 << 5));
        assert!(capabilities(b"CAP_FLY").is_err() && capabilities(b"\xff").is_err());
    }

    #[test]
    fn limits_are_read_line_by_line() {
        let nofile = RESOURCES.iter().find(|(name, _)| *name == "nofile").unwrap().1;
        let core = RESOURCES.iter().find(|(name, _)| *name == "core").unwrap().1;
        let both =
            [Limit { resource: nofile, soft: 10, hard: 20 }, Limit { resource: core, soft: u64::MAX, hard: u64::MAX }];
        assert_eq!(limits(b"# few\nnofile 10 20\n\nCORE unlimited\n").unwrap(), both);
        for bad in [&b"nofile"[..], b"nofile x", b"nofile 2 1", b"nofile 1 2 3", b"wings 2", b"nofile -1"] {
            assert!(limits(bad).is_err(), "{bad:?}");
        }
    }
}
