//! Who a client is: what it must prove, the answer to its CONNECT, and clients that wait for one.
//!
//! Most proofs are decided at once. One that takes long (a hashed password) or that somebody else decides makes the client wait: nothing
//! more is read from it, what it sent already is kept, and its authentication must still happen in time.

use super::account::GLOBAL;
use super::callout::Delegation;
use super::client::{Client, Peer, Reason};
use super::connect::Connect;
use super::kinds::ConnectionKind;
use super::permissions::{Granted, Permissions, User};
use super::settings::Credentials;
use super::{Broker, budget};
#[cfg(feature = "jwt")]
use crate::operator::Standing;
use nats_proto::client::Parser;
use reactor::Instant;
use std::rc::Rc;
use zeroize::Zeroizing;

/// Who a client proved to be, and what follows from it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The user; `None` where there are none.
    pub user: Option<Box<str>>,
    /// Name of the account it belongs to.
    pub account: Rc<str>,
    /// What it may do; `None`: everything within its account.
    pub permissions: Option<Rc<Permissions>>,
    /// What its token says, where it showed one.
    #[cfg(feature = "jwt")]
    pub standing: Option<Rc<Standing>>,
}

impl Identity {
    /// Somebody without a token.
    #[must_use]
    pub fn new(user: Option<Box<str>>, account: Rc<str>, permissions: Option<Rc<Permissions>>) -> Self {
        Self {
            user,
            account,
            permissions,
            #[cfg(feature = "jwt")]
            standing: None,
        }
    }

    /// Somebody who may do everything in the global account.
    #[must_use]
    pub fn anybody() -> Self {
        Self::new(None, GLOBAL.into(), None)
    }
}

impl From<&User> for Identity {
    fn from(user: &User) -> Self {
        Self::new(Some(user.name.as_str().into()), Rc::clone(&user.account), user.permissions.clone())
    }
}

/// A client that asked, so that an answer reaches no other one in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    slot: u32,
    id: u64,
}

impl Ticket {
    #[cfg(all(test, feature = "bcrypt"))]
    pub(crate) const fn of(slot: u32, id: u64) -> Self {
        Self { slot, id }
    }
}

/// Something that takes too long to be found out between two messages. `Debug` shows secrets: never for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Question {
    /// Whether the password fits the bcrypt hash.
    Password {
        /// The hash as configured, beginning with `$2`.
        hash: String,
        /// What the client sent; wiped when it is not needed any more.
        given: Zeroizing<String>,
        /// Where from, for a limit per source.
        peer: Peer,
    },
}

/// What a CONNECT proves.
pub(super) enum Verdict {
    Accepted(Identity),
    Refused,
    /// Refused for a reason that is told to the log alone.
    #[cfg_attr(not(feature = "jwt"), expect(dead_code, reason = "only tokens are refused for more than one reason"))]
    Explained(&'static str),
    /// It is this one if the answer is yes; `None`: refused whatever the answer.
    Asked(Option<Identity>, Question),
}

/// A CONNECT that is not answered yet.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub(super) connect: Connect,
    candidate: Option<Identity>,
    /// What a service that has the last word is asked.
    pub(super) question: Option<Box<Delegation>>,
}

impl Client {
    /// The client has proved to be `identity`.
    pub(super) fn become_somebody(&mut self, identity: &Identity, permissions: Option<Rc<Permissions>>) {
        self.user.clone_from(&identity.user);
        self.granted = permissions.map(|permissions| Box::new(Granted::new(permissions)));
    }
}

impl Broker {
    /// Who a client is that has proved nothing yet; `None` when it must.
    pub(super) fn identity_at_first(&self, client: &Client) -> Option<Identity> {
        if let Some(identity) = self.local_identity(client.local.as_deref()) {
            return identity;
        }
        if self.settings.callout.is_some() && matches!(client.peer, Peer::Tcp(_)) {
            return None;
        }
        let known = matches!(client.peer, Peer::Unix { .. }) || self.settings.credentials == Credentials::Open;
        if known {
            return Some(Identity::anybody());
        }
        let default = self.default_user_of(client).filter(|_| self.certified(client).is_none());
        default.map(Identity::from)
    }

