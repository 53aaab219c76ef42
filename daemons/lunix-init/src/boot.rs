//! What PID 1 does before the first service: descriptors, the file systems of the kernel, ctrl-alt-del. The rest of a boot is services
//! (`lunix-boot`).
//!
//! All of it is tried once; a failure is one line, and the boot goes on.

use crate::console::Console;
use rustix::fs::{Access, Mode, OFlags};
use rustix::io::Errno;
use rustix::mount::MountFlags;
use rustix::system::RebootCommand;
use std::ffi::CStr;
use std::path::Path;

/// One file system to mount.
struct Mount {
    target: &'static str,
    kind: &'static str,
    options: &'static CStr,
    flags: MountFlags,
    /// A machine without it is no worse.
    optional: bool,
}

const SAFE: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
const SAFEST: MountFlags = SAFE.union(MountFlags::NOEXEC);

/// In this order: what comes later lies within what came before.
const MOUNTS: [Mount; 8] = [
    Mount { target: "/dev", kind: "devtmpfs", options: c"mode=755", flags: MountFlags::NOSUID, optional: false },
    Mount { target: "/proc", kind: "proc", options: c"", flags: SAFEST, optional: false },
    Mount { target: "/sys", kind: "sysfs", options: c"", flags: SAFEST, optional: false },
    Mount { target: "/run", kind: "tmpfs", options: c"mode=755", flags: SAFE, optional: false },
    Mount {
        target: "/dev/pts",
        kind: "devpts",
        options: c"mode=620,gid=5,ptmxmode=666",
        flags: MountFlags::NOSUID.union(MountFlags::NOEXEC),
        optional: false,
    },
    Mount { target: "/dev/shm", kind: "tmpfs", options: c"mode=1777", flags: SAFE, optional: false },
    Mount { target: "/tmp", kind: "tmpfs", options: c"mode=1777", flags: SAFE, optional: false },
    Mount { target: "/sys/fs/cgroup", kind: "cgroup2", options: c"nsdelegate", flags: SAFEST, optional: true },
];

/// Mounts what is not mounted, and makes standard error the console where the kernel could not.
pub fn mount_all(console: &mut Console) {
    for mount in &MOUNTS {
        if is_mounted(mount.target) || (mount.target == "/tmp" && is_writable(mount.target)) {
            continue;
        }
        let _ = rustix::fs::mkdir(mount.target, Mode::from_raw_mode(0o755));
        let result = rustix::mount::mount(mount.kind, mount.target, mount.kind, mount.flags, mount.options);
        match result {
            Ok(()) => {}
            Err(_) if mount.optional => {}
            // Mounted by the kernel itself, or by who started us.
            Err(Errno::BUSY) => {}
            Err(errno) => console.say(format_args!("warn: cannot mount {} on {}: {errno}", mount.kind, mount.target)),
        }
        if mount.target == "/dev" {
            find_console();
        }
    }
    let _ = rustix::fs::mkdir("/run/lunix", Mode::from_raw_mode(0o755));
}

/// What services take for granted: ctrl-alt-del is a request, the working directory and the mask of files are the usual ones.
pub fn set_up() {
    // In a PID namespace there is no such key.
    let _ = rustix::system::reboot(RebootCommand::CadOff);
    // Neither does a machine without a screen have a key for the keyboard request.
    if let Ok(console) = rustix::fs::open("/dev/tty0", OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()) {
        let _ = sys::device::accept_keyboard_request(&console, sys::signal::WINCH);
    }
    let _ = rustix::process::chdir("/");
    rustix::process::umask(Mode::from_raw_mode(0o022));
}

/// Something is mounted there: it is on another device than what it lies in, or the root of its own.
fn is_mounted(target: &str) -> bool {
    let parent = Path::new(target).parent().unwrap_or_else(|| Path::new("/"));
    match (rustix::fs::stat(target), rustix::fs::stat(parent)) {
        (Ok(inner), Ok(outer)) => inner.st_dev != outer.st_dev,
        (Ok(_) | Err(_), _) => false,
    }
}

fn is_writable(path: &str) -> bool {
    rustix::fs::access(path, Access::WRITE_OK).is_ok()
}

/// Where the kernel found no console for PID 1, something that nobody hears is in its place.
fn find_console() {
    let is_null = |stat: rustix::fs::Stat| stat.st_rdev == rustix::fs::makedev(1, 3);
    let is_silent = sys::standard::stderr_was_closed() || rustix::fs::fstat(rustix::stdio::stderr()).is_ok_and(is_null);
    if !is_silent {
        return;
    }
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    if let Ok(fd) = rustix::fs::open("/dev/console", flags, Mode::empty()) {
        let _ = rustix::stdio::dup2_stdin(&fd);
        let _ = rustix::stdio::dup2_stdout(&fd);
        let _ = rustix::stdio::dup2_stderr(&fd);
    }
}
