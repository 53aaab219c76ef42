//! Auth callout: a service on the bus decides who a client is.
//!
//! The server asks on [`SUBJECT`] in the service's account, with a token it signs (nats-io/jwt: authorization request), and believes an
//! answer that the configured issuer signed: about this very question, for this very server, with the token of a user in it. The client
//! waits as one with a hashed password does.

use super::account::AccountId;
use super::authenticate::{Identity, Verdict};
use super::client::{Client, Peer, Reason};
use super::connect::Connect;
use super::info::REFERENCE_VERSION;
use super::permissions::{Clause, Permissions};
use super::publish::{Origin, Published};
use super::settings::{Callout, Settings};
use super::subscriptions::NONE;
use super::{Broker, GLOBAL};
use crate::operator::{Refusal, grant};
use nats_keys::{
    AuthorizationRequest, AuthorizationResponse, Claims, ConnectOptions, KeyPair, Role, Server, User, decode, encode,
};
use nats_proto::client::Wire;
use reactor::Instant;
use std::net::IpAddr;
use std::rc::Rc;
use zeroize::Zeroizing;

/// Where the service is asked.
pub(super) const SUBJECT: &[u8] = b"$SYS.REQ.USER.AUTH";
const AUDIENCE: &str = "nats-authorization-request";
/// Questions under way at one time: of everybody, and of one source.
const UNDER_WAY_MAX: usize = 1024;
const UNDER_WAY_MAX_PER_SOURCE: usize = 256;

/// What only this server knows, and what is made of it.
#[derive(Debug)]
pub(super) struct Secrets {
    secret: Zeroizing<[u8; 32]>,
    count: u64,
    /// What the server signs with.
    key: KeyPair,
}

impl Secrets {
    pub(super) fn new(secret: [u8; 32]) -> Self {
        let secret = Zeroizing::new(secret);
        let key = KeyPair::new(Role::Server, derive(&secret, b"key of the server", 0));
        Self { secret, count: 0, key }
    }

    /// The server's public key.
    pub(super) fn server(&self) -> String {
        self.key.public().to_string()
    }

    /// What the server seals with.
    #[cfg(feature = "seal")]
    pub(super) fn curve_secret(&self) -> [u8; 32] {
        derive(&self.secret, b"curve key of the server", 0)
    }

    pub(super) fn draw(&mut self, purpose: &[u8]) -> [u8; 32] {
        self.count += 1;
        derive(&self.secret, purpose, self.count)
    }
}

fn derive(secret: &[u8; 32], purpose: &[u8], count: u64) -> [u8; 32] {
    nats_keys::hash(&[&secret[..], &count.to_le_bytes(), purpose].concat())
}

/// A question about a client.
#[derive(Debug)]
pub(crate) struct Delegation {
    /// The key made for it.
    user: String,
    /// Last token of the subject for the answer.
    inbox: String,
    /// What is asked, until it is.
    text: Option<Zeroizing<Vec<u8>>>,
    /// Where the client comes from; `None`: this machine.
    source: Option<IpAddr>,
    /// The configured user that the client names is let in by its password or key alone.
    is_service: bool,
}

impl Broker {
    /// Prepares to ask the service, where there is one, about a client whose CONNECT is judged by what it sends.
    pub(super) fn question(&mut self, slot: u32, connect: &Connect) -> Option<Box<Delegation>> {
        let callout = Rc::clone(self.settings.callout.as_ref()?);
        let is_unix = self.client(slot).is_some_and(|client| matches!(client.peer, Peer::Unix { .. }));
        if self.goes_by_rules(connect) || (is_unix && self.settings.local.is_none()) {
            return None;
        }
        let named = [&connect.nkey, &connect.user].into_iter().flatten().find(|name| !name.is_empty());
        let user = KeyPair::new(Role::User, self.secrets.draw(b"user")).public().to_string();
        let inbox = nats_keys::encode_base64(self.secrets.draw(b"inbox").get(..12).unwrap_or_default());
        let text = self.write_question(slot, connect, &callout, &user).map(Zeroizing::new);
        let source = match self.client(slot)?.peer {
            Peer::Tcp(address) => Some(address.ip()),
            Peer::Unix { .. } => None,
        };
        let is_service = named.is_some_and(|name| callout.users.iter().any(|user| user == name));
        Some(Box::new(Delegation { user, inbox: format!("{inbox}-{slot}"), text, source, is_service }))
    }

