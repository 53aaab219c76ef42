//! Where an open directory really lies, and whether what lies there can ever change.

use super::folder::Folder;
use std::os::fd::{AsFd, AsRawFd};
use std::path::{Path, PathBuf};

/// The stores of Nix and Guix: whatever has a path in there never changes.
pub const STORES: [&str; 2] = ["/nix/store", "/gnu/store"];

/// The path of an open directory without any link in it; `None` where there is no /proc, or when it was removed.
#[must_use]
pub fn of(folder: &Folder) -> Option<PathBuf> {
    let path = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_fd().as_raw_fd())).ok()?;
    let removed = path.as_os_str().as_encoded_bytes().ends_with(b" (deleted)");
    (path.is_absolute() && !removed).then_some(path)
}

/// True when the path lies within one of the stores.
#[must_use]
pub fn is_in_store(path: &Path, stores: &[PathBuf]) -> bool {
    stores.iter().any(|store| path != store && path.starts_with(store))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_knows_its_path_without_links() {
        let home = std::env::temp_dir().join(format!("lunix-init-place-{}", std::process::id()));
        std::fs::create_dir_all(home.join("real")).unwrap();
        std::os::unix::fs::symlink("real", home.join("link")).unwrap();
        let folder = Folder::open(&home.join("link")).unwrap();
        let expected = home.canonicalize().unwrap().join("real");
        assert_eq!(of(&folder), Some(expected));
        std::fs::remove_dir_all(&home).unwrap();
        assert_eq!(of(&folder), None);
    }

    #[test]
    fn the_store_itself_can_change() {
        let stores = STORES.map(PathBuf::from);
        assert!(is_in_store(Path::new("/nix/store/abc-services/sshd"), &stores));
        assert!(!is_in_store(Path::new("/nix/store"), &stores) && !is_in_store(Path::new("/nix/storey/a"), &stores));
    }
}
