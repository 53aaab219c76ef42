//! What lies between a client's socket and the protocol: TLS, WebSocket, both, or nothing at all.

use super::Broker;
use super::client::{Client, Reason};
use super::connect::Connect;
use super::info::Kind;
use super::outbox::Note;
use super::permissions::User;
use super::settings::Credentials;
use reactor::Instant;

/// How a client comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    /// At once.
    Open,
    /// INFO is told at once; the client is served from [`Broker::enter`] on.
    Greeted,
    /// Nothing is told and nobody served before [`Broker::enter`].
    Silent,
}

/// What a client's bytes go through; plain ones through nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Way {
    /// What TLS agreed on.
    pub tls: Option<TlsFacts>,
    /// The certificate says which user the client is.
    pub maps: bool,
    /// What came with the WebSocket's request.
    pub web: Option<WebFacts>,
}

/// What TLS agreed on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// `1.2` or `1.3`.
    pub version: &'static str,
    /// The cipher suite's name as monitoring tells it.
    pub cipher_suite: &'static str,
    /// The client's verified certificate and those that vouch for it; none when it showed none.
    pub certificates: Vec<PeerCertificate>,
}

/// A certificate that a client showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PeerCertificate {
    /// Subject in the form of RFC 2253.
    pub subject: String,
    /// Mail addresses, then host names, then URIs.
    pub names: Vec<String>,
    /// SHA-256 of the public key (`SubjectPublicKeyInfo`).
    pub key_hash: [u8; 32],
    /// SHA-256 of the whole.
    pub hash: [u8; 32],
}

/// What came with the request that opened a WebSocket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WebFacts {
    /// Cookies that stand for what CONNECT leaves out.
    pub cookies: Cookies,
}

/// Values of the configured cookies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies {
    /// Stands for `user`.
    pub user: Option<String>,
    /// Stands for `pass`.
    pub password: Option<String>,
    /// Stands for `auth_token`.
    pub token: Option<String>,
    /// Stands for `jwt`.
    pub jwt: Option<String>,
}

impl Broker {
    /// The connection is ready for the protocol. INFO follows where it was not told before.
    pub fn enter(&mut self, now: Instant, slot: u32, way: Option<Box<Way>>) {
        let Some(client) = self.client_mut(slot).filter(|client| !client.is_closing()) else { return };
        client.way = way;
        client.entered = true;
        let told = client.told;
        self.recognise(slot);
        if !told {
            self.send_info(slot, Kind::First);
        }
        self.start_clock(now, slot);
    }

    /// Finds out who the client is that has proved nothing yet.
    pub(super) fn recognise(&mut self, slot: u32) {
        let identity = self.client(slot).and_then(|client| self.identity_at_first(client));
        if let Some(client) = self.client_mut(slot) {
            client.authenticated = identity.is_some();
        }
        if let Some(identity) = identity {
            self.bind(slot, &identity);
        }
    }

    /// Tells INFO before the client is let in.
    pub fn greet(&mut self, slot: u32) {
        if let Some(client) = self.client_mut(slot) {
            client.told = true;
        }
        self.send_info(slot, Kind::First);
    }

    /// Ends a connection for something outside of the protocol, without a word in it. `why` is logged, unless it is empty.
    pub fn turn_away(&mut self, slot: u32, reason: Reason, why: &str) {
        let Some((id, peer)) =
            self.client(slot).filter(|client| !client.is_closing()).map(|client| (client.id, client.peer))
        else {
            return;
        };
        if !why.is_empty() {
            self.outbox.note(id, Note::Denied(peer, why.to_owned()));
        }
        self.end(slot, reason);
    }

    /// The listener may not take so many at once: tells so and ends the connection.
    pub fn throttle(&mut self, slot: u32) {
        self.refuse(slot, "Connection throttling is active. Please try again later.", Reason::MaxConnections);
    }

    /// What the connection holds outside of the broker, in bytes; it counts as the client's.
    pub fn charge(&mut self, slot: u32, bytes: usize) {
        let Some(client) = self.client_mut(slot) else { return };
        let charged = u32::try_from(bytes).unwrap_or(u32::MAX);
        let (before, payer) = (std::mem::replace(&mut client.charged, charged), client.payer);
        self.outbox.ledger.refund(payer, before as usize);
        self.outbox.ledger.charge(payer, charged as usize);
        if charged > before {
            self.settle();
        }
    }

    /// Why the connection ends, if it does.
    #[must_use]
    pub fn ending_reason(&self, slot: u32) -> Option<Reason> {
        self.client(slot)?.closing
    }

    /// True when nothing more is written to the client.
    #[must_use]
    pub fn is_cut(&self, slot: u32) -> bool {
        self.client(slot).is_some_and(|client| client.cut)
    }

    /// Who the certificate says the client is. The outer `None`: it is not asked; the inner one: nobody that is known.
    pub(super) fn certified(&self, client: &Client) -> Option<Option<&User>> {
        let way = client.way.as_deref().filter(|way| way.maps)?;
        let Credentials::Users(users) = &self.settings.credentials else { return None };
        let certificate = way.tls.as_ref().and_then(|tls| tls.certificates.first());
        Some(certificate.and_then(|certificate| user_of(users, certificate)))
    }

    /// Fills what CONNECT leaves out from the cookies that came with the WebSocket's request.
    pub(super) fn complete_connect(&self, slot: u32, connect: &mut Connect) {
        let way = self.client(slot).and_then(|client| client.way.as_deref());
        let Some(web) = way.and_then(|way| way.web.as_ref()) else { return };
        let fill = |field: &mut Option<String>, cookie: &Option<String>| {
            if field.as_deref().unwrap_or_default().is_empty() && cookie.is_some() {
                field.clone_from(cookie);
            }
        };
        fill(&mut connect.user, &web.cookies.user);
        fill(&mut connect.password, &web.cookies.password);
        fill(&mut connect.token, &web.cookies.token);
        fill(&mut connect.jwt, &web.cookies.jwt);
    }

    /// The user of somebody who names none: that of the WebSocket listener where the client comes through it.
    pub(super) fn default_user_of(&self, client: &Client) -> Option<&User> {
        let way = client.way.as_deref();
        let web = way.is_some_and(|way| way.web.is_some()).then_some(self.settings.web.as_ref()).flatten();
        let name = web.and_then(|web| web.no_auth_user.as_deref()).or(self.settings.no_auth_user.as_deref());
        name.and_then(|name| self.settings.user(name))
    }
}

/// The user with the name that a certificate bears: one of its alternative names, or its subject in whatever order.
fn user_of<'a>(users: &'a [User], certificate: &PeerCertificate) -> Option<&'a User> {
    let named = certificate.names.iter().find_map(|name| users.iter().find(|user| user.name == *name));
    let exact = || users.iter().find(|user| user.name == certificate.subject);
    named.or_else(exact).or_else(|| users.iter().find(|user| is_subject(&user.name, &certificate.subject)))
}

#[cfg(feature = "tls")]
fn is_subject(user: &str, subject: &str) -> bool {
    x509_names::is_same_name(user, subject)
}

#[cfg(not(feature = "tls"))]
fn is_subject(_: &str, _: &str) -> bool {
    false
}
