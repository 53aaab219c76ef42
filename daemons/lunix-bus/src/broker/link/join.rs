//! From the first attempt to the end of a link: what the remote's machine wants is done.

use super::{Known, Link, LinkOrder, Links, Proof};
use crate::broker::account::AccountId;
use crate::broker::client::{Client, Peer, Reason};
use crate::broker::outbox::Note;
use crate::broker::{Broker, REFERENCE_VERSION};
use crate::leaf::{Act, Input, Introduction, Line, Machine, Remote, Rights, introduction};
use nats_keys::encode_base64;
use nats_proto::leaf::Parser;
use reactor::Instant;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

/// The hub's INFO is a control line, too: with the addresses of a whole cluster and our permissions.
const LINE_MAX: usize = 256 * 1024;
/// No server takes larger messages, whatever it is told.
const PAYLOAD_MAX: usize = 64 << 20;
/// The first PING on a link: it measures the round trip early.
const FIRST_PING: Duration = Duration::from_secs(1);
/// Letters that tell one loop subject from another.
const LOOP_LETTERS: usize = 22;

impl Broker {
    /// Begins to join the hubs of the settings. Call it once, when everything else is ready.
    pub fn start_links(&mut self, now: Instant) {
        for remote in self.settings.remotes.clone() {
            let Some(account) = self.accounts.find(&remote.account) else { continue };
            let loop_subject = self.loop_subject(account);
            let seed = self.draw();
            let machine = Machine::new(remote, seed);
            self.links.remotes.push(Known { machine, account, loop_subject, slot: None });
        }
        for remote in 0..self.links.remotes.len() {
            self.advance(now, remote, Input::Start);
        }
    }

    /// The subject by which the account notices that it is linked to itself.
    fn loop_subject(&mut self, account: AccountId) -> Rc<[u8]> {
        if let Some(known) = self.links.remotes.iter().find(|known| known.account == account) {
            return Rc::clone(&known.loop_subject);
        }
        const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut subject = crate::leaf::LOOP_PREFIX.to_vec();
        for _ in 0..LOOP_LETTERS {
            let place = usize::try_from(self.draw() >> 32).unwrap_or_default() % LETTERS.len();
            subject.extend(LETTERS.get(place));
        }
        subject.into()
    }

