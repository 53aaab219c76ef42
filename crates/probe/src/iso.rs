//! ISO 9660 (ECMA-119): volume descriptors of 2 KiB from 32 KiB on; Joliet's supplementary one has the better label.

use crate::field::{be16, byte, has, slice};
use crate::found::{Content, Type};
use crate::probe::Range;
use crate::text::Text;

const FIRST_OFFSET: u64 = 32 * 1024;
const DESCRIPTOR_BYTES: usize = 2048;
/// Descriptors looked at before giving up on the terminator.
const DESCRIPTORS_MAX: u64 = 16;
/// Characters that fit in Joliet's identifier of 32 bytes.
const JOLIET_CHARACTERS: usize = 16;

/// The walk through the descriptors.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Descriptors {
    index: u64,
    name: [u8; 32],
    found: Option<Content>,
}

/// What a descriptor said.
pub(crate) enum Step {
    Continue(Descriptors),
    Done(Option<Content>),
}

impl Descriptors {
    pub(crate) const FIRST: Self = Self { index: 0, name: [0; 32], found: None };

    pub(crate) fn want(&self) -> Range {
        Range::new(FIRST_OFFSET + self.index * 2048, DESCRIPTOR_BYTES)
    }

    pub(crate) fn feed(mut self, bytes: &[u8]) -> Step {
        if !has(bytes, 1, b"CD001") || bytes.len() < DESCRIPTOR_BYTES || self.index >= DESCRIPTORS_MAX {
            return Step::Done(self.found);
        }
        match (byte(bytes, 0), &mut self.found) {
            (Some(1), found @ None) => {
                *found = Some(Content { kind: Type::Iso9660, label: name(bytes), uuid: date(bytes) });
                for (place, &letter) in self.name.iter_mut().zip(slice(bytes, 40, 32)) {
                    *place = letter;
                }
            }
            (Some(2), Some(content)) if is_joliet(bytes) => {
                content.label = joliet(bytes, &self.name);
                return Step::Done(self.found);
            }
            (Some(255), _) => return Step::Done(self.found),
            (_, _) => {}
        }
        self.index += 1;
        Step::Continue(self)
    }
}

fn name(descriptor: &[u8]) -> Text {
    Text::from_bytes(slice(descriptor, 40, 32))
}

fn is_joliet(descriptor: &[u8]) -> bool {
    [b"%/@", b"%/C", b"%/E"].into_iter().any(|escape| has(descriptor, 88, escape))
}

/// Joliet's 16 characters keep case and alphabet; what is longer goes on in the primary identifier.
fn joliet(descriptor: &[u8], primary: &[u8; 32]) -> Text {
    let wide = slice(descriptor, 40, JOLIET_CHARACTERS * 2).chunks_exact(2).filter_map(|pair| be16(pair, 0));
    let rest = primary.iter().skip(JOLIET_CHARACTERS).map(|&letter| u16::from(letter));
    let text = Text::from_utf16(wide.chain(rest));
    if text.is_empty() { Text::from_bytes(primary) } else { text }
}

/// Date of modification, else of creation: 16 digits as `YYYY-MM-DD-HH-MM-SS-CC`.
fn date(descriptor: &[u8]) -> Text {
    let digits = |offset| {
        let digits = slice(descriptor, offset, 16);
        let given = digits.iter().all(u8::is_ascii_digit) && digits.iter().any(|&digit| digit != b'0');
        given.then_some(digits)
    };
    let mut text = Text::EMPTY;
    for (at, &digit) in digits(830).or_else(|| digits(813)).unwrap_or_default().iter().enumerate() {
        if at >= 4 && at % 2 == 0 {
            text.push('-');
        }
        text.push(char::from(digit));
    }
    text
}
