//! `lunix log`: the lines that natslog keeps, and with `--follow` those that come, without a hole over every absence of the bus.

use crate::output::{Lines, Stop};
use crate::{bus, line};
use nats_client::{Client, Identity, Incoming, Keys, Subscription};
use program::{Fatal, Given, Level, exit, log};
use reactor::{Event, Instant, Interest, Reactor};
use serde_json::{Map, Value, json};
use std::io;
use std::time::Duration;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Most lines of one answer.
const COUNT_MAX: u64 = 1000;
/// Bytes that may wait for the bus.
const OUTPUT_MAX: usize = 64 * 1024;
/// Descriptors that are watched: the bus, its timer, standard output.
const SOURCES_MAX: usize = 4;
const TAIL: &str = "log.tail";
/// The severities, the worst first.
const SEVERITIES: [&str; 8] = ["emerg", "alert", "crit", "err", "warning", "notice", "info", "debug"];

/// Prints what was asked for.
pub(crate) fn run(given: &Given, lines: Lines) -> Result<(), Stop> {
    let mut printer = Printer::new(given, lines)?;
    if given.has("follow") {
        return Follow::open(given, printer)?.turn();
    }
    let mut connection = bus::open(given)?;
    loop {
        let question = printer.question().to_string();
        let answer = connection.request(TAIL, question.as_bytes(), TIMEOUT).map_err(bus::failed)?;
        if let Some(fatal) = bus::service_error(&answer.headers) {
            return Err(Fatal::new(fatal.code, format!("{TAIL}: {}", fatal.reason)).into());
        }
        if !printer.tail(&answer.payload)? || given.value("since").is_none() {
            return Ok(());
        }
    }
}

/// Which lines are meant, how they are shown, and which were.
struct Printer {
    lines: Lines,
    raw: bool,
    /// The fields of the question that never change.
    filter: Map<String, Value>,
    /// The last line that was looked at: epoch and number. An empty epoch fits any.
    last: Option<(String, u64)>,
    count: u64,
}

impl Printer {
    fn new(given: &Given, lines: Lines) -> Result<Self, Fatal> {
        let number = |flag: &str| -> Result<Option<u64>, Fatal> {
            let wrong = |text| Fatal::new(exit::USAGE, format!("--{flag} '{text}': expected a number"));
            given.value(flag).map(|text| text.parse().map_err(|_| wrong(text))).transpose()
        };
        let mut filter = Map::new();
        for flag in ["source", "severity", "program"] {
            if let Some(value) = given.value(flag) {
                filter.insert(flag.to_owned(), value.into());
            }
        }
        if let Some(severity) = given.value("severity").filter(|word| !SEVERITIES.contains(word)) {
            let expected = SEVERITIES.join(", ");
            return Err(Fatal::new(exit::USAGE, format!("--severity '{severity}': expected one of {expected}")));
        }
        let count = number("count")?.unwrap_or(100);
        if !(1..=COUNT_MAX).contains(&count) {
            return Err(Fatal::new(exit::USAGE, format!("--count '{count}': expected 1 to {COUNT_MAX}")));
        }
        let last = number("since")?.map(|seq| (String::new(), seq));
        Ok(Self { lines, raw: given.has("raw"), filter, last, count })
    }

    /// What to ask next.
    fn question(&self) -> Value {
        let mut question = self.filter.clone();
        question.insert("count".to_owned(), self.count.into());
        if let Some((_, seq)) = &self.last {
            question.insert("since".to_owned(), json!(seq));
        }
        Value::Object(question)
    }

