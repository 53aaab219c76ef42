//! Tables of good and bad inputs, every cut of representative sessions, and a regular expression engine as the oracle.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use nats_proto::{Error, client, encode, server};

/// Runs `parse` over `bytes` arriving in the given pieces, the way a connection does; operations are told as text.
fn feed(
    pieces: &[&[u8]],
    mut parse: impl FnMut(&[u8]) -> Result<(usize, Option<String>), Error>,
) -> (Vec<String>, Option<Error>) {
    let (mut buffer, mut ops) = (Vec::new(), Vec::new());
    for piece in pieces {
        buffer.extend_from_slice(piece);
        loop {
            match parse(&buffer) {
                Err(error) => return (ops, Some(error)),
                Ok((used, op)) => {
                    buffer.drain(..used);
                    let Some(op) = op else { break };
                    ops.push(op);
                }
            }
        }
    }
    (ops, None)
}

fn show(bytes: &[u8]) -> String {
    bytes.escape_ascii().to_string()
}

fn show_client(op: client::Op<'_>) -> String {
    match op {
        client::Op::Connect(json) => format!("connect {}", show(json)),
        client::Op::Ping => "ping".into(),
        client::Op::Pong => "pong".into(),
        client::Op::Ok => "ok".into(),
        client::Op::Info(json) => format!("info {}", show(json)),
        client::Op::Error(text) => format!("err {}", show(text)),
        client::Op::Pub { subject, reply, headers, payload, .. } => {
            format!("pub {} {:?} [{}] [{}]", show(subject), reply.map(show), show(headers), show(payload))
        }
        client::Op::Sub { subject, queue, sid } => {
            format!("sub {} {:?} {}", show(subject), queue.map(show), show(sid))
        }
        client::Op::Unsub { sid, max } => format!("unsub {} {max:?}", show(sid)),
    }
}

fn show_server(op: server::Op<'_>) -> String {
    match op {
        server::Op::Info(json) => format!("info {}", show(json)),
        server::Op::Message { subject, sid, reply, headers, payload } => {
            format!("msg {} {sid} {:?} [{}] [{}]", show(subject), reply.map(show), show(headers), show(payload))
        }
        server::Op::Ping => "ping".into(),
        server::Op::Pong => "pong".into(),
        server::Op::Ok => "ok".into(),
        server::Op::Error(text) => format!("err {}", show(text)),
    }
}

fn client_side(pieces: &[&[u8]]) -> (Vec<String>, Option<Error>) {
    let mut parser = client::Parser::new(32, 64);
    feed(pieces, |input| parser.parse(input).map(|(used, op)| (used, op.map(show_client))))
}

fn server_side(pieces: &[&[u8]]) -> (Vec<String>, Option<Error>) {
    let mut parser = server::Parser::new(64, 64);
    feed(pieces, |input| parser.parse(input).map(|(used, op)| (used, op.map(show_server))))
}

#[test]
fn what_clients_send() {
    let table: [(&[u8], &[&str]); 22] = [
        (b"PING\r\n", &["ping"]),
        (b"ping\n", &["ping"]),
        (b"PINGX whatever\r\n", &["ping"]),
        (b"PoNg\r\n", &["pong"]),
        (b"+ok\r\n", &["ok"]),
        (b"CONNECT {}\r\n", &["connect {}"]),
        (b"CONNECT{\"a\":1}\r\n", &["connect {\\\"a\\\":1}"]),
        (b"connect \t {} \r\n", &["connect {} "]),
        (b"PUB a 0\r\n\r\n", &["pub a None [] []"]),
        (b"pub \t a.b\tr  3 \r\nx\r\n\r\n", &["pub a.b Some(\"r\") [] [x\\r\\n]"]),
        (b"PUB a 1\nx\r\n", &["pub a None [] [x]"]),
        (b"HPUB a 2 4\r\nhhpp\r\n", &["pub a None [hh] [pp]"]),
        (b"HPUB a r 4 4\r\nhhhh\r\n", &["pub a Some(\"r\") [hhhh] []"]),
        (b"SUB a 1\r\n", &["sub a None 1"]),
        (b"SUB a q 1x\r\n", &["sub a Some(\"q\") 1x"]),
        (b"UNSUB 1\r\n", &["unsub 1 None"]),
        (b"UNSUB 1 5\r\n", &["unsub 1 Some(5)"]),
        (b"UNSUB 1 0\r\n", &["unsub 1 None"]),
        (b"INFO {}\r\n", &["info {}"]),
        (b"-ERR 'x'\r\n", &["err \\'x\\'"]),
        (b"SUB aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1\r\n", &["sub aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa None 1"]),
        (b"PUB a", &[]),
    ];
    for (input, expected) in table {
        let (ops, error) = client_side(&[input]);
        assert_eq!((ops.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), error), (expected, None));
    }
}

