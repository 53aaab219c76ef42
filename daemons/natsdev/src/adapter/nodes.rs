//! Owner and mode of device nodes.

use crate::machine::Ownership;
use rustix::fs::{AtFlags, CWD, FileType, Gid, Mode, Uid};
use std::io;
use std::path::Path;

/// What devtmpfs gives a node before anybody touches it.
const FRESH_MODE: u32 = 0o600;

/// Gives a node its owner and mode. `fresh`: only when it is still as the kernel made it, so that neither an administrator's change
/// nor the terminal of somebody who is logged in is taken back.
pub(super) fn apply(name: &str, ownership: Ownership, fresh: bool) -> io::Result<()> {
    let path = Path::new("/dev").join(name);
    let stat = match rustix::fs::statat(CWD, &path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => stat,
        // Unplugged since; its removal will be told.
        Err(rustix::io::Errno::NOENT) => return Ok(()),
        Err(errno) => return Err(errno.into()),
    };
    let kind = FileType::from_raw_mode(stat.st_mode);
    if !matches!(kind, FileType::CharacterDevice | FileType::BlockDevice) {
        return Err(io::Error::other("not a device node"));
    }
    let mode = stat.st_mode & 0o7777;
    // Drivers may ask for another mode, as that of /dev/null has.
    let untouched = (stat.st_uid, stat.st_gid) == (0, 0) && (mode == FRESH_MODE || mode == ownership.mode);
    if fresh && !untouched {
        return Ok(());
    }
    let (uid, gid) = (Uid::from_raw(ownership.uid), Gid::from_raw(ownership.gid));
    if (stat.st_uid, stat.st_gid) != (ownership.uid, ownership.gid) {
        rustix::fs::chownat(CWD, &path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    }
    if mode != ownership.mode {
        rustix::fs::chmodat(CWD, &path, Mode::from_raw_mode(ownership.mode), AtFlags::empty())?;
    }
    Ok(())
}
