//! permessage-deflate (RFC 7692) without context: every message is compressed by itself.

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, TDEFLStatus, compress, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use std::fmt;
use std::io::IoSlice;

/// What a message is followed by, and what is left out at its end.
const TAIL: [u8; 4] = [0, 0, 0xff, 0xff];
/// How far back a compressed message may point.
const WINDOW: usize = 32 * 1024;
/// Quick rather than small.
const LEVEL: i32 = 1;
/// Room for what is left out again.
const ROOM: usize = 64;

/// A message being decompressed.
pub(super) struct Inflate {
    machine: DecompressorOxide,
    window: [u8; WINDOW],
    at: usize,
}

impl fmt::Debug for Inflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inflate")
    }
}

impl Inflate {
    pub(super) fn new() -> Box<Self> {
        Box::new(Self { machine: DecompressorOxide::new(), window: [0; WINDOW], at: 0 })
    }

    /// Decompresses a piece of the message and appends it to `out`. False when it is not compressed.
    pub(super) fn feed(&mut self, input: &[u8], last: bool, out: &mut Vec<u8>) -> bool {
        self.run(input, out) && (!last || self.run(&TAIL, out))
    }

    fn run(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> bool {
        loop {
            let (status, used, len) =
                decompress(&mut self.machine, input, &mut self.window, self.at, TINFL_FLAG_HAS_MORE_INPUT);
            input = input.get(used..).unwrap_or_default();
            out.extend_from_slice(self.window.get(self.at..self.at + len).unwrap_or_default());
            self.at = (self.at + len) % WINDOW;
            match status {
                TINFLStatus::HasMoreOutput => {}
                TINFLStatus::NeedsMoreInput => return true,
                // A block that says that it is the last one; what follows begins anew.
                TINFLStatus::Done => {
                    self.machine.init();
                    if input.is_empty() {
                        return true;
                    }
                }
                TINFLStatus::FailedCannotMakeProgress
                | TINFLStatus::BadParam
                | TINFLStatus::Adler32Mismatch
                | TINFLStatus::Failed => return false,
            }
        }
    }
}

/// Compresses messages, one after the other.
#[derive(Default)]
pub(super) struct Deflate(Option<Box<CompressorOxide>>);

impl fmt::Debug for Deflate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Deflate")
    }
}

impl Deflate {
    /// Compresses what stands in `parts`; `None` where that makes it longer.
    pub(super) fn deflate(&mut self, parts: &[IoSlice<'_>]) -> Option<Vec<u8>> {
        let len: usize = parts.iter().map(|part| part.len()).sum();
        let fresh = || Box::new(CompressorOxide::new(create_comp_flags_from_zip_params(LEVEL, -15, 0)));
        let machine = self.0.get_or_insert_with(fresh);
        machine.reset();
        let mut out = vec![0; len + ROOM];
        let mut at = 0;
        let last = parts.len().saturating_sub(1);
        for (number, part) in parts.iter().enumerate() {
            let flush = if number == last { TDEFLFlush::Sync } else { TDEFLFlush::None };
            let mut input: &[u8] = part;
            loop {
                let (status, used, written) = compress(machine, input, out.get_mut(at..)?, flush);
                input = input.get(used..)?;
                at += written;
                if status != TDEFLStatus::Okay || at >= len {
                    return None;
                }
                if input.is_empty() {
                    break;
                }
            }
        }
        out.truncate(at);
        out.ends_with(&TAIL).then(|| out.truncate(at - TAIL.len()))?;
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::rng::Rng;

    #[test]
    fn what_is_compressed_comes_back_whatever_the_pieces() {
        let mut rng = Rng::from_seed(3);
        let text: Vec<u8> = (0..100_000).map(|_| b'a' + u8::try_from(rng.below(4)).unwrap()).collect();
        let parts: Vec<_> = text.chunks(777).map(IoSlice::new).collect();
        let packed = Deflate::default().deflate(&parts).unwrap();
        assert!(packed.len() < text.len() / 2);
        for step in [1, 100, 256, packed.len()] {
            let (mut inflate, mut out) = (Inflate::new(), Vec::new());
            let count = packed.chunks(step).count();
            for (number, piece) in packed.chunks(step).enumerate() {
                assert!(inflate.feed(piece, number + 1 == count, &mut out));
            }
            assert!(out == text, "{step}");
        }
    }

    #[test]
    fn what_does_not_get_shorter_is_left_as_it_is() {
        let mut rng = Rng::from_seed(5);
        let noise: Vec<u8> = (0..1000).map(|_| u8::try_from(rng.below(256)).unwrap()).collect();
        assert_eq!(Deflate::default().deflate(&[IoSlice::new(&noise)]), None);
    }

    #[test]
    fn garbage_is_refused_and_stored_blocks_pass() {
        let (mut inflate, mut out) = (Inflate::new(), Vec::new());
        assert!(!inflate.feed(&[0xff; 100], true, &mut out));
        // One stored block with the mark of a last one, as RFC 7692, section 7.2.3.4 allows.
        let (mut inflate, mut out) = (Inflate::new(), Vec::new());
        assert!(inflate.feed(&[1, 5, 0, 0xfa, 0xff, b'H', b'e', b'l', b'l', b'o', 0], true, &mut out));
        assert_eq!(out, b"Hello");
    }
}
