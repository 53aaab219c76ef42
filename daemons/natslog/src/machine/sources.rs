//! Where lines come from: the names of sources, and how many lines each may send.

use super::Origin;
use daemon::Instant;
use nats_subject::encode_token;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Sources that are known at a time. Of more, the one that has been silent for longest is forgotten, and with it how much it may send.
const SOURCES_MAX: usize = 1024;

/// Bytes of the name of a service that count; those of lunix-init have at most 64.
const NAME_MAX: usize = 80;

/// The source of what natslog itself has to say.
pub const OWN: &str = "natslog";

/// Words that a service cannot have as its source.
const RESERVED: [&str; 6] = ["auth", "bus", "in", "kernel", OWN, "tail"];

/// What such a service has in front of its name; and the words that no other source begins with.
const SERVICE: &str = "service-";
const PREFIXES: [&str; 3] = [SERVICE, "user-", "remote-"];

/// How many lines a source may send: so many at once, and then so many a second. `lines_per_s` 0: as many as it likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Lines a second.
    pub lines_per_s: u32,
    /// Lines at once.
    pub burst_lines: u32,
}

#[derive(Debug, Default)]
struct Source {
    /// When its bucket is full again.
    full_at: Instant,
    /// Lines that were dropped since the last report.
    dropped: u64,
    /// When it was last heard.
    heard_at: Instant,
}

/// The sources that were heard.
#[derive(Debug)]
pub(super) struct Sources {
    known: BTreeMap<Box<str>, Source>,
    limit: Limit,
    /// The name that [`Self::admit`] found last.
    name: String,
}

impl Sources {
    pub(super) fn new(limit: Limit) -> Self {
        Self { known: BTreeMap::new(), limit, name: String::new() }
    }

    pub(super) fn set_limit(&mut self, limit: Limit) {
        self.limit = limit;
    }

    /// Whether a line from there may pass now; its name is [`Self::name`] then. The kernel's lines and our own always may.
    pub(super) fn admit(&mut self, now: Instant, origin: &Origin<'_>) -> bool {
        name(origin, &mut self.name);
        let limit = self.limit;
        if limit.lines_per_s == 0 || matches!(origin, Origin::Kernel | Origin::Own) {
            return true;
        }
        let source = match self.known.get_mut(self.name.as_str()) {
            Some(source) => source,
            None => {
                self.make_room();
                self.known.entry(self.name.as_str().into()).or_default()
            }
        };
        source.heard_at = now;
        let each = Duration::from_secs(1) / limit.lines_per_s;
        let full_at = source.full_at.max(now) + each;
        if full_at.since(now) > each * limit.burst_lines {
            source.dropped += 1;
            return false;
        }
        source.full_at = full_at;
        true
    }

    /// The token of the source that was asked for last.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The sources of which lines were dropped since the last call, and how many.
    pub(super) fn take_dropped(&mut self) -> Vec<(Box<str>, u64)> {
        let dropped = self.known.iter_mut().filter(|(_, source)| source.dropped > 0);
        dropped.map(|(name, source)| (name.clone(), std::mem::take(&mut source.dropped))).collect()
    }

    fn make_room(&mut self) {
        if self.known.len() < SOURCES_MAX {
            return;
        }
        // One whose dropped lines were not reported yet is kept as long as there is another.
        let silent = self.known.iter().min_by_key(|(_, source)| (source.dropped > 0, source.heard_at));
        if let Some(name) = silent.map(|(name, _)| name.clone()) {
            self.known.remove(&name);
        }
    }
}

/// Writes the token of a source.
fn name(origin: &Origin<'_>, name: &mut String) {
    name.clear();
    match origin {
        Origin::Kernel => name.push_str("kernel"),
        Origin::Bus => name.push_str("bus"),
        Origin::Own => name.push_str(OWN),
        // Writing to a string does not fail.
        Origin::User { uid, .. } => {
            let _ = write!(name, "user-{uid}");
        }
        Origin::Remote(address) => {
            name.push_str("remote-");
            name.push_str(&encode_token(address.to_string().as_bytes()));
        }
        Origin::Service(service) => name.push_str(&service_token(service)),
    }
}

/// The token of a service's name, which is that of nothing else. Most names are their own.
fn service_token(name: &str) -> Cow<'_, str> {
    let bytes = name.as_bytes();
    let bytes = bytes.get(..NAME_MAX).unwrap_or(bytes);
    if RESERVED.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix)) {
        return format!("{SERVICE}{}", encode_token(bytes)).into();
    }
    let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_".contains(byte);
    if !bytes.is_empty() && bytes.len() == name.len() && bytes.iter().all(is_token) {
        return name.into();
    }
    encode_token(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(origin: &Origin<'_>) -> String {
        let mut text = String::new();
        name(origin, &mut text);
        text
    }

    fn at(millis: u64) -> Instant {
        Instant::from_nanos(1_000_000_000 + millis * 1_000_000)
    }

    #[test]
    fn a_service_never_has_the_name_of_another_source() {
        let service = |name: &'static str| named(&Origin::Service(name.into()));
        assert_eq!((service("sshd"), service("web@1")), ("sshd".into(), "web%401".into()));
        assert_eq!((service("kernel"), service("user-0")), ("service-kernel".into(), "service-user-0".into()));
        assert_eq!((service("users"), service("service-bus")), ("users".into(), "service-service-bus".into()));
        assert_eq!((service("auth"), service("")), ("service-auth".into(), "%".into()));
        assert_eq!(named(&Origin::User { uid: 1000, pid: 7 }), "user-1000");
        assert_eq!(named(&Origin::Remote("fe80::1".parse().unwrap())), "remote-fe80%3A%3A1");
        assert_eq!((named(&Origin::Kernel), named(&Origin::Bus)), ("kernel".into(), "bus".into()));
    }

    #[test]
    fn a_burst_passes_then_so_many_a_second_and_each_source_counts_alone() {
        let mut sources = Sources::new(Limit { lines_per_s: 10, burst_lines: 5 });
        let (one, other) = (Origin::User { uid: 1, pid: 1 }, Origin::User { uid: 2, pid: 1 });
        let passed =
            |sources: &mut Sources, now, origin: &Origin<'_>| (0..20).filter(|_| sources.admit(now, origin)).count();
        assert_eq!((passed(&mut sources, at(0), &one), passed(&mut sources, at(0), &other)), (5, 5));
        assert_eq!(passed(&mut sources, at(200), &one), 2);
        assert_eq!(passed(&mut sources, at(60_000), &one), 5);
        assert_eq!(sources.take_dropped(), [("user-1".into(), 48), ("user-2".into(), 15)]);
        assert_eq!(sources.take_dropped(), []);
        assert_eq!(passed(&mut sources, at(60_000), &Origin::Kernel), 20);
        sources.set_limit(Limit { lines_per_s: 0, burst_lines: 5 });
        assert_eq!(passed(&mut sources, at(60_000), &one), 20);
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_silent() {
        let mut sources = Sources::new(Limit { lines_per_s: 1, burst_lines: 1 });
        for uid in 0..2000 {
            assert!(sources.admit(at(u64::from(uid)), &Origin::User { uid, pid: 1 }));
        }
        assert_eq!(sources.known.len(), SOURCES_MAX);
        assert!(!sources.admit(at(2000), &Origin::User { uid: 1999, pid: 1 }));
    }
}
