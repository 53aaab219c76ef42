//! The private folder of host mode: mode 700, removed at the end; what a killed one left is removed by the next.

use program::{Fatal, exit};
use rustix::fs::{FlockOperation, StatVfsMountFlags, flock, statvfs};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Begins the folder's name; the process id follows.
const PREFIX: &str = "lunix-up-";

/// Held while the folder is in use.
const LOCK: &str = "lock";

/// Longest path of the folder: the sockets in it have at most 107 bytes (`man 7 unix`).
const PATH_MAX: usize = 90;

/// The folder. Dropping it removes it.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    _lock: File,
}

impl Folder {
    /// Makes the folder in the first place that is there for it.
    pub(super) fn create() -> Result<Self, Fatal> {
        let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
        let usual = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from);
        let mut why = String::from("no place for a folder");
        for base in runtime.into_iter().chain(usual).filter(|base| base.is_absolute()) {
            match Self::create_in(&base) {
                Ok(folder) => return Ok(folder),
                Err(error) => why = format!("cannot make a folder in {}: {error}", base.display()),
            }
        }
        Err(Fatal::new(exit::CANNOT_CREATE, why))
    }

    fn create_in(base: &Path) -> io::Result<Self> {
        if statvfs(base)?.f_flag.contains(StatVfsMountFlags::NOEXEC) {
            return Err(io::Error::other("nothing may be executed there"));
        }
        sweep(base)?;
        let path = base.join(format!("{PREFIX}{}", std::process::id()));
        if path.as_os_str().len() > PATH_MAX {
            return Err(io::Error::other("the path is too long for a socket"));
        }
        DirBuilder::new().mode(0o700).create(&path)?;
        match lock(&path) {
            Ok(lock) => Ok(Self { path, _lock: lock }),
            Err(error) => {
                drop(fs::remove_dir_all(&path));
                Err(error)
            }
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a file and the folders on the way to it.
    pub(super) fn write(&self, path: &Path, content: &str, executable: bool) -> Result<(), Fatal> {
        let whole = self.path.join(path);
        let written = || -> io::Result<()> {
            if let Some(parent) = whole.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            }
            let mode = if executable { 0o700 } else { 0o600 };
            OpenOptions::new().write(true).create_new(true).mode(mode).open(&whole)?.write_all(content.as_bytes())
        };
        written()
            .map_err(|error| Fatal::new(exit::CANNOT_CREATE, format!("cannot create {}: {error}", whole.display())))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            let text = format!("cannot remove {}: {error}", self.path.display());
            program::log::line("lunix", program::Level::Warn, text);
        }
    }
}

/// Puts the lock in place when it is held already, so that nobody takes the folder for an abandoned one.
fn lock(path: &Path) -> io::Result<File> {
    let unheld = path.join("lock.new");
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unheld)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    fs::rename(&unheld, path.join(LOCK))?;
    Ok(file)
}

/// Removes folders of ours whose process was killed: those whose lock nobody holds.
fn sweep(base: &Path) -> io::Result<()> {
    let own = rustix::process::geteuid().as_raw();
    for entry in fs::read_dir(base)?.flatten() {
        let is_ours = entry.file_name().to_string_lossy().starts_with(PREFIX)
            && entry.metadata().is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == own);
        if is_ours && is_abandoned(&entry.path()) {
            // Another one may be at it, too.
            drop(fs::remove_dir_all(entry.path()));
        }
    }
    Ok(())
}

fn is_abandoned(path: &Path) -> bool {
    let lock = File::open(path.join(LOCK));
    lock.is_ok_and(|lock| flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_abandoned_is_swept_and_what_is_in_use_is_not() {
        let base = testkit::TempDir::new("lunix-folder").unwrap();
        let (dead, young) = (base.path().join("lunix-up-1"), base.path().join("lunix-up-2"));
        fs::create_dir_all(dead.join("services/a")).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::create_dir(&young).unwrap();
        let folder = Folder::create_in(base.path()).unwrap();
        folder.write(Path::new("services/a/run"), "#!/bin/sh\n", true).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().mode() & 0o777;
        assert_eq!((mode(folder.path()), mode(&folder.path().join("services/a/run"))), (0o700, 0o700));
        sweep(base.path()).unwrap();
        assert!(!dead.exists() && young.exists() && folder.path().exists());
        let path = folder.path().to_owned();
        drop(folder);
        assert!(!path.exists());
    }
}
