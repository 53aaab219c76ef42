//! A session on a socket in a reactor, connected again when it breaks.

use crate::Address;
use crate::session::{Error, Event, Identity, Message, Session};
use crate::socket::{Read, Socket};
use reactor::{Instant, Interest, Reactor, Timer, Token};
use std::fmt;
use std::io;
use std::time::Duration;

/// Bytes read from the bus in one turn.
const READ_MAX: usize = 8 * 1024;

/// First pause before connecting again; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(20);

/// Longest pause before connecting again.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// The reactor keys under which the client wants to be called.
#[derive(Clone, Copy, Debug)]
pub struct Keys<K> {
    /// For the socket.
    pub socket: K,
    /// For the timer of the next attempt.
    pub timer: K,
}

/// Names a subscription over all reconnects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subscription(u64);

/// What [`Client::next`] hands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming<'a> {
    /// The bus has accepted us; all subscriptions stand.
    Up {
        /// The largest payload it takes, in bytes.
        max_payload: usize,
    },
    /// A message.
    Message(Subscription, Message<'a>),
    /// The bus has taken everything published before the oldest unanswered [`Client::ping`].
    Pong,
    /// The bus complains, in its own words.
    Refused(&'a str),
}

/// Why a message was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublishError {
    /// There is no connection.
    Down,
    /// Too much is waiting to be sent; try again after the next turn.
    Full,
    /// The payload is larger than the bus takes.
    TooLarge {
        /// The limit in bytes.
        max_payload: usize,
    },
}

impl fmt::Display for PublishError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Down => f.write_str("not connected to the bus"),
            Self::Full => f.write_str("output to the bus is full"),
            Self::TooLarge { max_payload } => write!(f, "payload larger than the bus's limit of {max_payload} bytes"),
        }
    }
}

impl std::error::Error for PublishError {}

#[derive(Debug)]
struct Link {
    socket: Socket,
    token: Token,
    session: Session,
    connected: bool,
    open: bool,
    interest: Interest,
    /// How many of the wishes the bus knows.
    subscribed: usize,
    /// Why the connection must end; the end of the turn does it.
    failure: Option<String>,
}

#[derive(Debug)]
struct Wish {
    subject: String,
    queue: Option<String>,
}

/// A client that lives in the caller's reactor.
///
/// Each turn: give it its events with [`handle`](Client::handle), take what came with [`next`](Client::next), and at the end of
/// the turn call [`flush`](Client::flush), which sends everything with one system call.
#[derive(Debug)]
pub struct Client<K> {
    address: Address,
    identity: Identity,
    output_max: usize,
    keys: Keys<K>,
    timer: Timer,
    pause: Duration,
    link: Option<Link>,
    wishes: Vec<Wish>,
    down_reason: Option<String>,
}

impl<K: Copy> Client<K> {
    /// A client that is not connected; [`open`](Client::open) starts it. At most `output_max` bytes wait to be sent.
    ///
    /// # Errors
    /// When no descriptor is free for the timer, or no slot in the reactor.
    pub fn new(
        address: Address,
        identity: Identity,
        output_max: usize,
        keys: Keys<K>,
        reactor: &mut Reactor<K>,
    ) -> io::Result<Self> {
        let identity = identity.with_credentials(&address);
        let timer = Timer::new()?;
        reactor.insert(&timer, Interest::READ, keys.timer)?;
        let (pause, link, wishes, down_reason) = (PAUSE_MIN, None, Vec::new(), None);
        Ok(Self { address, identity, output_max, keys, timer, pause, link, wishes, down_reason })
    }

    /// Subscribes now and after every reconnect.
    pub fn subscribe(&mut self, subject: &str, queue: Option<&str>) -> Subscription {
        let sid = self.wishes.len() as u64 + 1;
        self.wishes.push(Wish { subject: subject.to_owned(), queue: queue.map(str::to_owned) });
        Subscription(sid)
    }

