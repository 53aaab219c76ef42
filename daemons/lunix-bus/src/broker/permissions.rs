//! What a user may publish and subscribe to.
//!
//! A subscription is allowed when one allowed pattern holds every subject it stands for: a true subset test. The reference looks its
//! pattern up as if it were a subject, so that whoever may subscribe to `bar.*` gets `bar.>`, and `bar.a.b` with it; here it is
//! refused.

use super::kinds::ConnectionKinds;
use nats_subject::{is_literal, is_subset, is_valid_subscription, matches};
use reactor::Instant;
use std::collections::VecDeque;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// Replies a client may still give at one time; the oldest is forgotten for one more.
const REPLIES_MAX: usize = 1024;
/// Longer reply subjects are not remembered.
const REPLY_LEN_MAX: usize = 256;

/// One who may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Name.
    pub name: String,
    /// Password: as plain text, or its bcrypt hash.
    pub password: String,
    /// The user has no password: only a certificate proves who it is.
    pub by_certificate: bool,
    /// The name is a public key, and a signature proves who it is, not a password.
    pub by_key: bool,
    /// How it may connect.
    pub kinds: ConnectionKinds,
    /// Name of its account.
    pub account: Rc<str>,
    /// What the user may do; `None`: everything.
    pub permissions: Option<Rc<Permissions>>,
}

/// What may be published and subscribed to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions {
    /// For publishing.
    pub publish: Rule,
    /// For subscribing.
    pub subscribe: Rule,
    /// Whether replies to received requests may be published, too.
    pub responses: Option<Responses>,
}

/// Allowed and denied subjects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rule {
    /// `None`: everything that is not denied.
    pub allow: Option<Vec<Clause>>,
    /// Denied even where it is allowed.
    pub deny: Vec<Clause>,
}

/// A pattern of subjects, for subscriptions also of a queue group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    subject: Vec<u8>,
    queue: Option<Vec<u8>>,
}

/// How replies are allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Responses {
    /// Messages in reply to one request; `None`: any number.
    pub max: Option<u32>,
    /// How long after the request; `None`: for ever.
    pub expires: Option<Duration>,
}

impl Clause {
    /// Reads `subject`, or `subject queue` where `queues` are possible. `None` when it is not valid.
    #[must_use]
    pub fn parse(text: &str, queues: bool) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let (subject, queue) = (words.next()?.as_bytes().to_vec(), words.next().map(|word| word.as_bytes().to_vec()));
        let valid = is_valid_subscription(&subject) && words.next().is_none() && (queues || queue.is_none());
        valid.then_some(Self { subject, queue })
    }

    /// The pattern alone.
    #[must_use]
    pub fn subject(&self) -> &[u8] {
        &self.subject
    }

    fn has_queue(&self, queue: &[u8]) -> bool {
        self.queue.as_deref().is_some_and(|pattern| matches(pattern, queue))
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.subject))?;
        match &self.queue {
            Some(queue) => write!(f, " {}", String::from_utf8_lossy(queue)),
            None => Ok(()),
        }
    }
}

impl Rule {
    /// True when a message may go to, or come from, `subject`.
    pub(crate) fn allows(&self, subject: &[u8]) -> bool {
        let plain = |clause: &Clause| clause.queue.is_none() && matches(&clause.subject, subject);
        self.allow.as_ref().is_none_or(|allow| allow.iter().any(plain)) && !self.denies(subject)
    }

    /// True when `subject` is denied.
    pub(crate) fn denies(&self, subject: &[u8]) -> bool {
        self.deny.iter().any(|clause| clause.queue.is_none() && matches(&clause.subject, subject))
    }

    /// True when one may subscribe to `pattern`. A pattern wider than what is denied is allowed; see [`Rule::is_filtered`].
    fn allows_subscription(&self, pattern: &[u8], queue: Option<&[u8]>) -> bool {
        let denied = |clause: &Clause| match (&clause.queue, queue) {
            (None, _) => matches(&clause.subject, pattern),
            (Some(_), Some(queue)) => clause.has_queue(queue) && matches(&clause.subject, pattern),
            (Some(_), None) => false,
        };
        if self.deny.iter().any(denied) {
            return false;
        }
        let Some(allow) = &self.allow else { return true };
        if !is_valid_subscription(pattern) {
            return false;
        }
        let mut around = allow.iter().filter(|clause| is_subset(pattern, &clause.subject));
        match queue {
            None => around.any(|clause| clause.queue.is_none()),
            // Where the subject is given to certain groups only, no other group gets it.
            Some(queue) if around.clone().any(|clause| clause.queue.is_some()) => {
                around.any(|clause| clause.has_queue(queue))
            }
            Some(_) => around.next().is_some(),
        }
    }

    /// True when messages for a subscription must be looked at one by one, because some of them may be denied.
    fn is_filtered(&self, pattern: &[u8]) -> bool {
        !is_literal(pattern) && self.deny.iter().any(|clause| clause.queue.is_none())
    }
}

/// What the check of a subscription found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Refused,
    Allowed,
    /// Allowed, but each message is to be checked.
    Filtered,
}

