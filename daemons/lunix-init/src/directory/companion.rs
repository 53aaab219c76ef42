//! The file `companion`: the service gets a socket of its own to lunix-init, and may ask on it for what the file names.

use super::parse::{Expected, names};
use init_control::Request;

/// A word per line; an empty file stands for [`Request::FOR_COMPANIONS_USUALLY`].
///
/// # Errors
/// What was expected.
pub fn parse(content: &[u8]) -> Result<Box<[&'static str]>, Expected> {
    const EXPECTED: Expected = "words such as list, status, usage, log, start, stop, restart, reload, poweroff, \
        one on each line; a companion can never ask for reexec or kexec";
    let mut verbs: Vec<&'static str> = Vec::new();
    for word in names(content)? {
        let verb = Request::FOR_COMPANIONS.into_iter().find(|verb| *verb == word.trim_end()).ok_or(EXPECTED)?;
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    if verbs.is_empty() {
        verbs.extend(Request::FOR_COMPANIONS_USUALLY);
    }
    Ok(verbs.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_is_the_usual_words_and_some_words_are_for_nobody() {
        assert_eq!(*parse(b"# as usual\n").unwrap(), Request::FOR_COMPANIONS_USUALLY);
        assert_eq!(*parse(b"list\nwatch\n poweroff\nlist\n").unwrap(), ["list", "watch", "poweroff"]);
        for word in ["reexec", "kexec", "dance", "list status", "LIST"] {
            assert!(parse(word.as_bytes()).is_err(), "{word}");
        }
        assert!(!Request::FOR_COMPANIONS_USUALLY.iter().any(|verb| ["poweroff", "reboot", "signal"].contains(verb)));
    }
}
