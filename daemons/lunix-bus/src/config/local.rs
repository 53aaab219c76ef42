//! Who somebody on this machine is: the block `local`.

use super::file::{load, map, ranges, string, strings, truth, unexpected, unknown, wrong};
use super::users::permissions;
use crate::local::{Grant, Group, Names, OVERFLOW_UID, Policy, Rule, Who, ordinary_uids};
use nats_conf::{Entry, Error, Item, Map, Value};
use std::fs;
use std::io;
use std::path::Path;
use std::rc::Rc;

const KEYS: &str = "rules, anonymous, websocket, tcp, tcp_uids, passwd_file, group_file, login_defs_file";
const RULE_KEYS: &str = "user, uid, group, gid, all_groups, account, template, permissions, refuse";

/// Whether there is an account of this name.
type IsAccount<'a> = &'a dyn Fn(&str) -> bool;

/// Reads the block, and the files of names it needs.
pub(super) fn policy(item: &Item, is_account: IsAccount<'_>) -> Result<Policy, Error> {
    let map = map(item)?;
    let names =
        Names::parse(&named_file(map, "passwd_file", "/etc/passwd")?, &named_file(map, "group_file", "/etc/group")?);
    let ordinary = ordinary_uids(&named_file(map, "login_defs_file", "/etc/login.defs")?);
    let mut policy = Policy { tcp_uids: vec![ordinary], overflow_uid: overflow_uid(), ..Policy::default() };
    for entry in map.iter() {
        match entry.key.to_ascii_lowercase().as_str() {
            "rules" => policy.rules = rules(&entry.item, &names, is_account)?,
            "anonymous" => policy.anonymous = anonymous(&entry.item, is_account)?,
            "websocket" => policy.websocket = anonymous(&entry.item, is_account)?,
            "tcp" => policy.tcp = truth(&entry.item)?,
            "tcp_uids" => policy.tcp_uids = tcp_uids(&entry.item)?,
            "passwd_file" | "group_file" | "login_defs_file" => {}
            _ => return Err(unknown(entry, KEYS)),
        }
    }
    policy.names = names;
    Ok(policy)
}

/// The text of the file that `key` names. One that is not named may be missing; one that is must be there.
fn named_file(map: &Map, key: &str, usual: &str) -> Result<String, Error> {
    let Some(item) = map.get(key) else {
        return match load(Path::new(usual)) {
            Ok(text) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(map_error(map, usual, &error)),
        };
    };
    let path = string(item)?;
    load(Path::new(&path)).map_err(|error| wrong(item, format!("cannot read {path}: {error}")))
}

fn map_error(map: &Map, path: &str, error: &io::Error) -> Error {
    let text = format!("cannot read {path}: {error}");
    match map.iter().next() {
        Some(entry) => Error::new(&entry.place, text),
        None => Error { place: nats_conf::Place { file: path.into(), line: 1, column: 1 }, text },
    }
}

fn overflow_uid() -> u32 {
    let text = fs::read_to_string("/proc/sys/kernel/overflowuid").ok();
    text.and_then(|text| text.trim().parse().ok()).unwrap_or(OVERFLOW_UID)
}

fn tcp_uids(item: &Item) -> Result<Vec<std::ops::RangeInclusive<u32>>, Error> {
    let uids = ranges(item)?;
    let has_root = uids.iter().any(|range| range.contains(&0));
    if has_root { Err(wrong(item, "user 0 is never known over TCP")) } else { Ok(uids) }
}

fn rules(item: &Item, names: &Names, is_account: IsAccount<'_>) -> Result<Vec<Rule>, Error> {
    let Value::Array(items) = &item.value else { return Err(unexpected(item, "an array of rules")) };
    items.iter().map(|item| rule(item, names, is_account)).collect()
}

fn rule(item: &Item, names: &Names, is_account: IsAccount<'_>) -> Result<Rule, Error> {
    let (mut who, mut given) = (Who::default(), Given::default());
    for entry in map(item)?.iter() {
        let item = &entry.item;
        match entry.key.to_ascii_lowercase().as_str() {
            "user" => {
                let uids = resolve(item, "user", |name| names.uid(name))?;
                who.uids.get_or_insert_default().extend(uids.into_iter().map(|uid| uid..=uid));
            }
            "uid" => who.uids.get_or_insert_default().extend(ranges(item)?),
            "group" => {
                let gids = resolve(item, "group", |name| names.gid(name))?;
                who.any_group.get_or_insert_default().extend(gids.into_iter().map(|gid| group(gid, names)));
            }
            "gid" => {
                let gids = ranges(item)?.into_iter().flatten().take(GIDS_MAX);
                who.any_group.get_or_insert_default().extend(gids.map(|gid| group(gid, names)));
            }
            "all_groups" => {
                let gids = resolve(item, "group", |name| names.gid(name))?;
                who.all_groups = Some(gids.into_iter().map(|gid| group(gid, names)).collect());
            }
            _ => given.take(entry)?,
        }
    }
    Ok(Rule { who, grant: given.grant(item, is_account)? })
}

/// Groups that one rule may name by number.
const GIDS_MAX: usize = 256;

fn group(gid: u32, names: &Names) -> Group {
    Group { gid, members: names.members(gid) }
}

fn resolve(item: &Item, kind: &str, number: impl Fn(&str) -> Option<u32>) -> Result<Vec<u32>, Error> {
    let one = |name: String| number(&name).ok_or_else(|| wrong(item, format!("there is no {kind} {name:?}")));
    strings(item)?.into_iter().map(one).collect()
}

fn anonymous(item: &Item, is_account: IsAccount<'_>) -> Result<Option<Grant>, Error> {
    let mut given = Given::default();
    for entry in map(item)?.iter() {
        if entry.key.eq_ignore_ascii_case("template") {
            return Err(unknown(entry, "account, permissions, refuse"));
        }
        given.take(entry)?;
    }
    given.grant(item, is_account)
}

/// What a rule says about the outcome, as far as it is read.
#[derive(Default)]
struct Given {
    account: Option<String>,
    template: Option<String>,
    permissions: Option<Rc<crate::broker::Permissions>>,
    refuse: bool,
}

impl Given {
    fn take(&mut self, entry: &Entry) -> Result<(), Error> {
        match entry.key.to_ascii_lowercase().as_str() {
            "account" => self.account = Some(string(&entry.item)?),
            "template" => self.template = Some(string(&entry.item)?),
            "permission" | "permissions" => self.permissions = Some(Rc::new(permissions(&entry.item)?)),
            "refuse" => self.refuse = truth(&entry.item)?,
            _ => return Err(unknown(entry, RULE_KEYS)),
        }
        Ok(())
    }

    fn grant(self, item: &Item, is_account: IsAccount<'_>) -> Result<Option<Grant>, Error> {
        let (account, per_user) = match (self.account, self.template, self.refuse) {
            (Some(account), None, false) => (account, false),
            (None, Some(template), false) => (template, true),
            (None, None, true) if self.permissions.is_none() => return Ok(None),
            (Some(_) | None, Some(_) | None, true | false) => {
                return Err(wrong(item, "one of account, template and refuse is expected"));
            }
        };
        if !is_account(&account) {
            return Err(wrong(item, format!("there is no account {account:?}")));
        }
        Ok(Some(Grant { account, per_user, permissions: self.permissions }))
    }
}

#[cfg(test)]
mod tests;
