//! `Nats-Request-Info`: who asks. The server writes it where a request passes into another account; what clients write there is taken
//! away, so that a responder can trust it.

use super::client::{Client, Peer};
use super::json::quote;
use interfaces::time::rfc3339;
use nats_proto::encode;
use std::time::SystemTime;

const KEY: &[u8] = b"Nats-Request-Info";

/// Copies a header block without its lines that could be taken for [`KEY`]: in any letters, with blanks around, after any kind of line
/// end. Returns false, and copies nothing, when there is none.
pub(super) fn strip(block: &[u8], out: &mut Vec<u8>) -> bool {
    if !lines(block).any(is_ours) {
        return false;
    }
    out.clear();
    lines(block).filter(|line| !is_ours(line)).for_each(|line| out.extend_from_slice(line));
    true
}

/// The lines of the block, each with its end: CR LF, or one of them alone, which some readers take for a line end, too.
fn lines(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = block;
    std::iter::from_fn(move || {
        let end = rest.iter().position(|&byte| byte == b'\r' || byte == b'\n').map_or(rest.len(), |end| end + 1);
        let end = end + usize::from(rest.get(end.saturating_sub(1)..).is_some_and(|end| end.starts_with(b"\r\n")));
        let (line, after) = rest.split_at_checked(end)?;
        rest = after;
        (!line.is_empty()).then_some(line)
    })
}

fn is_ours(line: &[u8]) -> bool {
    // Most lines are told by length and first letters.
    line.len() > KEY.len() && {
        let (key, rest) = line.trim_ascii_start().split_at_checked(KEY.len()).unwrap_or_default();
        key.eq_ignore_ascii_case(KEY) && rest.trim_ascii_start().first() == Some(&b':')
    }
}

/// Who asks, and how much of it may be told.
pub(super) struct Asker<'a> {
    pub(super) client: &'a Client,
    /// Its user on this machine, where there is no doubt.
    pub(super) uid: Option<u32>,
    /// Name of its account.
    pub(super) account: &'a str,
    /// Name of the last account that it was passed on by.
    pub(super) service: Option<&'a str>,
    /// Tell more than the account.
    pub(super) share: bool,
    pub(super) server: &'a str,
    /// When it connected.
    pub(super) start: SystemTime,
}

/// Writes a header block: `before` and the line that tells about the asker.
pub(super) fn write(out: &mut Vec<u8>, before: &[u8], asker: &Asker<'_>) {
    let body = before.strip_suffix(b"\r\n").filter(|body| body.starts_with(b"NATS/1.0") && body.ends_with(b"\r\n"));
    out.clear();
    out.extend_from_slice(body.unwrap_or(b"NATS/1.0\r\n"));
    out.extend_from_slice(KEY);
    out.extend_from_slice(b": ");
    asker.write(out);
    out.extend_from_slice(b"\r\n\r\n");
}

impl Asker<'_> {
    /// What the kernel says, where there is no doubt; not in the reference.
    fn sure_facts(&self, out: &mut Vec<u8>) {
        if let Some(uid) = self.uid {
            number(out, "uid", u64::from(uid));
        }
        let Some(facts) = self.client.local.as_deref() else { return };
        if let Some(gid) = facts.gid {
            number(out, "gid", u64::from(gid));
        }
        if let Some(pid) = facts.pid {
            number(out, "pid", u64::from(pid));
        }
    }

    /// The JSON, keys in the reference's order.
    pub(super) fn write(&self, out: &mut Vec<u8>) {
        let client = self.client;
        out.push(b'{');
        if self.share {
            text(out, "start", &rfc3339(self.start));
            match client.peer {
                Peer::Tcp(address) => text(out, "host", &address.ip().to_canonical().to_string()),
                Peer::Unix { .. } => {}
            }
            self.sure_facts(out);
            number(out, "id", client.id);
        }
        text(out, "acc", self.account);
        self.service.into_iter().for_each(|service| text(out, "svc", service));
        if self.share {
            client.user.iter().for_each(|user| text(out, "user", user));
            if let Some(about) = &client.about {
                [("name", &about.name), ("lang", &about.lang), ("ver", &about.version)]
                    .into_iter()
                    .filter(|(_, value)| !value.is_empty())
                    .for_each(|(name, value)| text(out, name, value));
            }
        }
        if let Some(round_trip) = client.round_trip {
            number(out, "rtt", u64::try_from(round_trip.as_nanos()).unwrap_or(u64::MAX));
        }
        if self.share {
            text(out, "server", self.server);
            text(out, "kind", "Client");
            text(out, "client_type", "nats");
        }
        out.push(b'}');
    }
}

fn key(out: &mut Vec<u8>, name: &str) {
    if out.last() != Some(&b'{') {
        out.push(b',');
    }
    quote(out, name);
    out.push(b':');
}

fn text(out: &mut Vec<u8>, name: &str, value: &str) {
    key(out, name);
    quote(out, value);
}

fn number(out: &mut Vec<u8>, name: &str, value: u64) {
    key(out, name);
    encode::decimal(out, value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_says_of_itself_is_taken_away_however_it_is_written() {
        let table: [(&[u8], Option<&[u8]>); 9] = [
            (b"NATS/1.0\r\nA: 1\r\n\r\n", None),
            (b"NATS/1.0\r\nNats-Request-Info: x\r\n\r\n", Some(b"NATS/1.0\r\n\r\n")),
            (b"NATS/1.0\r\nA: 1\r\nnats-request-INFO:x\r\nB: 2\r\n\r\n", Some(b"NATS/1.0\r\nA: 1\r\nB: 2\r\n\r\n")),
            (b"NATS/1.0\nNats-Request-Info:x\nB: 2\n\n", Some(b"NATS/1.0\nB: 2\n\n")),
            (b"NATS/1.0\r\n \tNats-Request-Info \t: x\r\n\r\n", Some(b"NATS/1.0\r\n\r\n")),
            (b"NATS/1.0\r\nA: Nats-Request-Info: x\r\n\r\n", None),
            (b"NATS/1.0\r\nA: 1\rNats-Request-Info: x\r\n\r\n", Some(b"NATS/1.0\r\nA: 1\r\r\n")),
            (b"NATS/1.0\r\nNats-Request-Info\r\n\r\n", None),
            (b"Nats-Request-Info:", Some(b"")),
        ];
        let mut out = Vec::new();
        for (block, expected) in table {
            assert_eq!(strip(block, &mut out).then_some(&*out), expected, "{}", block.escape_ascii());
        }
    }
}
