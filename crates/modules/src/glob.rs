//! Shell patterns as depmod writes them: `*`, `?`, `[a-f]`, `[!a]`, `\x`.
//!
//! The matcher is the pattern itself run as an automaton: a position in the pattern is a state, and of all states a `*` keeps alive
//! only the latest can lead further, so two positions are all there is to remember. No recursion, no allocation, at most
//! `pattern × text` steps.

/// True when the whole `text` matches `pattern`, as `fnmatch(3)` without flags says. An unclosed `[` stands for itself.
///
/// ```
/// assert!(modules::matches("usb:v*p*ic08isc06ip50in*", "usb:v46F4p0001ic08isc06ip50in00"));
/// assert!(!modules::matches("scsi:t-0x0[0-46]*", "scsi:t-0x05"));
/// ```
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let mut state = 0;
    let mut position = 0;
    let mut star: Option<(usize, usize)> = None;
    loop {
        let here = pattern.get(state).copied();
        if here == Some(b'*') {
            state += 1;
            star = Some((state, position));
            continue;
        }
        let Some(&letter) = text.get(position) else {
            return here.is_none();
        };
        match next_state(pattern, state, letter) {
            Some(next) => {
                state = next;
                position += 1;
            }
            // The latest star takes one letter more.
            None => match star {
                Some((after, start)) => {
                    state = after;
                    position = start + 1;
                    star = Some((after, position));
                }
                None => return false,
            },
        }
    }
}

/// The state after `letter`, when the element at `state` accepts it.
fn next_state(pattern: &[u8], state: usize, letter: u8) -> Option<usize> {
    match pattern.get(state)? {
        b'?' => Some(state + 1),
        b'\\' => match pattern.get(state + 1) {
            Some(&escaped) => (escaped == letter).then_some(state + 2),
            None => (letter == b'\\').then_some(state + 1),
        },
        b'[' => match class(pattern, state + 1, letter) {
            Some((true, end)) => Some(end),
            Some((false, _)) => None,
            None => (letter == b'[').then_some(state + 1),
        },
        &plain => (plain == letter).then_some(state + 1),
    }
}

/// Whether the class that starts at `start` has `letter`, and the state behind its `]`; `None` when it is never closed.
fn class(pattern: &[u8], start: usize, letter: u8) -> Option<(bool, usize)> {
    let negated = matches!(pattern.get(start), Some(b'!' | b'^'));
    let first = if negated { start + 1 } else { start };
    let mut at = first;
    let mut has = false;
    loop {
        let low = match *pattern.get(at)? {
            b']' if at > first => return Some((has != negated, at + 1)),
            b'\\' => {
                at += 1;
                *pattern.get(at)?
            }
            low => low,
        };
        at += 1;
        let range =
            (pattern.get(at) == Some(&b'-')).then(|| pattern.get(at + 1)).flatten().filter(|&&high| high != b']');
        let high = match range {
            Some(&high) => {
                at += 2;
                high
            }
            None => low,
        };
        has |= (low..=high).contains(&letter);
    }
}
