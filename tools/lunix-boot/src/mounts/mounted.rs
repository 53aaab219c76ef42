//! What is mounted already.

use std::path::{Path, PathBuf};

/// The file system on top of each mount point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mounted(Vec<(PathBuf, String)>);

impl Mounted {
    /// Reads `/proc/self/mounts`; without it nothing is known to be mounted.
    #[must_use]
    pub fn read() -> Self {
        Self::parse(&std::fs::read("/proc/self/mounts").unwrap_or_default())
    }

    /// Reads the text of that file, which has the form of fstab.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let mut all = Vec::new();
        crate::fields::lines(crate::fields::FSTAB, text, |_, line| {
            if let Ok([_, target, kind, ..]) = line {
                let text = |field: &[u8]| String::from_utf8_lossy(field).into_owned();
                all.push((PathBuf::from(text(target)), text(kind)));
            }
        });
        Self(all)
    }

    /// The type of what is mounted there.
    #[must_use]
    pub fn kind_at(&self, target: &Path) -> Option<&str> {
        self.0.iter().rev().find(|(path, _)| path == target).map(|(_, kind)| kind.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_is_on_top() {
        let mounted =
            Mounted::parse(b"/dev/sda / ext4 rw 0 0\ntmpfs /my\\040place tmpfs rw 0 0\nx /my\\040place xfs rw 0 0\n");
        assert_eq!(mounted.kind_at(Path::new("/my place")), Some("xfs"));
        assert_eq!(mounted.kind_at(Path::new("/")), Some("ext4"));
        assert_eq!(mounted.kind_at(Path::new("/no")), None);
        assert!(Mounted::read().kind_at(Path::new("/proc")).is_some());
    }
}
