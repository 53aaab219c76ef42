//! The epoll set.

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use std::fmt;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// Events taken from the kernel per turn.
const BATCH: usize = 64;

/// Names a source: its slot and the generation of that slot. A token of a removed source matches nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    index: u32,
    generation: u32,
}

impl Token {
    fn pack(self) -> u64 {
        (u64::from(self.generation) << 32) | u64::from(self.index)
    }

    fn unpack(data: u64) -> Self {
        let low = u32::try_from(data & 0xffff_ffff).unwrap_or_default();
        let high = u32::try_from(data >> 32).unwrap_or_default();
        Self { index: low, generation: high }
    }
}

/// What a source is watched for. Errors and hang-ups are always reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interest(EventFlags);

impl Interest {
    /// Only errors and hang-ups.
    pub const NONE: Self = Self(EventFlags::empty());
    /// Something to read, or the peer finished writing.
    pub const READ: Self = Self(EventFlags::IN.union(EventFlags::RDHUP));
    /// Room to write.
    pub const WRITE: Self = Self(EventFlags::OUT);
    /// Both.
    pub const BOTH: Self = Self(EventFlags::IN.union(EventFlags::RDHUP).union(EventFlags::OUT));
    /// Exceptional state, as of `memory.events` or `/proc/self/mountinfo` (`EPOLLPRI`).
    pub const PRIORITY: Self = Self(EventFlags::PRI);
}

/// One ready source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Event<K> {
    /// Which source.
    pub token: Token,
    /// The key it was inserted with.
    pub key: K,
    /// There is something to read, or an end of file or error to be found by reading.
    pub readable: bool,
    /// There is room to write, or an error to be found by writing.
    pub writable: bool,
    /// The peer is gone for good (`EPOLLHUP` or `EPOLLERR`); bytes may still be left to read.
    pub closed: bool,
    /// Exceptional state (`EPOLLPRI`).
    pub priority: bool,
}

/// Why a reactor call failed.
#[derive(Debug)]
pub enum Error {
    /// The number of sources given to [`Reactor::new`] is reached.
    Full,
    /// The token names a source that was removed.
    Stale,
    /// The kernel refused.
    Kernel(io::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("no free slot in the reactor"),
            Self::Stale => f.write_str("token of a removed source"),
            Self::Kernel(error) => write!(f, "epoll: {error}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<rustix::io::Errno> for Error {
    fn from(errno: rustix::io::Errno) -> Self {
        Self::Kernel(errno.into())
    }
}

impl From<Error> for io::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Kernel(error) => error,
            Error::Full | Error::Stale => Self::other(error),
        }
    }
}

#[derive(Debug)]
struct Slot<K> {
    generation: u32,
    key: Option<K>,
}

/// An epoll set of at most `sources_max` descriptors. It does not own the descriptors: remove a source before closing it.
pub struct Reactor<K> {
    epoll: OwnedFd,
    slots: Vec<Slot<K>>,
    /// Slots that were free when they were noted; some may be gone or taken since.
    free: Vec<u32>,
    used: usize,
    /// Where new slots begin to count, so that no token of one that is gone comes again.
    generation: u32,
    sources_max: usize,
    batch: Vec<epoll::Event>,
    served: usize,
}

impl<K> fmt::Debug for Reactor<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reactor").field("sources", &self.used).finish_non_exhaustive()
    }
}