#[test]
fn what_clients_must_not_send_is_told_at_the_first_wrong_byte() {
    let table: [(&[u8], Error); 25] = [
        (b"X", Error::UnknownOperation),
        (b"\r", Error::UnknownOperation),
        (b"GE", Error::UnknownOperation),
        (b"PUBS", Error::UnknownOperation),
        (b"PX", Error::UnknownOperation),
        (b"SUBZ", Error::UnknownOperation),
        (b"CONNEXT", Error::UnknownOperation),
        (b"+A", Error::UnknownOperation),
        (b"PUB a 1\r\nxy", Error::UnknownOperation),
        (b"PUB a 1\r\nx\ry", Error::UnknownOperation),
        (b"PUB a\r\n", Error::BadArguments),
        (b"PUB a b c d\r\n", Error::BadArguments),
        (b"PUB a -1\r\n", Error::BadArguments),
        (b"PUB a 9223372036854775808\r\n", Error::BadArguments),
        (b"PUB \n", Error::BadArguments),
        (b"HPUB a 1\r\n", Error::BadArguments),
        (b"HPUB a 5 4\r\n", Error::BadArguments),
        (b"SUB a\r\n", Error::BadArguments),
        (b"SUB a b c d\r\n", Error::BadArguments),
        (b"UNSUB \r\n", Error::BadArguments),
        (b"UNSUB a b c\r\n", Error::BadArguments),
        (b"PUB a 65\r\n", Error::PayloadTooLarge),
        (b"HPUB a 1 65\r\n", Error::PayloadTooLarge),
        (b"SUB aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", Error::LineTooLong),
        (b"SUB aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa 1\n", Error::LineTooLong),
    ];
    for (input, expected) in table {
        assert_eq!(client_side(&[input]), (vec![], Some(expected)), "{}", show(input));
        let bytes: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(client_side(&bytes), (vec![], Some(expected)), "{} byte by byte", show(input));
    }
}

#[test]
fn headers_may_be_switched_off() {
    let mut parser = client::Parser::new(4096, 64);
    parser.set_headers(false);
    assert_eq!(parser.parse(b"HPUB a 1 1\r\n"), Err(Error::HeadersNotEnabled));
}

#[test]
fn a_publish_is_known_before_its_payload_arrives() {
    let mut parser = client::Parser::new(4096, 64);
    let input = b"HPUB a.b r 2 60\r\nhh";
    assert_eq!(parser.parse(input), Ok((5, None)));
    let rest = &input[5..];
    assert_eq!(parser.wanted_len(), Some(12 + 60 + 2));
    let pending = parser.pending(rest).unwrap();
    assert_eq!((pending.subject, pending.reply, pending.total_len), (&b"a.b"[..], Some(&b"r"[..]), 60));
}

#[test]
fn what_servers_send() {
    let table: [(&[u8], &[&str], Option<Error>); 16] = [
        (b"INFO {} \r\n", &["info {} "], None),
        (b"MSG a 1 0\r\n\r\n", &["msg a 1 None [] []"], None),
        (b"MSG a 18446744073709551615 r 2\r\n\r\n\r\n", &["msg a 18446744073709551615 Some(\"r\") [] [\\r\\n]"], None),
        (b"HMSG a 1 2 3\r\nhhp\r\n", &["msg a 1 None [hh] [p]"], None),
        (b"HMSG a 1 r 2 2\r\nhh\r\n", &["msg a 1 Some(\"r\") [hh] []"], None),
        (b"PING\r\nPONG\r\n+OK\r\n", &["ping", "pong", "ok"], None),
        (b"-ERR 'Stale Connection'\r\n", &["err Stale Connection"], None),
        (b"-ERR bare \r\n", &["err bare"], None),
        (b"-ERR '\r\n", &["err \\'"], None),
        (b"PUB a 1\r\n", &[], Some(Error::UnknownOperation)),
        (b"MSGa", &[], Some(Error::UnknownOperation)),
        (b"MSG a x 1\r\n", &[], Some(Error::BadArguments)),
        (b"MSG a 1\r\n", &[], Some(Error::BadArguments)),
        (b"HMSG a 1 3 2\r\n", &[], Some(Error::BadArguments)),
        (b"MSG a 1 65\r\n", &[], Some(Error::PayloadTooLarge)),
        (b"MSG a 1 1\r\nxx", &[], Some(Error::UnknownOperation)),
    ];
    for (input, expected, error) in table {
        let (ops, told) = server_side(&[input]);
        assert_eq!((ops.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), told), (expected, error));
    }
}

