//! Bytes that wait to be written to one client: a queue of pooled chunks.

use std::collections::VecDeque;
use std::rc::Rc;

/// Sizes of chunks, smallest first. A queue takes larger ones the more waits in it, so that a PING to each of a thousand idle clients stays
/// small, and what is held is never many times what waits.
const SIZES: [usize; 4] = [1024, 4096, 16 * 1024, 32 * 1024];
/// Bytes kept for use again until the next quiet moment.
const KEPT_MAX: usize = 4 << 20;
/// What is worth a wake-up to be given back.
const AMPLE: usize = 16 * 1024;
/// Parts up to this length are copied in place; longer ones are worth a call of the C library's copy.
const COPY_INLINE: usize = 256;

/// Empty chunks, kept so that a message costs no allocation.
#[derive(Debug)]
pub(crate) struct Pool {
    chunks: [Vec<Vec<u8>>; SIZES.len()],
    kept: usize,
    kept_max: usize,
}

impl Pool {
    pub(crate) fn new() -> Self {
        Self { chunks: Default::default(), kept: 0, kept_max: KEPT_MAX }
    }

    /// Keeps at most `bytes` from now on, and never more than [`KEPT_MAX`].
    pub(crate) fn limit(&mut self, bytes: usize) {
        self.kept_max = bytes.min(KEPT_MAX);
    }

    /// A chunk with room for `len` bytes, for a queue in which `pending` bytes wait.
    fn take(&mut self, pending: usize, len: usize) -> Vec<u8> {
        let wanted = len.max(pending);
        let class = SIZES.iter().position(|&size| size >= wanted).unwrap_or(SIZES.len() - 1);
        let (Some(&size), Some(chunks)) = (SIZES.get(class), self.chunks.get_mut(class)) else { return Vec::new() };
        if len > size {
            return Vec::with_capacity(len);
        }
        match chunks.pop() {
            Some(chunk) => {
                self.kept -= size;
                chunk
            }
            None => Vec::with_capacity(size),
        }
    }

    /// Takes a chunk back.
    fn give(&mut self, mut chunk: Vec<u8>) {
        let class = SIZES.iter().position(|&size| size == chunk.capacity());
        let room = self.kept + chunk.capacity() <= self.kept_max;
        if let Some(chunks) = class.and_then(|class| self.chunks.get_mut(class)).filter(|_| room) {
            self.kept += chunk.capacity();
            chunk.clear();
            chunks.push(chunk);
        }
    }

    /// True when so much is kept that it is to be given back once nobody needs it.
    pub(crate) fn is_ample(&self) -> bool {
        self.kept > AMPLE
    }

    /// Gives all memory back.
    pub(crate) fn clear(&mut self) {
        *self = Self { kept_max: self.kept_max, ..Self::new() };
    }
}

#[derive(Debug)]
enum Chunk {
    Own(Vec<u8>),
    /// A payload that waits for other clients, too.
    Shared(Rc<Vec<u8>>),
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Own(bytes) => bytes,
            Self::Shared(bytes) => bytes,
        }
    }
}

/// What came free.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Freed {
    /// Of the queue's own memory.
    pub(crate) own: usize,
    /// Of shared payloads that nobody else waits for.
    pub(crate) shared: usize,
}

/// The queue. An empty one holds no chunk.
#[derive(Debug, Default)]
pub(crate) struct Output {
    chunks: VecDeque<Chunk>,
    /// Bytes of the first chunk that are written already.
    written: usize,
    pending: usize,
    /// Memory of the queue's own chunks.
    held: usize,
}

impl Output {
    /// Bytes that wait.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Memory held for this queue alone.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    /// Appends the parts, in one chunk. Returns how much more memory the queue holds.
    #[inline]
    pub(crate) fn append<const N: usize>(&mut self, parts: [&[u8]; N], pool: &mut Pool) -> usize {
        let len = parts.iter().map(|part| part.len()).sum();
        let mut grown = 0;
        if !matches!(self.chunks.back(), Some(Chunk::Own(chunk)) if chunk.capacity() - chunk.len() >= len) {
            grown = self.grow(len, pool);
        }
        if let Some(Chunk::Own(chunk)) = self.chunks.back_mut() {
            for part in parts {
                copy(chunk, part);
            }
        }
        self.pending += len;
        grown
    }

    fn grow(&mut self, len: usize, pool: &mut Pool) -> usize {
        let chunk = pool.take(self.pending, len);
        let grown = chunk.capacity();
        self.held += grown;
        self.chunks.push_back(Chunk::Own(chunk));
        grown
    }

    /// Appends a payload that is not copied.
    pub(crate) fn share(&mut self, payload: &Rc<Vec<u8>>) {
        self.pending += payload.len();
        self.chunks.push_back(Chunk::Shared(Rc::clone(payload)));
    }