    /// True while the bus has accepted us.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.link.as_ref().is_some_and(|link| link.open)
    }

    /// Where this client connects to.
    #[must_use]
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Why the connection is down, once per change from up to down and for the first failed attempt.
    pub fn take_down_reason(&mut self) -> Option<String> {
        self.down_reason.take()
    }

    /// Starts the first attempt to connect.
    pub fn open(&mut self, now: Instant, reactor: &mut Reactor<K>) {
        self.attempt(now, reactor);
    }

    /// Serves one event of the client's own keys.
    pub fn handle(&mut self, now: Instant, event: reactor::Event<K>, reactor: &mut Reactor<K>) {
        match &mut self.link {
            Some(link) if link.token == event.token => {
                if let Err(reason) = serve(link, event) {
                    self.break_off(now, reactor, reason);
                }
            }
            Some(_) => {}
            None => match self.timer.fired() {
                Ok(true) => self.attempt(now, reactor),
                Ok(false) => {}
                Err(error) => self.down_reason = Some(format!("timer: {error}")),
            },
        }
    }

    /// The next thing the bus said; `None` when that is all for this turn.
    #[expect(clippy::should_implement_trait, reason = "the items borrow from the client")]
    pub fn next(&mut self) -> Option<Incoming<'_>> {
        let link = self.link.as_mut()?;
        match link.session.next() {
            Ok(Some(Event::Open { max_payload })) => {
                link.open = true;
                self.pause = PAUSE_MIN;
                Some(Incoming::Up { max_payload })
            }
            Ok(Some(Event::Message(message))) => Some(Incoming::Message(Subscription(message.sid), message)),
            Ok(Some(Event::Pong)) => Some(Incoming::Pong),
            Ok(Some(Event::Refused(text))) => Some(Incoming::Refused(text)),
            Ok(None) => None,
            Err(error) => {
                link.failure = Some(error.to_string());
                None
            }
        }
    }

    /// Publishes a message; it leaves with the next [`flush`](Client::flush).
    ///
    /// # Errors
    /// See [`PublishError`]; nothing was taken then.
    pub fn publish(
        &mut self,
        subject: &str,
        reply: Option<&str>,
        headers: &[u8],
        payload: &[u8],
    ) -> Result<(), PublishError> {
        let link = self.open_link().ok_or(PublishError::Down)?;
        link.session.publish(subject, reply, headers, payload).map_err(|error| match error {
            Error::TooLarge { max_payload } => PublishError::TooLarge { max_payload },
            Error::Full | Error::Protocol(_) => PublishError::Full,
        })
    }

    /// Asks for an [`Incoming::Pong`]. False when there is no connection.
    pub fn ping(&mut self) -> bool {
        match self.open_link() {
            Some(link) => {
                link.session.ping();
                true
            }
            None => false,
        }
    }

    /// Sends what waits, as far as the kernel takes it; the rest follows when there is room.
    pub fn flush(&mut self, now: Instant, reactor: &mut Reactor<K>) {
        self.open_link();
        let Some(link) = self.link.as_mut().filter(|link| link.connected) else { return };
        let sent = match link.failure.take() {
            Some(reason) => Err(reason),
            None => send(link).and_then(|()| follow_interest(link, reactor)),
        };
        if let Err(reason) = sent {
            self.break_off(now, reactor, reason);
        }
    }

    /// The link, when the bus has accepted us, with all subscriptions made.
    fn open_link(&mut self) -> Option<&mut Link> {
        let link = self.link.as_mut().filter(|link| link.open)?;
        for (wish, sid) in self.wishes.iter().zip(1..).skip(link.subscribed) {
            link.session.subscribe(&wish.subject, wish.queue.as_deref(), sid);
        }
        link.subscribed = self.wishes.len();
        Some(link)
    }

    fn attempt(&mut self, now: Instant, reactor: &mut Reactor<K>) {
        let begun = Socket::connect(&self.address.endpoint).and_then(|(socket, connected)| {
            let interest = if connected { Interest::READ } else { Interest::WRITE };
            let token = reactor.insert(&socket, interest, self.keys.socket)?;
            let session = Session::new(self.identity.clone(), self.output_max);
            Ok(Link { socket, token, session, connected, open: false, interest, subscribed: 0, failure: None })
        });
        match begun {
            Ok(link) => self.link = Some(link),
            Err(error) => self.schedule(now, error.to_string()),
        }
    }

    fn break_off(&mut self, now: Instant, reactor: &mut Reactor<K>, reason: String) {
        let Some(link) = self.link.take() else { return };
        // A failure to forget the descriptor leaves nothing behind: it is closed right here.
        drop(reactor.remove(link.token, &link.socket));
        self.schedule(now, reason);
    }

    fn schedule(&mut self, now: Instant, reason: String) {
        if self.pause == PAUSE_MIN {
            self.down_reason = Some(reason);
        }
        if let Err(error) = self.timer.arm(now + self.pause) {
            self.down_reason = Some(format!("timer: {error}"));
        }
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }
}

/// Connects, reads and writes as far as the event allows. The error is the sentence that ends the connection.
fn serve<K>(link: &mut Link, event: reactor::Event<K>) -> Result<(), String> {
    if !link.connected {
        link.socket.outcome().map_err(|error| error.to_string())?;
        link.connected = true;
        return Ok(());
    }
    if event.readable {
        let mut buffer = [0; READ_MAX];
        match link.socket.read(&mut buffer).map_err(|error| error.to_string())? {
            Read::Bytes(count) => link.session.receive(buffer.get(..count).unwrap_or_default()),
            Read::Nothing => {}
            Read::End => return Err("the bus closed the connection".to_owned()),
        }
    }
    Ok(())
}

fn send(link: &mut Link) -> Result<(), String> {
    while !link.session.output().is_empty() {
        let count = link.socket.write(link.session.output()).map_err(|error| error.to_string())?;
        if count == 0 {
            break;
        }
        link.session.sent(count);
    }
    link.session.shrink();
    Ok(())
}

fn follow_interest<K: Copy>(link: &mut Link, reactor: &mut Reactor<K>) -> Result<(), String> {
    let wanted = if link.session.output().is_empty() { Interest::READ } else { Interest::BOTH };
    if wanted != link.interest {
        reactor.set_interest(link.token, &link.socket, wanted).map_err(|error| error.to_string())?;
        link.interest = wanted;
    }
    Ok(())
}
