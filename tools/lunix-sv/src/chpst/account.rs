//! Users and groups as `-u` and `-U` name them.

use crate::Failure;

/// Who to become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// The user's number.
    pub uid: u32,
    /// The numbers of all groups, the first is the group.
    pub gids: Vec<u32>,
}

impl Account {
    /// Reads `[:]user[:group[:group...]]`; with the first colon all are numbers.
    ///
    /// # Errors
    /// 111 when there is no such user or group.
    pub fn parse(text: &str) -> Result<Self, Failure> {
        let read = |path: &str| std::fs::read(path).unwrap_or_default();
        Self::resolve(text, &read("/etc/passwd"), &read("/etc/group"))
    }

    fn resolve(text: &str, passwd: &[u8], group: &[u8]) -> Result<Self, Failure> {
        let unknown = || Failure::new(111, format!("fatal: unknown user/group: {text}"));
        if let Some(numbers) = text.strip_prefix(':') {
            let numbers: Result<Vec<u32>, _> = numbers.split(':').map(str::parse).collect();
            let numbers = numbers.map_err(|_| unknown())?;
            let (&uid, gids) = numbers.split_first().ok_or_else(unknown)?;
            return Ok(Self { uid, gids: if gids.is_empty() { vec![uid] } else { gids.to_vec() } });
        }
        let mut words = text.split(':');
        let user = words.next().unwrap_or_default();
        let fields = entry(passwd, user).ok_or_else(unknown)?;
        let number = |at: usize| fields.get(at).and_then(|field| field.parse().ok());
        let uid = number(2).ok_or_else(unknown)?;
        let named = |name: &str| entry(group, name).and_then(|fields| fields.get(2)?.parse().ok());
        let gids: Option<Vec<u32>> = words.map(named).collect();
        let mut gids = gids.ok_or_else(unknown)?;
        if gids.is_empty() {
            gids.push(number(3).ok_or_else(unknown)?);
        }
        Ok(Self { uid, gids })
    }
}

/// The fields of the line that begins with this name (`man 5 passwd`, `man 5 group`).
fn entry(file: &[u8], name: &str) -> Option<Vec<String>> {
    let lines = file.split(|&byte| byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
    let mut entries = lines.map(|line| line.split(':').map(str::to_owned).collect::<Vec<String>>());
    entries.find(|fields| fields.first().is_some_and(|first| first == name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_by_name_and_by_number() {
        let passwd = b"root:x:0:0::/:/bin/sh\nweb:x:33:34::/:/bin/false\n";
        let group = b"root:x:0:\nlog:x:4:\n";
        let of = |text: &str| Account::resolve(text, passwd, group).ok().map(|who| (who.uid, who.gids));
        assert_eq!(of("web"), Some((33, vec![34])));
        assert_eq!(of("web:log:root"), Some((33, vec![4, 0])));
        assert_eq!((of(":5"), of(":5:6:7")), (Some((5, vec![5])), Some((5, vec![6, 7]))));
        assert_eq!((of("nobody"), of("web:none"), of(":x"), of("")), (None, None, None, None));
    }
}
