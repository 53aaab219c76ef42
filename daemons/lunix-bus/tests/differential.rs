//! The same random bytes to nats-server and to lunix-bus: both must answer the same, and close the same.
//!
//! Cases are made of well-formed operations, of nearly well-formed ones, and of bytes changed afterwards. What differs for a known reason is
//! listed in [`KNOWN`]; everything else is an error, told with its seed.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{Server, directory, ours, reference};
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};
use testkit::rng::Rng;

/// Cases in a usual run and in a full one.
const CASES: usize = 600;
const CASES_FULL: usize = 20_000;
/// Cases that run at the same time.
const BATCH: usize = 100;
/// A server that has said nothing for so long has said all; doubled when a case is repeated.
const QUIET: Duration = Duration::from_millis(150);
const QUIET_AGAIN: Duration = Duration::from_millis(1200);

/// Why two answers may differ.
type Reason = (&'static str, fn(&[u8], &Heard, &Heard) -> bool);

const KNOWN: [Reason; 5] = [
    ("a server that closes with input unread may lose its last words on the way", |_, theirs, ours| {
        let lost = |one: &Heard, other: &Heard| one.reset && other.ended && other.text.starts_with(&one.text);
        lost(theirs, ours) || lost(ours, theirs)
    }),
    (
        "a publish that is not complete is not looked at yet; the reference complains about its subject at once, and again",
        |_, theirs, ours| {
            let complaint = "-ERR \\'Invalid Publish Subject\\'\\r\\n";
            let mut text = theirs.text.as_str();
            while let Some(before) = text.strip_suffix(complaint) {
                text = before;
            }
            !theirs.ended && !ours.ended && text == ours.text
        },
    ),
    (
        "the reference takes a line feed for the first byte of the arguments when it stands right after the blanks",
        |case, _, _| case.windows(2).any(|pair| matches!(pair, [b' ' | b'\t' | b't' | b'T', b'\n'])),
    ),
    ("half a surrogate pair in a CONNECT's text is no JSON here; the reference replaces it", |case, _, _| {
        case.windows(4).any(|part| part == b"\\ud8")
    }),
    ("after a carriage return inside a line the reference drops the line's last byte, whatever it is", |case, _, _| {
        let mut pieces = case.split(|&byte| byte == b'\r').skip(1);
        pieces.any(|piece| piece.iter().position(|&byte| byte == b'\n').is_some_and(|feed| (1..8).contains(&feed)))
    }),
];

/// What a server answered, after INFO.
#[derive(Debug, Default)]
struct Heard {
    text: String,
    ended: bool,
    /// It ended in a reset, which throws away what was still on its way.
    reset: bool,
}

/// Writes one case. `mine`: the first token of all its subjects, so that cases do not hear each other.
struct Maker<'r> {
    random: &'r mut Rng,
    mine: String,
    out: Vec<u8>,
    /// Names of queue groups, each used once: which member gets a message is random.
    queues: usize,
}