    fn write_question(&mut self, slot: u32, connect: &Connect, callout: &Callout, user: &str) -> Option<Vec<u8>> {
        let (settings, client) = (&self.settings, self.client(slot)?);
        let text = |field: &Option<String>| field.clone().unwrap_or_default();
        let server = Server {
            name: settings.server_name.clone(),
            host: settings.host.clone(),
            id: settings.server_id.clone(),
            version: REFERENCE_VERSION.into(),
            curve_key: self.curve_key(),
            ..Server::default()
        };
        let told = nats_keys::Client {
            host: match client.peer {
                Peer::Tcp(address) => address.ip().to_canonical().to_string(),
                Peer::Unix { .. } => String::new(),
            },
            id: client.id,
            user: text(if connect.user.is_some() { &connect.user } else { &connect.nkey }),
            name: text(&connect.name),
            kind: "Client".into(),
            transport: "nats".into(),
            nonce: client.nonce.as_deref().map(|nonce| String::from_utf8_lossy(nonce).into_owned()).unwrap_or_default(),
            ..nats_keys::Client::default()
        };
        let options = ConnectOptions {
            jwt: text(&connect.jwt),
            nkey: text(&connect.nkey),
            signature: text(&connect.signature),
            token: text(&connect.token),
            user: text(&connect.user),
            password: text(&connect.password),
            name: text(&connect.name),
            lang: text(&connect.lang),
            version: text(&connect.version),
            protocol: connect.protocol.unwrap_or_default(),
        };
        let request_nonce = told.nonce.clone();
        let (now, timeout) = (self.second(), i64::try_from(settings.auth_timeout.as_secs()).unwrap_or(i64::MAX));
        let request = AuthorizationRequest {
            server,
            user_nkey: user.to_owned(),
            client: told,
            options,
            tls: None,
            request_nonce,
        };
        let claims = Claims {
            audience: AUDIENCE.into(),
            subject: callout.issuer.clone(),
            expires: now.saturating_add(timeout.max(1)),
            ..Claims::new(request)
        };
        let token = encode(&claims, &self.secrets.key, now).ok()?;
        self.seal(token.into_bytes())
    }

    /// What a verdict means where a service has the last word. `Err`: it is asked.
    pub(super) fn delegate(&self, verdict: Verdict, question: &Delegation) -> Result<Verdict, ()> {
        let Some(callout) = &self.settings.callout else { return Ok(verdict) };
        match verdict {
            Verdict::Accepted(identity) if question.is_service || callout.spares(&identity.account) => {
                Ok(Verdict::Accepted(identity))
            }
            verdict @ (Verdict::Refused | Verdict::Explained(_)) if question.is_service => Ok(verdict),
            // The password is compared first; see `Broker::answer`.
            verdict @ Verdict::Asked(..) => Ok(verdict),
            Verdict::Accepted(_) | Verdict::Refused | Verdict::Explained(_) => Err(()),
        }
    }

