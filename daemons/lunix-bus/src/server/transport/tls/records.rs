//! Where the records of TLS begin and end (RFC 8446, section 5.1): how much of one is still missing tells how much is held.

/// Type, version and length.
const HEADER: usize = 5;

/// The place in the stream.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Records {
    /// Bytes of the record under way, header included, and how many it has; 0 while its header is not complete.
    have: usize,
    len: usize,
    /// The high byte of its length.
    high: u8,
    any: bool,
}

impl Records {
    /// Walks over bytes of the stream.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) {
        while let Some((&first, rest)) = bytes.split_first() {
            if self.len > 0 {
                let take = (self.len - self.have).min(bytes.len());
                self.have += take;
                bytes = bytes.get(take..).unwrap_or_default();
                self.end();
                continue;
            }
            self.have += 1;
            bytes = rest;
            match self.have {
                4 => self.high = first,
                HEADER => {
                    self.len = HEADER + usize::from(u16::from_be_bytes([self.high, first]));
                    self.end();
                }
                _ => {}
            }
        }
    }

    fn end(&mut self) {
        if self.have == self.len {
            *self = Self { any: true, ..Self::default() };
        }
    }

    /// Bytes of the record that is not complete.
    pub(super) const fn unfinished(&self) -> usize {
        self.have
    }

    /// True when at least one record was complete.
    pub(super) const fn any(&self) -> bool {
        self.any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_leaves_the_same_rest() {
        let stream = [&[22, 3, 1, 0, 3, 1, 2, 3][..], &[23, 3, 3, 0, 0], &[23, 3, 3, 1, 2], &[7; 200]].concat();
        testkit::split::invariant(&stream, |parts| {
            let mut records = Records::default();
            parts.iter().for_each(|part| records.feed(part));
            (records.unfinished(), records.any())
        });
        let mut records = Records::default();
        records.feed(&stream);
        assert_eq!((records.unfinished(), records.any()), (205, true));
        let mut records = Records::default();
        records.feed(&stream[..7]);
        assert_eq!((records.unfinished(), records.any()), (7, false));
    }
}
