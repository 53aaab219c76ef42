//! exFAT (Microsoft exFAT specification, sections 3 and 7.3).

use crate::field::{byte, has, le32, slice, units_le};
use crate::found::{Content, Type};
use crate::probe::{Range, WANT_BYTES_MAX};
use crate::text::Text;

/// The walk through the root directory in search of the label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    place: Place,
    cluster_bytes: u64,
    clusters: u32,
    fat_start: u64,
    heap_start: u64,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    Entries { offset: u64, left: u64, cluster: u32 },
    Link(u32),
}

/// What a piece of the directory said.
pub(crate) enum Step {
    Continue(Root),
    Label(Text),
    End,
}

/// The file system in a boot sector, without label, and where its root directory is.
pub(crate) fn recognise(head: &[u8]) -> Option<(Content, Option<Root>)> {
    if !has(head, 3, b"EXFAT   ") || !has(head, 510, b"\x55\xaa") {
        return None;
    }
    let (sector_shift, cluster_shift) = (byte(head, 108)?, byte(head, 109)?);
    if !(9..=12).contains(&sector_shift) || cluster_shift > 25 - sector_shift {
        return None;
    }
    let content = Content { kind: Type::Exfat, label: Text::EMPTY, uuid: Text::from_serial(le32(head, 100)?) };
    let root = Root {
        place: Place::Link(0),
        cluster_bytes: 1 << (sector_shift + cluster_shift),
        clusters: le32(head, 92)?,
        fat_start: u64::from(le32(head, 80)?) << sector_shift,
        heap_start: u64::from(le32(head, 88)?) << sector_shift,
    };
    Some((content, root.at_cluster(le32(head, 96)?)))
}

impl Root {
    fn at_cluster(self, cluster: u32) -> Option<Self> {
        let index = cluster.checked_sub(2).filter(|&index| index < self.clusters)?;
        let offset = self.heap_start + u64::from(index) * self.cluster_bytes;
        Some(Self { place: Place::Entries { offset, left: self.cluster_bytes, cluster }, ..self })
    }

    pub(crate) fn want(&self) -> Range {
        match self.place {
            Place::Entries { offset, left, .. } => Range::new(offset, usize::try_from(left).unwrap_or(WANT_BYTES_MAX)),
            Place::Link(cluster) => Range::new(self.fat_start + u64::from(cluster) * 4, 4),
        }
    }

    pub(crate) fn feed(self, bytes: &[u8]) -> Step {
        let next = match self.place {
            Place::Link(_) => le32(bytes, 0).and_then(|next| self.at_cluster(next)),
            Place::Entries { offset, left, cluster } => {
                for entry in bytes.chunks_exact(32) {
                    match byte(entry, 0) {
                        Some(0) | None => return Step::End,
                        Some(0x83) => return Step::Label(label_of(entry)),
                        Some(_) => {}
                    }
                }
                let read = u64::try_from(bytes.len()).unwrap_or(left);
                match left.saturating_sub(read) {
                    _ if read == 0 => None,
                    0 => Some(Self { place: Place::Link(cluster), ..self }),
                    left => Some(Self { place: Place::Entries { offset: offset + read, left, cluster }, ..self }),
                }
            }
        };
        next.map_or(Step::End, Step::Continue)
    }
}

/// Volume label entry: length in characters, then UTF-16LE, at most 15 of them.
fn label_of(entry: &[u8]) -> Text {
    let characters = usize::from(byte(entry, 1).unwrap_or(0)).min(15);
    Text::from_utf16(units_le(slice(entry, 2, characters * 2)))
}
