//! Where the cgroups of the services lie: found, made, and cleaned up after those that could not do it themselves.

use crate::cgroup::counters;
use crate::cgroup::scan::lines;
use crate::directory::folder::Folder;
use rustix::fs::{self, AtFlags, FileType, FlockOperation, Mode};
use rustix::io::Errno;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where cgroup v2 is mounted, alone or beside version 1.
const MOUNTS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];
/// What `statfs` tells of it.
const CGROUP2_MAGIC: u64 = 0x6367_7270;
/// The directory of PID 1's services.
const NAME: &str = "lunix";
/// Where lunix-init goes when it is in the way. With a dot: no service's cgroup has one.
const ASIDE: &str = "lunix.init";
/// Names tried before giving up.
const NAMES_MAX: u32 = 100;
/// Most bytes of a small file of a cgroup.
pub(super) const FILE_MAX: usize = 64 * 1024;
/// Cgroups within a service's own.
const DEPTH_MAX: u32 = 8;
/// The controllers that every service has, where there are any: they count what is asked for, and make deaths by lack of memory known.
const ALWAYS: [&str; 2] = ["memory", "pids"];

/// The directory that holds the cgroups of the services. Locked, so that nobody else takes it for left over.
#[derive(Debug)]
pub(crate) struct Base {
    pub(super) folder: Folder,
    pub(super) path: PathBuf,
    /// How /proc/PID/cgroup begins for a process of a service.
    pub(super) prefix: Vec<u8>,
    /// Where controllers are handed on to the services: the directory itself, and the one it lies in unless that was given.
    chain: Vec<PathBuf>,
    enabled: BTreeSet<String>,
    is_own: bool,
}

impl Base {
    /// Finds or makes it: the directory `given`, or one below lunix-init's own cgroup.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn open(given: Option<&Path>, is_first: bool) -> Result<Self, String> {
        let mount = MOUNTS.iter().map(Path::new).find(|path| is_cgroup2(path));
        let (root, path, folder) = match given {
            Some(path) if !is_cgroup2(path) => return Err(format!("{} is no cgroup of version 2", path.display())),
            Some(path) => (None, path.to_path_buf(), lock(path).map_err(|error| tell(path, &error))?),
            None => {
                let mount = mount.ok_or("there is no cgroup file system of version 2")?;
                let root = mount.join(own().ok_or("it is in no cgroup of version 2")?);
                sweep(&root);
                let (path, folder) = make(&root, is_first).map_err(|error| tell(&root, &error))?;
                (Some(root), path, folder)
            }
        };
        Ok(Self::with(root, path, folder))
    }

    /// The one that another lunix-init had, locked as it is: nobody could take it in between. `None` when it is gone.
    pub(crate) fn handed_down(folder: OwnedFd, is_own: bool) -> Option<Self> {
        let path = std::fs::read_link(format!("/proc/self/fd/{}", folder.as_raw_fd())).ok()?;
        let root = path.parent().filter(|_| is_own).map(Path::to_path_buf);
        is_cgroup2(&path).then(|| Self::with(root, path, Folder::handed_down(folder)))
    }

    fn with(root: Option<PathBuf>, path: PathBuf, folder: Folder) -> Self {
        let mount = MOUNTS.iter().map(Path::new).find(|path| is_cgroup2(path));
        let inner = mount.and_then(|mount| path.strip_prefix(mount).ok()).unwrap_or(&path);
        let prefix = [b"/", inner.as_os_str().as_bytes(), b"/"].concat();
        let is_own = root.is_some();
        let chain = root.into_iter().chain([path.clone()]).collect();
        let mut base = Self { folder, path, prefix, chain, enabled: BTreeSet::new(), is_own };
        for controller in ALWAYS {
            // Where there is none, nothing is counted.
            let _ = base.enable(controller);
        }
        base
    }

    /// Hands a controller on to the services; false when that cannot be.
    pub(super) fn enable(&mut self, controller: &str) -> bool {
        if self.enabled.contains(controller) {
            return true;
        }
        let order = format!("+{controller}");
        let available = |at: &Path| {
            let text = std::fs::read(at.join("cgroup.controllers")).unwrap_or_default();
            text.split(u8::is_ascii_whitespace).any(|word| word == controller.as_bytes())
        };
        for at in &self.chain {
            let control = at.join("cgroup.subtree_control");
            let done = available(at)
                && match std::fs::write(&control, &order) {
                    Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {
                        step_aside(at) && std::fs::write(&control, &order).is_ok()
                    }
                    outcome => outcome.is_ok(),
                };
            if !done {
                return false;
            }
        }
        self.enabled.insert(controller.to_owned())
    }

    /// The cgroup of this name, and whether it had to be made.
    pub(super) fn enter(&self, name: &str) -> io::Result<(Folder, bool)> {
        let is_new = match fs::mkdirat(&self.folder, name, Mode::from_raw_mode(0o755)) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(errno) => return Err(errno.into()),
        };
        let folder = self.folder.enter(name)?.ok_or(Errno::NOENT)?;
        Ok((folder, is_new))
    }

    /// A file of a service's cgroup; `None` when it is not there or cannot be read.
    pub(crate) fn read(&self, name: &str, file: &str) -> Option<Vec<u8>> {
        self.folder.read(&format!("{name}/{file}"), FILE_MAX).ok().flatten()
    }

    /// True while a process is in the cgroup or below it.
    pub(crate) fn is_populated(&self, name: &str) -> bool {
        self.read(name, "cgroup.events").and_then(|events| counters::keyed(&events, "populated")) == Some(1)
    }

    /// Removes a service's cgroup and what it made below it; false when a process is in there.
    pub(super) fn remove(&self, name: &str) -> bool {
        remove(&self.folder, name, DEPTH_MAX)
    }

    /// Removes what was made here, as far as it is empty.
    pub(crate) fn close(self) {
        for name in self.folder.names().unwrap_or_default().iter() {
            if let Some(name) = name.to_str().ok().filter(|name| !name.contains('.')) {
                self.remove(name);
            }
        }
        if self.is_own {
            // With a service left over that was to be left alone, it stays.
            let _ = std::fs::remove_dir(&self.path);
        }
    }
}