    /// Prints an answer; true when there may be more.
    fn tail(&mut self, payload: &[u8]) -> Result<bool, Stop> {
        let odd = || Fatal::new(exit::DATA, format!("{TAIL}: the answer is not understood"));
        let answer: Value = serde_json::from_slice(payload).map_err(|_| odd())?;
        let field = |name: &str| answer.get(name).and_then(Value::as_u64).ok_or_else(odd);
        let (seq, oldest) = (field("seq")?, field("oldest")?);
        let epoch = answer.get("epoch").and_then(Value::as_str).ok_or_else(odd)?;
        if let Some((known, _)) = self.last.as_ref().filter(|(known, _)| !known.is_empty())
            && known != epoch
        {
            // natslog has begun to count anew: everything it has is new.
            self.last = Some((epoch.to_owned(), 0));
            return Ok(true);
        }
        let gone = self.last.as_ref().map_or(0, |(_, since)| oldest.saturating_sub(since.saturating_add(1)));
        if gone > 0 {
            log::line("lunix", Level::Warn, format_args!("{gone} lines are gone: there was no room for them"));
        }
        let items = answer.get("items").and_then(Value::as_array).ok_or_else(odd)?;
        for item in items {
            self.print(item)?;
        }
        let asked_since = self.last.replace((epoch.to_owned(), seq)).is_some();
        Ok(asked_since && !items.is_empty())
    }

    /// Prints an event that is the next; false when others are missing before it.
    fn event(&mut self, payload: &[u8]) -> Result<bool, Stop> {
        let Ok(event) = serde_json::from_slice::<Value>(payload) else { return Ok(true) };
        let (epoch, seq) = (event.get("epoch").and_then(Value::as_str), event.get("seq").and_then(Value::as_u64));
        let (Some(epoch), Some(seq)) = (epoch, seq) else { return Ok(true) };
        match &self.last {
            Some((known, last)) if known == epoch && seq <= *last => return Ok(true),
            Some((known, last)) if known == epoch && seq == last + 1 => {}
            Some(_) | None => return Ok(false),
        }
        self.last = Some((epoch.to_owned(), seq));
        if self.is_meant(&event) {
            self.print(&event)?;
        }
        Ok(true)
    }

    fn is_meant(&self, event: &Value) -> bool {
        let place = |value: Option<&Value>| SEVERITIES.iter().position(|word| value.is_some_and(|value| value == word));
        self.filter.iter().all(|(field, wanted)| match field.as_str() {
            "severity" => place(event.get(field)) <= place(Some(wanted)),
            _ => event.get(field) == Some(wanted),
        })
    }

    fn print(&mut self, item: &Value) -> Result<(), Stop> {
        if self.raw { self.lines.line(item.to_string().as_bytes()) } else { self.lines.line(shown(item).as_bytes()) }
    }
}

/// Time, source, severity, program and message in one line.
fn shown(item: &Value) -> String {
    let text = |field: &str| line::plain(item.get(field).and_then(Value::as_str).unwrap_or_default().as_bytes());
    let mut shown = format!("{} {} {} ", text("time"), text("source"), text("severity"));
    if item.get("host").is_some() {
        shown += &format!("{} ", text("host"));
    }
    if item.get("program").is_some() {
        let pid = item.get("pid").map(|pid| format!("[{pid}]")).unwrap_or_default();
        shown += &format!("{}{pid}: ", text("program"));
    }
    shown + &text("message")
}

#[derive(Clone, Copy, Debug)]
enum Key {
    Bus,
    Retry,
    Output,
}

/// Lines as they come. While a question is open events are left out: its answer has them.
struct Follow {
    reactor: Reactor<Key>,
    client: Client<Key>,
    events: Subscription,
    answers: Subscription,
    inbox: String,
    printer: Printer,
    is_asking: bool,
}