    fn draw(&mut self) -> u64 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random
    }

    /// The next thing to be done for a link.
    pub fn take_link_order(&mut self) -> Option<LinkOrder> {
        self.links.orders.pop_front()
    }

    /// The settings of a remote.
    #[must_use]
    pub fn remote(&self, remote: usize) -> Option<&Rc<Remote>> {
        self.links.remotes.get(remote).map(|known| known.machine.remote())
    }

    /// The addresses of the host asked for; none when it has none.
    pub fn link_resolved(&mut self, now: Instant, remote: usize, addresses: &[SocketAddr]) {
        self.advance(now, remote, Input::Resolved(addresses));
    }

    /// There is no address, no connection or no TLS; says why.
    pub fn link_failed(&mut self, now: Instant, remote: usize, why: &str) {
        self.advance(now, remote, Input::Failed(why));
    }

    /// The connection is there. Returns its slot: its name until [`Broker::remove`], as of a client's. `None` when there is no place.
    pub fn link_connected(
        &mut self,
        now: Instant,
        remote: usize,
        address: SocketAddr,
        proof: Option<Proof>,
    ) -> Option<u32> {
        let account = self.links.remotes.get(remote)?.account;
        let slot = self.seat(now, Peer::Tcp(address))?;
        let parser = Parser::new(LINE_MAX, PAYLOAD_MAX);
        let link = Link { remote, parser, rights: Rights::default(), joined: false, walk: None, proof };
        let client = self.client_mut(slot)?;
        let id = client.id;
        client.authenticated = true;
        client.account = Some(account);
        client.options.verbose = false;
        client.options.pedantic = false;
        client.options.echo = false;
        client.link = Some(Box::new(link));
        self.links.seated += 1;
        self.links.made += 1;
        self.subscriptions.link(account, slot);
        if let Some(account) = self.accounts.get_mut(account) {
            account.links += 1;
        }
        self.outbox.note(id, Note::Linked(Peer::Tcp(address), self.accounts.name(account).into()));
        self.links.remotes.get_mut(remote)?.slot = Some(slot);
        self.advance(now, remote, Input::Connected);
        Some(slot)
    }

    /// The remote whose connection is in this slot; `None` for a client's.
    #[must_use]
    pub fn link_in(&self, slot: u32) -> Option<usize> {
        self.client(slot)?.link.as_deref().map(|link| link.remote)
    }

    /// The TLS handshake of a link's connection is over.
    pub fn link_secured(&mut self, now: Instant, remote: usize) {
        self.advance(now, remote, Input::Secured);
    }

    /// Its connection is gone, and all that it wanted.
    pub(in crate::broker) fn link_closed(&mut self, now: Instant, slot: u32, client: &Client, link: &Link) {
        self.subscriptions.unlink(slot);
        self.traffic.add(client.traffic);
        self.links.seated = self.links.seated.saturating_sub(1);
        let Some(known) = self.links.remotes.get_mut(link.remote) else { return };
        known.slot = None;
        let (account, hub) = (known.account, known.machine.hub().unwrap_or_default().into());
        if let Some(account) = self.accounts.get_mut(account) {
            account.links = account.links.saturating_sub(1);
        }
        self.outbox.note(client.id, Note::Unlinked(client.peer, client.closing.unwrap_or(Reason::Gone), hub));
        self.advance(now, link.remote, Input::Closed);
    }

    /// Does what is due for links.
    pub(in crate::broker) fn tick_links(&mut self, now: Instant) {
        if std::mem::take(&mut self.links.hurry) {
            for slot in self.links.remotes.iter().filter_map(|known| known.slot).collect::<Vec<_>>() {
                self.walk_on(slot);
            }
        }
        for remote in 0..self.links.remotes.len() {
            self.advance(now, remote, Input::Tick);
        }
    }

    pub(super) fn advance(&mut self, now: Instant, remote: usize, input: Input<'_>) {
        let Some(known) = self.links.remotes.get_mut(remote) else { return };
        let mut acts = Vec::new();
        known.machine.step(now, input, &mut acts);
        for act in acts {
            self.act(now, remote, act);
        }
    }

    fn act(&mut self, now: Instant, remote: usize, act: Act) {
        let Some(known) = self.links.remotes.get(remote) else { return };
        let slot = known.slot;
        match (act, slot) {
            (Act::Resolve { host, port }, _) => self.links.order(LinkOrder::Resolve { remote, host, port }),
            (Act::Dial(address), _) => self.links.order(LinkOrder::Dial { remote, address }),
            (Act::Abandon, _) => self.links.order(LinkOrder::Abandon { remote }),
            (Act::Secure(name), Some(slot)) => self.links.order(LinkOrder::Secure { remote, slot, name }),
            (Act::Introduce { nonce, headers }, Some(slot)) => self.introduce_ourselves(slot, &nonce, headers),
            (Act::Join(rights), Some(slot)) => self.join(now, slot, rights),
            (Act::Limit(rights), Some(slot)) => {
                if let Some(link) = self.client_mut(slot).and_then(|client| client.link.as_deref_mut()) {
                    link.rights = rights;
                }
            }
            (Act::Complain(text), Some(slot)) => self.send(slot, [b"-ERR '", text.as_bytes(), b"'\r\n"]),
            (Act::Close(reason), Some(slot)) => self.end(slot, reason),
            (Act::Say(Line::NoConnection { url, attempt, why }), _) => {
                self.outbox.note(0, Note::NoLink { url, attempt, why });
            }
            (Act::Say(Line::Trouble(text)), Some(slot)) => {
                let Some(client) = self.client(slot) else { return };
                let (id, peer) = (client.id, client.peer);
                self.outbox.note(id, Note::LinkTrouble(peer, text));
            }
            // Not reached: only a connection gives rise to these, and it has a slot until it is closed.
            (
                Act::Secure(_)
                | Act::Introduce { .. }
                | Act::Join(_)
                | Act::Limit(_)
                | Act::Complain(_)
                | Act::Close(_)
                | Act::Say(Line::Trouble(_)),
                None,
            ) => {}
        }
    }

    /// Sends CONNECT.
    fn introduce_ourselves(&mut self, slot: u32, nonce: &str, headers: bool) {
        let Some(client) = self.client_mut(slot) else { return };
        client.options.headers = headers;
        let Some(link) = client.link.as_deref_mut() else { return };
        let (remote, proof) = (link.remote, link.proof.take());
        let Some(known) = self.links.remotes.get(remote) else { return };
        let signature = proof.as_ref().map(|proof| encode_base64(&proof.key.sign(nonce.as_bytes())));
        let public = proof.as_ref().filter(|proof| proof.token.is_none()).map(|proof| proof.key.public().to_string());
        let pattern = |clause: &crate::broker::Clause| String::from_utf8_lossy(clause.subject()).into_owned();
        let told = Introduction {
            version: REFERENCE_VERSION,
            jwt: proof.as_ref().and_then(|proof| proof.token.as_deref()),
            nkey: public.as_deref(),
            sig: signature.as_deref(),
            server_id: &self.settings.server_id,
            name: &self.settings.server_name,
            cluster: &self.settings.server_name,
            headers,
            deny_pub: known.machine.remote().deny_imports.iter().map(pattern).collect(),
            remote_account: &known.machine.remote().account,
            protocol: 1,
            ..Introduction::default()
        };
        let line = introduction(&told.with(known.machine.secret().filter(|_| proof.is_none())));
        self.send(slot, [&line]);
    }

    /// Messages may cross: tells the hub what is wanted here.
    fn join(&mut self, now: Instant, slot: u32, rights: Rights) {
        let due = now + FIRST_PING.min(self.settings.ping_interval);
        let Some(client) = self.client_mut(slot) else { return };
        client.due = Some(due);
        let Some(link) = client.link.as_deref_mut() else { return };
        link.rights = rights;
        link.joined = true;
        link.walk = Some(0);
        let remote = link.remote;
        self.note_due(due);
        let loop_subject = self.links.remotes.get(remote).map(|known| Rc::clone(&known.loop_subject));
        self.send(slot, [b"LS+ ", &loop_subject.unwrap_or_default(), b"\r\n"]);
        self.walk_on(slot);
    }
}

impl Links {
    fn order(&mut self, order: LinkOrder) {
        self.orders.push_back(order);
    }
}