    /// A CONNECT: accepted, refused, or put off.
    pub(super) fn connect(&mut self, now: Instant, slot: u32, parser: &mut Parser, json: &[u8]) {
        let Some(mut connect) = Connect::parse(json) else { return self.end(slot, Reason::Protocol) };
        self.complete_connect(slot, &mut connect);
        let has_credentials = self.takes_credentials(slot) && connect.names_somebody();
        if let Some(client) = self.client_mut(slot) {
            client.has_credentials = has_credentials;
        }
        let delegation = self.question(slot, &connect);
        let verdict = self.judge(slot, &connect);
        connect.wipe();
        let verdict = match &delegation {
            Some(question) => self.delegate(verdict, question),
            None => Ok(verdict),
        };
        let Ok(verdict) = verdict else {
            if let Some(client) = self.client_mut(slot) {
                client.waiting = Some(Box::new(Waiting { connect, candidate: None, question: delegation }));
            }
            return self.ask(now, slot);
        };
        match verdict {
            Verdict::Accepted(identity) => self.admit(now, slot, parser, connect, &identity),
            Verdict::Refused => self.refuse(slot, "Authorization Violation", Reason::Authentication),
            Verdict::Explained(why) => {
                self.explain(slot, why);
                self.refuse(slot, "Authorization Violation", Reason::Authentication);
            }
            Verdict::Asked(candidate, question) => {
                let Some(client) = self.client_mut(slot) else { return };
                client.waiting = Some(Box::new(Waiting { connect, candidate, question: delegation }));
                let ticket = Ticket { slot, id: client.id };
                self.outbox.questions.push_back((ticket, question));
            }
        }
    }

    fn judge(&self, slot: u32, connect: &Connect) -> Verdict {
        let Some(client) = self.client(slot) else { return Verdict::Refused };
        let peer = client.peer;
        if let Some(user) = self.certified(client) {
            return user.map(Identity::from).map_or(Verdict::Refused, Verdict::Accepted);
        }
        if self.goes_by_rules(connect) {
            let identity = self.local_identity(client.local.as_deref()).flatten();
            return identity.map_or(Verdict::Refused, Verdict::Accepted);
        }
        if matches!(peer, Peer::Unix { .. }) && self.settings.local.is_none() {
            return Verdict::Accepted(Identity::anybody());
        }
        let given = |field: &Option<String>| field.clone().unwrap_or_default();
        let anybody = Identity::anybody();
        let single = Identity { user: connect.user.as_deref().map(Into::into), ..Identity::anybody() };
        match &self.settings.credentials {
            #[cfg(feature = "jwt")]
            Credentials::Operator(trust) => self.judge_token(slot, trust, connect),
            Credentials::Users(users) => self.judge_user(slot, peer, users, connect),
            Credentials::Open => Verdict::Accepted(anybody),
            Credentials::Token(token) => prove(token, &given(&connect.token), true, anybody, peer),
            Credentials::Password { user, password } => {
                let named = is_same(user, &given(&connect.user));
                prove(password, &given(&connect.password), named, single, peer)
            }
        }
    }

    /// The user that the client proves to be. Who names nobody is the default user, if there is one.
    fn judge_user(&self, slot: u32, peer: Peer, users: &[User], connect: &Connect) -> Verdict {
        if let Some(key) = connect.nkey.as_deref().filter(|key| !key.is_empty() && self.settings.has_keys()) {
            return self.judge_key(slot, users, key, connect.signature.as_deref().unwrap_or_default());
        }
        let name = connect.user.as_deref().unwrap_or_default();
        if name.is_empty() && connect.password.is_none() && connect.token.is_none() {
            let default = self.client(slot).and_then(|client| self.default_user_of(client)).map(Identity::from);
            return default.map_or(Verdict::Refused, Verdict::Accepted);
        }
        let password = connect.password.as_deref().unwrap_or_default();
        let kind = self.kind_of(slot);
        let fits = |user: &&User| user.name == name && !user.by_key && !user.by_certificate && user.kinds.allow(kind);
        let known = users.iter().find(fits);
        // A password is compared for an unknown name, too, so that time does not tell which names there are.
        let secret = known.map_or("-", |user| &user.password);
        let identity = known.map_or_else(Identity::anybody, Identity::from);
        let verdict = prove(secret, password, known.is_some(), identity, peer);
        match (verdict, costliest(users)) {
            (Verdict::Refused, Some(hash)) => Verdict::Asked(
                None,
                Question::Password { hash: hash.to_owned(), given: password.to_owned().into(), peer },
            ),
            (verdict, _) => verdict,
        }
    }

    /// Tells the log, and nobody else, why a client is not let in.
    pub(super) fn explain(&mut self, slot: u32, why: &str) {
        if let Some(client) = self.client(slot) {
            let (id, peer) = (client.id, client.peer);
            self.outbox.note(id, super::Note::Denied(peer, format!("not let in: {why}")));
        }
    }

