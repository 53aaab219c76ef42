//! Lines in files: batches, pieces of compressed text, a budget of bytes.
//!
//! Lines are gathered and written together, at the latest after a while, or when there are many. A file that has become large is followed by
//! a new one, and the oldest are removed so that all of them stay within the budget. Compressed text is a piece of gzip for each batch, so
//! nothing is compressed twice and what is written is whole: `zcat` reads the pieces one after the other (RFC 1952, 2.2).

use std::collections::VecDeque;

/// Bytes that are gathered at most.
const BATCH_MAX: usize = 32 * 1024;
/// Files that the budget is for, at least: so much of it is lost when the oldest goes.
const FILES: u64 = 8;

/// What the files may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Bytes of all files.
    pub bytes_max: u64,
    /// Whether they are compressed.
    pub compress: bool,
}

/// A file that is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Known {
    /// Its number, which is in its name; the greater, the newer.
    pub number: u64,
    /// Its size.
    pub bytes: u64,
}

/// What is to be done to the files, in this order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// These are removed.
    pub remove: Vec<u64>,
    /// To this one is written.
    pub append_to: u64,
    /// It is new.
    pub is_new: bool,
}

/// Decides what is written when and where.
#[derive(Debug)]
pub struct Files {
    budget: Budget,
    /// The files, the oldest first.
    known: VecDeque<Known>,
    /// The last of them is ours to write to.
    has_current: bool,
    batch: Vec<u8>,
}

impl Files {
    /// Takes what is there already, in any order. It stays as it is: what was being written when the machine stopped may end anywhere.
    #[must_use]
    pub fn new(budget: Budget, mut known: Vec<Known>) -> Self {
        known.sort_by_key(|file| file.number);
        Self { budget, known: known.into(), has_current: false, batch: Vec::new() }
    }

    /// The name of a file.
    #[must_use]
    pub fn name(&self, number: u64) -> String {
        let ending = if self.budget.compress { ".gz" } else { "" };
        format!("lunix-{number:08}.log{ending}")
    }

    /// Gathers a line. True when the batch is to be written now.
    pub fn add(&mut self, line: &str) -> bool {
        self.batch.extend_from_slice(line.as_bytes());
        self.batch.push(b'\n');
        self.batch.len() >= BATCH_MAX
    }

    /// Whether nothing is gathered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.batch.is_empty()
    }

    /// Takes what is gathered, as it is to be written.
    pub fn take(&mut self) -> Vec<u8> {
        let batch = std::mem::take(&mut self.batch);
        if self.budget.compress { gzip::piece(&batch) } else { batch }
    }

    /// Where so many bytes go. They count as written.
    pub fn plan(&mut self, bytes: u64) -> Plan {
        let share = self.budget.bytes_max / FILES;
        let fits = self.has_current && self.known.back().is_some_and(|file| file.bytes + bytes <= share);
        let mut plan = Plan { is_new: !fits, ..Plan::default() };
        if !fits {
            let number = self.known.back().map_or(1, |file| file.number + 1);
            self.known.push_back(Known { number, bytes: 0 });
            self.has_current = true;
        }
        if let Some(file) = self.known.back_mut() {
            file.bytes += bytes;
            plan.append_to = file.number;
        }
        while self.known.len() > 1 && self.known.iter().map(|file| file.bytes).sum::<u64>() > self.budget.bytes_max {
            plan.remove.extend(self.known.pop_front().map(|file| file.number));
        }
        plan
    }
}

/// The number of a file of this name; `None` for files that are not ours.
#[must_use]
pub fn number_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("lunix-")?;
    let digits = digits.strip_suffix(".log").or_else(|| digits.strip_suffix(".log.gz"))?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

/// Pieces of gzip (RFC 1952).
mod gzip {
    use miniz_oxide::deflate::compress_to_vec;

    /// Fast: what matters is that the loop is not held up. 32 KiB take less than a millisecond.
    const LEVEL: u8 = 1;
    /// Deflate, no name, no time, system unix.
    const HEAD: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

