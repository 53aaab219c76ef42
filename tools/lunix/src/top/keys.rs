//! What is typed: letters, and the sequences that cursor keys send.

use super::view::Key;

/// Where in a sequence of bytes the decoder is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Plain,
    /// After ESC.
    Escape,
    /// After `ESC [` or `ESC O`.
    Sequence,
    /// After a digit in a sequence, which ends with `~`.
    Number(u8),
}

/// Turns bytes into keys, one at a time; what means nothing is passed over.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    state: State,
}

impl Decoder {
    /// Takes one byte.
    pub(super) fn push(&mut self, byte: u8) -> Option<Key> {
        let (state, key) = match (self.state, byte) {
            (_, 0x1b) => (State::Escape, None),
            (State::Plain, byte) => (State::Plain, letter(byte)),
            (State::Escape, b'[' | b'O') => (State::Sequence, None),
            (State::Escape, byte) => (State::Plain, letter(byte)),
            (State::Sequence, b'A') => (State::Plain, Some(Key::Up)),
            (State::Sequence, b'B') => (State::Plain, Some(Key::Down)),
            (State::Sequence, b'0'..=b'9') => (State::Number(byte), None),
            (State::Number(b'5'), b'~') => (State::Plain, Some(Key::PageUp)),
            (State::Number(b'6'), b'~') => (State::Plain, Some(Key::PageDown)),
            // A longer number, or several of them: some other key, which ends with a letter or `~`.
            (State::Number(_), b'0'..=b'9' | b';') => (State::Number(0), None),
            (State::Sequence | State::Number(_), _) => (State::Plain, None),
        };
        self.state = state;
        key
    }
}

const fn letter(byte: u8) -> Option<Key> {
    match byte {
        // Ctrl-C and Ctrl-D, which the terminal passes on.
        b'q' | b'Q' | 0x03 | 0x04 => Some(Key::Quit),
        b's' => Some(Key::Sort),
        b'j' => Some(Key::Down),
        b'k' => Some(Key::Up),
        b' ' => Some(Key::PageDown),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_sequences_are_keys_however_they_are_cut() {
        let table: [(&[u8], &[Key]); 8] = [
            (b"sjkq", &[Key::Sort, Key::Down, Key::Up, Key::Quit]),
            (b"\x1b[A\x1b[B", &[Key::Up, Key::Down]),
            (b"\x1bOA", &[Key::Up]),
            (b"\x1b[5~\x1b[6~ ", &[Key::PageUp, Key::PageDown, Key::PageDown]),
            (b"\x1b[15~\x1b[1;5Cj", &[Key::Down]),
            (b"\x1b[2~x\x03", &[Key::Quit]),
            (b"\x1bq", &[Key::Quit]),
            (b"\x1b\x1b[A\xff\x00", &[Key::Up]),
        ];
        for (bytes, expected) in table {
            let mut decoder = Decoder::default();
            let keys: Vec<Key> = bytes.iter().filter_map(|&byte| decoder.push(byte)).collect();
            assert_eq!(keys, expected, "{}", bytes.escape_ascii());
        }
    }
}
