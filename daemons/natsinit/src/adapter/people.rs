//! Who asks: what the bus says, and what this machine says of that user.

use crate::trust::Who;
use daemon::Request;
use interfaces::request::Asker;

/// Most bytes read of each file.
const FILE_MAX: usize = 1024 * 1024;

/// Who sent the request. The files are read anew each time: commands are rare, and a session may just have begun.
pub(super) fn who(request: &Request) -> Who {
    let Some(line) = request.asker() else { return Who::Near };
    let Some(uid) = serde_json::from_str::<Asker<'_>>(&line).ok().and_then(|asker| asker.uid) else {
        return Who::Unnamed;
    };
    let (passwd, group) = (text("/etc/passwd"), text("/etc/group"));
    let is_owner = uid == 0 || uid == rustix::process::geteuid().as_raw();
    let is_in = |name| is_member(&passwd, &group, uid, name);
    Who::User { is_owner, in_session: is_in("session"), in_adm: is_in("adm") }
}

/// A file's text; nothing of one that cannot be read or is too big, which makes its users members of nothing.
fn text(path: &str) -> String {
    std::fs::read_to_string(path).ok().filter(|text| text.len() <= FILE_MAX).unwrap_or_default()
}

/// Whether a user is in a group, as first group or by name (`man 5 passwd`, `man 5 group`).
fn is_member(passwd: &str, group: &str, uid: u32, name: &str) -> bool {
    let field = |line: &'_ str, index: usize| line.split(':').nth(index).map(str::to_owned);
    let is_number = |text: Option<String>, number: u32| text.and_then(|text| text.parse().ok()) == Some(number);
    let user = passwd.lines().find(|line| is_number(field(line, 2), uid));
    let Some(row) = group.lines().find(|line| line.split(':').next() == Some(name)) else { return false };
    let gid = field(row, 2);
    user.is_some_and(|user| {
        let is_first = gid.is_some() && field(user, 3) == gid;
        let login = field(user, 0);
        is_first || field(row, 3).is_some_and(|members| members.split(',').any(|one| Some(one) == login.as_deref()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_by_name_or_first_group() {
        let passwd = "root:x:0:0::/:/bin/sh\nalice:x:1000:1000::/:/bin/sh\nbob:x:1001:50::/:/bin/sh\n";
        let group = "session:x:50:carol,alice\nadm:x:4:\nempty::\n";
        let in_session = [0, 1000, 1001, 1002].map(|uid| is_member(passwd, group, uid, "session"));
        assert_eq!(in_session, [false, true, true, false]);
        assert!(!is_member(passwd, group, 1000, "adm") && !is_member(passwd, group, 1000, "none"));
        assert!(!is_member("", "", 0, "session") && !is_member(passwd, "session\n", 1000, "session"));
    }
}
