//! Numbers at offsets, both byte orders; out of range is `None`.

fn array<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.try_into().ok()
}

pub(crate) fn byte(bytes: &[u8], offset: usize) -> Option<u8> {
    bytes.get(offset).copied()
}

pub(crate) fn le16(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_le_bytes)
}

pub(crate) fn le32(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_le_bytes)
}

pub(crate) fn le64(bytes: &[u8], offset: usize) -> Option<u64> {
    array(bytes, offset).map(u64::from_le_bytes)
}

pub(crate) fn be16(bytes: &[u8], offset: usize) -> Option<u16> {
    array(bytes, offset).map(u16::from_be_bytes)
}

pub(crate) fn be32(bytes: &[u8], offset: usize) -> Option<u32> {
    array(bytes, offset).map(u32::from_be_bytes)
}

/// True when `word` stands at `offset`.
pub(crate) fn has(bytes: &[u8], offset: usize, word: &[u8]) -> bool {
    bytes.get(offset..).is_some_and(|rest| rest.starts_with(word))
}

/// `length` bytes at `offset`; empty when there are fewer.
pub(crate) fn slice(bytes: &[u8], offset: usize, length: usize) -> &[u8] {
    offset.checked_add(length).and_then(|end| bytes.get(offset..end)).unwrap_or_default()
}

/// UTF-16LE units of a byte slice.
pub(crate) fn units_le(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).filter_map(|pair| le16(pair, 0))
}
