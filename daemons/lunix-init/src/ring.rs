//! A ring of numbered records in a fixed number of bytes: the newest push the oldest out.

/// Most bytes of one record.
pub const RECORD_MAX: usize = 4096;

/// Where a reader is: the number and the place of the record it reads next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    number: u64,
    place: u64,
}

impl Cursor {
    /// The number of the record it reads next.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }
}

/// What a reader finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Read {
    /// A record of this many bytes; the cursor moved on.
    Record(usize),
    /// Nothing new.
    End,
    /// The record was pushed out.
    Lost,
}

/// The ring. Numbers begin with 1.
#[derive(Debug)]
pub struct Ring {
    bytes: Box<[u8]>,
    oldest: Cursor,
    newest: Cursor,
}

impl Ring {
    /// A ring of `capacity` bytes, at least [`RECORD_MAX`] and two.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let start = Cursor { number: 1, place: 0 };
        Self { bytes: vec![0; capacity.max(RECORD_MAX + 2)].into_boxed_slice(), oldest: start, newest: start }
    }

    /// An empty ring whose next record has this number, at least 1.
    #[must_use]
    pub fn starting_at(capacity: usize, number: u64) -> Self {
        let start = Cursor { number: number.max(1), place: 0 };
        Self { oldest: start, newest: start, ..Self::new(capacity) }
    }

    /// The oldest record kept.
    #[must_use]
    pub const fn oldest(&self) -> Cursor {
        self.oldest
    }

    /// The record to come next; its number is one more than that of the newest.
    #[must_use]
    pub const fn next(&self) -> Cursor {
        self.newest
    }

    /// Adds a record, cut at [`RECORD_MAX`] bytes.
    pub fn push(&mut self, record: &[u8]) {
        let record = record.get(..RECORD_MAX).unwrap_or(record);
        let length = u16::try_from(record.len()).unwrap_or(u16::MAX);
        let end = self.newest.place.saturating_add(u64::from(length) + 2);
        while end.saturating_sub(self.oldest.place) > self.capacity() {
            let skipped = u64::from(self.length_at(self.oldest.place)) + 2;
            self.oldest = Cursor { number: self.oldest.number + 1, place: self.oldest.place + skipped };
        }
        let header = length.to_le_bytes();
        for (place, &byte) in (self.newest.place..).zip(header.iter().chain(record)) {
            let index = self.index(place);
            if let Some(slot) = self.bytes.get_mut(index) {
                *slot = byte;
            }
        }
        self.newest = Cursor { number: self.newest.number + 1, place: end };
    }

    /// Copies the record at the cursor to the front of `into` and moves the cursor on. What does not fit is cut.
    pub fn read(&self, cursor: &mut Cursor, into: &mut [u8]) -> Read {
        if cursor.place < self.oldest.place {
            return Read::Lost;
        }
        if cursor.place >= self.newest.place {
            return Read::End;
        }
        let length = self.length_at(cursor.place);
        let places = cursor.place + 2..cursor.place + 2 + u64::from(length);
        let mut count = 0;
        for (slot, place) in into.iter_mut().zip(places) {
            *slot = self.at(place);
            count += 1;
        }
        *cursor = Cursor { number: cursor.number + 1, place: cursor.place + 2 + u64::from(length) };
        Read::Record(count)
    }

    fn capacity(&self) -> u64 {
        u64::try_from(self.bytes.len()).unwrap_or(u64::MAX)
    }

    fn index(&self, place: u64) -> usize {
        usize::try_from(place % self.capacity()).unwrap_or(0)
    }

    fn at(&self, place: u64) -> u8 {
        self.bytes.get(self.index(place)).copied().unwrap_or(0)
    }

    fn length_at(&self, place: u64) -> u16 {
        u16::from_le_bytes([self.at(place), self.at(place + 1)])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_for_the_newest() {
        let mut ring = Ring::new(0);
        let mut early = ring.next();
        for number in 1..=1000_u32 {
            ring.push(format!("record {number}").as_bytes());
        }
        let mut buffer = [0; 64];
        assert_eq!(ring.read(&mut early, &mut buffer), Read::Lost);
        let mut cursor = ring.oldest();
        let first = cursor.number();
        assert!(first > 1 && ring.next().number() == 1001);
        for number in first..=1000 {
            let Read::Record(length) = ring.read(&mut cursor, &mut buffer) else { panic!() };
            assert_eq!(&buffer[..length], format!("record {number}").as_bytes());
        }
        assert_eq!(ring.read(&mut cursor, &mut buffer), Read::End);
    }

    #[test]
    fn the_longest_record_fits_and_a_longer_one_is_cut() {
        let mut ring = Ring::new(0);
        ring.push(b"first");
        ring.push(&[b'x'; RECORD_MAX + 1]);
        let mut buffer = vec![0; RECORD_MAX * 2];
        assert_eq!(ring.read(&mut ring.oldest(), &mut buffer), Read::Record(RECORD_MAX));
    }
}
