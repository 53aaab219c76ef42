//! Monitoring over HTTP: one request per connection, few connections at a time, in the same loop as everything else.

use super::error::Error;
use super::listen::Listener;
use super::{Server, Source};
use crate::broker::{Facts, Report};
use crate::config::Monitoring;
use proto_http::{Head, Malformed, Scanner};
use reactor::{Instant, Interest, Token};
use rustix::net::RecvFlags;
use rustix::time::{ClockId, clock_gettime};
use std::fs;
use std::os::fd::OwnedFd;
use std::time::{Duration, SystemTime};

/// Connections at the same time; one more takes the place of the oldest.
const CONNECTIONS_MAX: usize = 16;
/// How long a connection may last.
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes read at once, and longest head.
const READ_SIZE: usize = 4096;
const HEAD_MAX: usize = 8192;

const PAGES: [(&str, Report); 10] = [
    ("/varz", Report::Server),
    ("/connz", Report::Connections),
    ("/subsz", Report::Subscriptions),
    ("/subscriptionsz", Report::Subscriptions),
    ("/healthz", Report::Health),
    ("/routez", Report::Routes),
    ("/accountz", Report::Accounts),
    ("/leafz", Report::Leafs),
    ("/leafnodes", Report::Leafs),
    ("/routes", Report::Routes),
];

#[derive(Debug)]
struct Connection {
    fd: OwnedFd,
    token: Token,
    scanner: Scanner,
    head: Vec<u8>,
    answer: Vec<u8>,
    written: usize,
    due: Instant,
}

impl Connection {
    /// Takes bytes. Returns the head of the request once it is complete; what follows is of no interest.
    fn feed(&mut self, input: &[u8]) -> Result<Option<Vec<u8>>, Malformed> {
        let end = self.scanner.feed(input)?;
        self.head.extend_from_slice(input.get(..end.unwrap_or(input.len())).unwrap_or_default());
        Ok(end.map(|_| std::mem::take(&mut self.head)))
    }
}

/// The listener and its connections.
#[derive(Debug)]
pub(super) struct Monitor {
    pub(super) listener: Listener,
    host: String,
    port: u16,
    connections: [Option<Connection>; CONNECTIONS_MAX],
    requests: [(&'static str, u64); PAGES.len()],
}

impl Monitor {
    pub(super) fn open(config: &Monitoring) -> Result<Self, Error> {
        let (listener, port) = Listener::tcp(&config.host, config.port)?;
        let requests = PAGES.map(|(path, _)| (path, 0));
        Ok(Self { listener, host: config.host.clone(), port, connections: Default::default(), requests })
    }

    /// Serves a socket that was handed over.
    pub(super) fn on(listener: Listener) -> Self {
        let (host, port) = listener.address().map_or_else(Default::default, |at| (at.ip().to_string(), at.port()));
        let requests = PAGES.map(|(path, _)| (path, 0));
        Self { listener, host, port, connections: Default::default(), requests }
    }

    /// When the next connection has lasted too long.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.connections.iter().flatten().map(|connection| connection.due).min()
    }

    fn connection(&mut self, place: u32) -> Option<&mut Connection> {
        self.connections.get_mut(place as usize)?.as_mut()
    }

    /// How often each page was asked for.
    fn asked(&self) -> Vec<(&'static str, u64)> {
        self.requests.iter().copied().filter(|&(_, count)| count > 0).collect()
    }

    /// A place for one more: a free one, else that of the oldest.
    fn place(&self) -> u32 {
        let age = |place: &Option<Connection>| place.as_ref().map(|connection| connection.due);
        let (_, place) = self.connections.iter().map(age).zip(0..).min().unwrap_or_default();
        place
    }
}

impl Server {
    pub(super) fn monitor_accept(&mut self, now: Instant) {
        while let Some(accepted) = self.monitor.as_ref().and_then(|monitor| monitor.listener.accept()) {
            let Ok((fd, _)) = accepted else { return };
            let Some(place) = self.monitor.as_ref().map(Monitor::place) else { return };
            self.monitor_close(place);
            let Ok(token) = self.reactor.insert(&fd, Interest::READ, Source::Monitored(place)) else { return };
            let connection = Connection {
                fd,
                token,
                scanner: Scanner::new(HEAD_MAX),
                head: Vec::new(),
                answer: Vec::new(),
                written: 0,
                due: now + PATIENCE,
            };
            if let Some(slot) = self.monitor.as_mut().and_then(|monitor| monitor.connections.get_mut(place as usize)) {
                *slot = Some(connection);
            }
        }
    }

