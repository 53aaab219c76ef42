//! The helper that looks at media. It has no capabilities: it runs as nobody in the group that may read disks.

use super::serve;
use crate::config::Names;
use crate::machine::Content;
use interfaces::hardware::Usage;
use probe::Probe;
use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

/// The account of nobody, on every distribution.
const NOBODY: u32 = 65_534;

/// A block device to look at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Number of the job.
    pub job: u64,
    /// Path of the device, for the answer.
    pub devpath: String,
    /// Absolute node.
    pub node: String,
    /// Major and minor number the node must have; another device may have taken its name.
    pub number: (u32, u32),
    /// Its size.
    pub size_bytes: u64,
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Number of the job.
    pub job: u64,
    /// What is on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Why it could not be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The node may not be opened by this account.
    #[serde(default)]
    pub denied: bool,
}

pub(super) fn run() -> io::Result<()> {
    drop_privileges()?;
    serve(|job: Job| {
        let found = look(&job);
        let denied = matches!(found, Err(Errno::ACCESS | Errno::PERM));
        match found {
            Ok(content) => Answer { job: job.job, content, error: None, denied },
            Err(errno) => {
                Answer { job: job.job, content: None, error: Some(io::Error::from(errno).to_string()), denied }
            }
        }
    })
}

/// Root becomes nobody, with the group disk where there is one, so that the nodes natsdev has given to that group can be read.
/// Where there is none, or the account cannot be changed (a user namespace may have no other), it stays and only the capabilities
/// go. Either way nothing brings privileges back.
fn drop_privileges() -> Result<(), Errno> {
    rustix::thread::set_no_new_privs(true)?;
    if !rustix::process::geteuid().is_root() {
        return Ok(());
    }
    let disk = Names::read(Path::new("/etc/group")).get("disk");
    match disk.map(become_nobody) {
        Some(Ok(())) => Ok(()),
        None | Some(Err(Errno::PERM | Errno::INVAL)) => {
            let none = rustix::thread::CapabilitySet::empty();
            let sets = rustix::thread::CapabilitySets { effective: none, permitted: none, inheritable: none };
            rustix::thread::set_capabilities(None, sets)
        }
        Some(Err(errno)) => Err(errno),
    }
}

fn become_nobody(disk: u32) -> Result<(), Errno> {
    rustix::thread::set_thread_groups(&[Gid::from_raw(disk)])?;
    let (uid, gid) = (Uid::from_raw(NOBODY), Gid::from_raw(NOBODY));
    rustix::thread::set_thread_res_gid(gid, gid, gid)?;
    rustix::thread::set_thread_res_uid(uid, uid, uid)
}

fn look(job: &Job) -> Result<Option<Content>, Errno> {
    // NONBLOCK: a drive without medium opens at once, and a CD-ROM does not pull in its tray.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let device = rustix::fs::open(&job.node, flags, Mode::empty())?;
    let number = rustix::fs::fstat(&device)?.st_rdev;
    if (rustix::fs::major(number), rustix::fs::minor(number)) != job.number {
        return Err(Errno::NODEV);
    }
    Ok(recognise(&device, job.size_bytes))
}

fn recognise(device: &OwnedFd, size_bytes: u64) -> Option<Content> {
    let mut probe = Probe::new(size_bytes);
    let mut buffer = [0; probe::WANT_BYTES_MAX];
    while let Some(range) = probe.want() {
        let place = buffer.get_mut(..range.length).unwrap_or_default();
        let count = rustix::io::pread(device, place, range.offset).unwrap_or(0);
        probe.feed(buffer.get(..count).unwrap_or_default());
    }
    let content = probe.found().content?;
    let text = |text: &probe::Text| (!text.is_empty()).then(|| text.as_str().to_owned());
    Some(Content {
        kind: content.kind.as_str().to_owned(),
        usage: match content.kind.usage() {
            probe::Usage::Filesystem => Usage::Filesystem,
            probe::Usage::Swap => Usage::Swap,
            probe::Usage::Crypto => Usage::Crypto,
        },
        label: text(&content.label),
        uuid: text(&content.uuid),
    })
}
