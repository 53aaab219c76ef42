//! Lines for other machines: a queue and a connection for each target.

use super::wire::Wire;
use super::{Source, World};
use crate::config::{Forward, Transport};
use crate::machine::record::Record;
use crate::queue::Queue;
use crate::syslog;
use daemon::{Fatal, Interest, Level};
use reactor::{Event, Instant, Timer, Token};
use rustix::io::Errno;
use rustix::net::{self, AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, sockopt};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// Bytes that are ready for the socket at most, but for one message.
const OUT_MAX: usize = 16 * 1024;
/// Bytes that the kernel keeps of what was written: what it holds may have to be sent again, so it is little.
const KERNEL_BYTES: usize = 32 * 1024;
/// Writes of one target in one turn.
const WRITES_PER_TURN: usize = 16;
/// How long what was sent may stay without an acknowledgement until the connection is given up.
const SILENCE_MS: u32 = 30_000;
const BACKOFF_MIN: Duration = Duration::from_millis(500);
const BACKOFF_MAX: Duration = Duration::from_secs(30);
/// How often lost messages are reported.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// One target.
#[derive(Debug)]
pub(super) struct Target {
    index: usize,
    settings: Forward,
    host: String,
    queue: Queue,
    link: Option<Link>,
    retry: Timer,
    backoff: Duration,
    /// Why it takes no lines, as it was told last; `None` while it does.
    told: Option<String>,
    reported_at: Instant,
    lost: u64,
    /// Text of a message, kept for its memory.
    message: Vec<u8>,
}

#[derive(Debug)]
struct Link {
    socket: OwnedFd,
    token: Token,
    interest: Interest,
    is_connected: bool,
    wire: Wire,
    /// What is to be written next.
    out: Vec<u8>,
}

/// Makes the targets; they connect in the first turn.
pub(super) fn open(forward: &[Forward], context: &mut World<'_>) -> Result<Vec<Target>, Fatal> {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let mut targets = Vec::new();
    for (index, settings) in forward.iter().enumerate() {
        let failed = |error| Fatal::system("cannot open a timer", error);
        let retry = Timer::new().map_err(failed)?;
        context.watch(&retry, Interest::READ, Source::Retry(index)).map_err(failed)?;
        retry.arm(context.now()).map_err(failed)?;
        targets.push(Target {
            index,
            settings: settings.clone(),
            host: host.clone(),
            queue: Queue::new(settings.queue_bytes),
            link: None,
            retry,
            backoff: BACKOFF_MIN,
            told: None,
            reported_at: Instant::from_nanos(0),
            lost: 0,
            message: Vec::new(),
        });
    }
    Ok(targets)
}

impl Target {
    /// Takes a line, if it is meant for the target.
    pub(super) fn add(&mut self, seq: u64, record: &Record<'_>) {
        if !self.settings.wants(record) {
            return;
        }
        self.message.clear();
        syslog::write(record, seq, &self.host, &mut self.message);
        let length = format!("{} ", self.message.len());
        // On a stream each message has its length in front (RFC 6587, 3.4.1).
        let framing = if self.settings.transport() == Transport::Udp { "" } else { &length };
        self.queue.push(&[framing.as_bytes(), &self.message]);
    }

    /// The time of the next attempt has come.
    pub(super) fn retry(&mut self, context: &mut World<'_>) {
        let connected = self.retry.fired().and_then(|_| self.connect(context));
        if let Err(error) = connected {
            self.broken(&error.to_string(), context);
        }
    }

