//! Which subjects may cross a link.

use super::greeting::Greeting;
use super::remote::Remote;
use nats_subject::{is_literal, is_subset, matches, overlaps};

/// Subjects of streams that belong to whoever stores them: without a store here, they neither leave nor enter.
const STORED: [&[u8]; 3] = [b"$JS.API.>", b"$KV.>", b"$OBJ.>"];

/// How a subject begins that detects loops.
pub(crate) const LOOP_PREFIX: &[u8] = b"$LDS.";
/// How a reply begins that a gateway has rewritten, and where the subject proper then begins.
const GATEWAY: [(&[u8], usize); 2] = [(b"_GR_.", 19), (b"$GR.", 9)];

/// Allowed and denied patterns.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Rule {
    /// `None`: everything that is not denied.
    allow: Option<Vec<Vec<u8>>>,
    deny: Vec<Vec<u8>>,
}

impl Rule {
    fn new(told: Option<&super::greeting::Subjects>, denied: &[crate::broker::Clause]) -> Self {
        let patterns = |list: &Option<Vec<String>>| -> Vec<Vec<u8>> {
            list.iter().flatten().map(|pattern| pattern.as_bytes().to_vec()).collect()
        };
        let allow = told.map(|told| patterns(&told.allow)).filter(|allow| !allow.is_empty());
        let mut deny = told.map(|told| patterns(&told.deny)).unwrap_or_default();
        deny.extend(denied.iter().map(|clause| clause.subject().to_vec()));
        deny.extend(STORED.iter().map(|pattern| pattern.to_vec()));
        Self { allow, deny }
    }

    fn allows(&self, subject: &[u8]) -> bool {
        let among = |list: &[Vec<u8>]| list.iter().any(|pattern| matches(pattern, subject));
        self.allow.as_deref().is_none_or(among) && !among(&self.deny)
    }

    /// Whether interest in `pattern` is worth announcing: the hub prunes what is wider than allowed.
    fn allows_interest(&self, pattern: &[u8]) -> bool {
        let wanted = |list: &Vec<Vec<u8>>| list.iter().any(|allowed| overlaps(allowed, pattern));
        self.allow.as_ref().is_none_or(wanted) && !self.deny.iter().any(|denied| is_subset(pattern, denied))
    }
}

/// What may come in and go out over one link: the hub's permissions for us, less what we deny ourselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rights {
    import: Rule,
    export: Rule,
}

impl Rights {
    /// Those of a link to `remote` whose hub said `greeting`.
    #[must_use]
    pub fn new(remote: &Remote, greeting: &Greeting) -> Self {
        Self {
            import: Rule::new(greeting.import.as_ref(), &remote.deny_imports),
            export: Rule::new(greeting.export.as_ref(), &remote.deny_exports),
        }
    }

    /// Whether a message from the hub is taken.
    #[must_use]
    pub fn may_enter(&self, subject: &[u8]) -> bool {
        self.import.allows(subject)
    }

    /// Whether a message goes to the hub.
    #[must_use]
    pub fn may_leave(&self, subject: &[u8]) -> bool {
        self.export.allows(proper(subject))
    }

    /// Whether the hub learns that somebody here wants `pattern`.
    #[must_use]
    pub fn may_announce(&self, pattern: &[u8]) -> bool {
        is_of_servers(pattern) || self.import.allows_interest(pattern)
    }

    /// Whether the hub's interest in `pattern` counts.
    #[must_use]
    pub fn may_want(&self, pattern: &[u8]) -> bool {
        is_of_servers(pattern) || !is_literal(pattern) || self.export.allows(pattern)
    }
}

/// Subjects by which servers find loops and gateways their way back: no permission is about them.
fn is_of_servers(pattern: &[u8]) -> bool {
    pattern.starts_with(LOOP_PREFIX) || GATEWAY.iter().any(|(prefix, _)| pattern.starts_with(prefix))
}

/// The subject as its sender wrote it.
fn proper(subject: &[u8]) -> &[u8] {
    let rewritten = GATEWAY.iter().find(|(prefix, _)| subject.starts_with(prefix));
    rewritten.and_then(|&(_, start)| subject.get(start..)).unwrap_or(subject)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Clause;

    fn rights(greeting: &str) -> Rights {
        let mut remote = Remote::new(Vec::new(), "$G");
        remote.deny_imports = vec![Clause::parse("di.>", false).unwrap()];
        remote.deny_exports = vec![Clause::parse("de.>", false).unwrap()];
        Rights::new(&remote, &Greeting::parse(greeting.as_bytes()).unwrap())
    }

    #[test]
    fn what_is_denied_here_crosses_in_no_direction() {
        let rights = rights("{}");
        for (subject, enters, leaves) in [
            ("a", true, true),
            ("di.x", false, true),
            ("de.x", true, false),
            ("$JS.API.INFO", false, false),
            ("$KV.b.k", false, false),
            ("$OBJ.b", false, false),
            ("$JS.ACK.x", true, true),
            ("$SYS.x", true, true),
            ("_GR_.abcdef.ghijkl.de.x", true, false),
            ("_GR_.abcdef.ghijkl.a", true, true),
            ("$GR.abcd.de.x", true, false),
        ] {
            let subject = subject.as_bytes();
            assert_eq!(
                (rights.may_enter(subject), rights.may_leave(subject)),
                (enters, leaves),
                "{}",
                subject.escape_ascii()
            );
        }
        for (pattern, announced) in [
            ("a", true),
            (">", true),
            ("di.x", false),
            ("di.>", false),
            ("*.x", true),
            ("$JS.API.x", false),
            ("$JS.>", true),
            ("$KV.a", false),
            ("$LDS.x", true),
            ("_GR_.x", true),
        ] {
            assert_eq!(rights.may_announce(pattern.as_bytes()), announced, "{pattern}");
        }
        assert!(!rights.may_want(b"de.x") && rights.may_want(b"de.*") && rights.may_want(b"$LDS.x"));
    }

    #[test]
    fn what_the_hub_permits_is_kept_to() {
        let rights = rights(r#"{"import":{"allow":["im.>"],"deny":["im.no"]},"export":{"allow":["ex.>"]}}"#);
        for (pattern, announced) in [
            ("im.a", true),
            ("im.>", true),
            ("zz", false),
            ("*.a", true),
            ("im.no", false),
            (">", true),
            ("di.a", false),
        ] {
            assert_eq!(rights.may_announce(pattern.as_bytes()), announced, "{pattern}");
        }
        assert!(rights.may_enter(b"im.a") && !rights.may_enter(b"im.no") && !rights.may_enter(b"zz"));
        assert!(rights.may_leave(b"ex.a") && !rights.may_leave(b"zz"));
    }
}