impl Maker<'_> {
    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        self.random.choose(choices).copied().unwrap_or_default()
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.random.below(count) == 0
    }

    fn verb(&mut self, verb: &str) {
        let odd = self.one_in(6);
        for letter in verb.bytes() {
            let small = odd && self.one_in(2);
            self.out.push(if small { letter.to_ascii_lowercase() } else { letter });
        }
    }

    fn blank(&mut self) {
        let blank = self.pick(&[" ", " ", " ", " ", " ", " ", "  ", "\t", " \t "]);
        self.out.extend_from_slice(blank.as_bytes());
    }

    fn subject(&mut self) {
        let tail = self.pick(&[
            "a", "a", "a", "b", "a.b", "a.b.c", "*", ">", "*.b", "a.*", "a.>", "a*b", "a>", "", ".", "a.", "a..b",
            "a.>.b", "*a", "ü", "a,b", "'", "\"", "-ERR",
        ]);
        let dot = if self.one_in(40) { "" } else { "." };
        let text = format!("{}{dot}{tail}", self.mine);
        self.out.extend_from_slice(text.as_bytes());
    }

    fn end(&mut self) {
        let end = self
            .pick(&["\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\r\n", "\n", " \r\n", "\r\r\n"]);
        self.out.extend_from_slice(end.as_bytes());
    }

    fn number(&mut self, number: usize) {
        let text = match self.random.below(40) {
            0 => format!("0{number}"),
            1 => format!("000{number}"),
            2 => format!("{}", number + 1),
            3 => format!("{}", number.saturating_sub(1)),
            4 => format!("-{number}"),
            5 => format!("+{number}"),
            6 => {
                self.pick(&["x", "1x", "1048577", "99999999999", "9223372036854775808", "0x1", "1.0", "1e3"]).to_owned()
            }
            _ => number.to_string(),
        };
        self.out.extend_from_slice(text.as_bytes());
    }

    fn payload(&mut self) -> Vec<u8> {
        let len = self.random.below(24);
        match self.random.below(4) {
            0 => self.random.bytes(len),
            1 => b"\r\nPING\r\n".to_vec(),
            _ => vec![b'x'; len],
        }
    }

    fn publish(&mut self) {
        self.verb("PUB");
        self.blank();
        self.subject();
        self.blank();
        if self.one_in(3) {
            self.subject();
            self.blank();
        }
        let payload = self.payload();
        self.number(payload.len());
        self.end();
        self.out.extend_from_slice(&payload);
        self.end();
    }

    fn header_publish(&mut self) {
        self.verb("HPUB");
        self.blank();
        self.subject();
        self.blank();
        if self.one_in(3) {
            self.subject();
            self.blank();
        }
        let headers = self.pick(&[
            "NATS/1.0\r\n\r\n",
            "NATS/1.0\r\nA: b\r\n\r\n",
            "NATS/1.0 503\r\n\r\n",
            "NATS/1.0",
            "hello",
            "",
        ]);
        let payload = self.payload();
        self.number(headers.len());
        self.blank();
        self.number(headers.len() + payload.len());
        self.end();
        self.out.extend_from_slice(headers.as_bytes());
        self.out.extend_from_slice(&payload);
        self.end();
    }

    fn subscribe(&mut self) {
        self.verb("SUB");
        self.blank();
        self.subject();
        self.blank();
        if self.one_in(5) {
            self.queues += 1;
            let queue = format!("q{}", self.queues);
            self.out.extend_from_slice(queue.as_bytes());
            self.blank();
        }
        let sid = self.pick(&["1", "2", "3", "4", "5", "abc", "a.b", "01", "-1", "9223372036854775808", "s\"id"]);
        self.out.extend_from_slice(sid.as_bytes());
        self.end();
    }

    fn unsubscribe(&mut self) {
        self.verb("UNSUB");
        self.blank();
        let sid = self.pick(&["1", "2", "3", "abc", "nobody"]);
        self.out.extend_from_slice(sid.as_bytes());
        if self.one_in(2) {
            self.blank();
            let max = self.random.below(4);
            self.number(max);
        }
        self.end();
    }

    fn connect(&mut self) {
        self.verb("CONNECT");
        self.blank();
        let mut options = Vec::new();
        for name in ["verbose", "pedantic", "echo", "headers", "no_responders", "VERBOSE", "tls_required"] {
            if self.one_in(3) {
                let value = self
                    .pick(&["true", "false", "true", "false", "true", "false", "null", "1", "\"x\"", "{}", "truex"]);
                options.push(format!("\"{name}\":{value}"));
            }
        }
        for (name, values) in [
            ("protocol", ["0", "1", "1", "2", "-1", "1.5", "1e0", "\"1\""]),
            ("name", ["\"n\"", "\"\\u00fc\"", "\"\\ud800\"", "1", "null", "\"\\x\"", "\"a\tb\"", "[]"]),
            ("user", ["\"u\"", "\"\"", "null", "0", "\"u\"", "\"\\n\"", "\"u\"", "\"u\""]),
            ("unknown", ["[1,{}]", "1e400", "-0", "01", "nul", "\"", "{\"a\":[]}", "[[[[]]]]"]),
        ] {
            if self.one_in(5) {
                let value = self.pick(&values);
                options.push(format!("\"{name}\":{value}"));
            }
        }
        let separator = self.pick(&[",", ",", ",", ", ", " ,\t"]);
        let json = format!("{{{}}}", options.join(separator));
        let json = if self.one_in(30) {
            self.pick(&["", "null", "[]", "{", "{}x", "{} ", "1", "{,}", "{\"a\"}"])
        } else {
            &json
        };
        self.out.extend_from_slice(json.as_bytes());
        self.end();
    }

    fn operation(&mut self) {
        match self.random.below(20) {
            0..=5 => self.publish(),
            6 | 7 => self.header_publish(),
            8..=12 => self.subscribe(),
            13 | 14 => self.unsubscribe(),
            15 => self.connect(),
            16 | 17 => self.verb("PING\r\n"),
            18 => self.verb("PONG\r\n"),
            _ => {
                let odd = self.pick(&[
                    "+OK\r\n",
                    "INFO {}\r\n",
                    "-ERR 'x'\r\n",
                    "\r\n",
                    "PINGPING\r\n",
                    "MSG a 1 0\r\n\r\n",
                    "LS+ a\r\n",
                ]);
                self.out.extend_from_slice(odd.as_bytes());
            }
        }
    }

    /// Changes, inserts or removes a byte, if the case is one of those.
    fn spoil(&mut self) {
        while self.one_in(3) && !self.out.is_empty() {
            let at = self.random.below(self.out.len());
            let byte = self.random.choose(b"\0 \t\r\n.*>{}\"'-+0123456789PUBSx\x7f\xff").copied().unwrap_or_default();
            match self.random.below(3) {
                0 => self.out.insert(at, byte),
                1 => drop(self.out.remove(at)),
                _ => self.out[at] = byte,
            }
        }
    }
}

fn case(random: &mut Rng, number: usize) -> Vec<u8> {
    let mut maker = Maker { random, mine: format!("case{number}"), out: Vec::new(), queues: 0 };
    if !maker.one_in(4) {
        maker.connect();
    }
    for _ in 0..1 + maker.random.below(8) {
        maker.operation();
    }
    maker.spoil();
    maker.out
}

