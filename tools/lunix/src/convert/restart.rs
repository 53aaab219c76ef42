//! When the service is started again: `Restart=` and its like become `permanent-exits`.

use super::draft::Draft;
use super::unit::{Entry, Level};
use std::collections::BTreeSet;

/// Exit codes after which the service stays down.
pub(crate) fn permanent(draft: &mut Draft<'_>) -> BTreeSet<u8> {
    let mut success = codes(draft, "SuccessExitStatus");
    success.insert(0);
    let all: BTreeSet<u8> = (0..=u8::MAX).collect();
    let entry = draft.last("Restart");
    let mut permanent = match (entry, entry.map(|entry| entry.value.as_str())) {
        (Some(_), Some("always")) => BTreeSet::new(),
        (Some(_), Some("on-failure")) => success,
        (Some(_), Some("on-success")) => all.difference(&success).copied().collect(),
        (Some(_), Some("on-abnormal" | "on-abort")) => all,
        (Some(entry), Some("no" | "on-watchdog")) => {
            draft.note(entry, "it stays down after every exit code, but is started again when a signal ends it");
            all
        }
        (Some(entry), _) => {
            draft.lost(entry, "expected no, always, on-success, on-failure, on-abnormal, on-abort or on-watchdog");
            BTreeSet::new()
        }
        (None, _) => {
            draft.say(Level::Note, "without Restart= systemd leaves it down when it ends; here it is started again");
            BTreeSet::new()
        }
    };
    permanent.extend(codes(draft, "RestartPreventExitStatus"));
    let forced = codes(draft, "RestartForceExitStatus");
    permanent.retain(|code| !forced.contains(code));
    permanent
}

/// The exit codes of a list; signals are told.
fn codes(draft: &mut Draft<'_>, key: &'static str) -> BTreeSet<u8> {
    let mut codes = BTreeSet::new();
    let unit = draft.unit;
    for (entry, word) in unit.words("Service", key) {
        match word.parse().ok().or_else(|| named(&word)) {
            Some(code) => drop(codes.insert(code)),
            None => signal(draft, entry, &word),
        }
    }
    codes
}

fn signal(draft: &mut Draft<'_>, entry: &Entry, word: &str) {
    if sys::signal::number_of(word).is_none() {
        draft.lost(entry, format!("{word} is neither an exit code nor a signal"));
    } else if entry.key == "RestartPreventExitStatus" {
        draft.lost(entry, format!("a death by {word} is followed by a new start all the same"));
    }
}

/// Exit codes by name, as of `systemd-analyze exit-status`.
fn named(word: &str) -> Option<u8> {
    const CODES: [(&str, u8); 17] = [
        ("SUCCESS", 0),
        ("FAILURE", 1),
        ("USAGE", 64),
        ("DATAERR", 65),
        ("NOINPUT", 66),
        ("NOUSER", 67),
        ("NOHOST", 68),
        ("UNAVAILABLE", 69),
        ("SOFTWARE", 70),
        ("OSERR", 71),
        ("OSFILE", 72),
        ("CANTCREAT", 73),
        ("IOERR", 74),
        ("TEMPFAIL", 75),
        ("PROTOCOL", 76),
        ("NOPERM", 77),
        ("CONFIG", 78),
    ];
    CODES.iter().find(|(name, _)| *name == word).map(|(_, code)| *code)
}
