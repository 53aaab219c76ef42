//! What is told of a generation of the service directory.

use crate::record::{Record, Text, Writer};

/// Most bytes of the names of one list; what does not fit is left out, and counted.
const NAMES_MAX: usize = 1000;

/// Names of services, separated by line ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Names<'a>(Text<'a>);

impl<'a> Names<'a> {
    pub(crate) const fn of(text: Text<'a>) -> Self {
        Self(text)
    }

    /// The names, one by one.
    #[must_use]
    pub fn all(&self) -> Vec<String> {
        let text = self.0.to_string();
        text.lines().map(str::to_owned).collect()
    }
}

/// What differs between a generation and the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Generation<'a> {
    /// Counts the generations taken over.
    pub number: u64,
    /// Not there before.
    pub added: Names<'a>,
    /// Another content than before.
    pub changed: Names<'a>,
    /// Not there any more.
    pub removed: Names<'a>,
    /// How many are what they were.
    pub kept: u64,
    /// How many of the names above found no room.
    pub omitted: u64,
    /// How long it took until all that differs was at rest, in milliseconds.
    pub took_ms: Option<u64>,
}

impl<'a> Generation<'a> {
    /// The generation an event tells of, if it does.
    pub(crate) fn read(record: &Record<'a>) -> Option<Self> {
        let names = |key| Names(record.get(key).unwrap_or_default());
        let number = |key| record.get(key).and_then(Text::number);
        Some(Self {
            number: number("generation")?,
            added: names("added"),
            changed: names("changed"),
            removed: names("removed"),
            kept: number("kept").unwrap_or(0),
            omitted: number("omitted").unwrap_or(0),
            took_ms: number("took_ms"),
        })
    }
}

/// The lists of an event, written in the form that [`Generation`] reads.
#[derive(Clone, Copy, Debug)]
pub struct Lists<'a> {
    /// Not there before.
    pub added: &'a [String],
    /// Another content than before.
    pub changed: &'a [String],
    /// Not there any more.
    pub removed: &'a [String],
}

impl Lists<'_> {
    /// Adds the lists to a record.
    #[must_use]
    pub fn write<'b>(&self, mut writer: Writer<'b>) -> Writer<'b> {
        let mut omitted = 0_u64;
        for (key, names) in [("added", self.added), ("changed", self.changed), ("removed", self.removed)] {
            let mut text = Vec::new();
            for name in names {
                if text.len() + name.len() > NAMES_MAX {
                    omitted += 1;
                } else {
                    text.extend_from_slice(name.as_bytes());
                    text.push(b'\n');
                }
            }
            writer = writer.optional(key, (!text.is_empty()).then_some(text.trim_ascii_end()));
        }
        writer.optional_number("omitted", (omitted > 0).then_some(omitted))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Reply;

    #[test]
    fn lists_survive_the_wire_and_what_finds_no_room_is_counted() {
        let many: Vec<String> = (0..500).map(|number| format!("service {number}")).collect();
        let lists = Lists { added: &many, changed: &["a b".to_owned(), "c".to_owned()], removed: &[] };
        let mut buffer = [0; 8192];
        let writer = Writer::new(&mut buffer, "event").number("seq", 1).field("what", b"generation-begun");
        let packet = lists.write(writer.number("generation", 7).number("kept", 3)).finish().unwrap();
        let Reply::Event(event) = Reply::decode(packet).unwrap() else { panic!("no event") };
        let generation = event.generation.unwrap();
        assert_eq!((generation.number, generation.kept), (7, 3));
        assert_eq!(generation.changed.all(), ["a b", "c"]);
        assert!(generation.removed.all().is_empty());
        let shown = generation.added.all();
        assert_eq!((shown.len() as u64 + generation.omitted, shown[0].as_str()), (500, "service 0"));
    }
}