    /// Bytes of one message of the client.
    pub(super) fn payload_max(&self, slot: u32) -> usize {
        self.client(slot).map_or(self.settings.max_payload, |client| client.payload_max(&self.settings))
    }

    /// How the client is connected.
    pub(super) fn kind_of(&self, slot: u32) -> ConnectionKind {
        let way = self.client(slot).and_then(|client| client.way.as_deref());
        let is_web = way.is_some_and(|way| way.web.is_some());
        if is_web { ConnectionKind::Websocket } else { ConnectionKind::Standard }
    }

    /// The user with the key that the client signed with.
    #[cfg(feature = "jwt")]
    fn judge_key(&self, slot: u32, users: &[User], key: &str, signature: &str) -> Verdict {
        let (kind, nonce) = (self.kind_of(slot), self.client(slot).and_then(|client| client.nonce.as_deref()));
        let known = users.iter().find(|user| user.by_key && user.name == key && user.kinds.allow(kind));
        let signed = nonce.is_some_and(|nonce| super::nonce::is_signed(key, nonce, signature));
        known.filter(|_| signed).map_or(Verdict::Refused, |user| Verdict::Accepted(user.into()))
    }

    /// Without what verifies signatures there are no users with keys.
    #[cfg(not(feature = "jwt"))]
    fn judge_key(&self, _slot: u32, _users: &[User], _key: &str, _signature: &str) -> Verdict {
        Verdict::Refused
    }

    /// Lets a client in as `identity`.
    fn admit(&mut self, now: Instant, slot: u32, parser: &mut Parser, mut connect: Connect, identity: &Identity) {
        let is_told = self.settings.closed_kept > 0 || !self.settings.accounts.is_empty();
        if self.is_full(slot, identity) {
            let text = "maximum account active connections exceeded";
            return self.refuse(slot, text, Reason::MaxAccountConnections);
        }
        if !self.bind(slot, identity) {
            return self.refuse(slot, "Authorization Violation", Reason::Authentication);
        }
        let (line, payload) = (self.settings.max_control_line, self.payload_max(slot));
        parser.set_limits(line, payload);
        let Some(client) = self.client_mut(slot) else { return };
        let (again, first) = (client.connected, !client.authenticated);
        client.options.merge(&connect);
        // Only monitoring and other accounts are told, so only then is memory spent on it.
        connect.user = identity.user.as_deref().map(str::to_owned).or(connect.user);
        client.about = connect.about().filter(|_| is_told);
        parser.set_headers(client.options.headers);
        let options = client.options;
        client.connected = true;
        client.authenticated = true;
        if first {
            self.start_clock(now, slot);
        }
        if again {
            // The reference binds the client to its account anew, and what it subscribed to before is gone.
            self.drop_all_subscriptions(slot);
        }
        if self.client(slot).is_some_and(|client| client.subscriptions_max(&self.settings) == Some(0)) {
            return self.refuse(slot, "maximum subscriptions exceeded", Reason::MaxSubscriptions);
        }
        if !(0..=1).contains(&options.protocol) {
            return self.refuse(slot, "invalid client protocol", Reason::ClientProtocol);
        }
        if options.no_responders && !options.headers {
            return self.refuse(slot, "no responders requires headers support", Reason::Protocol);
        }
        self.ok(slot);
        if !again {
            self.announce_connect(now, slot);
        }
    }

    /// Binds the client to its account; what it subscribed to in another one is gone. False when there is no such account.
    pub(super) fn bind(&mut self, slot: u32, identity: &Identity) -> bool {
        let Some(account) = self.account_of(slot, identity) else { return false };
        let Some(before) = self.client(slot).map(|client| client.account) else { return false };
        if before != Some(account) {
            self.drop_all_subscriptions(slot);
            self.unbind(slot);
            before.into_iter().for_each(|before| self.close_own(before));
            if let Some(account) = self.accounts.get_mut(account) {
                account.clients += 1;
            }
        }
        let permissions = self.guarded(&identity.account, identity.permissions.clone());
        if let Some(client) = self.clients.get_mut(slot as usize).and_then(Option::as_deref_mut) {
            client.account = Some(account);
            client.become_somebody(identity, permissions);
            let user = identity.user.as_deref().map(|user| (&*identity.account, user));
            self.outbox.hand_over(client, &budget::key_of(client.peer, user));
        }
        #[cfg(feature = "jwt")]
        self.settle_in(slot, identity.standing.as_ref());
        true
    }

    /// The client belongs to no account any more.
    pub(super) fn unbind(&mut self, slot: u32) {
        let Some(id) = self.client_mut(slot).and_then(|client| client.account.take()) else { return };
        if let Some(account) = self.accounts.get_mut(id) {
            account.clients = account.clients.saturating_sub(1);
        }
    }