/// What one client may do.
#[derive(Debug, Default)]
pub(crate) struct Granted {
    permissions: Rc<Permissions>,
    replies: VecDeque<Reply>,
    /// The last subject that was allowed: most publish to the same one again.
    last: Vec<u8>,
}

#[derive(Debug)]
struct Reply {
    subject: Box<[u8]>,
    left: Option<u32>,
    until: Option<Instant>,
}

impl Granted {
    pub(crate) fn new(permissions: Rc<Permissions>) -> Self {
        Self { permissions, ..Self::default() }
    }

    /// What was granted.
    pub(crate) fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    pub(crate) fn may_publish(&mut self, now: Instant, subject: &[u8]) -> bool {
        if !subject.is_empty() && self.last == subject {
            return true;
        }
        if self.permissions.publish.allows(subject) {
            self.last.clear();
            self.last.extend_from_slice(subject);
            return true;
        }
        self.may_reply(now, subject)
    }

    fn may_reply(&mut self, now: Instant, subject: &[u8]) -> bool {
        self.replies.retain(|reply| reply.until.is_none_or(|until| now < until));
        let Some(place) = self.replies.iter().position(|reply| *reply.subject == *subject) else { return false };
        let Some(reply) = self.replies.get_mut(place) else { return false };
        reply.left = reply.left.map(|left| left.saturating_sub(1));
        if reply.left == Some(0) {
            self.replies.remove(place);
        }
        true
    }

    /// The client got a request: it may answer.
    #[inline]
    pub(crate) fn note_request(&mut self, now: Instant, reply: Option<&[u8]>) {
        let (Some(responses), Some(reply)) = (self.permissions.responses, reply) else { return };
        if reply.len() > REPLY_LEN_MAX {
            return;
        }
        if self.replies.len() >= REPLIES_MAX {
            self.replies.pop_front();
        }
        let until = responses.expires.map(|expires| now + expires);
        self.replies.push_back(Reply { subject: reply.into(), left: responses.max, until });
    }

    pub(crate) fn check_subscription(&self, pattern: &[u8], queue: Option<&[u8]>) -> Verdict {
        let rule = &self.permissions.subscribe;
        match (rule.allows_subscription(pattern, queue), rule.is_filtered(pattern)) {
            (false, _) => Verdict::Refused,
            (true, false) => Verdict::Allowed,
            (true, true) => Verdict::Filtered,
        }
    }

    pub(crate) fn may_receive(&self, subject: &[u8]) -> bool {
        !self.permissions.subscribe.denies(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(allow: Option<&[&str]>, deny: &[&str]) -> Rule {
        let clauses = |list: &[&str]| list.iter().map(|text| Clause::parse(text, true).unwrap()).collect();
        Rule { allow: allow.map(clauses), deny: clauses(deny) }
    }

    #[test]
    fn a_subscription_must_be_inside_what_is_allowed() {
        let rule = rule(Some(&["s.>", "bar.*", "qq q1", "w v.*"]), &["s.no", "s.no2.*", "s.q bad"]);
        let table: [(&str, Option<&str>, bool); 17] = [
            ("s.a", None, true),
            ("s.>", None, true),
            ("s.*", None, true),
            ("s.no", None, false),
            ("s.no2.*", None, false),
            ("s.no2.>", None, false),
            (">", None, false),
            ("*", None, false),
            ("bar.*", None, true),
            ("bar.>", None, false),
            ("bar.a.b", None, false),
            ("qq", None, false),
            ("qq", Some("q1"), true),
            ("qq", Some("q2"), false),
            ("w", Some("v.1"), true),
            ("s.q", Some("bad"), false),
            ("s.q", Some("good"), true),
        ];
        for (pattern, queue, expected) in table {
            let allowed = rule.allows_subscription(pattern.as_bytes(), queue.map(str::as_bytes));
            assert_eq!(allowed, expected, "{pattern} {queue:?}");
        }
        assert!(rule.is_filtered(b"s.>") && !rule.is_filtered(b"s.a"));
        assert!(rule.allows(b"s.yes") && !rule.allows(b"s.no2.x") && !rule.allows(b"qq"));
    }

    #[test]
    fn replies_are_allowed_once_and_for_a_while() {
        let responses = Responses { max: Some(2), expires: Some(Duration::from_secs(1)) };
        let permissions =
            Permissions { publish: rule(Some(&[]), &[]), responses: Some(responses), ..Permissions::default() };
        let mut granted = Granted::new(permissions.into());
        let now = Instant::from_nanos(5);
        assert!(!granted.may_publish(now, b"r"));
        granted.note_request(now, Some(b"r"));
        assert!(granted.may_publish(now, b"r") && granted.may_publish(now, b"r") && !granted.may_publish(now, b"r"));
        granted.note_request(now, Some(b"r"));
        assert!(!granted.may_publish(now + Duration::from_secs(1), b"r"));
        for number in 0..REPLIES_MAX + 10 {
            granted.note_request(now, Some(number.to_string().as_bytes()));
        }
        assert!(
            granted.replies.len() == REPLIES_MAX
                && !granted.may_publish(now, b"1")
                && granted.may_publish(now, b"1000")
        );
    }
}
