//! What hubs send to leaf nodes: a table of good and bad inputs, every cut of a session, and what is encoded is parsed back.

use nats_proto::leaf::{Op, Parser};
use nats_proto::{Error, encode};

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn show_op(op: Op<'_>) -> String {
    match op {
        Op::Info(json) => format!("info {}", show(json)),
        Op::Ping => "ping".into(),
        Op::Pong => "pong".into(),
        Op::Ok => "ok".into(),
        Op::Error(text) => format!("err {}", show(text)),
        Op::Interest { subject, queue } => {
            format!("+ {} {:?}", show(subject), queue.map(|(queue, weight)| (show(queue), weight)))
        }
        Op::NoInterest { subject, queue } => format!("- {} {:?}", show(subject), queue.map(show)),
        Op::Message { subject, reply, queues, headers, payload } => {
            let queues: Vec<String> = queues.iter().map(show).collect();
            let reply = reply.map_or("none".into(), show);
            format!("msg {} {reply} ({}) [{}] [{}]", show(subject), queues.join(","), show(headers), show(payload))
        }
    }
}

fn feed(pieces: &[&[u8]]) -> (Vec<String>, Option<Error>) {
    let mut parser = Parser::new(64, 64);
    let (mut buffer, mut ops) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match parser.parse(&buffer) {
                Err(error) => return (ops, Some(error)),
                Ok((used, op)) => {
                    let op = op.map(show_op);
                    buffer.drain(..used);
                    let Some(op) = op else { break };
                    ops.push(op);
                }
            }
        }
    }
    (ops, None)
}

#[test]
fn what_hubs_send() {
    let table: [(&[u8], &[&str]); 24] = [
        (b"INFO {1} \r\n", &["info {1} "]),
        (b"PING\r\nPONG\r\n+OK\r\n", &["ping", "pong", "ok"]),
        (b"-ERR 'Authorization Violation'\r\n", &["err Authorization Violation"]),
        (b"LS+ a.*\r\n", &["+ a.* None"]),
        (b"ls+ \t a.> \r\n", &["+ a.> None"]),
        (b"LS+ a q 3\r\n", &["+ a Some((\"q\", 3))"]),
        (b"LS+ a q x\r\n", &["+ a Some((\"q\", 0))"]),
        (b"LS- a\n", &["- a None"]),
        (b"LS- a q\r\n", &["- a Some(\"q\")"]),
        (b"LMSG a 0\r\n\r\n", &["msg a none () [] []"]),
        (b"lmsg a r 2\r\nhi\r\n", &["msg a r () [] [hi]"]),
        (b"LMSG a + r q 2\r\nhi\r\n", &["msg a r (q) [] [hi]"]),
        (b"LMSG a + r q1 q2 q3 2\r\nhi\r\n", &["msg a r (q1,q2,q3) [] [hi]"]),
        (b"LMSG  a\t|  q1 \t q2  2 \r\nhi\r\n", &["msg a none (q1,q2) [] [hi]"]),
        (b"LMSG a | q 2\r\nhi\r\n", &["msg a none (q) [] [hi]"]),
        (b"LMSG a + r 2\r\nhi\r\n", &["msg a r () [] [hi]"]),
        // A reply may look like a mark when nothing follows it.
        (b"LMSG a + 2\r\nhi\r\n", &["msg a + () [] [hi]"]),
        (b"LMSG a | 2\r\nhi\r\n", &["msg a | () [] [hi]"]),
        (b"HMSG a 2 4\r\nhhpp\r\n", &["msg a none () [hh] [pp]"]),
        (b"HMSG a r 2 2\r\nhh\r\n", &["msg a r () [hh] []"]),
        (b"HMSG a + r q 2 4\r\nhhpp\r\n", &["msg a r (q) [hh] [pp]"]),
        (b"HMSG a | q1 q2 2 4\r\nhhpp\r\n", &["msg a none (q1,q2) [hh] [pp]"]),
        (b"LMSG a 4\r\n\r\n\r\n\r\n", &["msg a none () [] [\\r\\n\\r\\n]"]),
        (b"LMSG a 4\r\nhi", &[]),
    ];
    for (input, expected) in table {
        let (ops, error) = feed(&[input]);
        let ops: Vec<&str> = ops.iter().map(String::as_str).collect();
        assert_eq!((ops.as_slice(), error), (expected, None), "{}", show(input));
    }
}