    /// The next thing somebody has to find out; tell it with [`Broker::answer`]. At most one waits per client.
    pub fn take_question(&mut self) -> Option<(Ticket, Question)> {
        self.outbox.questions.pop_front()
    }

    /// True while somebody waits for the answer.
    #[must_use]
    pub fn is_asking(&self, ticket: Ticket) -> bool {
        let asker = self.client(ticket.slot).filter(|client| client.id == ticket.id);
        asker.is_some_and(|client| client.is_waiting() && !client.is_closing())
    }

    /// The answer to a question. One that comes too late, or for a client that is gone, is nobody's.
    pub fn answer(&mut self, now: Instant, ticket: Ticket, yes: bool) {
        let asker = self.client_mut(ticket.slot).filter(|client| client.id == ticket.id);
        if let Some(waiting) = asker.and_then(|client| client.waiting.as_deref_mut()) {
            let identity = waiting.candidate.take().filter(|_| yes);
            self.hear_of_password(now, ticket.slot, identity);
        }
    }

    /// What is known of the password decides, unless somebody else has the last word.
    fn hear_of_password(&mut self, now: Instant, slot: u32, identity: Option<Identity>) {
        let question = self.client(slot).and_then(|client| client.waiting.as_deref()?.question.as_deref());
        let verdict = identity.map_or(Verdict::Refused, Verdict::Accepted);
        let verdict = match question {
            Some(question) => self.delegate(verdict, question),
            None => Ok(verdict),
        };
        match verdict {
            Err(()) => self.ask(now, slot),
            Ok(Verdict::Accepted(identity)) => self.decide(now, slot, Some(&identity)),
            #[cfg(feature = "jwt")]
            Ok(Verdict::Explained(_)) => self.decide(now, slot, None),
            Ok(Verdict::Refused | Verdict::Asked(..)) => self.decide(now, slot, None),
        }
    }

    /// Ends the waiting of a client: it is `identity`, or refused. What it sent in the meantime is executed.
    pub(super) fn decide(&mut self, now: Instant, slot: u32, identity: Option<&Identity>) {
        let Some(client) = self.client_mut(slot).filter(|client| !client.is_closing()) else { return };
        let Some(waiting) = client.waiting.take() else { return };
        let Some(identity) = identity else {
            return self.refuse(slot, "Authorization Violation", Reason::Authentication);
        };
        let mut parser = std::mem::replace(&mut client.parser, Parser::new(0, 0));
        self.admit(now, slot, &mut parser, waiting.connect, identity);
        if let Some(client) = self.client_mut(slot) {
            client.parser = parser;
        }
        self.outbox.resumed.push(slot);
        self.catch_up(now, slot);
    }
}

impl Client {
    /// True while the answer to its CONNECT is not known.
    pub(crate) fn is_waiting(&self) -> bool {
        self.waiting.is_some()
    }
}

/// Compares a secret with what is given; a hashed one is asked about. `named`: whether the user is known.
fn prove(secret: &str, given: &str, named: bool, identity: Identity, peer: Peer) -> Verdict {
    if is_hash(secret) {
        let question = Question::Password { hash: secret.to_owned(), given: given.to_owned().into(), peer };
        return Verdict::Asked(named.then_some(identity), question);
    }
    // The secret is compared, whatever is known of the user, so that time tells nothing.
    if is_same(secret, given) & named { Verdict::Accepted(identity) } else { Verdict::Refused }
}

/// Whether a configured password is a bcrypt hash.
pub(crate) fn is_hash(secret: &str) -> bool {
    let [b'$', b'2', b'a' | b'b' | b'x' | b'y', b'$', tens, ones, b'$', ..] = secret.as_bytes() else { return false };
    tens.is_ascii_digit() && ones.is_ascii_digit()
}

/// The hash that takes longest to compare; whoever fails is made to wait for it, so that time tells nothing but that.
fn costliest(users: &[User]) -> Option<&str> {
    let hashes = users.iter().map(|user| user.password.as_str()).filter(|secret| is_hash(secret));
    hashes.max_by_key(|hash| hash.get(4..6).map(str::to_owned))
}

/// Compares in a time that depends on the length of `given` alone.
fn is_same(secret: &str, given: &str) -> bool {
    let mut secret_bytes = secret.bytes().cycle();
    let difference = given.bytes().fold(u8::from(secret.len() != given.len()), |difference, byte| {
        difference | (byte ^ secret_bytes.next().unwrap_or(!byte))
    });
    std::hint::black_box(difference) == 0
}