    /// Asks the service about a client that waits. It has as long to answer as a client has to authenticate.
    pub(super) fn ask(&mut self, now: Instant, slot: u32) {
        let Some(callout) = self.settings.callout.clone() else { return };
        let due = now + self.settings.auth_timeout;
        let crowded = self.is_crowded(slot);
        let question = self.client_mut(slot).and_then(|client| client.waiting.as_deref_mut()?.question.as_deref_mut());
        let Some((text, inbox)) = question.and_then(|asked| Some((asked.text.take()?, asked.inbox.clone()))) else {
            return self.refuse(slot, "Authorization Violation", Reason::Authentication);
        };
        if crowded {
            self.explain(slot, "too many authorization requests are under way");
            return self.refuse(slot, "Authorization Violation", Reason::Authentication);
        }
        if let Some(client) = self.client_mut(slot) {
            client.due = Some(due);
        }
        self.note_due(due);
        self.asked.push(slot);
        let reply = [self.answers_prefix().as_bytes(), inbox.as_bytes()].concat();
        let headers = self.curve_headers();
        let Some(account) = self.accounts.find(&callout.account) else { return };
        let origin = Origin { slot: NONE, echo: true, through: None, shared: false, hops: 0 };
        let wire = Wire::default();
        let parts = Published { subject: SUBJECT, reply: Some(&reply), headers: &headers, payload: &text, wire };
        // Who does not answer in time, or is not there, lets nobody in.
        self.route_apart(now, origin, account, &parts);
    }

    /// Whether as many questions are under way as may be; forgets those that are over.
    fn is_crowded(&mut self, slot: u32) -> bool {
        let source = |client: &Client| Some(client.waiting.as_deref()?.question.as_deref()?.source);
        let mut asked = std::mem::take(&mut self.asked);
        asked.retain(|&slot| self.client(slot).is_some_and(|client| client.is_asked_about() && !client.is_closing()));
        let own = self.client(slot).and_then(source);
        let alike = asked.iter().filter(|&&other| self.client(other).and_then(source) == own).count();
        let crowded = asked.len() >= UNDER_WAY_MAX || alike >= UNDER_WAY_MAX_PER_SOURCE;
        self.asked = asked;
        crowded
    }

    fn answers_prefix(&self) -> String {
        format!("$SYS._INBOX.{}.", self.settings.server_id.get(..8).unwrap_or("N"))
    }

    /// Where the service answers.
    pub(super) fn answers_subject(&self) -> String {
        self.answers_prefix() + "*"
    }

    /// Whether the service's account is this one.
    pub(super) fn hears_answers(&self, account: AccountId) -> bool {
        let name = self.accounts.name(account);
        self.settings.callout.as_ref().is_some_and(|callout| *callout.account == *name)
    }

    /// An answer of the service.
    pub(super) fn hear_answer(&mut self, now: Instant, subject: &[u8], payload: &[u8]) -> bool {
        let Some(token) = subject.rsplit(|&byte| byte == b'.').next() else { return false };
        let Some(slot) = token.rsplit(|&byte| byte == b'-').next().and_then(nats_proto::parse_size) else {
            return false;
        };
        let slot = u32::try_from(slot).unwrap_or(NONE);
        let question = self.client(slot).and_then(|client| client.waiting.as_deref()?.question.as_deref());
        let Some(question) = question.filter(|asked| asked.text.is_none() && asked.inbox.as_bytes() == token) else {
            return false;
        };
        let user = question.user.clone();
        match self.read_answer(slot, &user, payload) {
            Ok(identity) => self.decide(now, slot, Some(&identity)),
            Err(why) => {
                self.explain(slot, &why);
                self.decide(now, slot, None);
            }
        }
        true
    }

