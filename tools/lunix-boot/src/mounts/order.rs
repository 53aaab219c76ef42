//! In which order a table is done: what lies within something comes after it, and so does what is shown from there.

use super::entry::{Entry, Source};
use std::path::{Path, PathBuf};

/// The entries in the order to do them in, as indices. What needs nothing keeps the order of the table, less deep paths first; where needs
/// run in a circle the first of the table begins.
#[must_use]
pub fn order(entries: &[Entry]) -> Vec<usize> {
    let mut left: Vec<usize> = (0..entries.len()).collect();
    left.sort_by_key(|&index| entries.get(index).map(depth));
    let mut done = Vec::with_capacity(left.len());
    while !left.is_empty() {
        let is_free = |&index: &usize| {
            let needs = |&other: &usize| match (entries.get(index), entries.get(other)) {
                (Some(one), Some(other)) => one.needs(other),
                (_, _) => false,
            };
            !left.iter().any(needs)
        };
        let at = left.iter().position(is_free).unwrap_or(0);
        done.push(left.remove(at));
    }
    done
}

fn depth(entry: &Entry) -> usize {
    entry.target.as_deref().map_or(0, |target| target.components().count())
}

impl Entry {
    /// True when `other` must be mounted before this.
    #[must_use]
    pub fn needs(&self, other: &Self) -> bool {
        let Some(place) = &other.target else { return false };
        let is_same = std::ptr::eq(self, other);
        let within = self.target.as_ref().is_some_and(|target| target != place && target.starts_with(place));
        !is_same && (within || self.comes_from(place))
    }

    /// True when what it shows, or the file it swaps to, lies in `place`.
    fn comes_from(&self, place: &Path) -> bool {
        match &self.source {
            Source::Path(path) => path.starts_with(place) && !path.starts_with(Path::new("/dev")),
            Source::Tag(..) | Source::Name(_) => false,
        }
    }

    /// What it is called in a sentence.
    #[must_use]
    pub fn place(&self) -> PathBuf {
        self.target.clone().unwrap_or_else(|| self.source.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::table;
    use super::*;

    fn ordered(text: &str) -> Vec<String> {
        let (entries, wrong) = table(text.as_bytes());
        assert_eq!(wrong, []);
        order(&entries).into_iter().map(|index| entries[index].place().display().to_string()).collect()
    }

    #[test]
    fn what_is_within_comes_after() {
        assert_eq!(ordered("a /b/c ext4\nb /b ext4\nc / ext4\nd /b/c/d ext4\n"), ["/", "/b", "/b/c", "/b/c/d"]);
        assert_eq!(ordered("a /bc ext4\nb /b ext4\n"), ["/bc", "/b"]);
    }

    #[test]
    fn what_is_shown_elsewhere_is_mounted_before() {
        assert_eq!(ordered("/srv/deep/x /a none bind\n/dev/sdb /srv/deep ext4\n"), ["/srv/deep", "/a"]);
        assert_eq!(
            ordered("/var/swap none swap\n/dev/sdb /var ext4\n/dev/sdc none swap\n"),
            ["/dev/sdc", "/var", "/var/swap"]
        );
    }

    #[test]
    fn a_circle_ends() {
        assert_eq!(ordered("/b /a none bind\n/a /b none bind\n"), ["/a", "/b"]);
        assert_eq!(ordered("x /dev/shm tmpfs\n/dev/sdb / ext4\n/a /a none bind\n"), ["/", "/a", "/dev/shm"]);
    }
}
