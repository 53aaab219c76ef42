//! The file in memory (`man 2 memfd_create`) that holds the records: written one copy at a time, read once by the program that comes after.
//!
//! | place | what |
//! |---|---|
//! | pair 0 | the whole |
//! | pairs 1 to 65 536 | the service of that number less one |
//! | the 65 536 pairs after those | descriptors held for services |
//! | after those | when it crashed (see [`sys::crash`]), then text that a planned exchange hands on |
//!
//! Space is taken when a place is used first, before the service starts: a record of what runs never fails for want of memory. Places never used take none.

use super::copies::{self, CONTENT_BYTES, COPY_BYTES, PAIR_BYTES, Pair};
use super::record::{FREE, HELD, HeldRecord, SERVICE, ServiceRecord, WHOLE, WholeRecord};
use rustix::fs::{FallocateFlags, MemfdFlags, SealFlags, SeekFrom};
use rustix::io::Errno;
use std::borrow::Cow;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// Services at most.
pub const SERVICES_MAX: usize = 65_536;
/// Descriptors held at most.
pub const HELD_MAX: usize = 65_536;
/// Where the times of crashes are.
pub const CRASHES_AT: u64 = (PAIRS * PAIR_BYTES) as u64;
/// Where handed-on text is.
pub const TEXT_AT: u64 = CRASHES_AT + 4096;
/// Most bytes of it.
pub const TEXT_MAX: usize = 4 * 1024 * 1024;
const FILE_BYTES: u64 = TEXT_AT + TEXT_MAX as u64;
/// Pairs for which space is taken at once: a page of the kernel's.
const RESERVED_AT_ONCE: usize = 8;

/// A place for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// For the whole.
    Whole,
    /// For the service of this number.
    Service(usize),
    /// For a held descriptor.
    Held(usize),
}

/// The pair where those of held descriptors begin; space is never taken for both at once.
const HELD_BEGIN: usize = SERVICES_MAX + RESERVED_AT_ONCE;
const PAIRS: usize = HELD_BEGIN + HELD_MAX;

impl Place {
    /// The place of a pair; `None` for those that are never used.
    fn of(pair: usize) -> Option<Self> {
        match pair {
            0 => Some(Self::Whole),
            1..=SERVICES_MAX => Some(Self::Service(pair - 1)),
            HELD_BEGIN..PAIRS => Some(Self::Held(pair - HELD_BEGIN)),
            _ => None,
        }
    }
}

/// What is known of the pairs of one kind.
#[derive(Debug, Default)]
struct Pairs {
    /// Bit `n`: of pair `n` the second copy was written last.
    turns: Vec<u64>,
    /// Bit `n`: there is space for the `n`th eight pairs.
    reserved: Vec<u64>,
}

