//! Who somebody on this machine is: from what the kernel says about a connection to an account and permissions. Pure.
//!
//! | the kernel says | who it is |
//! |---|---|
//! | unix socket, user and groups | the first rule that fits |
//! | TCP from this machine, the peer's user, one of those who may be known over TCP | the first rule that fits; groups as the files say |
//! | TCP from this machine, nothing sure, or a user of the system | anonymous |
//! | a WebSocket | what is said for those, else anonymous |
//! | TCP from elsewhere | anonymous |
//! | no rule fits, or the user has no number here | anonymous |
//!
//! ```
//! use lunix_bus::local::{Facts, Grant, Group, Origin, Outcome, Policy, Rule, Who};
//!
//! let account = |name: &str, per_user| Grant { account: name.into(), per_user, permissions: None };
//! let wheel = Group { gid: 10, members: [1000].into() };
//! let policy = Policy {
//!     rules: vec![
//!         Rule { who: Who { uids: Some(vec![0..=0]), ..Who::default() }, grant: Some(account("SYSTEM", false)) },
//!         Rule { who: Who { any_group: Some(vec![wheel]), ..Who::default() }, grant: Some(account("USER", true)) },
//!     ],
//!     ..Policy::default()
//! };
//! let alice = Facts { uid: Some(1000), ..Facts::new(Origin::Loopback) };
//! assert_eq!(policy.decide(&alice), Outcome::Known(&account("USER", true), 1000));
//! // A forwarder that runs as root is not root.
//! assert_eq!(policy.decide(&Facts { uid: Some(0), ..Facts::new(Origin::Loopback) }), Outcome::Refused);
//! ```

mod names;

pub use names::Names;

use crate::broker::Permissions;
use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::rc::Rc;

/// The user that stands for those who have no number here, unless `/proc/sys/kernel/overflowuid` says otherwise.
pub const OVERFLOW_UID: u32 = 65_534;

/// Ordinary users, unless `login.defs` says otherwise.
pub const ORDINARY_UIDS: RangeInclusive<u32> = 1000..=60_000;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A unix socket.
    Unix,
    /// TCP, both ends a loopback address of this machine.
    Loopback,
    /// The listener for web pages, whose browsers may be on this machine.
    Websocket,
    /// Anything else.
    Elsewhere,
}

/// What the kernel says about a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Where it comes from.
    pub origin: Origin,
    /// Whose process it is; `None` where that is not sure.
    pub uid: Option<u32>,
    /// First group of the process; over TCP the kernel does not say.
    pub gid: Option<u32>,
    /// Its other groups; over TCP the kernel does not say.
    pub groups: Vec<u32>,
    /// Number of the process, where it is known and still runs.
    pub pid: Option<u32>,
}

impl Facts {
    /// Nothing but where it comes from.
    #[must_use]
    pub fn new(origin: Origin) -> Self {
        Self { origin, uid: None, gid: None, groups: Vec::new(), pid: None }
    }
}

/// What somebody gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// The account, or the template of the accounts.
    pub account: String,
    /// Each user has an account of their own, made from that one.
    pub per_user: bool,
    /// What they may do there; everything when nothing is said.
    pub permissions: Option<Rc<Permissions>>,
}

impl Grant {
    /// Name of the account of user `uid`.
    #[must_use]
    pub fn account_of(&self, uid: u32) -> String {
        if self.per_user { format!("{}-{uid}", self.account) } else { self.account.clone() }
    }
}

/// A group and its members as the files of names say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Its number.
    pub gid: u32,
    /// Its users: the kernel says only of unix sockets which groups a process is in.
    pub members: BTreeSet<u32>,
}

impl Group {
    fn has(&self, uid: u32, facts: &Facts) -> bool {
        match facts.origin {
            Origin::Unix => facts.gid == Some(self.gid) || facts.groups.contains(&self.gid),
            Origin::Loopback | Origin::Websocket | Origin::Elsewhere => self.members.contains(&uid),
        }
    }
}

/// Whom a rule is about; every part that is given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// One of these users.
    pub uids: Option<Vec<RangeInclusive<u32>>>,
    /// In one of these groups.
    pub any_group: Option<Vec<Group>>,
    /// In all of these groups.
    pub all_groups: Option<Vec<Group>>,
}

