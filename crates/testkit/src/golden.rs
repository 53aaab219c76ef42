//! Golden traces: what a pure machine is told and what it does, as text that reads like documentation.
//!
//! ```text
//! # A stick is announced once its disk has appeared.
//! > +0 {"uevent":{"action":"add"}}
//! < {"arm":{"after_ms":5000}}
//! > +1.25 {"uevent":{"action":"add","subsystem":"block"}}
//! < {"publish":{"subject":"hardware.usb.add"}}
//! ```
//! A line `> +SECONDS JSON` is an input, that long after the one before; the lines `< JSON` that follow are the effects it must
//! have, in this order. `#` lines and empty lines are for the reader and are kept. With `LUNIX_BLESS=1` the effects in the file are
//! replaced by what the machine did; the diff of the file is then the thing to review.

use serde_json::Value;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Runs every `*.trace` file of `directory`, in the order of their names.
///
/// `machine` makes a fresh machine for each file: a closure that takes the time since the start of the trace and an input, and
/// returns its effects.
///
/// # Panics
/// When the directory holds no trace, a file is malformed, or an effect differs: the message is the file, the line and a diff.
pub fn directory<M: FnMut(Duration, &Value) -> Vec<Value>>(directory: impl AsRef<Path>, machine: impl Fn() -> M) {
    let directory = directory.as_ref();
    let entries = std::fs::read_dir(directory).unwrap_or_else(|error| fail(directory, 0, &error.to_string()));
    let mut files: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "trace"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "{}: no .trace file", directory.display());
    for path in files {
        file(&path, machine());
    }
}

/// Runs one trace; see [`directory`].
///
/// # Panics
/// As [`directory`] does.
pub fn file(path: impl AsRef<Path>, mut machine: impl FnMut(Duration, &Value) -> Vec<Value>) {
    let path = path.as_ref();
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| fail(path, 0, &error.to_string()));
    let played = play(path, &text, &mut machine);
    if std::env::var_os("LUNIX_BLESS").is_some_and(|bless| bless == "1") {
        std::fs::write(path, &played.text).unwrap_or_else(|error| fail(path, 0, &error.to_string()));
    } else if let Some((line, difference)) = played.difference {
        fail(path, line, &format!("{difference}\n(LUNIX_BLESS=1 writes the new effects into the file)"));
    }
}

struct Played {
    text: String,
    difference: Option<(usize, String)>,
}

/// Plays the trace and writes it anew with the effects that the machine had.
fn play(path: &Path, text: &str, machine: &mut impl FnMut(Duration, &Value) -> Vec<Value>) -> Played {
    let mut now = Duration::ZERO;
    let mut played = Played { text: String::new(), difference: None };
    let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line)).peekable();
    while let Some((number, line)) = lines.next() {
        let _ = writeln!(played.text, "{line}");
        let Some(rest) = line.strip_prefix("> ") else {
            if line.starts_with("< ") {
                fail(path, number, "an effect before the first input, or after a comment inside the effects");
            }
            continue;
        };
        let (delay, input) = parse_input(path, number, rest);
        now += delay;
        let effects = machine(now, &input);
        let mut expected = Vec::new();
        while let Some((number, line)) = lines.next_if(|(_, line)| line.starts_with("< ")) {
            expected.push(parse_json(path, number, line.get(2..).unwrap_or_default()));
        }
        for effect in &effects {
            let _ = writeln!(played.text, "< {effect}");
        }
        if effects != expected && played.difference.is_none() {
            played.difference = Some((number, describe(line, &expected, &effects)));
        }
    }
    played
}

fn parse_input(path: &Path, number: usize, rest: &str) -> (Duration, Value) {
    let parsed = rest.strip_prefix('+').and_then(|rest| rest.split_once(' ')).and_then(|(seconds, json)| {
        let delay = Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?;
        Some((delay, json))
    });
    let Some((delay, json)) = parsed else {
        fail(path, number, "an input is `> +SECONDS JSON`");
    };
    (delay, parse_json(path, number, json))
}

fn parse_json(path: &Path, number: usize, json: &str) -> Value {
    serde_json::from_str(json).unwrap_or_else(|error| fail(path, number, &error.to_string()))
}

fn describe(input: &str, expected: &[Value], effects: &[Value]) -> String {
    let mut text = format!("{input}\n");
    for value in expected.iter().filter(|value| !effects.contains(value)) {
        let _ = writeln!(text, "  - {value}");
    }
    for value in effects.iter().filter(|value| !expected.contains(value)) {
        let _ = writeln!(text, "  + {value}");
    }
    if text.lines().count() == 1 {
        text.push_str("  the same effects in another order or number");
    }
    text
}

#[expect(clippy::panic, reason = "a failed trace fails the test that plays it")]
fn fail(path: &Path, line: usize, sentence: &str) -> ! {
    panic!("{}:{line}: {sentence}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn echo(now: Duration, input: &Value) -> Vec<Value> {
        vec![json!({"at_ms": u64::try_from(now.as_millis()).unwrap(), "got": input})]
    }

    #[test]
    fn a_trace_that_holds_is_written_back_as_it_was() {
        let text = "# doc\n> +0 1\n< {\"at_ms\":0,\"got\":1}\n\n> +1.5 2\n< {\"at_ms\":1500,\"got\":2}\n";
        let played = play(Path::new("t"), text, &mut echo);
        assert_eq!(played.text, text);
        assert!(played.difference.is_none());
    }

    #[test]
    fn a_wrong_effect_is_named_with_its_line() {
        let played = play(Path::new("t"), "> +0 1\n< {\"got\":3}\n", &mut echo);
        let (line, difference) = played.difference.unwrap();
        assert_eq!(line, 1);
        assert!(difference.contains("- {\"got\":3}"), "{difference}");
        assert_eq!(played.text, "> +0 1\n< {\"at_ms\":0,\"got\":1}\n");
    }

    #[test]
    #[should_panic(expected = "t:1: an input is")]
    fn a_malformed_line_is_named() {
        play(Path::new("t"), "> 1 {}\n", &mut echo);
    }
}