/// Feeds the session whole, cut once at every place, twice at every pair of places, and byte by byte.
fn every_cut(session: &[u8], run: impl Fn(&[&[u8]]) -> (Vec<String>, Option<Error>)) {
    let whole = run(&[session]);
    for first in 0..=session.len() {
        for second in first..=session.len() {
            let pieces = [&session[..first], &session[first..second], &session[second..]];
            assert_eq!(run(&pieces), whole, "cut at {first} and {second}");
        }
    }
    let bytes: Vec<&[u8]> = session.chunks(1).collect();
    assert_eq!(run(&bytes), whole, "byte by byte");
}

#[test]
fn cuts_change_nothing() {
    every_cut(
        b"CONNECT {\"verbose\":false}\r\nPING\r\nSUB  a.* q 1\r\nPUB a.b r 5\r\nhe\r\no\r\nHPUB c 2 3\r\nhhp\r\npong\nUNSUB 1 3\r\nPUB x 0\r\n\r\nGET",
        client_side,
    );
    every_cut(
        b"INFO {\"a\":1} \r\nPONG\r\nMSG a 1 r 4\r\n\r\n\r\n\r\nHMSG a 2 2 4\r\nhhpp\r\n+OK\r\n-ERR 'x'\r\nPING\r\nMSG a 9 9999999999\r\n",
        server_side,
    );
}

/// A small generator, seeded, so that a failure can be run again.
struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }
}

