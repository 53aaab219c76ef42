//! RFC 3164 and what is written in the world instead of it, after `<pri>`.

use crate::message::{Message, Origin};
use crate::scan::Scan;
use crate::time::{self, Time};

/// Longer words are no tag.
const TAG_MAX: usize = 64;

pub(crate) fn parse(mut scan: Scan<'_>, priority: u8, origin: Origin) -> Message<'_> {
    sequence(&mut scan);
    let time = time::full(&mut scan).map(Time::Full).or_else(|| time::local(&mut scan));
    let mut host = None;
    if time.is_some() {
        // Cisco puts a colon behind the time.
        let _ = scan.byte(b':');
        let _ = scan.byte(b' ');
        if origin == Origin::Network {
            host = scan.try_take(|scan| host_name(scan));
        }
    }
    let mut message = Message::new(priority, b"");
    (message.time, message.host) = (time, host);
    if let Some((program, process)) = scan.try_take(tag) {
        message.program = Some(program);
        message.set_process(process);
    }
    message.text = scan.rest();
    message
}

/// Cisco's number before the time: `215: `, with a dot or star before the time where its clock is not set.
fn sequence(scan: &mut Scan<'_>) {
    scan.try_take(|scan| {
        scan.number(1, 12)?;
        scan.word(b": ")?;
        let _ = scan.byte(b'*').or_else(|| scan.byte(b'.'));
        scan.rest().first().filter(|first| first.is_ascii_alphanumeric()).map(|_| ())
    });
}

/// A word and a blank, but no tag.
fn host_name<'a>(scan: &mut Scan<'a>) -> Option<&'a [u8]> {
    let word = scan.some(|byte| byte.is_ascii_graphic() || byte >= 0x80)?;
    scan.byte(b' ')?;
    let is_host = word.iter().all(|&byte| byte.is_ascii_alphanumeric() || b".-_:%".contains(&byte) || byte >= 0x80);
    (is_host && word.last() != Some(&b':')).then_some(word)
}

/// `name[process]: ` or `name: `; the blank may be missing.
fn tag<'a>(scan: &mut Scan<'a>) -> Option<(&'a [u8], &'a [u8])> {
    let name = scan.some(|byte| byte.is_ascii_graphic() && byte != b':' && byte != b'[' || byte >= 0x80)?;
    let mut process: &[u8] = b"";
    if scan.byte(b'[').is_some() {
        process = scan.some(|byte| byte != b']' && byte != b'[' && byte != b' ').unwrap_or_default();
        scan.byte(b']')?;
    }
    scan.byte(b':')?;
    // A blank belongs to the separator; without one the tag ends the message or text follows at once.
    let _ = scan.byte(b' ');
    (name.len() <= TAG_MAX).then_some((name, process))
}