#[test]
fn what_hubs_must_not_send_is_told_at_the_first_wrong_byte() {
    let table: [(&[u8], Error); 25] = [
        (b"X", Error::UnknownOperation),
        (b"MSG a 1 0\r\n", Error::UnknownOperation),
        (b"LX", Error::UnknownOperation),
        (b"LS=", Error::UnknownOperation),
        (b"LS+a", Error::UnknownOperation),
        (b"LMSGa", Error::UnknownOperation),
        (b"LMS+", Error::UnknownOperation),
        (b"LS+ \r\n", Error::BadArguments),
        (b"LS+ a q\r\n", Error::BadArguments),
        (b"LS+ a q 1 x\r\n", Error::BadArguments),
        (b"LS- \r\n", Error::BadArguments),
        (b"LS- a q x\r\n", Error::BadArguments),
        (b"LMSG \r\n", Error::BadArguments),
        (b"LMSG a\r\n", Error::BadArguments),
        (b"LMSG a x\r\n", Error::BadArguments),
        (b"LMSG a r q 2\r\n", Error::BadArguments),
        (b"LMSG a ++ r q 2\r\n", Error::BadArguments),
        (b"LMSG a -1\r\n", Error::BadArguments),
        (b"HMSG a 2\r\n", Error::BadArguments),
        (b"HMSG a 5 4\r\n", Error::BadArguments),
        (b"HMSG a r q 1 2\r\n", Error::BadArguments),
        (b"LMSG a 65\r\n", Error::PayloadTooLarge),
        (b"HMSG a | q 1 65\r\n", Error::PayloadTooLarge),
        (b"LMSG a 1\r\nxx", Error::UnknownOperation),
        (b"LS+ aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Error::LineTooLong),
    ];
    for (input, expected) in table {
        assert_eq!(feed(&[input]), (vec![], Some(expected)), "{}", show(input));
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(feed(&bytes), (vec![], Some(expected)), "{} byte by byte", show(input));
    }
}

#[test]
fn cuts_change_nothing() {
    let session: &[u8] =
        b"INFO {} \r\nLS+ $LDS.x\r\nLS+ a q 2\r\nPING\r\nLMSG a + r q w 4\r\n\r\nxx\r\nHMSG b | q 2 3\r\nhhp\r\n\
        LS- a q\r\nlmsg c 0\r\n\r\n-ERR 'x'\r\nMSG";
    let whole = feed(&[session]);
    assert_eq!((whole.0.len(), whole.1), (9, Some(Error::UnknownOperation)));
    for first in 0..=session.len() {
        for second in first..=session.len() {
            let pieces = [&session[..first], &session[first..second], &session[second..]];
            assert_eq!(feed(&pieces), whole, "cut at {first} and {second}");
        }
    }
    let bytes: Vec<&[u8]> = session.chunks(1).collect();
    assert_eq!(feed(&bytes), whole, "byte by byte");
}

#[test]
fn what_is_encoded_is_parsed_back() {
    let mut out = Vec::new();
    encode::interest(&mut out, b"a.>", None);
    encode::interest(&mut out, b"a", Some((b"q", 12)));
    encode::no_interest(&mut out, b"a.>", None);
    encode::no_interest(&mut out, b"a", Some(b"q"));
    let mut expected =
        ["+ a.> None", "+ a Some((\"q\", 12))", "- a.> None", "- a Some(\"q\")"].map(String::from).to_vec();
    for reply in [None, Some(&b"r"[..])] {
        for queues in [&[][..], &[&b"q"[..]], &[b"q", b"w"]] {
            for headers in [&b""[..], b"hh"] {
                encode::leaf_message(&mut out, b"a", reply, queues.iter().copied(), headers.len(), 2);
                for part in [headers, b"xy", encode::CRLF] {
                    out.extend_from_slice(part);
                }
                let names: Vec<String> = queues.iter().map(|queue| show(queue)).collect();
                let reply = reply.map_or("none".into(), show);
                expected.push(format!("msg a {reply} ({}) [{}] [xy]", names.join(","), show(headers)));
            }
        }
    }
    assert_eq!(feed(&[&out]), (expected, None));
}

#[test]
fn queues_are_found_by_name() {
    let mut parser = Parser::new(64, 64);
    let (_, op) = parser.parse(b"LMSG a | one two 0\r\n\r\n").unwrap();
    let Some(Op::Message { queues, .. }) = op else { unreachable!() };
    assert!(queues.contains(b"one") && queues.contains(b"two") && !queues.contains(b"tw") && !queues.is_empty());
}
