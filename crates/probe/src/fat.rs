//! FAT12/16/32 (Microsoft FAT specification; label rules as libblkid has them).

use crate::field::{byte, has, le16, le32};
use crate::found::{Content, Type};
use crate::probe::{Range, WANT_BYTES_MAX};
use crate::text::Text;

/// End of a FAT32 cluster chain.
const CHAIN_END: u32 = 0x0fff_fff6;
const CLUSTERS_12_MAX: u64 = 0xff4;
const CLUSTERS_16_MAX: u64 = 0xfff4;

/// The walk through the root directory in search of the label.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root {
    place: Place,
    cluster_bytes: u64,
    fat_start: u64,
    clusters_start: u64,
}

#[derive(Clone, Copy, Debug)]
enum Place {
    /// Directory bytes; `chain` is the cluster they belong to on FAT32.
    Entries { offset: u64, left: u64, chain: Option<u32> },
    /// The FAT entry that names the next cluster.
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
    let named = [
        (0x52, &b"MSWIN"[..]),
        (0x52, b"FAT32   "),
        (0x36, b"MSDOS"),
        (0x36, b"FAT16   "),
        (0x36, b"FAT12   "),
        (0x36, b"FAT     "),
    ]
    .into_iter()
    .any(|(offset, word)| has(head, offset, word));
    let jumps = matches!(byte(head, 0), Some(0xeb | 0xe9)) && has(head, 510, b"\x55\xaa");
    let foreign = has(head, 0x36, b"JFS     ") || has(head, 0x36, b"HPFS    ") || has(head, 3, b"NTFS    ");
    if !(named || jumps) || foreign || has(head, 3, b"EXFAT   ") {
        return None;
    }
    let layout = Layout::read(head)?;
    let serial = le32(head, if layout.is_fat32 { 0x43 } else { 0x27 })?;
    let content = Content { kind: Type::Vfat, label: Text::EMPTY, uuid: Text::from_serial(serial) };
    Some((content, layout.root(head)))
}

/// The numbers of a boot sector, each checked.
struct Layout {
    is_fat32: bool,
    sector_bytes: u64,
    cluster_bytes: u64,
    fat_start: u64,
    directory_start: u64,
    directory_bytes: u64,
}

impl Layout {
    fn read(head: &[u8]) -> Option<Self> {
        let sector_bytes = u64::from(le16(head, 11)?);
        let cluster_sectors = u64::from(byte(head, 13)?);
        let reserved = u64::from(le16(head, 14)?);
        let fats = u64::from(byte(head, 16)?);
        let media = byte(head, 21)?;
        let fat16_sectors = u64::from(le16(head, 22)?);
        let plausible = (512..=4096).contains(&sector_bytes)
            && sector_bytes.is_power_of_two()
            && cluster_sectors.is_power_of_two()
            && reserved != 0
            && fats != 0
            && (media == 0xf0 || media >= 0xf8);
        if !plausible {
            return None;
        }
        let is_fat32 = fat16_sectors == 0;
        let fat_sectors = if is_fat32 { u64::from(le32(head, 36)?) } else { fat16_sectors };
        let directory_bytes = u64::from(le16(head, 17)?) * 32;
        let directory_start = reserved + fats * fat_sectors;
        let sectors = match le16(head, 19)? {
            0 => u64::from(le32(head, 32)?),
            few => u64::from(few),
        };
        let before_clusters = directory_start + directory_bytes.div_ceil(sector_bytes);
        let clusters = sectors.checked_sub(before_clusters)? / cluster_sectors;
        let limit = if is_fat32 {
            u64::from(CHAIN_END)
        } else if clusters > CLUSTERS_12_MAX {
            CLUSTERS_16_MAX
        } else {
            CLUSTERS_12_MAX
        };
        (fat_sectors != 0 && clusters <= limit).then_some(Self {
            is_fat32,
            sector_bytes,
            cluster_bytes: cluster_sectors * sector_bytes,
            fat_start: reserved * sector_bytes,
            directory_start: directory_start * sector_bytes,
            directory_bytes,
        })
    }

    fn root(&self, head: &[u8]) -> Option<Root> {
        let (fixed, clusters_start) =
            (self.directory_start, self.directory_start + self.directory_bytes.next_multiple_of(self.sector_bytes));
        let root = Root {
            place: Place::Entries { offset: fixed, left: self.directory_bytes, chain: None },
            cluster_bytes: self.cluster_bytes,
            fat_start: self.fat_start,
            clusters_start,
        };
        if self.is_fat32 { root.at_cluster(le32(head, 44)?) } else { Some(root) }
    }
}

impl Root {
    fn at_cluster(self, cluster: u32) -> Option<Self> {
        if !(2..CHAIN_END).contains(&cluster) {
            return None;
        }
        let offset = self.clusters_start + u64::from(cluster - 2) * self.cluster_bytes;
        Some(Self { place: Place::Entries { offset, left: self.cluster_bytes, chain: Some(cluster) }, ..self })
    }

    pub(crate) fn want(&self) -> Range {
        match self.place {
            Place::Entries { offset, left, .. } => Range::new(offset, usize::try_from(left).unwrap_or(WANT_BYTES_MAX)),
            Place::Link(cluster) => Range::new(self.fat_start + u64::from(cluster) * 4, 4),
        }
    }

    pub(crate) fn feed(self, bytes: &[u8]) -> Step {
        let next = match self.place {
            Place::Link(_) => le32(bytes, 0).and_then(|next| self.at_cluster(next & 0x0fff_ffff)),
            Place::Entries { offset, left, chain } => {
                for entry in bytes.chunks_exact(32) {
                    match label_of(entry) {
                        Entry::End => return Step::End,
                        Entry::Other => {}
                        Entry::Label(label) => return Step::Label(label),
                    }
                }
                let read = u64::try_from(bytes.len()).unwrap_or(left);
                match (left.saturating_sub(read), chain) {
                    (_, _) if read == 0 => None,
                    (0, None) => None,
                    (0, Some(cluster)) => Some(Self { place: Place::Link(cluster), ..self }),
                    (left, chain) => {
                        Some(Self { place: Place::Entries { offset: offset + read, left, chain }, ..self })
                    }
                }
            }
        };
        next.map_or(Step::End, Step::Continue)
    }
}

enum Entry {
    End,
    Other,
    Label(Text),
}

/// The volume entry: attribute "volume" without "directory", not part of a long name, not deleted, without clusters.
fn label_of(entry: &[u8]) -> Entry {
    let (Some(first), Some(attributes)) = (byte(entry, 0), byte(entry, 11)) else { return Entry::End };
    let owns_clusters = le16(entry, 20) != Some(0) || le16(entry, 26) != Some(0);
    match first {
        0 => Entry::End,
        0xe5 => Entry::Other,
        _ if attributes & 0x3f == 0x0f || attributes & 0x18 != 0x08 || owns_clusters => Entry::Other,
        _ => {
            let mut name = [0; 11];
            for (place, &letter) in name.iter_mut().zip(entry) {
                *place = letter;
            }
            // 0x05 stands for a first letter of 0xe5, which alone would mean "deleted".
            if let [letter @ 0x05, ..] = &mut name {
                *letter = 0xe5;
            }
            Entry::Label(Text::from_bytes(&name))
        }
    }
}
