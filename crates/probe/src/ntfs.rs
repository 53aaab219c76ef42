//! NTFS: boot sector, then record 3 of the master file table, `$Volume`, whose attribute 0x60 is the label.

use crate::field::{byte, has, le16, le32, le64, slice, units_le};
use crate::found::{Content, Type};
use crate::probe::Range;
use crate::text::Text;

/// Number of `$Volume` in the master file table.
const VOLUME_RECORD: u64 = 3;
const ATTRIBUTE_VOLUME_NAME: u32 = 0x60;
const ATTRIBUTE_END: u32 = 0xffff_ffff;

/// The file system in a boot sector, without label, and where `$Volume` is.
pub(crate) fn recognise(head: &[u8]) -> Option<(Content, Option<Range>)> {
    if !has(head, 3, b"NTFS    ") {
        return None;
    }
    let sector_bytes = u64::from(le16(head, 11)?);
    let cluster_sectors = match byte(head, 13)? {
        count @ 1..=128 if count.is_power_of_two() => u64::from(count),
        shift @ 240..=249 => 1 << (256 - u64::from(shift)),
        _ => return None,
    };
    if !sector_bytes.is_power_of_two() || !(256..=4096).contains(&sector_bytes) {
        return None;
    }
    let cluster_bytes = sector_bytes * cluster_sectors;
    let mut uuid = Text::EMPTY;
    le64(head, 0x48)?.to_be_bytes().into_iter().for_each(|byte| uuid.push_hex(byte, true));
    let content = Content { kind: Type::Ntfs, label: Text::EMPTY, uuid };
    Some((content, volume_record(head, cluster_bytes)))
}

/// The record size is in clusters, or as a negative power of two in bytes.
fn volume_record(head: &[u8], cluster_bytes: u64) -> Option<Range> {
    let record_bytes = match byte(head, 0x40)? {
        clusters @ 1..=64 => u64::from(clusters).checked_mul(cluster_bytes)?,
        shift @ 0xe1..=0xf7 => 1 << (256 - u64::from(shift)),
        _ => return None,
    };
    let table = le64(head, 0x30)?.checked_mul(cluster_bytes)?;
    let offset = table.checked_add(record_bytes.checked_mul(VOLUME_RECORD)?)?;
    Some(Range::new(offset, usize::try_from(record_bytes).ok()?))
}

/// The label in a `$Volume` record.
pub(crate) fn label(record: &[u8]) -> Option<Text> {
    if !has(record, 0, b"FILE") {
        return None;
    }
    let mut offset = usize::from(le16(record, 20)?);
    loop {
        let kind = le32(record, offset)?;
        let length = usize::try_from(le32(record, offset.checked_add(4)?)?).ok()?;
        if kind == ATTRIBUTE_END || length == 0 {
            return None;
        }
        let attribute = record.get(offset..offset.checked_add(length)?)?;
        let resident = byte(attribute, 8)? == 0;
        if kind == ATTRIBUTE_VOLUME_NAME && resident {
            let bytes = usize::try_from(le32(attribute, 16)?).ok()?;
            return Some(Text::from_utf16(units_le(slice(attribute, usize::from(le16(attribute, 20)?), bytes))));
        }
        offset += length;
    }
}
