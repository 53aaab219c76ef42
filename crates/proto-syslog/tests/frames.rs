//! Messages on a stream, however it is cut.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use proto_syslog::frame::{Framer, Step};

/// The messages of a stream that comes in pieces; one that was cut ends with `…`.
fn messages(pieces: &[&[u8]], limit: usize) -> Vec<String> {
    let mut framer = Framer::new(limit);
    let (mut all, mut open) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        while let Some(step) = framer.step(rest) {
            let taken = match step {
                Step::Skip(len) => len,
                Step::Digits(number) => {
                    open.extend(number.to_string().bytes());
                    0
                }
                Step::Part(len) => {
                    open.extend(&rest[..len]);
                    len
                }
                Step::End { len, skip, cut } => {
                    open.extend(&rest[..len]);
                    let mark = if cut { "…" } else { "" };
                    all.push(String::from_utf8(std::mem::take(&mut open)).unwrap() + mark);
                    len + skip
                }
            };
            rest = &rest[taken..];
        }
    }
    if framer.finish() {
        all.push(String::from_utf8(open).unwrap() + "?");
    }
    all
}

#[test]
fn both_framings_alternate_and_any_cut_gives_the_same() {
    let stream =
        b"<1>a\n<2>b\r\n5 <3>c\n4 <4>\n\n\0 <5>d\x0012:30 no length\n10 <6>12345671 x<7>long line of text\n<8>end";
    let expected = [
        "<1>a",
        "<2>b\r",
        "<3>c\n",
        "<4>\n",
        "<5>d",
        "12:30 no length",
        "<6>1234567",
        "x",
        "<7>long line of text",
        "<8>end?",
    ];
    assert_eq!(messages(&[stream], 64), expected);
    for cut in 0..=stream.len() {
        let (left, right) = stream.split_at(cut);
        assert_eq!(messages(&[left, right], 64), expected, "{cut}");
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    assert_eq!(messages(&bytes, 64), expected);
}

#[test]
fn what_is_too_long_is_cut_and_the_next_message_is_whole() {
    let stream = b"12 abcdefghijkl<1>second is long\n3 xyz\n";
    for cut in 0..=stream.len() {
        let (left, right) = stream.split_at(cut);
        assert_eq!(messages(&[left, right], 8), ["abcdefgh…", "<1>secon…", "xyz"], "{cut}");
    }
}

#[test]
fn a_length_nobody_believes_is_a_line() {
    assert_eq!(messages(&[b"1234567890 x\n"], 64), ["1234567890 x"]);
    assert_eq!(messages(&[b"0 x\n"], 64), ["0 x"]);
    assert_eq!(messages(&[b"12"], 64), [""; 0]);
}
