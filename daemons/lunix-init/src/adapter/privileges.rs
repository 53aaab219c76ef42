//! What the programs of a service may do: who they are, which capabilities and limits they have. Read anew at each start.

use super::launch::Failure;
use crate::cgroup::oom_score;
use crate::directory::folder::Folder;
use crate::directory::{FILE_MAX, parse, privilege};
use crate::identity;
use std::io;
use sys::spawn::{Identity, Limit, NOFILE};

/// Most bytes read of /etc/passwd and /etc/group.
const ACCOUNTS_MAX: usize = 1024 * 1024;

/// The files `user`, `group`, `capabilities`, `limits` and `oom-score-adj`.
pub(crate) struct Privileges {
    pub(crate) identity: Option<Identity>,
    pub(crate) capabilities: Option<u64>,
    pub(crate) limits: Vec<Limit>,
    pub(crate) oom_score: Option<i16>,
}

impl Privileges {
    /// Those of the service in `folder`; `descriptors` is the limit of open descriptors (soft, hard) where it sets none itself.
    pub(crate) fn of(folder: &Folder, descriptors: Option<(u64, u64)>) -> Result<Self, Failure> {
        let mut limits: Vec<Limit> = read(folder, "limits", privilege::limits)?.unwrap_or_default();
        if let Some((soft, hard)) = descriptors.filter(|_| limits.iter().all(|limit| limit.resource != NOFILE)) {
            limits.push(Limit { resource: NOFILE, soft, hard });
        }
        let capabilities = read(folder, "capabilities", privilege::capabilities)?;
        let oom_score = read(folder, "oom-score-adj", oom_score::parse)?;
        Ok(Self { identity: identity_of(folder)?, capabilities, limits, oom_score })
    }
}

fn read<T>(
    folder: &Folder,
    name: &str,
    parse: impl FnOnce(&[u8]) -> Result<T, parse::Expected>,
) -> Result<Option<T>, Failure> {
    let Some(content) = folder.read(name, FILE_MAX)? else { return Ok(None) };
    parse(&content).map(Some).map_err(|expected| Failure::lasting(format!("{name}: expected {expected}")))
}

fn identity_of(folder: &Folder) -> Result<Option<Identity>, Failure> {
    let (user, groups) = (folder.read("user", FILE_MAX)?, folder.read("group", FILE_MAX)?);
    if user.is_none() && groups.is_none() {
        return Ok(None);
    }
    let accounts = |name: &str| -> io::Result<Vec<u8>> {
        Ok(Folder::open("/etc".as_ref())?.read(name, ACCOUNTS_MAX)?.unwrap_or_default())
    };
    let (passwd, group) = (accounts("passwd")?, accounts("group")?);
    let own = rustix::process::geteuid().as_raw();
    let user = user.unwrap_or_else(|| own.to_string().into_bytes());
    let mut who = identity::resolve(&user, &passwd, &group, groups.is_some()).map_err(Failure::lasting)?;
    if let Some(groups) = &groups {
        identity::set_groups(&mut who, groups, &group).map_err(Failure::lasting)?;
    }
    let already = own == who.uid && who.uid != 0;
    // An ordinary user may name itself, so that one directory serves both.
    Ok((!already).then_some(who))
}