impl<K: Copy> Reactor<K> {
    /// Opens an empty set. Slots are allocated as sources come, up to `sources_max`, used again, and given back as sources go.
    ///
    /// # Errors
    /// `EMFILE`/`ENFILE` when no descriptor is free.
    pub fn new(sources_max: usize) -> Result<Self, Error> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let batch = Vec::with_capacity(BATCH);
        let (slots, free) = (Vec::new(), Vec::new());
        Ok(Self { epoll, slots, free, used: 0, generation: 0, sources_max, batch, served: 0 })
    }

    /// Watches `fd` (level-triggered) and returns its token.
    ///
    /// # Errors
    /// [`Error::Full`] at the limit; the kernel's otherwise (`EPERM` for a plain file).
    pub fn insert(&mut self, fd: impl AsFd, interest: Interest, key: K) -> Result<Token, Error> {
        let index = self.free_slot()?;
        let slot = self.slots.get_mut(index as usize).ok_or(Error::Stale)?;
        let token = Token { index, generation: slot.generation };
        match epoll::add(&self.epoll, fd, EventData::new_u64(token.pack()), interest.0) {
            Ok(()) => {
                slot.key = Some(key);
                self.used += 1;
                Ok(token)
            }
            Err(errno) => {
                self.free.push(index);
                Err(errno.into())
            }
        }
    }

    fn free_slot(&mut self) -> Result<u32, Error> {
        while let Some(index) = self.free.pop() {
            if self.slots.get(index as usize).is_some_and(|slot| slot.key.is_none()) {
                return Ok(index);
            }
        }
        if self.slots.len() >= self.sources_max {
            return Err(Error::Full);
        }
        self.slots.push(Slot { generation: self.generation, key: None });
        u32::try_from(self.slots.len() - 1).map_err(|_| Error::Full)
    }

    /// Gives back the free slots at the end.
    fn shrink(&mut self) {
        while let Some(last) = self.slots.pop_if(|last| last.key.is_none()) {
            self.generation = self.generation.max(last.generation);
        }
        let len = self.slots.len();
        if self.free.len() > 2 * len + BATCH {
            self.free.retain(|&index| (index as usize) < len);
        }
        if self.slots.capacity() > 4 * len + BATCH {
            self.slots.shrink_to(2 * len);
            self.free.shrink_to(2 * self.free.len());
        }
    }

    /// Watches the source for something else from now on.
    ///
    /// # Errors
    /// [`Error::Stale`] for a removed source; the kernel's when `fd` is not the source's.
    pub fn set_interest(&mut self, token: Token, fd: impl AsFd, interest: Interest) -> Result<(), Error> {
        self.key(token).ok_or(Error::Stale)?;
        Ok(epoll::modify(&self.epoll, fd, EventData::new_u64(token.pack()), interest.0)?)
    }

    /// Forgets the source. Its events that are still to be handed out in this turn are dropped.
    ///
    /// # Errors
    /// [`Error::Stale`] when it was removed already; the kernel's when `fd` is not the source's (it is forgotten all the same).
    pub fn remove(&mut self, token: Token, fd: impl AsFd) -> Result<(), Error> {
        self.key(token).ok_or(Error::Stale)?;
        if let Some(slot) = self.slots.get_mut(token.index as usize) {
            slot.key = None;
            slot.generation = slot.generation.wrapping_add(1);
            self.free.push(token.index);
            self.used -= 1;
            self.shrink();
        }
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// The key of a source; `None` once it was removed.
    #[must_use]
    pub fn key(&self, token: Token) -> Option<K> {
        self.slots.get(token.index as usize).filter(|slot| slot.generation == token.generation)?.key
    }

    /// Number of sources watched.
    #[must_use]
    pub fn len(&self) -> usize {
        self.used
    }

    /// True when nothing is watched.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sleeps until a source is ready or `timeout` has passed (`None`: as long as it takes), and starts a new turn. A signal
    /// handler's interruption starts an empty turn.
    ///
    /// # Errors
    /// The kernel's, none of which a correct program meets.
    pub fn wait(&mut self, timeout: Option<Duration>) -> Result<(), Error> {
        self.batch.clear();
        self.served = 0;
        let timeout = match timeout.map(rustix::event::Timespec::try_from) {
            Some(Ok(limit)) => Some(limit),
            Some(Err(_)) | None => None,
        };
        match epoll::wait(&self.epoll, spare_capacity(&mut self.batch), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Hands out the next ready source of this turn.
    #[expect(
        clippy::should_implement_trait,
        reason = "a turn is not an iterator: sources may be changed between two events"
    )]
    pub fn next(&mut self) -> Option<Event<K>> {
        while let Some(event) = self.batch.get(self.served) {
            self.served += 1;
            let flags = event.flags;
            let token = Token::unpack(event.data.u64());
            let closed = flags.intersects(EventFlags::HUP | EventFlags::ERR);
            if let Some(key) = self.key(token) {
                return Some(Event {
                    token,
                    key,
                    readable: closed || flags.intersects(EventFlags::IN | EventFlags::RDHUP),
                    writable: closed || flags.contains(EventFlags::OUT),
                    closed,
                    priority: flags.contains(EventFlags::PRI),
                });
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rustix::pipe::pipe;

    fn ready_pipe() -> (OwnedFd, OwnedFd) {
        let (reader, writer) = pipe().unwrap();
        rustix::io::write(&writer, b"x").unwrap();
        (reader, writer)
    }

    #[test]
    fn a_source_removed_in_the_turn_is_not_served_even_if_its_slot_is_taken_again() {
        let mut reactor = Reactor::new(4).unwrap();
        let (first, _w1) = ready_pipe();
        let (second, _w2) = ready_pipe();
        let one = reactor.insert(&first, Interest::READ, 1).unwrap();
        let two = reactor.insert(&second, Interest::READ, 2).unwrap();
        reactor.wait(None).unwrap();
        let served = reactor.next().unwrap();
        let (gone, fd) = if served.key == 1 { (two, &second) } else { (one, &first) };
        reactor.remove(gone, fd).unwrap();
        let (third, _w3) = pipe().unwrap();
        let again = reactor.insert(&third, Interest::READ, 3).unwrap();
        assert_ne!(again, gone);
        assert!(reactor.next().is_none());
        assert!(matches!(reactor.remove(gone, fd), Err(Error::Stale)));
    }

    #[test]
    fn the_limit_holds_and_freed_slots_are_used_again() {
        let mut reactor = Reactor::new(1).unwrap();
        let (reader, writer) = pipe().unwrap();
        let token = reactor.insert(&reader, Interest::READ, ()).unwrap();
        assert!(matches!(reactor.insert(&writer, Interest::WRITE, ()), Err(Error::Full)));
        reactor.remove(token, &reader).unwrap();
        assert!(reactor.is_empty());
        reactor.insert(&writer, Interest::WRITE, ()).unwrap();
        assert_eq!(reactor.len(), 1);
    }

    #[test]
    fn slots_are_given_back_and_no_token_comes_twice() {
        let mut reactor = Reactor::new(1000).unwrap();
        let (reader, _writer) = pipe().unwrap();
        let first = reactor.insert(&reader, Interest::READ, 0).unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for round in 0..5 {
            let pipes: Vec<_> = (0..200).map(|_| pipe().unwrap()).collect();
            let tokens: Vec<_> =
                pipes.iter().map(|(reader, _)| reactor.insert(reader, Interest::READ, round).unwrap()).collect();
            assert_eq!(reactor.len(), 201);
            for (place, (token, (reader, _))) in tokens.iter().zip(&pipes).enumerate() {
                assert!(seen.insert((token.index, token.generation)), "{token:?}");
                if place % 2 == round % 2 {
                    reactor.remove(*token, reader).unwrap();
                }
            }
            for (place, (token, (reader, _))) in tokens.iter().zip(&pipes).enumerate() {
                assert_eq!(reactor.remove(*token, reader).is_err(), place % 2 == round % 2);
            }
            assert_eq!((reactor.len(), reactor.slots.len(), reactor.key(first)), (1, 1, Some(0)));
            assert!(reactor.slots.capacity() < 100 && reactor.free.capacity() < 100);
        }
    }

    #[test]
    fn interest_and_hang_up_are_reported() {
        let mut reactor = Reactor::new(4).unwrap();
        let (reader, writer) = pipe().unwrap();
        let token = reactor.insert(&writer, Interest::NONE, "w").unwrap();
        reactor.wait(Some(Duration::ZERO)).unwrap();
        assert!(reactor.next().is_none());
        reactor.set_interest(token, &writer, Interest::WRITE).unwrap();
        reactor.wait(None).unwrap();
        let event = reactor.next().unwrap();
        assert!(event.writable && !event.closed);
        drop(reader);
        reactor.wait(None).unwrap();
        assert!(reactor.next().unwrap().closed);
    }

    #[test]
    fn a_plain_file_is_refused_and_its_slot_given_back() {
        let mut reactor = Reactor::new(1).unwrap();
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(matches!(reactor.insert(&file, Interest::READ, ()), Err(Error::Kernel(_))));
        let (reader, _writer) = pipe().unwrap();
        reactor.insert(&reader, Interest::READ, ()).unwrap();
    }
}
