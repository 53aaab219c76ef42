//! Streams of frames, good and bad, cut everywhere.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use testkit::rng::Rng;
use testkit::split;
use websocket::{Decoder, Error, Item, Opcode, header};

/// A frame as a client sends it.
fn frame(first: u8, key: Option<[u8; 4]>, payload: &[u8]) -> Vec<u8> {
    let mut out = header(Opcode::Binary, payload.len(), false).to_vec();
    out[0] = first;
    let Some(key) = key else { return [out, payload.to_vec()].concat() };
    out[1] |= 0x80;
    out.extend(key);
    out.extend(payload.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key));
    out
}

const KEY: Option<[u8; 4]> = Some([1, 2, 0xfe, 4]);

/// What was found, pieces joined: text of messages, `|` where one ends, `C` before compressed ones, controls in brackets.
fn read(parts: &[&[u8]], must_mask: bool, deflate: bool) -> Result<String, Error> {
    let mut decoder = Decoder::new(must_mask);
    if deflate {
        decoder.allow_compression();
    }
    let (mut out, mut begins) = (String::new(), true);
    for part in parts {
        let mut part = part.to_vec();
        let mut at = 0;
        while at < part.len() {
            let (used, item) = decoder.feed(&mut part[at..])?;
            at += used;
            let Some(item) = item else {
                assert_eq!(at, part.len());
                break;
            };
            let controls = [(Item::Ping, "ping"), (Item::Pong, "pong"), (Item::Close, "close")];
            if let Item::Payload { bytes, compressed, last } = item {
                if std::mem::take(&mut begins) && compressed {
                    out.push('C');
                }
                out.extend(bytes.iter().copied().map(char::from));
                if last {
                    out.push('|');
                    begins = true;
                }
            } else {
                let name = controls.iter().find(|(known, _)| *known == item).unwrap().1;
                out.push_str(&format!("[{name} {}]", decoder.control().escape_ascii()));
            }
        }
    }
    Ok(out)
}

#[test]
fn messages_in_frames_of_every_length_and_every_cut() {
    let mut rng = Rng::from_seed(7);
    for len in [0, 1, 7, 8, 9, 125, 126, 127, 300] {
        let text: Vec<u8> = (0..len).map(|_| b'a' + u8::try_from(rng.below(26)).unwrap()).collect();
        let stream =
            [frame(0x82, KEY, &text), frame(0x89, KEY, b"?"), frame(0x81, Some([9, 8, 7, 6]), b"end")].concat();
        let expected = format!("{}|[ping ?]end|", String::from_utf8(text).unwrap());
        split::invariant(&stream, |parts| read(parts, true, false));
        assert_eq!(read(&[&stream], true, false), Ok(expected));
    }
    let long = vec![b'x'; 70_000];
    assert_eq!(read(&[&frame(0x82, KEY, &long)], true, false).unwrap().len(), 70_001);
}

#[test]
fn fragments_controls_in_between_and_compression() {
    let stream = [
        frame(0x02, KEY, b"PI"),
        frame(0x8a, KEY, b""),
        frame(0x00, KEY, b""),
        frame(0x80, KEY, b"NG"),
        frame(0xc2, KEY, b"zip"),
        frame(0x42, KEY, b"a"),
        frame(0x80, KEY, b""),
        frame(0x88, KEY, b"\x03\xe8bye"),
    ]
    .concat();
    split::invariant(&stream, |parts| read(parts, true, true));
    assert_eq!(read(&[&stream], true, true).unwrap(), "PI[pong ]NG|Czip|Ca|[close \\x03\\xe8bye]");
}

#[test]
fn what_is_wrong_is_told_at_the_first_byte_that_shows_it() {
    for (stream, error) in [
        (frame(0x82, None, b"x"), Error::NotMasked),
        (frame(0x89, KEY, &[b'x'; 126]), Error::LongControl),
        (frame(0x09, KEY, b""), Error::SplitControl),
        ([frame(0x02, KEY, b"a"), frame(0x82, KEY, b"b")].concat(), Error::Unfinished),
        (frame(0x80, KEY, b""), Error::Continuation),
        ([frame(0x02, KEY, b"a"), frame(0xc0, KEY, b"b")].concat(), Error::Continuation),
        (frame(0x83, KEY, b""), Error::Opcode),
        (frame(0x8b, KEY, b""), Error::Opcode),
        (frame(0xa2, KEY, b""), Error::Reserved),
        (frame(0xc9, KEY, b""), Error::Reserved),
        (b"\x82\xff\x80\0\0\0\0\0\0\0".to_vec(), Error::Length),
    ] {
        split::invariant(&stream, |parts| read(parts, true, true));
        assert_eq!(read(&[&stream], true, true), Err(error));
        assert!(!error.text().is_empty());
    }
    assert_eq!(read(&[&frame(0xc2, KEY, b"")], true, false), Err(Error::Reserved));
    assert_eq!(read(&[&frame(0x82, None, b"x"), &frame(0x82, KEY, b"y")], false, false).unwrap(), "x|y|");
}