impl Follow {
    fn open(given: &Given, printer: Printer) -> Result<Self, Stop> {
        let mut reactor = Reactor::new(SOURCES_MAX).map_err(|error| Fatal::system("cannot open epoll", error))?;
        let keys = Keys { socket: Key::Bus, timer: Key::Retry };
        let mut client = Client::new(bus::address(given)?, Identity::new("lunix"), OUTPUT_MAX, keys, &mut reactor)
            .map_err(|error| Fatal::system("cannot open the bus client", error))?;
        let inbox = format!("_INBOX.{}.{:x}", std::process::id(), Instant::now().as_nanos());
        let (events, answers) = (client.subscribe("log.*.*", None), client.subscribe(&inbox, None));
        // Where standard output is a plain file, nobody can close it.
        match reactor.insert(&printer.lines, Interest::NONE, Key::Output).map_err(io::Error::from) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
            Err(error) => return Err(Fatal::system("cannot watch standard output", error).into()),
        }
        client.open(Instant::now(), &mut reactor);
        Ok(Self { reactor, client, events, answers, inbox, printer, is_asking: false })
    }

    fn turn(mut self) -> Result<(), Stop> {
        loop {
            let now = Instant::now();
            self.client.flush(now, &mut self.reactor);
            if let Some(reason) = self.client.take_down_reason() {
                let address = self.client.address();
                log::line("lunix", Level::Warn, format_args!("the bus at {address} is away: {reason}; waiting for it"));
                self.is_asking = false;
            }
            self.reactor.wait(None).map_err(|error| Fatal::system("cannot wait", error))?;
            let now = Instant::now();
            while let Some(event) = self.reactor.next() {
                self.serve(now, event)?;
            }
        }
    }

    fn serve(&mut self, now: Instant, event: Event<Key>) -> Result<(), Stop> {
        match event.key {
            Key::Output if event.closed => return Err(Stop::OutputClosed),
            Key::Output => {}
            Key::Bus | Key::Retry => {
                self.client.handle(now, event, &mut self.reactor);
                while self.take()? {}
            }
        }
        Ok(())
    }

    /// Takes the next thing the bus said; false when there is none.
    fn take(&mut self) -> Result<bool, Stop> {
        let must_ask = match self.client.next() {
            None => return Ok(false),
            Some(Incoming::Up { .. }) => true,
            Some(Incoming::Pong) => false,
            Some(Incoming::Refused(text)) => {
                let fatal = bus::refused(text);
                if fatal.code == exit::NOT_PERMITTED {
                    return Err(fatal.into());
                }
                log::line("lunix", Level::Warn, &fatal);
                false
            }
            Some(Incoming::Message(of, message)) if of == self.answers => {
                self.is_asking = false;
                if message.is_no_responders() {
                    log::line("lunix", Level::Warn, "nobody serves log.tail yet: waiting for lines");
                    false
                } else if let Some(fatal) = bus::service_error(message.headers) {
                    return Err(fatal.into());
                } else {
                    self.printer.tail(message.payload)?
                }
            }
            Some(Incoming::Message(of, message)) if of == self.events && !self.is_asking => {
                !self.printer.event(message.payload)?
            }
            Some(Incoming::Message(..)) => false,
        };
        if must_ask {
            self.ask();
        }
        Ok(true)
    }

    fn ask(&mut self) {
        let question = self.printer.question().to_string();
        match self.client.publish(TAIL, Some(&self.inbox), b"", question.as_bytes()) {
            Ok(()) => self.is_asking = true,
            Err(error) => log::line("lunix", Level::Warn, format_args!("cannot ask for lines: {error}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_one_line() {
        let item = json!({"time": "2026-01-31T23:59:59.000Z", "source": "user-0", "severity": "err", "program": "su",
            "pid": 7, "message": "one\ntwo\u{1b}[0m"});
        assert_eq!(shown(&item), "2026-01-31T23:59:59.000Z user-0 err su[7]: one\\ntwo\\x1b[0m");
        let item = json!({"time": "T", "source": "web", "severity": "info", "message": "up"});
        assert_eq!(shown(&item), "T web info up");
    }

    #[test]
    fn events_are_filtered_like_answers_and_holes_are_seen() {
        let filter = json!({"source": "web", "severity": "warning"});
        let Value::Object(filter) = filter else { panic!("an object") };
        let last = Some(("e".to_owned(), 4));
        let mut printer = Printer { lines: Lines::stdout(), raw: false, filter, last, count: 100 };
        let event = |source: &str, severity: &str| json!({"source": source, "severity": severity});
        assert!(printer.is_meant(&event("web", "err")) && printer.is_meant(&event("web", "warning")));
        assert!(!printer.is_meant(&event("web", "notice")) && !printer.is_meant(&event("mail", "err")));
        let mut next = |epoch: &str, seq: u64| {
            let event = json!({"epoch": epoch, "seq": seq, "source": "mail", "severity": "info"});
            printer.event(event.to_string().as_bytes()).unwrap()
        };
        assert!(next("e", 5) && next("e", 5) && next("e", 6));
        assert!(!next("e", 8) && !next("f", 7));
        assert_eq!(printer.question(), json!({"source": "web", "severity": "warning", "count": 100, "since": 6}));
    }
}
