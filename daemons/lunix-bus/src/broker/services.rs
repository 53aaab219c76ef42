//! Services in other accounts: a request passes into the account that exports the service, and its answer comes back.

use super::Broker;
use super::account::AccountId;
use super::publish::{Origin, Published};
use super::replies::{Reply, Request};
use super::request_info::{self, Asker};
use super::sharing::{DEPTH_MAX, ExportKind, ImportKind, ResponseType};
use super::subscriptions::{Owner, Subscription};
use nats_proto::client::Wire;
use reactor::Instant;
use std::time::{Duration, SystemTime};

impl Broker {
    /// Passes on what [`Broker::route_apart`] found to lead into other accounts. False when nobody there got it.
    #[cold]
    #[inline(never)]
    pub(super) fn go_abroad(
        &mut self,
        now: Instant,
        origin: Origin,
        account: AccountId,
        parts: &Published<'_>,
    ) -> bool {
        let mut ways = std::mem::take(&mut self.scratch.abroad);
        let mut delivered = false;
        for &way in ways.iter().filter(|_| origin.hops < DEPTH_MAX) {
            delivered |= match self.subscriptions.get(way).map(Subscription::owner) {
                Some(Owner::Service(import)) => self.ask_service(now, origin, account, import, parts),
                Some(Owner::Replies) => self.bring_answer(now, origin, account, parts),
                Some(Owner::Server) => self.hear_answer(now, parts.subject, parts.payload),
                Some(Owner::Nobody | Owner::Client(_) | Owner::Shadow(_)) | None => false,
            };
        }
        ways.clear();
        self.scratch.abroad = ways;
        delivered
    }

    /// A request for an imported service.
    fn ask_service(
        &mut self,
        now: Instant,
        origin: Origin,
        importer: AccountId,
        import: u32,
        parts: &Published<'_>,
    ) -> bool {
        let Some(account) = self.accounts.get(importer) else { return false };
        let Some((import, exporter)) = account.import(import as usize) else { return false };
        let ImportKind::Service { share } = import.kind else { return false };
        let export = self.accounts.get(exporter).and_then(|known| known.sharing.export_for(&account.name, import));
        let Some(ExportKind::Service { responses, threshold }) = export.map(|export| export.kind) else { return false };
        let mut subject = Vec::new();
        import.outward.apply(parts.subject, &mut subject);
        let (mut reply, mut owed) = (Vec::new(), None);
        if let Some(inbox) = parts.reply {
            let request = Request { exporter, importer, requester: origin.slot, subject: inbox, responses, threshold };
            let Some(number) = self.note_reply(now, &request, &mut reply) else { return false };
            owed = Some(number);
        }
        let shared = share || origin.shared;
        let mut headers = Vec::new();
        self.introduce(Origin { shared, ..origin }, importer, parts.headers, &mut headers);
        let passed = Published {
            subject: &subject,
            reply: owed.map(|_| reply.as_slice()),
            headers: &headers,
            payload: parts.payload,
            wire: Wire::default(),
        };
        let onward = Origin { through: Some(importer), shared, hops: origin.hops + 1, ..origin };
        let delivered = self.route_apart(now, onward, exporter, &passed);
        if let Some(number) = owed.filter(|_| !delivered) {
            self.forget_reply(number, origin.slot);
        }
        delivered
    }

    /// Writes the headers of a request with who asks.
    fn introduce(&self, origin: Origin, importer: AccountId, before: &[u8], out: &mut Vec<u8>) {
        let Some(client) = self.client(origin.slot) else { return };
        let mut kept = Vec::new();
        let before = if request_info::strip(before, &mut kept) { &kept } else { before };
        let asker = Asker {
            client,
            uid: self.uid_of(client),
            account: client.account.map(|account| self.accounts.name(account)).unwrap_or_default(),
            service: origin.through.map(|_| self.accounts.name(importer)),
            share: origin.shared,
            server: &self.settings.server_name,
            start: self.wall_before(client.opened),
        };
        request_info::write(out, before, &asker);
    }

    /// An answer that another account waits for.
    fn bring_answer(&mut self, now: Instant, origin: Origin, exporter: AccountId, parts: &Published<'_>) -> bool {
        let Some(number) = self.replies.find(exporter, parts.subject) else { return false };
        let Some(owed) = self.replies.get(number) else { return false };
        let Reply { importer, responses, requester, .. } = *owed;
        let subject = owed.subject.clone();
        let last = responses == ResponseType::Singleton || (parts.headers.is_empty() && parts.payload.is_empty());
        if last {
            self.forget_reply(number, requester);
        } else {
            self.replies.prolong(now, number);
        }
        let (mut reply, mut back) = (Vec::new(), None);
        if let Some(inbox) = parts.reply {
            let request = Request {
                exporter: importer,
                importer: exporter,
                requester: origin.slot,
                subject: inbox,
                responses: ResponseType::Singleton,
                threshold: BACK,
            };
            back = self.note_reply(now, &request, &mut reply);
        }
        let passed =
            Published { subject: &subject, reply: back.map(|_| reply.as_slice()), wire: Wire::default(), ..*parts };
        let delivered = self.route_apart(now, Origin { hops: origin.hops + 1, ..origin }, importer, &passed);
        if !delivered {
            back.into_iter().for_each(|back| self.forget_reply(back, origin.slot));
            if !last {
                self.forget_reply(number, requester);
            }
        }
        delivered
    }

    /// Notes that a client is owed an answer, and charges it; see [`super::replies::Replies::note`].
    fn note_reply(&mut self, now: Instant, request: &Request<'_>, subject: &mut Vec<u8>) -> Option<u32> {
        let client = self.clients.get_mut(request.requester as usize)?.as_deref_mut()?;
        let (number, charged) = self.replies.note(now, &mut client.replies, request, subject)?;
        match usize::try_from(charged) {
            Ok(more) => self.outbox.ledger.charge(client.payer, more),
            Err(_) => self.outbox.ledger.refund(client.payer, charged.unsigned_abs()),
        }
        Some(number)
    }

    fn forget_reply(&mut self, number: u32, requester: u32) {
        let Some(client) = self.clients.get_mut(requester as usize).and_then(Option::as_deref_mut) else { return };
        let charged = self.replies.remove(&mut client.replies, number);
        self.outbox.ledger.refund(client.payer, charged);
    }

    /// Nothing is owed in or to an account that is gone.
    pub(super) fn forget_replies_of(&mut self, account: AccountId) {
        for (number, requester) in self.replies.of_account(account) {
            self.forget_reply(number, requester);
        }
    }

    /// Nobody waits for ever.
    pub(super) fn forget_overdue(&mut self, now: Instant) {
        for (number, requester) in self.replies.overdue(now) {
            self.forget_reply(number, requester);
        }
    }

    /// What time it is on the calendar, for those who are told since when somebody is connected.
    pub fn set_calendar(&mut self, now: Instant, wall: SystemTime) {
        self.calendar = (now, wall);
    }
}

/// How long the answer to an answer may take.
const BACK: Duration = Duration::from_secs(120);
