//! Names of users and groups, from files of the form of `/etc/passwd` and `/etc/group` (`man 5 passwd`, `man 5 group`).
//!
//! ```text
//! user  = name ":" [password] ":" uid ":" gid ":" *any
//! group = name ":" [password] ":" gid ":" [name *("," name)]
//! ```
//! Other lines are skipped, as the C library does: comments, blanks, and the `+` lines of network directories.

use std::collections::BTreeSet;

/// Who is called what on this machine, and who is in which group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    users: Vec<User>,
    groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct User {
    name: Box<str>,
    uid: u32,
    gid: u32,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    name: Box<str>,
    gid: u32,
    members: Box<str>,
}

impl Names {
    /// Reads the texts of the two files.
    #[must_use]
    pub fn parse(passwd: &str, group: &str) -> Self {
        Self { users: passwd.lines().filter_map(user).collect(), groups: group.lines().filter_map(members).collect() }
    }

    /// The number of the user called `name`; of several entries the first one counts.
    #[must_use]
    pub fn uid(&self, name: &str) -> Option<u32> {
        self.users.iter().find(|user| *user.name == *name).map(|user| user.uid)
    }

    /// The name of user `uid`.
    #[must_use]
    pub fn user(&self, uid: u32) -> Option<&str> {
        self.users.iter().find(|user| user.uid == uid).map(|user| &*user.name)
    }

    /// The number of the group called `name`.
    #[must_use]
    pub fn gid(&self, name: &str) -> Option<u32> {
        self.groups.iter().find(|group| *group.name == *name).map(|group| group.gid)
    }

    /// The users in group `gid`: those listed there, and those whose first group it is.
    #[must_use]
    pub fn members(&self, gid: u32) -> BTreeSet<u32> {
        let listed = self.groups.iter().filter(|group| group.gid == gid).flat_map(|group| group.members.split(','));
        let first = self.users.iter().filter(|user| user.gid == gid).map(|user| user.uid);
        listed.filter_map(|name| self.uid(name.trim())).chain(first).collect()
    }
}

fn user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| is_name(name))?;
    let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
    Some(User { name: name.into(), uid, gid })
}

fn members(line: &str) -> Option<Group> {
    let mut fields = line.split(':');
    let name = fields.next().filter(|name| is_name(name))?;
    let gid = fields.nth(1)?.parse().ok()?;
    Some(Group { name: name.into(), gid, members: fields.next().unwrap_or_default().into() })
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.starts_with(['+', '-', '#'])
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000:Alice:/home/alice:/bin/sh\n\
        # bob:x:7:7::/:\n+::::::\nbob:x:1001:100:Bob:/home/bob:/bin/sh\nodd:x:many:0::/:\nshort:x:1\n:x:5:5::/:\n\
        alice:x:2000:2000:another:/:/bin/sh\n";
    const GROUP: &str =
        "root:x:0:\nadm:x:4:alice, nobody-such\nusers:x:100:alice,\nalice:x:1000:\nlone:x:77\nbad:x:-1:bob\n";

    #[test]
    fn names_and_members_good_and_bad() {
        let names = Names::parse(PASSWD, GROUP);
        let users = [("root", Some(0)), ("alice", Some(1000)), ("bob", Some(1001)), ("odd", None), ("short", None)];
        for (name, uid) in users.into_iter().chain([("", None), ("+", None), ("# bob", None)]) {
            assert_eq!(names.uid(name), uid, "{name}");
        }
        for (name, gid) in [("adm", Some(4)), ("lone", Some(77)), ("bad", None), ("Adm", None)] {
            assert_eq!(names.gid(name), gid, "{name}");
        }
        let members: [(u32, &[u32]); 5] = [(4, &[1000]), (100, &[1000, 1001]), (0, &[0]), (77, &[]), (5, &[])];
        for (gid, uids) in members {
            assert_eq!(names.members(gid), uids.iter().copied().collect(), "{gid}");
        }
        assert_eq!((names.user(1001), names.user(7)), (Some("bob"), None));
        assert_eq!(Names::parse("", ""), Names::default());
    }
}