    /// Who the client is by the service's answer.
    fn read_answer(&self, slot: u32, user: &str, payload: &[u8]) -> Result<Identity, String> {
        let callout = self.settings.callout.as_deref().ok_or("authorization is not delegated any more")?;
        let opened = self.open(payload).ok_or("authorization response cannot be opened")?;
        let text = std::str::from_utf8(&opened).map_err(|_| "authorization response is not a token")?;
        let wrong = |error: nats_keys::Error| format!("authorization response is not valid: {error}");
        let claims: Claims<AuthorizationResponse> = decode(text).map_err(wrong)?;
        let now = self.second();
        match () {
            () if claims.issuer != callout.issuer => return Err("authorization response is of another issuer".into()),
            () if claims.is_expired(now) || claims.is_early(now) => {
                return Err("authorization response has expired".into());
            }
            () if claims.audience != self.settings.server_id => {
                return Err("authorization response is for another server".into());
            }
            () if claims.subject != user => return Err("authorization response is about another user".into()),
            () if !claims.body.error.is_empty() => {
                return Err(format!("authorization service says: {}", claims.body.error.escape_debug()));
            }
            () => {}
        }
        let granted: Claims<User> = decode(&claims.body.jwt).map_err(wrong)?;
        if granted.issuer != callout.issuer {
            return Err("user of the authorization response is of another issuer".into());
        }
        if granted.subject != user {
            return Err("authorization response grants another user".into());
        }
        self.identify(slot, &granted, &claims.body.jwt, now)
    }

    fn identify(&self, slot: u32, granted: &Claims<User>, token: &str, now: i64) -> Result<Identity, String> {
        let account: Rc<str> = granted.audience.as_str().into();
        if self.accounts.find(&account).is_none() {
            return Err(format!("authorization response names no account: {:?}", granted.audience));
        }
        let address = match self.client(slot).map(|client| client.peer) {
            Some(Peer::Tcp(address)) => Some(address.ip()),
            Some(Peer::Unix { .. }) | None => None,
        };
        let standing = grant(granted, token, Rc::clone(&account), (address, self.kind_of(slot)), now);
        let standing = standing.map_err(|refusal| match refusal {
            Refusal::Because(why) => why.to_owned(),
            Refusal::Revoked => "user is revoked".to_owned(),
            Refusal::UnknownKey => "user is not signed by a key of the account".to_owned(),
        })?;
        let named = self.client(slot).and_then(|client| client.waiting.as_deref()?.connect.user.as_deref());
        let user = if granted.name.is_empty() { named } else { Some(granted.name.as_str()) };
        let user = user.unwrap_or(&granted.subject).into();
        let permissions = standing.permissions.clone();
        Ok(Identity { user: Some(user), account, permissions, standing: Some(Rc::new(standing)) })
    }

    /// A client that the service let in stays as long as the service's place in the configuration does. False for other clients.
    pub(super) fn review_granted(&mut self, before: &Settings, slot: u32) -> bool {
        let Some(residence) = self.client(slot).and_then(|client| client.residence.as_deref()) else { return false };
        let account = Rc::clone(&residence.standing.account);
        if before.callout.is_none() {
            return false;
        }
        let there = *account == *GLOBAL || self.settings.accounts.iter().any(|known| known.name == account);
        if !there || before.callout != self.settings.callout {
            self.refuse(slot, "Authorization Violation", Reason::Authentication);
        }
        true
    }

    /// What somebody in the account may do: in that of the service nobody may ask in the server's place.
    pub(super) fn guarded(&self, account: &str, permissions: Option<Rc<Permissions>>) -> Option<Rc<Permissions>> {
        let is_service_s = self.settings.callout.as_ref().is_some_and(|callout| *callout.account == *account);
        if !is_service_s {
            return permissions;
        }
        let mut permissions = permissions.map(|permissions| (*permissions).clone()).unwrap_or_default();
        permissions.publish.deny.extend(Clause::parse("$SYS.REQ.USER.AUTH", false));
        Some(Rc::new(permissions))
    }
}

impl Callout {
    /// True for the users of an account that the service has no say about.
    fn spares(&self, account: &str) -> bool {
        let listed = self.allowed_accounts.iter().any(|allowed| **allowed == *account);
        account != GLOBAL && !self.allowed_accounts.is_empty() && !listed
    }
}

impl Client {
    /// True while the service is asked about it.
    pub(super) fn is_asked_about(&self) -> bool {
        let question = self.waiting.as_deref().and_then(|waiting| waiting.question.as_deref());
        question.is_some_and(|question| question.text.is_none())
    }
}
