//! Two copies of each record, written in turn: whatever happens while one is written, the other is whole.
//!
//! A copy begins with its checksum (8 bytes, over all that follows), its number (8), the version of its form (2) and its kind (1). These are the same in every
//! version. The newer of two whole copies counts; when that is of a version that is not known here, so is not the record.

use super::fields::{Reader, Writer};

/// Bytes of one copy.
pub const COPY_BYTES: usize = 256;
/// Bytes of both.
pub const PAIR_BYTES: usize = 2 * COPY_BYTES;
/// The form that is written here. Fields are only ever added at the end, where zero says what their absence said; anything else is a new version.
pub const VERSION: u16 = 1;

const CHECKSUM_BYTES: usize = 8;
const FRONT_BYTES: usize = CHECKSUM_BYTES + 8 + 2 + 1;
/// Bytes of a copy for its content.
pub const CONTENT_BYTES: usize = COPY_BYTES - FRONT_BYTES;

/// What a pair of copies comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pair<'b> {
    /// Nothing was ever written there.
    Unused,
    /// The newest whole copy: its number, which of the two it is, its kind and its content.
    Good {
        /// Counts the writings.
        sequence: u64,
        /// It is the second.
        second: bool,
        /// What it describes.
        kind: u8,
        /// The rest.
        content: &'b [u8],
    },
    /// Something was written there that cannot be read.
    Bad,
}

/// One copy, ready to be written.
#[must_use]
pub fn seal(sequence: u64, kind: u8, content: &[u8; CONTENT_BYTES]) -> [u8; COPY_BYTES] {
    let mut copy = [0; COPY_BYTES];
    let mut writer = Writer::new(&mut copy);
    writer.u64(0);
    writer.u64(sequence);
    writer.u16(VERSION);
    writer.u8(kind);
    writer.bytes(content);
    let checksum = checksum(copy.get(CHECKSUM_BYTES..).unwrap_or_default());
    Writer::new(&mut copy).u64(checksum);
    copy
}

/// Judges both copies; bytes that are missing at the end make theirs a bad one.
#[must_use]
pub fn choose(pair: &[u8]) -> Pair<'_> {
    if pair.iter().all(|&byte| byte == 0) {
        return Pair::Unused;
    }
    let (first, second) = pair.split_at_checked(COPY_BYTES).unwrap_or((pair, &[]));
    let newest = match (open(first), open(second)) {
        (Some(one), Some(two)) if two.0 > one.0 => Some((two, true)),
        (Some(one), Some(_) | None) => Some((one, false)),
        (None, Some(two)) => Some((two, true)),
        (None, None) => None,
    };
    match newest {
        Some(((sequence, VERSION, kind, content), second)) => Pair::Good { sequence, second, kind, content },
        Some(_) | None => Pair::Bad,
    }
}

/// Number, version, kind and content of a whole copy.
fn open(copy: &[u8]) -> Option<(u64, u16, u8, &[u8])> {
    let copy = copy.get(..COPY_BYTES)?;
    let mut reader = Reader::new(copy);
    let sum = reader.u64();
    if sum != checksum(copy.get(CHECKSUM_BYTES..)?) {
        return None;
    }
    Some((reader.u64(), reader.u16(), reader.u8(), copy.get(FRONT_BYTES..)?))
}

/// FNV-1a of 64 bits. Each step is a bijection of the state, so a change of any one byte always shows. Copies are written by ourselves: what it guards
/// against is chance, not malice.
#[must_use]
pub fn checksum(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |state, &byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(one: u64, two: u64) -> Vec<u8> {
        let of = |sequence: u64| seal(sequence, 2, &[u8::try_from(sequence).unwrap(); CONTENT_BYTES]);
        [of(one), of(two)].concat()
    }

    fn sequence(pair: &[u8]) -> Option<u64> {
        match choose(pair) {
            Pair::Good { sequence, second, kind, content } => {
                assert_eq!((kind, content.len()), (2, CONTENT_BYTES));
                assert!(content.iter().all(|&byte| u64::from(byte) == sequence));
                assert_eq!(second, sequence % 2 == 0);
                Some(sequence)
            }
            Pair::Unused | Pair::Bad => None,
        }
    }

    #[test]
    fn the_newer_copy_counts_whichever_it_is() {
        assert_eq!(sequence(&pair(1, 2)), Some(2));
        assert_eq!(sequence(&pair(3, 2)), Some(3));
        assert_eq!(choose(&[0; PAIR_BYTES]), Pair::Unused);
        assert_eq!(choose(&[]), Pair::Unused);
    }

    #[test]
    fn every_flipped_bit_of_the_newer_is_noticed_and_the_older_taken() {
        let whole = pair(3, 2);
        for bit in 0..COPY_BYTES * 8 {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(sequence(&flipped), Some(2), "bit {bit}");
        }
    }

    #[test]
    fn every_writing_that_breaks_off_leaves_one_whole_copy() {
        let (before, after) = (pair(3, 2), pair(3, 4));
        for length in 0..COPY_BYTES {
            let mut torn = before.clone();
            torn[COPY_BYTES..COPY_BYTES + length].copy_from_slice(&after[COPY_BYTES..COPY_BYTES + length]);
            assert!(matches!(sequence(&torn), Some(3)), "{length} bytes written");
        }
    }

    #[test]
    fn two_bad_copies_are_bad_and_so_is_a_file_cut_short() {
        let mut both = pair(1, 2);
        both[20] ^= 1;
        both[COPY_BYTES + 20] ^= 0x80;
        assert_eq!(choose(&both), Pair::Bad);
        let whole = pair(1, 2);
        for length in 1..PAIR_BYTES {
            let expected = (length >= COPY_BYTES).then_some(1);
            assert_eq!(sequence(&whole[..length]), expected, "{length} bytes left");
        }
    }

    #[test]
    fn a_newer_copy_of_another_version_is_not_guessed_at() {
        let mut copies = pair(1, 2);
        copies[COPY_BYTES + 16] = 9;
        let sum = checksum(&copies[COPY_BYTES + CHECKSUM_BYTES..]);
        copies[COPY_BYTES..COPY_BYTES + CHECKSUM_BYTES].copy_from_slice(&sum.to_le_bytes());
        assert_eq!(choose(&copies), Pair::Bad);
        // An older one that is not known does not matter.
        let newer = seal(7, 2, &[7; CONTENT_BYTES]);
        copies[..COPY_BYTES].copy_from_slice(&newer);
        assert!(matches!(choose(&copies), Pair::Good { sequence: 7, second: false, .. }));
    }
}