    /// Reads a request, or goes on writing its answer.
    pub(super) fn monitor_ready(&mut self, now: Instant, place: u32) {
        let Some(connection) = self.monitor.as_mut().and_then(|monitor| monitor.connection(place)) else { return };
        if !connection.answer.is_empty() {
            return self.monitor_write(place);
        }
        let mut buffer = [0; READ_SIZE];
        match rustix::net::recv(&connection.fd, &mut buffer, RecvFlags::empty()) {
            Ok((0, _)) => self.monitor_close(place),
            Ok((len, _)) => {
                let answer = match connection.feed(buffer.get(..len).unwrap_or_default()) {
                    Ok(None) => return,
                    Ok(Some(head)) => Head::read(&head).map(|head| self.answer(now, &head)),
                    Err(error) => Err(error),
                };
                let malformed = |_| page("400 Bad Request", "text/plain; charset=utf-8", b"400 Bad Request", true);
                let answer = answer.unwrap_or_else(malformed);
                if let Some(connection) = self.monitor.as_mut().and_then(|monitor| monitor.connection(place)) {
                    connection.answer = answer;
                }
                self.monitor_write(place);
            }
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => self.monitor_close(place),
        }
    }

    fn monitor_write(&mut self, place: u32) {
        let Some(connection) = self.monitor.as_mut().and_then(|monitor| monitor.connection(place)) else { return };
        let rest = connection.answer.get(connection.written..).unwrap_or_default();
        match rustix::io::write(&connection.fd, rest) {
            Ok(len) => connection.written += len,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            Err(_) => return self.monitor_close(place),
        }
        let done = connection.written >= connection.answer.len();
        if done || self.reactor.set_interest(connection.token, &connection.fd, Interest::WRITE).is_err() {
            self.monitor_close(place);
        }
    }

    fn monitor_close(&mut self, place: u32) {
        let Some(monitor) = &mut self.monitor else { return };
        if let Some(connection) = monitor.connections.get_mut(place as usize).and_then(Option::take) {
            // The descriptor is closed right after, which ends the watching, too.
            let _ = self.reactor.remove(connection.token, &connection.fd);
        }
    }

    /// Closes the connections that have lasted too long.
    pub(super) fn monitor_tick(&mut self, now: Instant) {
        for place in (0..).take(CONNECTIONS_MAX) {
            let connection = self.monitor.as_mut().and_then(|monitor| monitor.connection(place));
            if connection.is_some_and(|connection| connection.due <= now) {
                self.monitor_close(place);
            }
        }
    }

    /// Answers those who ask on the bus.
    pub(super) fn answer_requests(&mut self, now: Instant) {
        if self.broker.has_requests() {
            let asked = self.monitor.as_ref().map(Monitor::asked).unwrap_or_default();
            let facts = facts(now, (self.started, self.loaded), self.monitor.as_ref(), &asked);
            self.broker.answer_requests(&facts);
        }
    }

    fn answer(&mut self, now: Instant, request: &Head<'_>) -> Vec<u8> {
        let whole = request.method != "HEAD";
        if whole && request.method != "GET" {
            return page("405 Method Not Allowed", "text/plain; charset=utf-8", b"Method Not Allowed\n", true);
        }
        if request.path() == "/" {
            return page("200 OK", "text/html; charset=utf-8", index().as_bytes(), whole);
        }
        let Some(&(path, report)) = PAGES.iter().find(|(path, _)| *path == request.path()) else {
            return page("404 Not Found", "text/plain; charset=utf-8", b"404 page not found\n", whole);
        };
        let Some(monitor) = &mut self.monitor else { return Vec::new() };
        if let Some((_, count)) = monitor.requests.iter_mut().find(|(known, _)| *known == path) {
            *count += 1;
        }
        let asked = monitor.asked();
        let facts = facts(now, (self.started, self.loaded), self.monitor.as_ref(), &asked);
        match self.broker.report(&facts, report, request.query()) {
            // As the reference: a lame duck's health is an error of the server.
            Ok(body) if report == Report::Health && self.broker.is_lame_duck() => {
                page("500 Internal Server Error", "application/json", &body, whole)
            }
            Ok(body) => page("200 OK", "application/json", &body, whole),
            Err(text) => page("400 Bad Request", "text/plain; charset=utf-8", text.as_bytes(), whole),
        }
    }
}

/// What the broker cannot know by itself.
fn facts<'a>(
    now: Instant,
    (started, loaded): (Instant, Instant),
    monitor: Option<&'a Monitor>,
    requests: &'a [(&'a str, u64)],
) -> Facts<'a> {
    Facts {
        now,
        wall: SystemTime::now(),
        started,
        loaded,
        memory: resident(),
        processor: Duration::try_from(clock_gettime(ClockId::ProcessCPUTime)).unwrap_or_default(),
        http_host: monitor.map_or("", |monitor| &monitor.host),
        http_port: monitor.map_or(0, |monitor| monitor.port),
        requests,
    }
}

/// A response; `whole`: with its body, else the head alone.
fn page(status: &str, kind: &str, body: &[u8], whole: bool) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nAccess-Control-Allow-Origin: *\r\nContent-Length: {}\r\n\
         Connection: close\r\n\r\n",
        body.len()
    );
    let mut response = head.into_bytes();
    if whole {
        response.extend_from_slice(body);
    }
    response
}

fn index() -> String {
    let links = PAGES.iter().map(|(path, _)| format!("<li><a href=\".{path}\">{path}</a></li>"));
    format!("<!doctype html><title>lunix-bus</title><ul>{}</ul>\n", links.collect::<String>())
}

/// Resident memory in bytes (`man 5 proc_pid_status`); 0 when it cannot be read.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
}
