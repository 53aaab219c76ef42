//! `seed`: what is kept of the random pool from one boot to the next.
//!
//! A seed counts once. It is taken off the disk, and that is on the disk, before the kernel is told to rely on it; where it cannot be taken
//! away it is still stirred in, but not relied on. Whether it may be relied on is in its name: `seed.credit` was made by a pool that was
//! ready, `seed.no-credit` was not. A new one is kept as soon as the old one is used, for machines that are switched off.

use crate::Job;
use program::{Fatal, exit};
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use rustix::rand::{GetRandomFlags, getrandom};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// Where seeds are kept.
pub const FOLDER: &str = "/var/lib/lunix";
/// Bytes of a seed: what the pool of the kernel can hold, several times.
pub const SEED_BYTES: usize = 256;

const CREDITED: &str = "seed.credit";
const UNCREDITED: &str = "seed.no-credit";
const NEW: &str = ".seed.new";

/// What is done with a seed that was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// The kernel is told to rely on it.
    Credit,
    /// It is stirred in.
    Stir,
}

/// How a seed may be used: `was_ready` when it was made, `is_ours` when nobody else could have read or written it, `is_gone` from the disk.
#[must_use]
pub const fn judge(was_ready: bool, is_ours: bool, is_gone: bool) -> Use {
    if was_ready && is_ours && is_gone { Use::Credit } else { Use::Stir }
}

/// Feeds the pool, or with `save` only keeps a seed.
///
/// # Errors
/// When a seed cannot be used or kept.
pub fn run(job: &Job, save: bool) -> Result<u8, Fatal> {
    let folder = job.path(FOLDER);
    if job.check {
        let text = if save { "keep a seed in" } else { "feed the random pool from" };
        return job.print(format_args!("{text} {}", folder.display())).map(|()| exit::OK);
    }
    if !save {
        for (name, was_ready) in [(UNCREDITED, false), (CREDITED, true)] {
            let used = load(&folder, name, was_ready);
            let used =
                used.map_err(|error| Fatal::system(&format!("cannot use {}/{name}", folder.display()), error))?;
            if was_ready && used == Some(Use::Stir) {
                job.warn(format_args!("{}/{name} was stirred in, but is not relied on", folder.display()));
            }
        }
    }
    match keep(&folder) {
        Ok(()) => Ok(exit::OK),
        // A root that is read-only keeps none; that is its maker's wish.
        Err(error) if !save && error.kind() == io::ErrorKind::ReadOnlyFilesystem => Ok(exit::OK),
        Err(error) => Err(Fatal::system(&format!("cannot keep a seed in {}", folder.display()), error)),
    }
}

/// Uses one seed, when it is there.
fn load(folder: &Path, name: &str, was_ready: bool) -> io::Result<Option<Use>> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let folder = match rustix::fs::open(folder, flags, Mode::empty()) {
        Ok(folder) => folder,
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let mut file = match rustix::fs::openat(&folder, name, flags, Mode::empty()) {
        Ok(fd) => File::from(fd),
        Err(Errno::NOENT) => return Ok(None),
        Err(errno) => return Err(errno.into()),
    };
    let metadata = file.metadata()?;
    let is_ours = metadata.mode() & 0o077 == 0 && metadata.uid() == rustix::process::geteuid().as_raw();
    let mut seed = Vec::with_capacity(SEED_BYTES);
    Read::by_ref(&mut file).take(u64::try_from(SEED_BYTES).unwrap_or(0)).read_to_end(&mut seed)?;
    // First gone for good, then used: what is lost in between was only random.
    let is_gone =
        rustix::fs::unlinkat(&folder, name, AtFlags::empty()).and_then(|()| rustix::fs::fsync(&folder)).is_ok();
    let usage = if seed.is_empty() { Use::Stir } else { judge(was_ready, is_ours, is_gone) };
    give(&seed, usage)?;
    Ok(Some(usage))
}

fn give(seed: &[u8], usage: Use) -> io::Result<()> {
    let mut pool = File::options().write(true).open("/dev/urandom")?;
    match usage {
        Use::Credit => sys::device::credit_entropy(&pool, seed),
        Use::Stir => pool.write_all(seed),
    }
}

/// Keeps a new seed.
fn keep(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)?;
    let (seed, is_ready) = random()?;
    let directory = File::open(folder)?;
    // What a power cut left of an earlier attempt.
    let _ = rustix::fs::unlinkat(&directory, NEW, AtFlags::empty());
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
    let mut file = File::from(rustix::fs::openat(&directory, NEW, flags, Mode::from_raw_mode(0o600))?);
    file.write_all(&seed)?;
    file.sync_all()?;
    let name = if is_ready { CREDITED } else { UNCREDITED };
    rustix::fs::renameat(&directory, NEW, &directory, name)?;
    directory.sync_all()
}

/// Bytes of the pool, and whether it was ready.
fn random() -> io::Result<([u8; SEED_BYTES], bool)> {
    let mut seed = [0; SEED_BYTES];
    match getrandom(&mut seed, GetRandomFlags::NONBLOCK) {
        Ok(SEED_BYTES) => return Ok((seed, true)),
        Ok(_) | Err(Errno::AGAIN) => {}
        Err(errno) => return Err(errno.into()),
    }
    File::open("/dev/urandom")?.read_exact(&mut seed)?;
    Ok((seed, false))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;
    use testkit::TempDir;

    #[test]
    fn only_a_seed_that_cannot_come_twice_is_relied_on() {
        for bits in 0..8 {
            let (was_ready, is_ours, is_gone) = (bits & 1 > 0, bits & 2 > 0, bits & 4 > 0);
            assert_eq!(judge(was_ready, is_ours, is_gone) == Use::Credit, bits == 7);
        }
    }

    #[test]
    fn a_seed_is_kept_for_its_owner_alone_and_used_once() {
        let folder = TempDir::new("seed").unwrap();
        let place = folder.join("state");
        keep(&place).unwrap();
        let metadata = place.join(CREDITED).metadata().unwrap();
        assert_eq!((metadata.len(), metadata.permissions().mode() & 0o777), (256, 0o600));
        let first = std::fs::read(place.join(CREDITED)).unwrap();
        keep(&place).unwrap();
        assert_ne!(std::fs::read(place.join(CREDITED)).unwrap(), first);
        // Whoever may not credit is refused by the kernel, after the seed is gone.
        match load(&place, CREDITED, true) {
            Ok(used) => assert_eq!(used, Some(Use::Credit)),
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::PermissionDenied),
        }
        assert_eq!(std::fs::read_dir(&place).unwrap().count(), 0);
        assert_eq!(load(&place, CREDITED, true).unwrap(), None);
    }

    #[test]
    fn a_seed_that_others_could_read_is_only_stirred_in() {
        let folder = TempDir::new("seed").unwrap();
        let path = folder.join(CREDITED);
        std::fs::write(&path, [7; SEED_BYTES]).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(load(folder.path(), CREDITED, true).unwrap(), Some(Use::Stir));
        assert!(!path.exists());
        std::fs::write(&path, []).unwrap();
        std::os::unix::fs::symlink(&path, folder.join(UNCREDITED)).unwrap();
        assert!(load(folder.path(), UNCREDITED, false).is_err());
    }
}
