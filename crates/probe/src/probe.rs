//! The order of the questions.

use crate::found::{Content, Found};
use crate::simple::{SWAP_PAGES, btrfs, is_swap_signature, swap_header};
use crate::text::Text;
use crate::{exfat, ext, fat, iso, ntfs, simple, table};

/// Largest range a probe asks for.
pub const WANT_BYTES_MAX: usize = 8192;
/// Ranges a probe asks for at most; a directory without end is given up then.
pub const WANTS_MAX: u32 = 128;
/// Boot sectors, most superblocks and the second sector of a 4 KiB disk lie here.
const HEAD_BYTES: usize = 8192;
const BTRFS_OFFSET: u64 = 64 * 1024;

/// Bytes a probe wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// Offset from the start of the device.
    pub offset: u64,
    /// Number of bytes, at most [`WANT_BYTES_MAX`].
    pub length: usize,
}

impl Range {
    pub(crate) const fn new(offset: u64, length: usize) -> Self {
        Self { offset, length: if length < WANT_BYTES_MAX { length } else { WANT_BYTES_MAX } }
    }
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    Head,
    Fat(fat::Root),
    Exfat(exfat::Root),
    Ntfs(Range),
    Iso(iso::Descriptors),
    Btrfs,
    Swap { page: usize },
    Done,
}

/// A recognition in progress; see the crate's example.
#[derive(Clone, Debug)]
pub struct Probe {
    size_bytes: u64,
    stage: Stage,
    wants_left: u32,
    swap: Content,
    found: Found,
}

impl Probe {
    /// Begins with a device or image of this size.
    #[must_use]
    pub const fn new(size_bytes: u64) -> Self {
        let swap = Content::new(crate::Type::Swap);
        let found = Found { content: None, table: None };
        Self { size_bytes, stage: Stage::Head, wants_left: WANTS_MAX, swap, found }
    }

    /// The range to feed next, within the device; `None` when the result stands.
    #[must_use]
    pub fn want(&self) -> Option<Range> {
        let range = match &self.stage {
            Stage::Head => Range::new(0, HEAD_BYTES),
            Stage::Fat(root) => root.want(),
            Stage::Exfat(root) => root.want(),
            Stage::Ntfs(record) => *record,
            Stage::Iso(descriptors) => descriptors.want(),
            Stage::Btrfs => Range::new(BTRFS_OFFSET, 4096),
            Stage::Swap { page } => Range::new(u64::try_from(page.saturating_sub(10)).unwrap_or(0), 10),
            Stage::Done => return None,
        };
        let left = self.size_bytes.saturating_sub(range.offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(range.length);
        (self.wants_left > 0).then_some(Range { offset: range.offset, length })
    }

    /// Takes the wanted bytes. Fewer, or none, when the device could not be read there: the answer is then "not that".
    pub fn feed(&mut self, bytes: &[u8]) {
        self.wants_left = self.wants_left.saturating_sub(1);
        self.stage = match self.stage {
            Stage::Head => self.head(bytes),
            Stage::Fat(root) => match root.feed(bytes) {
                fat::Step::Continue(root) => Stage::Fat(root),
                fat::Step::Label(label) => self.labelled(label),
                fat::Step::End => Stage::Done,
            },
            Stage::Exfat(root) => match root.feed(bytes) {
                exfat::Step::Continue(root) => Stage::Exfat(root),
                exfat::Step::Label(label) => self.labelled(label),
                exfat::Step::End => Stage::Done,
            },
            Stage::Ntfs(_) => ntfs::label(bytes).map_or(Stage::Done, |label| self.labelled(label)),
            Stage::Iso(descriptors) => match descriptors.feed(bytes) {
                iso::Step::Continue(descriptors) => Stage::Iso(descriptors),
                iso::Step::Done(Some(content)) => self.is(content),
                iso::Step::Done(None) => Stage::Btrfs,
            },
            Stage::Btrfs => match btrfs(bytes) {
                Some(content) => self.is(content),
                None => Self::swap_after(0),
            },
            Stage::Swap { .. } if is_swap_signature(bytes) => self.is(self.swap),
            Stage::Swap { page } => Self::swap_after(page),
            Stage::Done => Stage::Done,
        };
    }

    /// What was found so far; final once [`Probe::want`] is `None`.
    #[must_use]
    pub const fn found(&self) -> &Found {
        &self.found
    }

    fn head(&mut self, bytes: &[u8]) -> Stage {
        if let Some(content) = simple::recognise(bytes).or_else(|| ext::recognise(bytes)) {
            self.found.table = table::recognise(bytes);
            return self.is(content);
        }
        if let Some((content, volume)) = ntfs::recognise(bytes) {
            self.is(content);
            return volume.map_or(Stage::Done, Stage::Ntfs);
        }
        if let Some((content, root)) = exfat::recognise(bytes) {
            self.is(content);
            return root.map_or(Stage::Done, Stage::Exfat);
        }
        // A FAT boot sector has the table's signature too, and boot code where the entries would be.
        if let Some((content, root)) = fat::recognise(bytes) {
            self.is(content);
            return root.map_or(Stage::Done, Stage::Fat);
        }
        self.found.table = table::recognise(bytes);
        self.swap = swap_header(bytes);
        Stage::Iso(iso::Descriptors::FIRST)
    }

    fn is(&mut self, content: Content) -> Stage {
        self.found.content = Some(content);
        Stage::Done
    }

    fn labelled(&mut self, label: Text) -> Stage {
        if let Some(content) = &mut self.found.content {
            content.label = label;
        }
        Stage::Done
    }

    fn swap_after(page: usize) -> Stage {
        SWAP_PAGES.into_iter().find(|&next| next > page).map_or(Stage::Done, |page| Stage::Swap { page })
    }
}
