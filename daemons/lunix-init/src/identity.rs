//! Users and groups by name, from the text of /etc/passwd and /etc/group (`man 5 passwd`, `man 5 group`).

use crate::directory::parse;
use sys::spawn::Identity;

/// Who a service becomes, by its `user` file; with `has_groups` it has a `group` file, too, and the user need not have a group.
///
/// # Errors
/// A sentence that names what is missing.
pub fn resolve(file: &[u8], passwd: &[u8], group: &[u8], has_groups: bool) -> Result<Identity, String> {
    let (user, wanted_group) = parse::user(file).map_err(|expected| format!("user: expected {expected}"))?;
    let entry = lines(passwd).find(|fields| fields.first() == Some(&user) || fields.get(2) == Some(&user));
    let number = |text: Option<&&str>| text.and_then(|text| text.parse::<u32>().ok());
    let uid = entry.as_ref().map_or_else(|| user.parse().ok(), |fields| number(fields.get(2)));
    let uid = uid.ok_or_else(|| format!("user: there is no user {user} in /etc/passwd"))?;
    let gid = match wanted_group {
        Some(wanted) => group_number(group, wanted),
        None => entry.as_ref().and_then(|fields| number(fields.get(3))),
    };
    let gid = gid.or(has_groups.then_some(0)).ok_or_else(|| match wanted_group {
        Some(wanted) => format!("user: there is no group {wanted} in /etc/group"),
        None => format!("user: {user} is not in /etc/passwd: expected uid:gid"),
    })?;
    let name = entry.as_ref().and_then(|fields| fields.first().copied());
    let groups = name.map(|name| groups_of(group, name)).unwrap_or_default();
    Ok(Identity { uid, gid, groups })
}

/// Sets the groups by a `group` file: the first of its lines names the group, the others the supplementary ones.
///
/// # Errors
/// A sentence that names what is missing.
pub fn set_groups(who: &mut Identity, file: &[u8], group: &[u8]) -> Result<(), String> {
    let names = parse::names(file).map_err(|expected| format!("group: expected {expected}"))?;
    let numbers = names.iter().map(|name| {
        group_number(group, name.trim_end()).ok_or_else(|| format!("group: there is no group {name} in /etc/group"))
    });
    let mut numbers = numbers.collect::<Result<Vec<u32>, String>>()?.into_iter();
    who.gid = numbers.next().ok_or("group: expected the name or number of a group")?;
    who.groups = numbers.collect();
    Ok(())
}

fn group_number(group: &[u8], wanted: &str) -> Option<u32> {
    let by_name = lines(group).find(|fields| fields.first() == Some(&wanted));
    by_name.map_or_else(|| wanted.parse().ok(), |fields| fields.get(2)?.parse().ok())
}

fn groups_of(group: &[u8], name: &str) -> Vec<u32> {
    let member = |fields: &Vec<&str>| fields.get(3).is_some_and(|list| list.split(',').any(|one| one == name));
    lines(group).filter(member).filter_map(|fields| fields.get(2)?.parse().ok()).collect()
}

fn lines(content: &[u8]) -> impl Iterator<Item = Vec<&str>> {
    content.split(|&byte| byte == b'\n').filter_map(|line| Some(std::str::from_utf8(line).ok()?.split(':').collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nbus:x:900:901::/:/bin/false\nhalf\n";
    const GROUP: &[u8] = b"root:x:0:\naudio:x:29:alice,bus\nvideo:x:44:busy\ndisk:x:6:bus\n";

    #[test]
    fn users_by_name_and_number() {
        let bus = Identity { uid: 900, gid: 901, groups: vec![29, 6] };
        assert_eq!(resolve(b"bus\n", PASSWD, GROUP, false), Ok(bus.clone()));
        assert_eq!(resolve(b"900", PASSWD, GROUP, false), Ok(bus.clone()));
        assert_eq!(resolve(b"bus:audio", PASSWD, GROUP, false), Ok(Identity { gid: 29, ..bus }));
        assert_eq!(resolve(b"1234:5", PASSWD, GROUP, false), Ok(Identity { uid: 1234, gid: 5, groups: vec![] }));
    }

    #[test]
    fn a_group_file_names_all_groups() {
        let mut who = resolve(b"1234", PASSWD, GROUP, true).unwrap();
        set_groups(&mut who, b"audio\nvideo\n99\n", GROUP).unwrap();
        assert_eq!(who, Identity { uid: 1234, gid: 29, groups: vec![44, 99] });
        assert_eq!(set_groups(&mut who, b"none", GROUP).unwrap_err(), "group: there is no group none in /etc/group");
        assert!(set_groups(&mut who, b"\n", GROUP).is_err());
    }

    #[test]
    fn what_is_missing_is_named() {
        let why = |file: &[u8]| resolve(file, PASSWD, GROUP, false).unwrap_err();
        assert_eq!(why(b"nobody"), "user: there is no user nobody in /etc/passwd");
        assert_eq!(why(b"1234"), "user: 1234 is not in /etc/passwd: expected uid:gid");
        assert_eq!(why(b"bus:none"), "user: there is no group none in /etc/group");
        assert!(why(b"").starts_with("user: expected a user"));
    }
}
