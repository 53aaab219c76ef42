//! `mounts`: what fstab says (`man 5 fstab`).

pub mod check;
pub mod device;
pub mod entry;
mod mount;
pub mod mounted;
pub mod options;
pub mod order;

use crate::Job;
use entry::{Entry, Source};
use mounted::Mounted;
use program::{Fatal, exit};
use rustix::mount::MountFlags;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a device that the boot needs is waited for when nothing else is said.
pub const WAIT_S: u64 = 10;

/// File systems that are reached by the network alone.
const NETWORK_KINDS: [&str; 10] =
    ["nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "davfs", "fuse.sshfs", "afs"];

/// Which entries are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// Those of this machine.
    Local,
    /// Those that need the network.
    Network,
}

impl Entry {
    /// True when it cannot be mounted without the network.
    #[must_use]
    pub fn needs_network(&self) -> bool {
        // 9p is also how a virtual machine sees a folder of its host; then nothing but its transport tells.
        let is_virtual = self.kind == "9p" && self.options.rest.contains("trans=virtio");
        self.options.netdev || (NETWORK_KINDS.contains(&self.kind.as_str()) && !is_virtual)
    }
}

/// Mounts what `fstab` says; with `job.check` only tells what it would do.
///
/// # Errors
/// When the table cannot be read.
pub fn run(job: &Job, table: Option<&str>, which: Which, wait: Duration) -> Result<u8, Fatal> {
    let path = table.map_or_else(|| job.path("/etc/fstab"), PathBuf::from);
    let text = match std::fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(exit::OK),
        Err(error) => return Err(Fatal::system(&format!("cannot read {}", path.display()), error)),
    };
    let (entries, wrong) = entry::table(&text);
    for one in &wrong {
        job.error(format_args!("{}:{}:{}: {}", path.display(), one.line, one.field, one.sentence));
    }
    let mut worst = if wrong.is_empty() { exit::OK } else { exit::CONFIG };
    let is_meant = |entry: &Entry| !entry.options.noauto && entry.needs_network() == (which == Which::Network);
    let mut failed: Vec<&Entry> = Vec::new();
    for entry in order::order(&entries).into_iter().filter_map(|index| entries.get(index)).filter(|one| is_meant(one)) {
        if job.check {
            job.print(format_args!("{}", plan(entry)))?;
            continue;
        }
        let result = match failed.iter().find(|other| entry.needs(other)) {
            Some(other) => Err(format!("{} is not mounted", other.place().display())),
            None => one(job, entry, wait),
        };
        if let Err(sentence) = result {
            let (file, line, place) = (path.display(), entry.line, entry.place());
            let sentence = format!("{file}:{line}: {}: {sentence}", place.display());
            failed.push(entry);
            if entry.options.nofail {
                job.warn(format_args!("{sentence}; the boot goes on without it"));
            } else {
                job.error(format_args!("{sentence}"));
                worst = worst.max(exit::SYSTEM);
            }
        }
    }
    Ok(worst)
}

/// What is done with an entry, in words.
fn plan(entry: &Entry) -> String {
    let check = if entry.pass > 0 { ", checked" } else { "" };
    match &entry.target {
        None => format!("swap to {}", entry.source),
        Some(target) if target == Path::new("/") => format!("remount / ({}{check})", entry.kind),
        Some(target) if entry.options.bind.is_some() => format!("show {} at {}", entry.source, target.display()),
        Some(target) => format!("mount {} at {} ({}{check})", entry.source, target.display(), entry.kind),
    }
}

fn one(job: &Job, entry: &Entry, wait: Duration) -> Result<(), String> {
    // What the boot can do without is not waited for.
    let wait = if entry.options.nofail { Duration::ZERO } else { wait };
    let Some(target) = &entry.target else { return mount::swap(&node(entry, wait)?, &entry.options) };
    let mounted = Mounted::read();
    if target == Path::new("/") {
        return root(job, entry, wait);
    }
    match mounted.kind_at(target) {
        None => {}
        Some(_) if entry.options.bind.is_some() => return Ok(()),
        Some(kind) if entry.kind == "auto" || entry.kind.split(',').any(|one| one == kind) => {
            return mount::remount(target, &entry.options);
        }
        Some(kind) => return Err(format!("{kind} is mounted there already")),
    }
    let source = node(entry, wait)?;
    let kind = kind(entry, &source)?;
    if entry.options.bind.is_none() {
        checked(job, entry, &kind, &source)?;
    }
    if !target.exists() {
        std::fs::create_dir_all(target).map_err(|error| format!("cannot make the mount point: {error}"))?;
    }
    mount::mount(&source, target, &kind, &entry.options)
}

/// The root is there already: it is checked while nobody can write, and becomes what the table says.
fn root(job: &Job, entry: &Entry, wait: Duration) -> Result<(), String> {
    let is_read_only =
        rustix::fs::statvfs("/").is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY));
    if is_read_only && entry.pass > 0 {
        let source = node(entry, wait)?;
        checked(job, entry, &kind(entry, &source)?, &source)?;
    }
    if is_read_only && entry.options.flags.0.contains(MountFlags::RDONLY) {
        return Ok(());
    }
    mount::remount(Path::new("/"), &entry.options)
}

fn node(entry: &Entry, wait: Duration) -> Result<PathBuf, String> {
    device::wait_for(&entry.source, wait).ok_or_else(|| match &entry.source {
        Source::Path(path) => format!("there is no {}", path.display()),
        Source::Tag(..) | Source::Name(_) => format!("no device has {}", entry.source),
    })
}

/// The type to mount as; what the table leaves open is looked for on the device.
fn kind(entry: &Entry, source: &Path) -> Result<String, String> {
    if entry.options.bind.is_some() || (entry.kind != "auto" && !entry.kind.contains(',')) {
        return Ok(entry.kind.clone());
    }
    let found = device::content(source).map(|content| content.kind.as_str().to_owned());
    found.ok_or_else(|| format!("cannot tell the type of what is on {}", source.display()))
}

fn checked(job: &Job, entry: &Entry, kind: &str, source: &Path) -> Result<(), String> {
    match check::check(entry, kind, source) {
        check::Outcome::Good => Ok(()),
        check::Outcome::Repaired => {
            job.warn(format_args!("{} was repaired", source.display()));
            Ok(())
        }
        check::Outcome::Reboot => Err("it was repaired, and the machine must boot again before it is used".to_owned()),
        check::Outcome::Bad(sentence) => Err(sentence),
    }
}