fn tell(path: &Path, error: &io::Error) -> String {
    format!("{}: {error}", path.display())
}

fn is_cgroup2(path: &Path) -> bool {
    fs::statfs(path).is_ok_and(|stat| u64::try_from(stat.f_type).is_ok_and(|kind| kind == CGROUP2_MAGIC))
}

/// The cgroup this process is in, below the mount; `None` for one that cannot be seen from here.
fn own() -> Option<PathBuf> {
    let table = std::fs::read("/proc/self/cgroup").ok()?;
    let path = lines(&table).find_map(|line| line.strip_prefix(b"0::/"))?;
    (!path.starts_with(b"..")).then(|| PathBuf::from(OsStr::from_bytes(path)))
}

/// Opens the directory and locks it; it is there as long as the lock is held.
fn lock(path: &Path) -> io::Result<Folder> {
    let folder = Folder::open(path)?;
    fs::flock(&folder, FlockOperation::NonBlockingLockExclusive)?;
    if folder.has("cgroup.procs") { Ok(folder) } else { Err(Errno::NOENT.into()) }
}

/// Makes the directory of the services. PID 1 of a machine is the only one of its kind and finds again what was there before it was started
/// anew; others take a name that nobody has.
fn make(root: &Path, is_first: bool) -> io::Result<(PathBuf, Folder)> {
    let mut last = io::Error::from(Errno::BUSY);
    for number in 0..NAMES_MAX {
        let name = match (is_first, number) {
            (true, 0) => NAME.to_owned(),
            (false, 0) => format!("{NAME}-{}", std::process::id()),
            (_, number) => format!("{NAME}-{}-{number}", std::process::id()),
        };
        let path = root.join(name);
        match fs::mkdir(&path, Mode::from_raw_mode(0o755)) {
            Ok(()) | Err(Errno::EXIST) => {}
            Err(errno) => return Err(errno.into()),
        }
        match lock(&path) {
            Ok(folder) => return Ok((path, folder)),
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// Removes what others left empty that were killed before they could.
fn sweep(root: &Path) {
    let Ok(folder) = Folder::open(root) else { return };
    for name in folder.names().unwrap_or_default().iter() {
        let Some(name) = name.to_str().ok().filter(|name| name.starts_with("lunix-")) else { continue };
        if let Ok(left) = lock(&root.join(name)) {
            remove(&folder, name, DEPTH_MAX);
            drop(left);
        }
    }
}

/// Moves lunix-init out of the cgroup `at` into one below it, when it is the only one there: a cgroup either has processes or hands on
/// controllers.
fn step_aside(at: &Path) -> bool {
    let alone = std::fs::read(at.join("cgroup.procs"))
        .is_ok_and(|text| counters::single(&text) == Some(u64::from(std::process::id())));
    let aside = at.join(ASIDE);
    let made = alone && matches!(fs::mkdir(&aside, Mode::from_raw_mode(0o755)), Ok(()) | Err(Errno::EXIST));
    made && std::fs::write(aside.join("cgroup.procs"), "0").is_ok()
}

/// Removes the cgroup `name` below `folder` with those in it; false when a process is in one of them.
fn remove(folder: &Folder, name: &str, depth: u32) -> bool {
    match fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
        Ok(()) | Err(Errno::NOENT) => return true,
        Err(_) if depth == 0 => return false,
        Err(_) => {}
    }
    let Ok(Some(inner)) = folder.enter(name) else { return false };
    for entry in inner.names().unwrap_or_default().iter() {
        let stat = inner.stat(&**entry).ok().flatten();
        let is_group = stat.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
        if is_group && !entry.to_str().is_ok_and(|entry| remove(&inner, entry, depth - 1)) {
            return false;
        }
    }
    fs::unlinkat(folder, name, AtFlags::REMOVEDIR).is_ok()
}