    /// What waits, piece by piece, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let written = self.written;
        self.chunks.iter().enumerate().map(move |(place, chunk)| {
            let start = if place == 0 { written } else { 0 };
            chunk.bytes().get(start..).unwrap_or_default()
        })
    }

    /// Forgets the first `len` bytes, which are written.
    pub(crate) fn advance(&mut self, len: usize, pool: &mut Pool) -> Freed {
        self.pending = self.pending.saturating_sub(len);
        let mut gone = self.written + len;
        let mut freed = Freed::default();
        while let Some(first) = self.chunks.front()
            && first.bytes().len() <= gone
        {
            gone -= first.bytes().len();
            self.drop_first(pool, &mut freed);
        }
        self.written = if self.chunks.is_empty() { 0 } else { gone };
        freed
    }

    fn drop_first(&mut self, pool: &mut Pool, freed: &mut Freed) {
        match self.chunks.pop_front() {
            Some(Chunk::Own(chunk)) => {
                self.held -= chunk.capacity();
                freed.own += chunk.capacity();
                pool.give(chunk);
            }
            Some(Chunk::Shared(payload)) if Rc::strong_count(&payload) == 1 => freed.shared += payload.len(),
            Some(Chunk::Shared(_)) | None => {}
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self, pool: &mut Pool) -> Freed {
        let mut freed = Freed::default();
        while !self.chunks.is_empty() {
            self.drop_first(pool, &mut freed);
        }
        *self = Self::default();
        freed
    }
}

/// Appends `part` to a chunk that has room for it. A frame is made of many short parts, and calling the C library for each was a
/// quarter of a fan-out's time.
#[inline]
fn copy(chunk: &mut Vec<u8>, part: &[u8]) {
    if part.len() > COPY_INLINE {
        return chunk.extend_from_slice(part);
    }
    let (blocks, rest) = part.as_chunks::<16>();
    for block in blocks {
        chunk.extend_from_slice(block);
    }
    let (blocks, rest) = rest.as_chunks::<4>();
    for block in blocks {
        chunk.extend_from_slice(block);
    }
    for &byte in rest {
        chunk.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_appended_comes_out_in_order_however_it_is_written() {
        let mut pool = Pool::new();
        let (mut output, mut other) = (Output::default(), Output::default());
        let mut expected = Vec::new();
        let mut held = 0;
        for number in 0..3000_u32 {
            let text = number.to_string();
            held += output.append([b"<", text.as_bytes(), b">"], &mut pool);
            expected.extend_from_slice(format!("<{text}>").as_bytes());
        }
        held += output.append([&[b'x'; 100_000]], &mut pool);
        expected.extend_from_slice(&[b'x'; 100_000]);
        let shared: Rc<Vec<u8>> = vec![b'y'; 10_000].into();
        output.share(&shared);
        other.share(&shared);
        drop(shared);
        held += output.append([b"end"], &mut pool);
        expected.extend_from_slice(&[b'y'; 10_000]);
        expected.extend_from_slice(b"end");
        assert_eq!((output.pending(), output.held()), (expected.len(), held));
        assert!(held < expected.len() + 50_000, "{held}");
        let mut read = Vec::new();
        let mut freed = Freed::default();
        for step in [1, 7, 4096, 5000, 32_768].iter().cycle() {
            let piece: Vec<u8> = output.pieces().flatten().copied().take(*step).collect();
            if piece.is_empty() {
                break;
            }
            let now = output.advance(piece.len(), &mut pool);
            freed = Freed { own: freed.own + now.own, shared: freed.shared + now.shared };
            read.extend_from_slice(&piece);
        }
        assert_eq!((read == expected, output.pending(), output.pieces().count()), (true, 0, 0));
        assert_eq!((freed, output.held()), (Freed { own: held, shared: 0 }, 0));
        assert_eq!(other.clear(&mut pool), Freed { own: 0, shared: 10_000 });
    }

    #[test]
    fn the_pool_keeps_no_more_than_it_may() {
        let mut pool = Pool::new();
        pool.limit(8192);
        let chunks: Vec<Vec<u8>> = (0..20).map(|_| pool.take(0, 10)).collect();
        assert!(chunks.iter().all(|chunk| chunk.capacity() == 1024));
        chunks.into_iter().for_each(|chunk| pool.give(chunk));
        assert_eq!((pool.kept, pool.kept <= AMPLE), (8192, true));
        assert_eq!((pool.take(5000, 10).capacity(), pool.kept), (16 * 1024, 8192));
        assert_eq!((pool.take(0, 1000).capacity(), pool.kept), (1024, 7168));
        pool.clear();
        assert_eq!(pool.kept, 0);
    }
}
