//! The header of RFC 5424, after `<pri>1 `.

use crate::message::{Format, Message, Reason};
use crate::scan::Scan;
use crate::structured::Elements;
use crate::time::{self, Time};

/// What a text in UTF-8 may begin with.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

pub(crate) fn parse(mut scan: Scan<'_>, priority: u8) -> Result<Message<'_>, Reason> {
    header(&mut scan, priority).ok_or(Reason::BadHeader).and_then(|message| body(scan, message))
}

fn header<'a>(scan: &mut Scan<'a>, priority: u8) -> Option<Message<'a>> {
    let mut message = Message { format: Format::Rfc5424, ..Message::new(priority, b"") };
    if scan.byte(b'-').is_none() {
        message.time = Some(Time::Full(time::full(scan)?));
    }
    message.host = field(scan)?;
    message.program = field(scan)?;
    if let Some(process) = field(scan)? {
        message.set_process(process);
    }
    message.message_id = field(scan)?;
    scan.byte(b' ')?;
    Some(message)
}

/// A blank and a word; `-` stands for none.
fn field<'a>(scan: &mut Scan<'a>) -> Option<Option<&'a [u8]>> {
    scan.byte(b' ')?;
    let word = scan.some(|byte| byte.is_ascii_graphic() || byte >= 0x80)?;
    Some((word != b"-").then_some(word))
}

fn body<'a>(mut scan: Scan<'a>, mut message: Message<'a>) -> Result<Message<'a>, Reason> {
    if scan.byte(b'-').is_none() {
        message.structured = Elements::take(&mut scan).ok_or(Reason::BadStructuredData)?;
    }
    if !scan.rest().is_empty() {
        scan.byte(b' ').ok_or(Reason::BadStructuredData)?;
    }
    let text = scan.rest();
    message.text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    Ok(message)
}
