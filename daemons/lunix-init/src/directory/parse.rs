//! The small files of a service directory: pure functions from bytes to a value or to what was expected.

use crate::service::OnChange;
use std::time::Duration;

/// What a file should have held: completes the sentence "FILE: expected ...".
pub type Expected = &'static str;

/// A number of milliseconds; 0 means no limit.
///
/// # Errors
/// What was expected.
pub fn milliseconds(content: &[u8]) -> Result<Option<Duration>, Expected> {
    let millis = number(content, u64::from(u32::MAX)).ok_or("a number of milliseconds")?;
    Ok((millis > 0).then(|| Duration::from_millis(millis)))
}

/// A descriptor number that a service may be ready on.
///
/// # Errors
/// What was expected.
pub fn descriptor(content: &[u8]) -> Result<i32, Expected> {
    let found = number(content, 1023).and_then(|number| i32::try_from(number).ok());
    found.filter(|&fd| fd >= 3).ok_or("a descriptor number from 3 to 1023")
}

/// What a service directory describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A process that is to run for ever.
    Longrun,
    /// The one that keeps the output of the others.
    Log,
    /// Something done once.
    Oneshot,
    /// A name for several services.
    Bundle,
}

/// What a `type` says.
///
/// # Errors
/// What was expected.
pub fn kind(content: &[u8]) -> Result<Kind, Expected> {
    match content.trim_ascii() {
        b"longrun" => Ok(Kind::Longrun),
        b"oneshot" => Ok(Kind::Oneshot),
        b"bundle" => Ok(Kind::Bundle),
        b"log" => Ok(Kind::Log),
        _ => Err("longrun, oneshot, bundle or log"),
    }
}

/// A name per line; blanks before it and lines that begin with `#` do not count.
///
/// # Errors
/// What was expected.
pub fn names(content: &[u8]) -> Result<Vec<String>, Expected> {
    let text = std::str::from_utf8(content).map_err(|_| "a name on each line")?;
    let lines = text.lines().map(str::trim_start).filter(|line| !line.is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

/// What a change does: one word.
///
/// # Errors
/// What was expected.
pub fn on_change(content: &[u8]) -> Result<OnChange, Expected> {
    match content.trim_ascii() {
        b"restart" => Ok(OnChange::Restart),
        b"reload" => Ok(OnChange::Reload),
        b"keep" => Ok(OnChange::Keep),
        b"next-boot" => Ok(OnChange::NextBoot),
        _ => Err("restart, reload, keep or next-boot"),
    }
}

/// A signal by name or number.
///
/// # Errors
/// What was expected.
pub fn signal(content: &[u8]) -> Result<i32, Expected> {
    let word = std::str::from_utf8(content.trim_ascii()).ok();
    word.and_then(sys::signal::number_of).ok_or("a signal, such as TERM, SIGTERM or 15")
}

/// Exit codes, separated by blanks; an empty file means 64, 77 and 78.
///
/// # Errors
/// What was expected.
pub fn exit_codes(content: &[u8]) -> Result<Box<[u8]>, Expected> {
    let words = content.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
    let codes: Option<Vec<u8>> = words.map(|word| number(word, 255).and_then(|code| u8::try_from(code).ok())).collect();
    match codes.ok_or("exit codes from 0 to 255, separated by blanks")? {
        none if none.is_empty() => Ok(Box::new([64, 77, 78])),
        some => Ok(some.into_boxed_slice()),
    }
}

/// `name`, `uid` or `uid:gid`, cut at the colon.
///
/// # Errors
/// What was expected.
pub fn user(content: &[u8]) -> Result<(&str, Option<&str>), Expected> {
    const EXPECTED: Expected = "a user: name, uid or uid:gid (a group may be a name)";
    let word = std::str::from_utf8(content.trim_ascii()).map_err(|_| EXPECTED)?;
    let fits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    match word.split_once(':') {
        None if fits(word) => Ok((word, None)),
        Some((user, group)) if fits(user) && fits(group) => Ok((user, Some(group))),
        None | Some(_) => Err(EXPECTED),
    }
}

/// Digits with blanks around them.
fn number(content: &[u8], most: u64) -> Option<u64> {
    let digits = content.trim_ascii();
    if digits.is_empty() || digits.len() > 19 {
        return None;
    }
    let mut value = 0_u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return None;
        }
        value = value * 10 + u64::from(digit - b'0');
    }
    (value <= most).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(milliseconds(b"1500\n"), Ok(Some(Duration::from_millis(1500))));
        assert_eq!(milliseconds(b" 0 "), Ok(None));
        for bad in [&b""[..], b"-1", b"1s", b"99999999999", b"1 2"] {
            assert_eq!(milliseconds(bad), Err("a number of milliseconds"));
        }
        assert_eq!(descriptor(b"3\n"), Ok(3));
        assert!(descriptor(b"2").is_err() && descriptor(b"1024").is_err());
    }

    #[test]
    fn words() {
        assert_eq!((kind(b"longrun\n"), kind(b"oneshot")), (Ok(Kind::Longrun), Ok(Kind::Oneshot)));
        assert!(kind(b"bundle") == Ok(Kind::Bundle) && kind(b"").is_err() && kind(b"bundles").is_err());
        assert_eq!(names(b" a\n# b\n\nc d\n"), Ok(vec!["a".to_owned(), "c d".to_owned()]));
        assert!(names(b"\xff").is_err());
        assert_eq!((signal(b"INT\n"), signal(b"SIGKILL"), signal(b"1")), (Ok(2), Ok(9), Ok(1)));
        assert!(signal(b"\xff").is_err());
        assert_eq!((on_change(b"keep\n"), on_change(b" next-boot")), (Ok(OnChange::Keep), Ok(OnChange::NextBoot)));
        assert!(on_change(b"").is_err() && on_change(b"never").is_err());
    }

    #[test]
    fn lists_of_codes() {
        assert_eq!(*exit_codes(b"").unwrap(), [64, 77, 78]);
        assert_eq!(*exit_codes(b"1\n2 3\n").unwrap(), [1, 2, 3]);
        assert!(exit_codes(b"1 256").is_err() && exit_codes(b"x").is_err());
    }

    #[test]
    fn users() {
        assert_eq!(user(b"nobody\n"), Ok(("nobody", None)));
        assert_eq!(user(b"1000:audio"), Ok(("1000", Some("audio"))));
        for bad in [&b""[..], b":", b"a:", b":b", b"a:b:c", b"a b", b"\xff"] {
            assert!(user(bad).is_err());
        }
    }
}
