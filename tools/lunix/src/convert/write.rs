//! Service directories on disk.

use super::tree::Tree;
use program::{Fatal, exit};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Writes the directory into `folder`, whole or not at all; nothing that is there is touched.
///
/// # Errors
/// When it exists already, or something cannot be created.
pub(crate) fn write(folder: &Path, tree: &Tree) -> Result<PathBuf, Fatal> {
    let target = folder.join(&tree.name);
    if target.symlink_metadata().is_ok() {
        return Err(Fatal::new(exit::CANNOT_CREATE, format!("{} exists already", target.display())));
    }
    // A name with a dot is no service, so lunix-init never sees half of one.
    let draft = folder.join(format!(".{}.new", tree.name));
    let written = fill(&draft, tree).and_then(|()| std::fs::rename(&draft, &target));
    written.map_err(|error| Fatal::new(exit::CANNOT_CREATE, format!("cannot write {}: {error}", target.display())))?;
    Ok(target)
}

fn fill(folder: &Path, tree: &Tree) -> io::Result<()> {
    if folder.symlink_metadata().is_ok() {
        std::fs::remove_dir_all(folder)?;
    }
    std::fs::create_dir_all(folder)?;
    for (path, file) in &tree.files {
        let path = folder.join(path);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, &file.content)?;
        let mode = if file.is_executable { 0o755 } else { 0o644 };
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode))?;
    }
    Ok(())
}
