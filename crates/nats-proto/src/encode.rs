//! Writes the protocol, appending to a buffer the caller owns and may use again.
//!
//! Nothing is checked here: a subject with a blank or a line feed makes another frame of it. Validate with `nats-subject` what comes
//! from outside.
//!
//! ```
//! let mut out = Vec::new();
//! nats_proto::encode::publish(&mut out, "ps.calibre", Some(b"_INBOX.1"), b"", b"");
//! assert_eq!(out, b"PUB ps.calibre _INBOX.1 0\r\n\r\n");
//! ```

use crate::Decimal;
use alloc::vec::Vec;

/// A line end.
pub const CRLF: &[u8] = b"\r\n";

/// Appends `CONNECT`. `json`: the client's options, one line.
pub fn connect(out: &mut Vec<u8>, json: impl AsRef<[u8]>) {
    line(out, b"CONNECT ", json.as_ref(), b"");
}

/// Appends `PING`.
pub fn ping(out: &mut Vec<u8>) {
    out.extend_from_slice(b"PING\r\n");
}

/// Appends `PONG`.
pub fn pong(out: &mut Vec<u8>) {
    out.extend_from_slice(b"PONG\r\n");
}

/// Appends `PUB`, or `HPUB` when `headers` (a block as [`crate::headers`] makes it) is not empty.
pub fn publish(
    out: &mut Vec<u8>,
    subject: impl AsRef<[u8]>,
    reply: Option<&[u8]>,
    headers: &[u8],
    payload: impl AsRef<[u8]>,
) {
    let payload = payload.as_ref();
    out.extend_from_slice(if headers.is_empty() { b"PUB " } else { b"HPUB " });
    out.extend_from_slice(subject.as_ref());
    body(out, reply, headers, payload);
}

/// Appends `SUB`. `sid`: the number under which messages will arrive.
pub fn subscribe(out: &mut Vec<u8>, subject: impl AsRef<[u8]>, queue: Option<&[u8]>, sid: u64) {
    out.extend_from_slice(b"SUB ");
    out.extend_from_slice(subject.as_ref());
    out.push(b' ');
    if let Some(queue) = queue {
        out.extend_from_slice(queue);
        out.push(b' ');
    }
    decimal(out, sid);
    out.extend_from_slice(CRLF);
}

/// Appends `UNSUB`. `max`: end after so many messages in total since SUB; now when absent.
pub fn unsubscribe(out: &mut Vec<u8>, sid: u64, max: Option<u64>) {
    out.extend_from_slice(b"UNSUB ");
    decimal(out, sid);
    if let Some(max) = max {
        out.push(b' ');
        decimal(out, max);
    }
    out.extend_from_slice(CRLF);
}

/// Appends `INFO`. `json`: the server's description, one line. A blank precedes the line end, as the reference server has it.
pub fn info(out: &mut Vec<u8>, json: impl AsRef<[u8]>) {
    line(out, b"INFO ", json.as_ref(), b" ");
}

/// Appends `+OK`.
pub fn ok(out: &mut Vec<u8>) {
    out.extend_from_slice(b"+OK\r\n");
}

/// Appends `-ERR` with `text` in quotes.
pub fn err(out: &mut Vec<u8>, text: impl AsRef<[u8]>) {
    line(out, b"-ERR '", text.as_ref(), b"'");
}

/// Appends `MSG`, or `HMSG` when `headers` is not empty. `sid`: the subscriber's own name for the subscription.
pub fn message(out: &mut Vec<u8>, subject: &[u8], sid: &[u8], reply: Option<&[u8]>, headers: &[u8], payload: &[u8]) {
    out.extend_from_slice(if headers.is_empty() { b"MSG " } else { b"HMSG " });
    out.extend_from_slice(subject);
    out.push(b' ');
    out.extend_from_slice(sid);
    body(out, reply, headers, payload);
}

/// Appends `LS+`: what a leaf node wants. `queue`: the group and how many members of it there are.
pub fn interest(out: &mut Vec<u8>, subject: &[u8], queue: Option<(&[u8], u32)>) {
    out.extend_from_slice(b"LS+ ");
    out.extend_from_slice(subject);
    if let Some((queue, weight)) = queue {
        for part in [b" ", queue, b" ", Decimal::new(u64::from(weight)).as_bytes()] {
            out.extend_from_slice(part);
        }
    }
    out.extend_from_slice(CRLF);
}

/// Appends `LS-`: what a leaf node does not want any more.
pub fn no_interest(out: &mut Vec<u8>, subject: &[u8], queue: Option<&[u8]>) {
    out.extend_from_slice(b"LS- ");
    out.extend_from_slice(subject);
    if let Some(queue) = queue {
        out.push(b' ');
        out.extend_from_slice(queue);
    }
    out.extend_from_slice(CRLF);
}

/// Appends the control line of `LMSG`, or of a leaf node's `HMSG` when there are headers; headers, payload and CR LF follow it.
/// `queues`: the groups on the other side that are to deliver the message. Lengths in bytes.
pub fn leaf_message<'a>(
    out: &mut Vec<u8>,
    subject: &[u8],
    reply: Option<&'a [u8]>,
    queues: impl IntoIterator<Item = &'a [u8]>,
    headers_len: usize,
    payload_len: usize,
) {
    out.extend_from_slice(if headers_len == 0 { b"LMSG " } else { b"HMSG " });
    out.extend_from_slice(subject);
    out.push(b' ');
    let mut queues = queues.into_iter().peekable();
    match (queues.peek().is_some(), reply.is_some()) {
        (true, true) => out.extend_from_slice(b"+ "),
        (true, false) => out.extend_from_slice(b"| "),
        (false, _) => {}
    }
    for field in reply.into_iter().chain(queues) {
        out.extend_from_slice(field);
        out.push(b' ');
    }
    if headers_len > 0 {
        decimal(out, headers_len as u64);
        out.push(b' ');
    }
    decimal(out, (headers_len + payload_len) as u64);
    out.extend_from_slice(CRLF);
}

/// Appends `number` in decimal.
pub fn decimal(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(Decimal::new(number).as_bytes());
}

fn line(out: &mut Vec<u8>, before: &[u8], text: &[u8], after: &[u8]) {
    for part in [before, text, after, CRLF] {
        out.extend_from_slice(part);
    }
}

/// Appends what PUB, HPUB, MSG and HMSG have in common after their subject or sid.
fn body(out: &mut Vec<u8>, reply: Option<&[u8]>, headers: &[u8], payload: &[u8]) {
    out.push(b' ');
    if let Some(reply) = reply {
        out.extend_from_slice(reply);
        out.push(b' ');
    }
    if !headers.is_empty() {
        decimal(out, headers.len() as u64);
        out.push(b' ');
    }
    decimal(out, (headers.len() + payload.len()) as u64);
    for part in [CRLF, headers, payload, CRLF] {
        out.extend_from_slice(part);
    }
}
