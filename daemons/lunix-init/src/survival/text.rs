//! What a planned exchange hands on beside the records: lines that were kept, lines that have begun, what services said of themselves. Pure.

/// What a piece is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A kept line.
    Line,
    /// The beginning of a line of a service's output.
    Partial,
    /// What a service said last of itself.
    Status,
    /// Why a service is in its state.
    Reason,
}

const KINDS: [(Kind, u8); 4] = [(Kind::Line, 1), (Kind::Partial, 2), (Kind::Status, 3), (Kind::Reason, 4)];

/// One piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Item<'b> {
    /// What it is.
    pub kind: Kind,
    /// The service's number; 0 for a kept line.
    pub id: u32,
    /// The text.
    pub bytes: &'b [u8],
}

impl Item<'_> {
    /// Adds it to `out`: kind, number and length before the text. Empty text is left out.
    pub fn write(self, out: &mut Vec<u8>) {
        let number = KINDS.iter().find(|(kind, _)| *kind == self.kind).map_or(0, |(_, number)| *number);
        if let (Ok(length), false) = (u32::try_from(self.bytes.len()), self.bytes.is_empty()) {
            out.push(number);
            out.extend_from_slice(&self.id.to_le_bytes());
            out.extend_from_slice(&length.to_le_bytes());
            out.extend_from_slice(self.bytes);
        }
    }
}

/// The pieces in order; kinds that are not known are passed over, and what is cut short ends it.
#[must_use]
pub fn read(mut text: &[u8]) -> Vec<Item<'_>> {
    let mut items = Vec::new();
    while let Some((item, rest)) = next(text) {
        items.extend(item);
        text = rest;
    }
    items
}

fn next(text: &[u8]) -> Option<(Option<Item<'_>>, &[u8])> {
    let (&number, text) = text.split_first()?;
    let (id, text) = text.split_first_chunk()?;
    let (length, text) = text.split_first_chunk()?;
    let (bytes, rest) = text.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    let kind = KINDS.iter().find(|(_, one)| *one == number).map(|(kind, _)| *kind);
    Some((kind.map(|kind| Item { kind, id: u32::from_le_bytes(*id), bytes }), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_order_and_what_is_cut_or_unknown_is_left_out() {
        let items = [
            Item { kind: Kind::Line, id: 0, bytes: b"a: one" },
            Item { kind: Kind::Reason, id: 7, bytes: b"waits for b" },
            Item { kind: Kind::Partial, id: u32::MAX, bytes: b"\xff" },
        ];
        let mut text = Vec::new();
        items.iter().for_each(|item| item.write(&mut text));
        Item { kind: Kind::Status, id: 1, bytes: b"" }.write(&mut text);
        assert_eq!(read(&text), items);
        for length in 0..text.len() {
            let some = read(&text[..length]);
            assert!(some.len() < items.len() && items.starts_with(&some), "{length}");
        }
        text[0] = 99;
        assert_eq!(read(&text), items[1..]);
    }
}
