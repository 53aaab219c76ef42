//! Bytes that wait to be written to one client: a queue of pooled chunks.

use std::collections::VecDeque;

/// The first chunk: most answers fit, and a PING to each of a thousand idle clients stays small.
const SMALL: usize = 1024;
/// The chunks that follow.
const LARGE: usize = 32 * 1024;
/// Chunks kept for use again until the next quiet moment: at most 256 KiB and 4 MiB.
const SMALL_KEPT: usize = 256;
const LARGE_KEPT: usize = 128;
/// Parts up to this length are copied in place; longer ones are worth a call of the C library's copy.
const COPY_INLINE: usize = 256;

/// Empty chunks, kept so that a message costs no allocation.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    small: Vec<Vec<u8>>,
    large: Vec<Vec<u8>>,
}

impl Pool {
    fn take(&mut self, first: bool, len: usize) -> Vec<u8> {
        let (kept, size) = if first && len <= SMALL { (&mut self.small, SMALL) } else { (&mut self.large, LARGE) };
        if len > LARGE {
            return Vec::with_capacity(len);
        }
        kept.pop().unwrap_or_else(|| Vec::with_capacity(size))
    }

    /// Takes a chunk back.
    pub(crate) fn give(&mut self, mut chunk: Vec<u8>) {
        chunk.clear();
        match chunk.capacity() {
            SMALL if self.small.len() < SMALL_KEPT => self.small.push(chunk),
            LARGE if self.large.len() < LARGE_KEPT => self.large.push(chunk),
            _ => {}
        }
    }

    /// Gives all memory back.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// The queue. An empty one holds no chunk.
#[derive(Debug, Default)]
pub(crate) struct Output {
    chunks: VecDeque<Vec<u8>>,
    /// Bytes of the first chunk that are written already.
    written: usize,
    pending: usize,
}

impl Output {
    /// Bytes that wait.
    pub(crate) fn pending(&self) -> usize {
        self.pending
    }

    /// Appends the parts, in one chunk. Returns how many bytes that were.
    pub(crate) fn append<const N: usize>(&mut self, parts: [&[u8]; N], pool: &mut Pool) -> usize {
        let len = parts.iter().map(|part| part.len()).sum();
        let fits = self.chunks.back().is_some_and(|chunk| chunk.capacity() - chunk.len() >= len);
        if !fits {
            self.chunks.push_back(pool.take(self.chunks.is_empty(), len));
        }
        if let Some(chunk) = self.chunks.back_mut() {
            for part in parts {
                copy(chunk, part);
            }
        }
        self.pending += len;
        len
    }

    /// What waits, piece by piece, in order.
    pub(crate) fn pieces(&self) -> impl Iterator<Item = &[u8]> {
        let written = self.written;
        self.chunks.iter().enumerate().map(move |(place, chunk)| {
            let start = if place == 0 { written } else { 0 };
            chunk.get(start..).unwrap_or_default()
        })
    }

    /// Forgets the first `len` bytes, which are written.
    pub(crate) fn advance(&mut self, len: usize, pool: &mut Pool) {
        self.pending = self.pending.saturating_sub(len);
        let mut gone = self.written + len;
        while let Some(first) = self.chunks.front()
            && first.len() <= gone
        {
            gone -= first.len();
            if let Some(chunk) = self.chunks.pop_front() {
                pool.give(chunk);
            }
        }
        self.written = if self.chunks.is_empty() { 0 } else { gone };
    }

    /// Forgets everything. Returns how many bytes that were.
    pub(crate) fn clear(&mut self, pool: &mut Pool) -> usize {
        let len = self.pending;
        while let Some(chunk) = self.chunks.pop_front() {
            pool.give(chunk);
        }
        *self = Self::default();
        len
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
        let mut pool = Pool::default();
        let mut output = Output::default();
        let mut expected = Vec::new();
        for number in 0..3000_u32 {
            let text = number.to_string();
            output.append([b"<", text.as_bytes(), b">"], &mut pool);
            expected.extend_from_slice(format!("<{text}>").as_bytes());
        }
        output.append([&[b'x'; 100_000]], &mut pool);
        expected.extend_from_slice(&[b'x'; 100_000]);
        assert_eq!(output.pending(), expected.len());
        let mut read = Vec::new();
        for step in [1, 7, 4096, 5000, 32_768].iter().cycle() {
            let piece: Vec<u8> = output.pieces().flatten().copied().take(*step).collect();
            if piece.is_empty() {
                break;
            }
            output.advance(piece.len(), &mut pool);
            read.extend_from_slice(&piece);
        }
        assert_eq!((read == expected, output.pending(), output.pieces().count()), (true, 0, 0));
    }
}
