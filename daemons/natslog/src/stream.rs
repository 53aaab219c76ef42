//! Bytes of a connection to messages of syslog.

use crate::machine::Cut;
use proto_syslog::frame::{Framer, Step};

/// Finds the messages of a stream; holds memory only while one has begun.
#[derive(Debug)]
pub struct Messages {
    framer: Framer,
    begun: Vec<u8>,
}

impl Messages {
    /// A stream whose messages have at most `message_max` bytes.
    #[must_use]
    pub const fn new(message_max: usize) -> Self {
        Self { framer: Framer::new(message_max), begun: Vec::new() }
    }

    /// Takes the next bytes; each message they complete goes to `each`.
    pub fn feed(&mut self, mut bytes: &[u8], each: &mut impl FnMut(&[u8], Cut)) {
        while let Some(step) = self.framer.step(bytes) {
            let (len, skip) = match step {
                Step::Skip(skip) => (0, skip),
                Step::Digits(digits) => {
                    self.begun.extend_from_slice(digits.to_string().as_bytes());
                    (0, 0)
                }
                Step::Part(len) => (len, 0),
                Step::End { len, skip, .. } => (len, skip),
            };
            let (here, rest) = bytes.split_at_checked(len).unwrap_or((bytes, b""));
            bytes = rest.get(skip..).unwrap_or_default();
            match step {
                Step::End { cut, .. } => self.end(here, if cut { Cut::Cut } else { Cut::No }, each),
                Step::Skip(_) | Step::Digits(_) | Step::Part(_) => self.begun.extend_from_slice(here),
            }
        }
    }

    /// The stream is over: what there is of a message that has begun is all of it.
    pub fn finish(&mut self, each: &mut impl FnMut(&[u8], Cut)) {
        if self.framer.finish() {
            self.end(b"", Cut::No, each);
        }
    }

    fn end(&mut self, last: &[u8], cut: Cut, each: &mut impl FnMut(&[u8], Cut)) {
        if self.begun.is_empty() {
            return each(last, cut);
        }
        let mut whole = std::mem::take(&mut self.begun);
        whole.extend_from_slice(last);
        each(&whole, cut);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(pieces: &[&[u8]]) -> Vec<(String, Cut)> {
        let (mut messages, mut found) = (Messages::new(12), Vec::new());
        let mut each = |message: &[u8], cut| found.push((String::from_utf8(message.to_vec()).unwrap(), cut));
        pieces.iter().for_each(|piece| messages.feed(piece, &mut each));
        messages.finish(&mut each);
        found
    }

    #[test]
    fn counted_and_ended_messages_alternate_however_they_are_cut() {
        let text = b"7 <13>abc<13>line\n12 <13>two\nline<13>ten\x003 no length\n20 <13>much too long to be<13>end";
        let found = messages(&[text]);
        let expected = [("<13>abc", Cut::No), ("<13>line", Cut::No), ("<13>two\nline", Cut::No), ("<13>ten", Cut::No)];
        let shown: Vec<_> = found.iter().take(4).map(|(text, cut)| (text.as_str(), *cut)).collect();
        assert_eq!(shown, expected);
        testkit::split::invariant(text, messages);
    }

    #[test]
    fn what_is_too_long_is_said_to_be_cut() {
        assert_eq!(
            messages(&[b"20 123456789012345678907 <13>abc"]),
            [("123456789012".into(), Cut::Cut), ("<13>abc".into(), Cut::No)]
        );
        assert_eq!(messages(&[b"9 <13>a"]), [("<13>a".into(), Cut::No)]);
    }
}
