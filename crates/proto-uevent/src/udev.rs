//! udevd's header: 40 bytes before the properties, made for socket filters.
//!
//! ```text
//! off  0  "libudev\0"          off 24  u32 BE  hash of SUBSYSTEM
//! off  8  u32 BE 0xfeedcafe     off 28  u32 BE  hash of DEVTYPE, 0 when absent
//! off 12  u32 header size (40)  off 32  u32 BE  tag bloom, high word
//! off 16  u32 properties offset off 36  u32 BE  tag bloom, low word
//! off 20  u32 properties length          (sizes and offsets in host order)
//! ```

/// The first bytes of every rebroadcast.
pub const PREFIX: &[u8] = b"libudev\0";
/// Marks the version of the header.
pub const MAGIC: u32 = 0xfeed_cafe;
/// Size of the header in bytes.
pub const HEADER_BYTES: usize = 40;

/// MurmurHash2 with seed 0, as libudev's filters compute it over SUBSYSTEM, DEVTYPE and tags.
#[must_use]
pub fn hash(text: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    let mut blocks = text.chunks_exact(4);
    let mut hash = blocks.by_ref().fold(length, |hash, block| {
        let word = block.iter().rev().fold(0_u32, |word, &byte| (word << 8) | u32::from(byte)).wrapping_mul(M);
        hash.wrapping_mul(M) ^ (word ^ (word >> 24)).wrapping_mul(M)
    });
    let rest = blocks.remainder();
    if !rest.is_empty() {
        hash ^= rest.iter().rev().fold(0_u32, |word, &byte| (word << 8) | u32::from(byte));
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

/// The bits a tag sets in the bloom field.
#[must_use]
pub fn bloom(tag: &[u8]) -> u64 {
    let hash = hash(tag);
    [0, 6, 12, 18].into_iter().fold(0, |bits, shift| bits | (1 << ((hash >> shift) & 63)))
}

/// The header for `length` bytes of properties.
#[must_use]
pub fn header(subsystem: &[u8], devtype: Option<&[u8]>, tags_bloom: u64, length: u32) -> [u8; HEADER_BYTES] {
    let mut header = [0; HEADER_BYTES];
    let fields = [
        MAGIC.to_be_bytes(),
        40_u32.to_ne_bytes(),
        40_u32.to_ne_bytes(),
        length.to_ne_bytes(),
        hash(subsystem).to_be_bytes(),
        devtype.map_or(0, hash).to_be_bytes(),
    ];
    let bytes = PREFIX.iter().copied().chain(fields.into_iter().flatten()).chain(tags_bloom.to_be_bytes());
    for (place, byte) in header.iter_mut().zip(bytes) {
        *place = byte;
    }
    header
}

/// The properties behind the header.
pub(crate) fn properties_of(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let magic = word(bytes, 8).ok_or("too short")?;
    if u32::from_be_bytes(magic) != MAGIC {
        return Err("wrong magic");
    }
    let offset = usize_at(bytes, 16).ok_or("too short")?;
    let length = usize_at(bytes, 20).ok_or("too short")?;
    if offset < HEADER_BYTES {
        return Err("properties inside the header");
    }
    let end = offset.checked_add(length).ok_or("properties beyond the message")?;
    bytes.get(offset..end).ok_or("properties beyond the message")
}

fn word(bytes: &[u8], offset: usize) -> Option<[u8; 4]> {
    bytes.get(offset..offset + 4)?.try_into().ok()
}

fn usize_at(bytes: &[u8], offset: usize) -> Option<usize> {
    usize::try_from(u32::from_ne_bytes(word(bytes, offset)?)).ok()
}