impl Who {
    fn fits(&self, uid: u32, facts: &Facts) -> bool {
        let is_in = |group: &Group| group.has(uid, facts);
        self.uids.as_ref().is_none_or(|uids| uids.iter().any(|range| range.contains(&uid)))
            && self.any_group.as_ref().is_none_or(|groups| groups.iter().any(is_in))
            && self.all_groups.as_ref().is_none_or(|groups| groups.iter().all(is_in))
    }
}

/// One rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Whom it is about.
    pub who: Who,
    /// What they get; `None` to turn them away.
    pub grant: Option<Grant>,
}

/// The rules of a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// In this order; the first that fits decides.
    pub rules: Vec<Rule>,
    /// What those get whom nobody knows; `None` to turn them away unless they send credentials.
    pub anonymous: Option<Grant>,
    /// What those get who come over a WebSocket; `None`: the same as anybody else who is not known.
    pub websocket: Option<Grant>,
    /// Whether the kernel is asked whose a TCP connection from this machine is.
    pub tcp: bool,
    /// Users that may be known over TCP. Forwarders and proxies run as root or as users of the system, and speak for others; never 0.
    pub tcp_uids: Vec<RangeInclusive<u32>>,
    /// The user that stands for those who have no number here.
    pub overflow_uid: u32,
    /// Names of users, to tell them in monitoring.
    pub names: Names,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            anonymous: None,
            websocket: None,
            tcp: true,
            tcp_uids: vec![ORDINARY_UIDS],
            overflow_uid: OVERFLOW_UID,
            names: Names::default(),
        }
    }
}

/// Who somebody is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome<'a> {
    /// This user.
    Known(&'a Grant, u32),
    /// Nobody in particular.
    Anonymous(&'a Grant),
    /// Nobody who may come in without credentials.
    Refused,
}

impl Policy {
    /// Who somebody is of whom the kernel says `facts`.
    #[must_use]
    pub fn decide(&self, facts: &Facts) -> Outcome<'_> {
        let for_web = self.websocket.as_ref().filter(|_| facts.origin == Origin::Websocket);
        let anonymous = for_web.or(self.anonymous.as_ref()).map_or(Outcome::Refused, Outcome::Anonymous);
        let Some(uid) = self.sure_uid(facts) else { return anonymous };
        match self.rules.iter().find(|rule| rule.who.fits(uid, facts)) {
            Some(Rule { grant: Some(grant), .. }) => Outcome::Known(grant, uid),
            Some(Rule { grant: None, .. }) => Outcome::Refused,
            None => anonymous,
        }
    }

    /// Whether an account of this name could be made for a user.
    #[must_use]
    pub fn makes_account(&self, name: &str) -> bool {
        let Some((template, uid)) = name.rsplit_once('-') else { return false };
        let grants = self.rules.iter().filter_map(|rule| rule.grant.as_ref());
        uid.parse::<u32>().is_ok() && grants.into_iter().any(|grant| grant.per_user && grant.account == template)
    }

    /// The user of whom there is no doubt: over TCP only those who may be known there.
    #[must_use]
    pub fn sure_uid(&self, facts: &Facts) -> Option<u32> {
        let uid = facts.uid.filter(|&uid| uid != self.overflow_uid && uid != u32::MAX)?;
        let is_sure = match facts.origin {
            Origin::Unix => true,
            Origin::Loopback => self.tcp && uid != 0 && self.tcp_uids.iter().any(|range| range.contains(&uid)),
            Origin::Websocket | Origin::Elsewhere => false,
        };
        is_sure.then_some(uid)
    }
}

/// The ordinary users of a machine: UID_MIN to UID_MAX of its `login.defs` (`man 5 login.defs`), what is missing by default.
#[must_use]
pub fn ordinary_uids(login_defs: &str) -> RangeInclusive<u32> {
    let number = |wanted: &str| {
        let mut lines = login_defs.lines().map(str::split_ascii_whitespace);
        let mut words = lines.find_map(|mut words| (words.next() == Some(wanted)).then_some(words))?;
        words.next()?.parse().ok()
    };
    let first = number("UID_MIN").filter(|&uid: &u32| uid > 0).unwrap_or(*ORDINARY_UIDS.start());
    let last = number("UID_MAX").unwrap_or(*ORDINARY_UIDS.end());
    first..=last
}

#[cfg(test)]
mod tests;
