//! The last steps: file systems, swap space and loop disks are given up, or at least made safe for the power to go.
//!
//! All of it is done by a process of its own, because any of these system calls may never return (a server that is gone, a disk that is
//! broken); PID 1 waits for that process as long as `shutdown` says and goes on. Nothing is unmounted lazily: that would hide what is busy,
//! and the file system would still be written to when the power goes.

use crate::console::Console;
use crate::mounts::{Mounted, swaps};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};
use std::ffi::{CStr, CString};

/// How often what is left is tried again: what lies on a loop disk must go before the disk, and the disk before its file system.
const ROUNDS_MAX: usize = 16;

/// Which steps a process takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Steps {
    /// All of them.
    All,
    /// Only what saves data, where all of them have hung.
    Save,
}

impl Steps {
    /// As it stands on the command line of that process.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Save => "save",
        }
    }

    /// The steps of that word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::All, Self::Save].into_iter().find(|steps| steps.word() == word)
    }
}

/// Takes the steps. May hang.
pub fn take(steps: Steps, console: &mut Console) {
    match steps {
        Steps::All => {
            give_up(console);
            make_read_only(console, true);
        }
        Steps::Save => make_read_only(console, false),
    }
    rustix::fs::sync();
}

/// Unmounts, swaps off and detaches as long as any of that helps.
fn give_up(console: &mut Console) {
    for _ in 0..ROUNDS_MAX {
        let all = Mounted::all();
        // Later mounts may lie within earlier ones, or on top of them.
        let unmounted =
            all.iter().rev().filter(|one| one.is_to_be_unmounted()).filter(|one| unmount(&one.target)).count();
        let swapped = swaps().iter().filter(|path| sys::device::swap_off(path).is_ok()).count();
        if unmounted + swapped + detach_loops() == 0 {
            break;
        }
    }
    for path in swaps() {
        console.say(format_args!("warn: cannot swap off {}", path.to_string_lossy()));
    }
}

fn unmount(target: &CStr) -> bool {
    rustix::mount::unmount(target, UnmountFlags::NOFOLLOW).is_ok()
}

/// Takes the files away from loop disks; returns from how many.
fn detach_loops() -> usize {
    let entries = std::fs::read_dir("/sys/block").into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_in_use = |name: &String| {
        name.starts_with("loop") && std::path::Path::new("/sys/block").join(name).join("loop/backing_file").exists()
    };
    names.filter(is_in_use).filter(|name| detach(&format!("/dev/{name}"))).count()
}

fn detach(node: &str) -> bool {
    let opened = rustix::fs::open(node, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
    // While it is mounted the kernel only remembers the wish, and the disk stays as it is.
    let is_mounted = Mounted::all().iter().any(|one| one.source == node.as_bytes());
    !is_mounted && opened.is_ok_and(|fd| sys::device::detach_loop(&fd).is_ok())
}

/// Makes everything read-only that is still mounted; with `tells` says what was busy.
fn make_read_only(console: &mut Console, tells: bool) {
    for one in Mounted::all().iter().rev().filter(|one| one.holds_data() && !one.is_read_only) {
        let name = one.target.to_string_lossy();
        let result = rustix::mount::mount_remount(one.target.as_c_str(), MountFlags::RDONLY, c"");
        let is_root = one.target.as_bytes() == b"/";
        match result {
            Ok(()) if is_root || !tells => {}
            Ok(()) => console.say(format_args!("warn: {name} is busy: made it read-only")),
            // Another mount of the same file system keeps it writable: that one is told of.
            Err(Errno::BUSY) if !tells => {}
            Err(errno) => console.say(format_args!("warn: {name} is busy and cannot be made read-only: {errno}")),
        }
    }
}

/// The arguments by which lunix-init becomes the process of these steps.
#[must_use]
pub fn arguments(steps: Steps) -> Option<[CString; 3]> {
    Some([c"lunix-init".to_owned(), FLAG.to_owned(), CString::new(steps.word()).ok()?])
}

const FLAG: &CStr = c"--last-steps";