/// Everything that was read.
#[derive(Debug, Default)]
pub struct Kept {
    /// What is true of the whole; `None` when that cannot be read.
    pub whole: Option<WholeRecord>,
    /// Services by their numbers.
    pub services: Vec<(usize, ServiceRecord<'static>)>,
    /// Held descriptors by the numbers of their places.
    pub held: Vec<(usize, HeldRecord<'static>)>,
    /// Services whose records cannot be read.
    pub lost: Vec<usize>,
    /// Held descriptors whose records cannot be read.
    pub lost_held: usize,
}

/// The file.
#[derive(Debug)]
pub struct StateFile {
    fd: OwnedFd,
    sequence: u64,
    /// Of the whole and the services.
    services: Pairs,
    held: Pairs,
}

fn is_set(bits: &[u64], at: usize) -> bool {
    bits.get(at / 64).is_some_and(|word| word & (1 << (at % 64)) != 0)
}

fn set(bits: &mut Vec<u64>, at: usize, value: bool) {
    if bits.len() <= at / 64 {
        bits.resize(at / 64 + 1, 0);
    }
    if let Some(word) = bits.get_mut(at / 64) {
        *word = if value { *word | 1 << (at % 64) } else { *word & !(1 << (at % 64)) };
    }
}

impl StateFile {
    /// An empty file.
    ///
    /// # Errors
    /// The kernel's: `ENOSYS` in one without memory files, `ENOMEM`, `EMFILE`.
    pub fn create() -> io::Result<Self> {
        let fd = rustix::fs::memfd_create("lunix-init", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        rustix::fs::ftruncate(&fd, FILE_BYTES)?;
        rustix::fs::fallocate(&fd, FallocateFlags::empty(), CRASHES_AT, 4096)?;
        rustix::fs::fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW)?;
        let mut file = Self { fd, sequence: 0, services: Pairs::default(), held: Pairs::default() };
        file.reserve(Place::Whole)?;
        Ok(file)
    }

    /// Takes over the file that another program left.
    ///
    /// # Errors
    /// `EINVAL` when it is none.
    pub fn adopt(fd: OwnedFd) -> io::Result<Self> {
        let is_ours = rustix::fs::fcntl_get_seals(&fd)?.contains(SealFlags::SHRINK | SealFlags::GROW);
        let size = u64::try_from(rustix::fs::fstat(&fd)?.st_size).unwrap_or(0);
        if !is_ours || size < TEXT_AT {
            return Err(Errno::INVAL.into());
        }
        Ok(Self { fd, sequence: 0, services: Pairs::default(), held: Pairs::default() })
    }

    /// Makes sure that there is space for a record.
    ///
    /// # Errors
    /// `ENOMEM` when there is none, `E2BIG` beyond the last place.
    pub fn reserve(&mut self, place: Place) -> io::Result<()> {
        let (pairs, number, begin) = self.locate(place).ok_or(Errno::TOOBIG)?;
        let page = number / RESERVED_AT_ONCE;
        if is_set(&pairs.reserved, page) {
            return Ok(());
        }
        let (at, bytes) = ((begin + page * RESERVED_AT_ONCE) * PAIR_BYTES, RESERVED_AT_ONCE * PAIR_BYTES);
        // The kernel says ENOSPC of a memory file where memory is meant.
        rustix::fs::fallocate(&self.fd, FallocateFlags::empty(), as_offset(at), as_offset(bytes))
            .map_err(|_| Errno::NOMEM)?;
        if let Some((pairs, ..)) = self.locate(place) {
            set(&mut pairs.reserved, page, true);
        }
        Ok(())
    }

    /// What is known of its kind, its number there, and the pair with which that kind begins; `None` beyond the last.
    fn locate(&mut self, place: Place) -> Option<(&mut Pairs, usize, usize)> {
        match place {
            Place::Whole => Some((&mut self.services, 0, 0)),
            Place::Service(id) => (id < SERVICES_MAX).then_some((&mut self.services, 1 + id, 0)),
            Place::Held(number) => (number < HELD_MAX).then_some((&mut self.held, number, HELD_BEGIN)),
        }
    }

    /// Writes a record over the older of its two copies. A place whose last writing failed is written to the same copy again.
    ///
    /// # Errors
    /// As of [`StateFile::reserve`], where that was not done before.
    pub fn write(&mut self, place: Place, kind: u8, content: &[u8; CONTENT_BYTES]) -> io::Result<()> {
        self.reserve(place)?;
        let sequence = self.sequence + 1;
        self.sequence = sequence;
        let (pairs, number, begin) = self.locate(place).ok_or(Errno::TOOBIG)?;
        let second = !is_set(&pairs.turns, number);
        let copy = copies::seal(sequence, kind, content);
        let at = as_offset((begin + number) * PAIR_BYTES + if second { COPY_BYTES } else { 0 });
        if rustix::io::pwrite(&self.fd, &copy, at)? != COPY_BYTES {
            return Err(Errno::NOMEM.into());
        }
        if let Some((pairs, ..)) = self.locate(place) {
            set(&mut pairs.turns, number, second);
        }
        Ok(())
    }

    /// Gives a place up: what comes after finds nothing there.
    ///
    /// # Errors
    /// As of [`StateFile::write`].
    pub fn free(&mut self, place: Place) -> io::Result<()> {
        self.write(place, FREE, &[0; CONTENT_BYTES])
    }

    /// Reads everything. Writing goes on from there.
    pub fn read(&mut self) -> Kept {
        let mut kept = Kept::default();
        let mut buffer = [0; RESERVED_AT_ONCE * PAIR_BYTES];
        let (mut at, end) = (0, as_offset(PAIRS * PAIR_BYTES));
        while let Some(start) = self.next_data(at).filter(|&start| start < end) {
            let length = rustix::io::pread(&self.fd, &mut buffer, start).unwrap_or(0);
            let first = usize::try_from(start).unwrap_or(usize::MAX) / PAIR_BYTES;
            let pairs = buffer.get(..length).unwrap_or_default().chunks(PAIR_BYTES);
            for (pair, bytes) in (first..PAIRS).zip(pairs) {
                if let Some(place) = Place::of(pair) {
                    self.take(place, bytes, &mut kept);
                }
            }
            at = start + as_offset(buffer.len());
        }
        kept
    }

    /// The beginning of the eight pairs at which something was written next; a kernel that cannot tell has it everywhere.
    fn next_data(&self, at: u64) -> Option<u64> {
        match rustix::fs::seek(&self.fd, SeekFrom::Data(at)) {
            Ok(start) => Some(start - start % as_offset(RESERVED_AT_ONCE * PAIR_BYTES)),
            Err(Errno::NXIO) => None,
            Err(_) => Some(at),
        }
    }

    fn take(&mut self, place: Place, bytes: &[u8], kept: &mut Kept) {
        let mut found = None;
        match copies::choose(bytes) {
            Pair::Unused => return,
            Pair::Bad => {}
            Pair::Good { sequence, second, kind, content } => {
                self.sequence = self.sequence.max(sequence);
                if let Some((pairs, number, _)) = self.locate(place) {
                    set(&mut pairs.turns, number, second);
                }
                found = Some((kind, content));
            }
        }
        match (place, found) {
            (Place::Service(_) | Place::Held(_), Some((FREE, _))) => {}
            (Place::Whole, Some((WHOLE, content))) => kept.whole = WholeRecord::decode(content),
            (Place::Whole, _) => {}
            (Place::Service(id), found) => match found.filter(|one| one.0 == SERVICE).and_then(|one| service(one.1)) {
                Some(record) => kept.services.push((id, record)),
                None => kept.lost.push(id),
            },
            (Place::Held(number), found) => match found.filter(|one| one.0 == HELD).and_then(|one| held(one.1)) {
                Some(record) => kept.held.push((number, record)),
                None => kept.lost_held += 1,
            },
        }
    }

    /// Hands text on, for a planned exchange.
    ///
    /// # Errors
    /// `ENOMEM`, `EFBIG` when it is too much: then nothing is handed on.
    pub fn write_text(&self, text: &[u8]) -> io::Result<()> {
        let front = [as_offset(text.len()).to_le_bytes(), copies::checksum(text).to_le_bytes()].concat();
        if text.len() + front.len() > TEXT_MAX {
            return Err(Errno::FBIG.into());
        }
        let written = write_all(&self.fd, TEXT_AT + as_offset(front.len()), text);
        // Last, so that text that is not whole is none.
        written.and_then(|()| write_all(&self.fd, TEXT_AT, &front)).inspect_err(|_| self.drop_text())
    }

    /// The text that was handed on, once.
    #[must_use]
    pub fn take_text(&self) -> Vec<u8> {
        let mut front = [0; 16];
        let read = rustix::io::pread(&self.fd, &mut front, TEXT_AT).unwrap_or(0);
        let (length, sum) = front.split_at_checked(8).unwrap_or_default();
        let number = |bytes: &[u8]| bytes.try_into().map_or(0, u64::from_le_bytes);
        let length = usize::try_from(number(length)).unwrap_or(0);
        if read < front.len() || length == 0 || length > TEXT_MAX {
            return Vec::new();
        }
        let mut text = vec![0; length];
        let mut done = 0;
        while let Some(rest) = text.get_mut(done..).filter(|rest| !rest.is_empty()) {
            match rustix::io::pread(&self.fd, rest, TEXT_AT + 16 + as_offset(done)) {
                Ok(more) if more > 0 => done += more,
                Ok(_) | Err(_) => break,
            }
        }
        self.drop_text();
        if done == length && copies::checksum(&text) == number(sum) { text } else { Vec::new() }
    }

    /// Gives the memory back.
    fn drop_text(&self) {
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        // Memory that is kept for nothing is all that can come of a failure: what is there was used already, or is not whole.
        let _ = rustix::fs::fallocate(&self.fd, hole, TEXT_AT, as_offset(TEXT_MAX));
    }
}

impl AsFd for StateFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

fn service(content: &[u8]) -> Option<ServiceRecord<'static>> {
    ServiceRecord::decode(content).map(|one| ServiceRecord { name: Cow::Owned(one.name.clone().into_owned()), ..one })
}

fn held(content: &[u8]) -> Option<HeldRecord<'static>> {
    HeldRecord::decode(content).map(|one| HeldRecord { name: Cow::Owned(one.name.clone().into_owned()), ..one })
}