#[test]
fn a_regular_expression_engine_agrees() {
    let oracle = regex::bytes::Regex::new(concat!(
        r"(?-u)^(?:",
        r"(?i:PUB)[ \t]+(?<ps>[^ \t\r\n]+)(?:[ \t]+(?<pr>[^ \t\r\n]+))?[ \t]+(?<pn>[0-9]{1,9})[ \t]*\r?\n",
        r"|(?i:HPUB)[ \t]+(?<hs>[^ \t\r\n]+)(?:[ \t]+(?<hr>[^ \t\r\n]+))?[ \t]+(?<hh>[0-9]{1,9})[ \t]+(?<hn>[0-9]{1,9})[ \t]*\r?\n",
        r"|(?i:SUB)[ \t]+(?<ss>[^ \t\r\n]+)(?:[ \t]+(?<sq>[^ \t\r\n]+?))?[ \t]+(?<si>[^ \t\r\n]+?)[ \t]*\r?\n",
        r"|(?i:UNSUB)[ \t]+(?<ui>[^ \t\r\n]+?)(?:[ \t]+(?<um>[^ \t\r\n]+?))?[ \t]*\r?\n",
        r"|(?i:PING)[^\n]*\n|(?i:PONG)[^\n]*\n|(?i:CONNECT)[^\n]*\n|(?i:\+OK)[^\n]*\n",
        r")"
    ))
    .unwrap();
    let words: [&[u8]; 25] = [
        b"PUB", b"pub", b"HPUB", b"SUB", b"UNSUB", b"PING", b"PONG", b"CONNECT", b"+OK", b" ", b" ", b" ", b"\t",
        b"a.b", b"*", b">", b"1", b"0", b"23", b"\r\n", b"\r\n", b"\n", b"x", b"P", b"S",
    ];
    let seed = 0x5eed_1234_abcd_0001;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let mut accepted = 0;
    for _ in 0..200_000 {
        let line: Vec<u8> = (0..1 + random.next(9)).flat_map(|_| words[random.next(words.len())].to_vec()).collect();
        let Some(end) = line.iter().position(|&byte| byte == b'\n') else { continue };
        // The words hold carriage returns only before line feeds; elsewhere one would be part of a field.
        let line = &line[..=end];
        let mut parser = client::Parser::new(4096, 1 << 20);
        // A payload of the announced size, so that the operation can complete; sizes here have at most nine digits.
        let mut input = line.to_vec();
        let parsed = parser.parse(&input);
        let pending = match &parsed {
            Ok((used, None)) => parser.wanted_len().map(|wanted| (*used, wanted)),
            Ok((_, Some(_))) | Err(_) => None,
        };
        let parsed = if let Some((used, wanted)) = pending {
            if wanted > 1 << 20 {
                continue;
            }
            input.drain(..used);
            input.resize(wanted - 2, b'y');
            input.extend_from_slice(b"\r\n");
            parser.parse(&input)
        } else {
            parsed
        };
        let ours = matches!(parsed, Ok((_, Some(_))));
        let theirs = oracle.captures(line).filter(|found| found.get(0).unwrap().end() == line.len());
        let too_much_header = theirs.as_ref().is_some_and(|found| {
            let size =
                |name| found.name(name).map(|m| std::str::from_utf8(m.as_bytes()).unwrap().parse::<u64>().unwrap());
            matches!((size("hh"), size("hn")), (Some(headers), Some(total)) if headers > total)
                || size("pn").or(size("hn")).is_some_and(|total| total > 1 << 20)
        });
        assert_eq!(ours, theirs.is_some() && !too_much_header, "{}", show(line));
        let Some(found) = theirs.filter(|_| ours) else { continue };
        accepted += 1;
        let text = |name| found.name(name).map(|m: regex::bytes::Match<'_>| m.as_bytes());
        match parsed.unwrap().1.unwrap() {
            client::Op::Pub { subject, reply, .. } => {
                assert_eq!(Some(subject), text("ps").or(text("hs")), "{}", show(line));
                assert_eq!(reply, text("pr").or(text("hr")), "{}", show(line));
            }
            client::Op::Sub { subject, queue, sid } => {
                assert_eq!((Some(subject), queue, Some(sid)), (text("ss"), text("sq"), text("si")), "{}", show(line));
            }
            client::Op::Unsub { sid, .. } => assert_eq!(Some(sid), text("ui"), "{}", show(line)),
            client::Op::Connect(_) | client::Op::Ping | client::Op::Pong | client::Op::Ok => {}
            other @ (client::Op::Info(_) | client::Op::Error(_)) => assert_eq!(format!("{other:?}"), "never generated"),
        }
    }
    assert!(accepted > 1000, "the generator makes enough good lines: {accepted}");
}

#[test]
fn what_is_encoded_is_parsed_back() {
    let mut out = Vec::new();
    encode::connect(&mut out, "{}");
    encode::ping(&mut out);
    encode::pong(&mut out);
    encode::subscribe(&mut out, "a.*", Some(b"q"), 7);
    encode::subscribe(&mut out, "a.>", None, 8);
    encode::unsubscribe(&mut out, 7, None);
    encode::unsubscribe(&mut out, 8, Some(3));
    encode::publish(&mut out, "a", Some(b"r"), b"", b"xy");
    encode::publish(&mut out, "a", None, b"NATS/1.0\r\n\r\n", b"xy");
    let (ops, error) = client_side(&[&out]);
    let expected = [
        "connect {}",
        "ping",
        "pong",
        "sub a.* Some(\"q\") 7",
        "sub a.> None 8",
        "unsub 7 None",
        "unsub 8 Some(3)",
        "pub a Some(\"r\") [] [xy]",
        "pub a None [NATS/1.0\\r\\n\\r\\n] [xy]",
    ];
    assert_eq!((ops, error), (expected.map(String::from).to_vec(), None));

    out.clear();
    encode::info(&mut out, "{}");
    encode::ok(&mut out);
    encode::err(&mut out, "Stale Connection");
    encode::message(&mut out, b"a", b"7", Some(b"r"), b"", b"xy");
    encode::message(&mut out, b"a", b"7", None, b"hh", b"xy");
    assert!(
        out.starts_with(b"INFO {} \r\n+OK\r\n-ERR 'Stale Connection'\r\nMSG a 7 r 2\r\nxy\r\nHMSG a 7 2 4\r\nhhxy\r\n")
    );
    let (ops, error) = server_side(&[&out]);
    let expected = ["info {} ", "ok", "err Stale Connection", "msg a 7 Some(\"r\") [] [xy]", "msg a 7 None [hh] [xy]"];
    assert_eq!((ops, error), (expected.map(String::from).to_vec(), None));
}