    fn connect(&mut self, context: &mut World<'_>) -> io::Result<()> {
        let is_stream = self.settings.transport() != Transport::Udp;
        let address = self.settings.address().map_err(io::Error::other)?;
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let kind = if is_stream { SocketType::STREAM } else { SocketType::DGRAM };
        let socket = net::socket_with(family, kind, SocketFlags::CLOEXEC | SocketFlags::NONBLOCK, None)?;
        if is_stream {
            sockopt::set_socket_send_buffer_size(&socket, KERNEL_BYTES)?;
            sockopt::set_tcp_user_timeout(&socket, SILENCE_MS)?;
        }
        match net::connect(&socket, &address) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return Err(errno.into()),
        }
        let wire = Wire::open(&self.settings)?;
        let interest = Interest::BOTH;
        let token = context.watch(&socket, interest, Source::Target(self.index))?;
        self.link = Some(Link { socket, token, interest, is_connected: false, wire, out: Vec::new() });
        Ok(())
    }

    /// The socket is ready for something.
    pub(super) fn serve(&mut self, event: &Event<Source>, context: &mut World<'_>) {
        let Some(link) = &mut self.link else { return };
        let served = link.serve(event);
        let news = served.as_ref().is_ok_and(|news| *news);
        if let Err(error) = served {
            return self.broken(&error.to_string(), context);
        }
        if news {
            self.backoff = BACKOFF_MIN;
            if self.told.take().is_some() {
                context.log(Level::Info, format_args!("{} takes lines again", self.settings.to));
            }
        }
    }

    /// Sends what there is, as far as the socket takes it. Returns what is to be said about it.
    pub(super) fn pump(&mut self, context: &mut World<'_>) -> Option<String> {
        if let Some(link) = self.link.as_mut().filter(|link| link.is_connected) {
            let is_stream = self.settings.transport() != Transport::Udp;
            let pumped =
                if is_stream { link.pump_stream(&mut self.queue) } else { link.pump_datagrams(&mut self.queue) };
            let wanted = pumped.and_then(|wanted| link.want(wanted, context));
            if let Err(error) = wanted {
                self.broken(&error.to_string(), context);
            }
        }
        self.report(context.now())
    }

    fn report(&mut self, now: Instant) -> Option<String> {
        self.lost += self.queue.take_lost();
        if self.lost == 0 || (now.since(self.reported_at) < REPORT_EVERY && self.reported_at.as_nanos() > 0) {
            return None;
        }
        self.reported_at = now;
        let lost = std::mem::take(&mut self.lost);
        Some(format!("lines for {} were given up: its queue was full (lost={lost})", self.settings.to))
    }

    fn broken(&mut self, reason: &str, context: &mut World<'_>) {
        if let Some(link) = self.link.take() {
            if let Err(error) = context.unwatch(link.token, &link.socket) {
                context.log(Level::Error, format_args!("cannot leave a socket: {error}"));
            }
            if link.is_connected {
                self.queue.send_again(self.settings.resend());
            }
        }
        if self.told.as_deref() != Some(reason) {
            context.log(Level::Warn, format_args!("{} takes no lines: {reason}; they wait", self.settings.to));
            self.told = Some(reason.to_owned());
        }
        if let Err(error) = self.retry.arm(Instant::now() + self.backoff) {
            context.log(Level::Error, format_args!("cannot set a timer: {error}"));
        }
        self.backoff = (self.backoff * 2).min(BACKOFF_MAX);
    }
}

impl Link {
    /// Whether messages can be sent.
    fn is_open(&self) -> bool {
        self.is_connected && self.wire.is_open()
    }

    /// Takes what the socket has to say; true when messages can be sent from now on.
    fn serve(&mut self, event: &Event<Source>) -> io::Result<bool> {
        let was_open = self.is_open();
        if !self.is_connected {
            sockopt::socket_error(&self.socket)??;
            self.is_connected = event.writable;
        }
        if event.readable || event.closed {
            self.read()?;
        }
        Ok(!was_open && self.is_open())
    }

    /// Nobody has anything to say to us but that it is the end (and what encryption takes).
    fn read(&mut self) -> io::Result<()> {
        let mut buffer = [0; 4096];
        let (_, count) = match net::recv(&self.socket, &mut buffer, RecvFlags::DONTWAIT) {
            Ok(received) => received,
            Err(Errno::AGAIN | Errno::INTR) => return Ok(()),
            Err(errno) => return Err(errno.into()),
        };
        if count == 0 {
            return Err(io::Error::other("it closed the connection"));
        }
        self.wire.receive(buffer.get(..count).unwrap_or_default())
    }

    /// Returns what to wait for.
    fn pump_stream(&mut self, queue: &mut Queue) -> io::Result<Interest> {
        for _ in 0..WRITES_PER_TURN {
            while self.out.len() < OUT_MAX
                && self.wire.is_open()
                && let Some(message) = queue.front()
            {
                self.wire.send(message, &mut self.out)?;
                queue.sent();
            }
            self.wire.flush(&mut self.out)?;
            if self.out.is_empty() {
                return Ok(Interest::READ);
            }
            match net::send(&self.socket, &self.out, SendFlags::NOSIGNAL) {
                Ok(count) => drop(self.out.drain(..count)),
                Err(Errno::AGAIN) => return Ok(Interest::BOTH),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(Interest::BOTH)
    }

    fn pump_datagrams(&mut self, queue: &mut Queue) -> io::Result<Interest> {
        for _ in 0..WRITES_PER_TURN * 8 {
            let Some(message) = queue.front() else { return Ok(Interest::READ) };
            match net::send(&self.socket, message, SendFlags::NOSIGNAL) {
                Ok(_) => queue.sent(),
                Err(Errno::AGAIN | Errno::NOBUFS) => return Ok(Interest::BOTH),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(Interest::BOTH)
    }

    fn want(&mut self, interest: Interest, context: &mut World<'_>) -> io::Result<()> {
        if self.interest != interest {
            context.set_interest(self.token, &self.socket, interest)?;
            self.interest = interest;
        }
        Ok(())
    }
}