fn write_all(fd: impl AsFd, mut at: u64, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = rustix::io::pwrite(&fd, bytes, at)?;
        at += as_offset(written);
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}

fn as_offset(bytes: usize) -> u64 {
    u64::try_from(bytes).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn again(file: &StateFile) -> StateFile {
        StateFile::adopt(file.fd.try_clone().unwrap()).unwrap()
    }

    fn held_as(name: &str) -> HeldRecord<'_> {
        HeldRecord { id: 3, fd: 9, listens: None, name: name.into() }
    }

    #[test]
    fn what_is_written_last_is_read_and_what_is_free_is_not() {
        let mut file = StateFile::create().unwrap();
        for name in ["one", "two", "three"] {
            file.write(Place::Held(0), HELD, &held_as(name).encode().unwrap()).unwrap();
        }
        file.write(Place::Held(HELD_MAX - 1), HELD, &held_as("last").encode().unwrap()).unwrap();
        file.write(Place::Held(5), HELD, &held_as("gone").encode().unwrap()).unwrap();
        file.free(Place::Held(5)).unwrap();
        assert!(file.write(Place::Held(HELD_MAX), HELD, &[0; CONTENT_BYTES]).is_err());
        let mut next = again(&file);
        let kept = next.read();
        assert_eq!(kept.held, [(0, held_as("three")), (HELD_MAX - 1, held_as("last"))]);
        assert_eq!((kept.lost.len(), kept.lost_held, kept.whole), (0, 0, None));
        // It goes on with the other copy, and with higher numbers.
        next.write(Place::Held(0), HELD, &held_as("four").encode().unwrap()).unwrap();
        assert_eq!(again(&file).read().held.first(), Some(&(0, held_as("four"))));
    }

    #[test]
    fn a_bad_copy_costs_the_last_change_and_two_cost_the_record() {
        let mut file = StateFile::create().unwrap();
        for name in ["one", "two"] {
            file.write(Place::Held(1), HELD, &held_as(name).encode().unwrap()).unwrap();
        }
        let pair = as_offset((HELD_BEGIN + 1) * PAIR_BYTES);
        rustix::io::pwrite(&file, b"\xff", pair + 30).unwrap();
        assert_eq!(again(&file).read().held, [(1, held_as("one"))]);
        rustix::io::pwrite(&file, b"\xff", pair + as_offset(COPY_BYTES) + 30).unwrap();
        let kept = again(&file).read();
        assert_eq!((kept.held.len(), kept.lost_held), (0, 1));
        // A record of another kind is not taken for a service.
        file.write(Place::Service(0), HELD, &held_as("one").encode().unwrap()).unwrap();
        assert_eq!(again(&file).read().lost, [0]);
    }

    #[test]
    fn text_is_handed_on_once_and_only_whole() {
        let file = StateFile::create().unwrap();
        assert!(file.take_text().is_empty());
        file.write_text(b"lines").unwrap();
        assert_eq!((again(&file).take_text(), file.take_text()), (b"lines".to_vec(), Vec::new()));
        file.write_text(&[7; 100_000]).unwrap();
        rustix::io::pwrite(&file, b"\x06", TEXT_AT + 50_000).unwrap();
        assert!(file.take_text().is_empty());
        assert!(file.write_text(&vec![0; TEXT_MAX]).is_err());
    }

    #[test]
    fn it_takes_the_memory_of_what_is_used_and_nothing_else_is_adopted() {
        let mut file = StateFile::create().unwrap();
        for id in 0..1000 {
            file.reserve(Place::Service(id)).unwrap();
        }
        let bytes = rustix::fs::fstat(&file).unwrap().st_blocks * 512;
        assert!(bytes <= 1001 * 512 + 3 * 4096, "{bytes} bytes");
        let (reader, _writer) = rustix::pipe::pipe().unwrap();
        assert!(StateFile::adopt(reader).is_err());
        let plain = rustix::fs::memfd_create("other", MemfdFlags::ALLOW_SEALING).unwrap();
        assert!(StateFile::adopt(plain).is_err());
    }
}