/// Sends every case on a connection of its own and listens until all are quiet.
fn run(server: &Server, cases: &[Vec<u8>], quiet: Duration) -> Vec<Heard> {
    let mut streams: Vec<Option<TcpStream>> = Vec::new();
    for case in cases {
        let mut client = server.client();
        client.expect("} \r\n");
        // One that is closed before it has said everything is what some cases are about.
        let _ = client.stream.write_all(case);
        client.stream.set_nonblocking(true).unwrap();
        streams.push(Some(client.stream));
    }
    let mut heard: Vec<Vec<u8>> = vec![Vec::new(); cases.len()];
    let mut resets = vec![false; cases.len()];
    let mut last = Instant::now();
    while last.elapsed() < quiet && streams.iter().any(Option::is_some) {
        for ((place, heard), reset) in streams.iter_mut().zip(&mut heard).zip(&mut resets) {
            let mut buffer = [0; 4096];
            match place.as_mut().map(|stream| stream.read(&mut buffer)) {
                Some(Ok(len)) if len > 0 => {
                    heard.extend_from_slice(&buffer[..len]);
                    last = Instant::now();
                }
                Some(Err(error)) if error.kind() == ErrorKind::WouldBlock => {}
                Some(end) => {
                    *reset = end.is_err();
                    *place = None;
                    last = Instant::now();
                }
                None => {}
            }
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    let ended = streams.iter().map(Option::is_none);
    let all = heard.iter().zip(ended).zip(resets);
    all.map(|((heard, ended), reset)| Heard { text: normal(heard), ended, reset }).collect()
}

/// The answer without what is another one each time: INFO, PINGs, and the order of several subscriptions' copies.
fn normal(mut heard: &[u8]) -> String {
    let (mut out, mut messages): (String, Vec<String>) = (String::new(), Vec::new());
    while !heard.is_empty() {
        let line_len = heard.iter().position(|&byte| byte == b'\n').map_or(heard.len(), |feed| feed + 1);
        let line = String::from_utf8_lossy(&heard[..line_len]).into_owned();
        let is_message = line.starts_with("MSG ") || line.starts_with("HMSG ");
        let body =
            if is_message { line.trim_end().rsplit(' ').next().and_then(|size| size.parse().ok()) } else { None };
        let len = (line_len + body.map_or(0, |body: usize| body + 2)).min(heard.len());
        if is_message {
            messages.push(heard[..len].escape_ascii().to_string());
        } else {
            messages.sort();
            out.extend(messages.drain(..));
            if line.starts_with("INFO ") {
                out.push_str("INFO…");
            } else if line != "PING\r\n" {
                out.push_str(&heard[..len].escape_ascii().to_string());
            }
        }
        heard = &heard[len..];
    }
    messages.sort();
    out.extend(messages);
    out
}

fn is_known(case: &[u8], theirs: &Heard, ours: &Heard) -> bool {
    (theirs.ended == ours.ended && theirs.text == ours.text)
        || KNOWN.iter().any(|(_, explains)| explains(case, theirs, ours))
}

#[test]
fn random_bytes_are_answered_as_nats_server_answers_them() {
    let Some(command) = reference() else {
        testkit::skip::note("random_bytes", "NATS_SERVER does not name nats-server's program");
        return;
    };
    let count = if std::env::var_os("LUNIX_FULL").is_some() { CASES_FULL } else { CASES };
    let directory = directory("differential");
    let file = directory.join("nats.conf");
    std::fs::write(&file, "ping_interval: 10m\n").unwrap();
    let arguments = ["-c", file.to_str().unwrap()];
    let [theirs, our_own] = [command, ours()].map(|command| {
        let mut server = Server::start(command, &arguments);
        server.ignore_log();
        server
    });
    let mut random = Rng::printed("differential");
    let mut wrong = Vec::new();
    for batch in 0..count.div_ceil(BATCH) {
        let cases: Vec<Vec<u8>> = (0..BATCH).map(|number| case(&mut random, batch * BATCH + number)).collect();
        let heard = run(&theirs, &cases, QUIET).into_iter().zip(run(&our_own, &cases, QUIET));
        for ((one, other), case) in heard.zip(&cases) {
            if is_known(case, &one, &other) {
                continue;
            }
            // One of them may have been slow: again, alone, with more time.
            let alone = std::slice::from_ref(case);
            let again = (run(&theirs, alone, QUIET_AGAIN).remove(0), run(&our_own, alone, QUIET_AGAIN).remove(0));
            if !is_known(case, &again.0, &again.1) {
                wrong.push(format!(
                    "{}\n  nats-server {:?}\n  lunix-bus   {:?}",
                    case.escape_ascii(),
                    again.0,
                    again.1
                ));
            }
        }
    }
    std::fs::remove_dir_all(&directory).unwrap();
    if !wrong.is_empty() {
        panic!("{} of {count} differ:\n{}", wrong.len(), wrong.join("\n"));
    }
}
