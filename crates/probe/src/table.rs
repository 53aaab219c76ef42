//! Partition tables: MBR (four entries at 446, signature at 510) and GPT (header in the second sector; UEFI 2.10, 5.3).

use crate::field::{byte, has, le32};
use crate::found::Table;

/// The table in the first two sectors (of 512 or 4096 bytes); `head` starts at byte 0 of the device.
pub(crate) fn recognise(head: &[u8]) -> Option<Table> {
    if has(head, 512, b"EFI PART") || has(head, 4096, b"EFI PART") {
        return Some(Table::Gpt);
    }
    is_mbr(head).then_some(Table::Mbr)
}

/// Boot code alone is no table: all four flags must be valid and one entry in use.
fn is_mbr(head: &[u8]) -> bool {
    let entry = |index: usize| 446 + 16 * index;
    let valid = |index: usize| matches!(byte(head, entry(index)), Some(0 | 0x80));
    let used = |index: usize| {
        byte(head, entry(index) + 4).is_some_and(|kind| kind != 0)
            && le32(head, entry(index) + 12).is_some_and(|sectors| sectors != 0)
    };
    has(head, 510, b"\x55\xaa") && (0..4).all(valid) && (0..4).any(used)
}