    pub(super) fn piece(text: &[u8]) -> Vec<u8> {
        let length = u32::try_from(text.len() & 0xffff_ffff).unwrap_or_default();
        [&HEAD[..], &compress_to_vec(text, LEVEL), &crc(text).to_le_bytes(), &length.to_le_bytes()].concat()
    }

    /// CRC-32 of ISO 3309, bit by bit from the right.
    const TABLE: [u32; 256] = table();

    #[expect(
        clippy::indexing_slicing,
        clippy::cast_possible_truncation,
        reason = "evaluated at compile time, 0 to 255"
    )]
    const fn table() -> [u32; 256] {
        let mut table = [0; 256];
        let mut byte = 0;
        while byte < 256 {
            let (mut value, mut bit) = (byte as u32, 0);
            while bit < 8 {
                value = if value & 1 == 1 { (value >> 1) ^ 0xedb8_8320 } else { value >> 1 };
                bit += 1;
            }
            table[byte] = value;
            byte += 1;
        }
        table
    }

    fn crc(text: &[u8]) -> u32 {
        !text.iter().fold(!0, |crc, byte| {
            let index = usize::from(crc.to_le_bytes().first().copied().unwrap_or_default() ^ byte);
            (crc >> 8) ^ TABLE.get(index).copied().unwrap_or_default()
        })
    }

    #[cfg(test)]
    mod tests {
        #[test]
        fn the_check_value_of_the_standard() {
            assert_eq!(super::crc(b"123456789"), 0xcbf4_3926);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(bytes_max: u64, known: &[(u64, u64)]) -> Files {
        let known = known.iter().map(|&(number, bytes)| Known { number, bytes }).collect();
        Files::new(Budget { bytes_max, compress: false }, known)
    }

    #[test]
    fn a_large_file_is_followed_by_a_new_one_and_the_oldest_go() {
        let mut files = files(800, &[]);
        assert_eq!(files.plan(60), Plan { append_to: 1, is_new: true, remove: vec![] });
        assert_eq!(files.plan(40), Plan { append_to: 1, is_new: false, remove: vec![] });
        assert_eq!(files.plan(1), Plan { append_to: 2, is_new: true, remove: vec![] });
        let removed: Vec<u64> = (0..20).flat_map(|_| files.plan(90).remove).collect();
        assert_eq!(removed, (1..=13).collect::<Vec<_>>());
        assert!(files.known.iter().map(|file| file.bytes).sum::<u64>() <= 800);
    }

    #[test]
    fn what_was_there_counts_and_is_never_written_to() {
        let mut files = files(800, &[(7, 300), (3, 450)]);
        assert_eq!(files.plan(10), Plan { append_to: 8, is_new: true, remove: vec![] });
        assert_eq!(files.plan(100), Plan { append_to: 9, is_new: true, remove: vec![3] });
    }

    #[test]
    fn a_batch_larger_than_the_budget_is_written_all_the_same_and_alone() {
        let mut files = files(800, &[(1, 700)]);
        assert_eq!(files.plan(5000), Plan { append_to: 2, is_new: true, remove: vec![1] });
    }

    #[test]
    fn names() {
        let mut compressed = files(800, &[]);
        assert_eq!(
            (files(800, &[]).name(7).as_str(), number_of("lunix-00000007.log")),
            ("lunix-00000007.log", Some(7))
        );
        compressed.budget.compress = true;
        assert_eq!(number_of(&compressed.name(123_456_789)), Some(123_456_789));
        for odd in ["lunix-.log", "lunix-7", "7.log", "lunix-7.log.bz2", "lunix-+7.log"] {
            assert_eq!(number_of(odd), None, "{odd}");
        }
    }

    #[test]
    fn batches_end_when_they_are_large() {
        let mut files = files(1 << 20, &[]);
        let line = "x".repeat(1023);
        assert_eq!((0..100).take_while(|_| !files.add(&line)).count(), 31);
        assert_eq!(files.take().len(), BATCH_MAX);
        assert!(files.is_empty());
    }
}
