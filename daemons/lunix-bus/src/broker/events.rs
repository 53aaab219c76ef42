//! What the system account hears of clients that come and go. Nothing is done for it while nobody in that account listens.

use super::Broker;
use super::account::AccountId;
use super::client::Reason;
use super::request_info::Asker;
use interfaces::time::rfc3339;
use reactor::Instant;

impl Broker {
    /// Tells that a client is let in.
    pub(super) fn announce_connect(&mut self, now: Instant, slot: u32) {
        let Some(system) = self.listening_system() else { return };
        let account = self.client(slot).and_then(|client| client.account).map(|account| self.accounts.name(account));
        let subject = format!("$SYS.ACCOUNT.{}.CONNECT", account.unwrap_or_default());
        let text = self.event(now, slot, "client_connect");
        self.publish_as_server(now, system, subject.as_bytes(), &text);
    }

    /// Tells that a client's connection is over, or that it was never let in.
    pub(super) fn announce_disconnect(&mut self, now: Instant, slot: u32) {
        let Some(system) = self.listening_system() else { return };
        let Some(client) = self.client(slot) else { return };
        let account = client.account.map(|account| self.accounts.name(account));
        let refused = matches!(client.closing, Some(Reason::Authentication | Reason::AuthenticationTimeout));
        let subject = match account {
            Some(account) if client.connected => format!("$SYS.ACCOUNT.{account}.DISCONNECT"),
            Some(_) | None if refused => format!("$SYS.SERVER.{}.CLIENT.AUTH.ERR", self.settings.server_id),
            Some(_) | None => return,
        };
        let text = self.event(now, slot, "client_disconnect");
        self.publish_as_server(now, system, subject.as_bytes(), &text);
    }

    /// The system account, if somebody in it has subscribed to anything.
    fn listening_system(&self) -> Option<AccountId> {
        let system = self.accounts.find(&self.settings.system_account)?;
        (self.subscriptions.count_of(system) > 0).then_some(system)
    }

    fn event(&mut self, now: Instant, slot: u32, kind: &str) -> Vec<u8> {
        let wall = self.wall(now);
        let mut json = self.frame(wall);
        json.text("type", &format!("io.nats.server.advisory.v1.{kind}"));
        json.text("id", &format!("{}{:010}", self.settings.server_id.get(..12).unwrap_or_default(), self.answered));
        json.text("timestamp", &rfc3339(wall));
        let Some(client) = self.client(slot) else { return json.finish() };
        let asker = Asker {
            client,
            uid: self.uid_of(client),
            account: client.account.map(|account| self.accounts.name(account)).unwrap_or_default(),
            service: None,
            share: true,
            server: &self.settings.server_name,
            start: self.wall_before(client.opened),
        };
        let mut who = Vec::new();
        asker.write(&mut who);
        json.raw("client", &who);
        if kind == "client_disconnect" {
            let traffic = client.traffic;
            for (name, messages, bytes) in
                [("sent", traffic.out_msgs, traffic.out_bytes), ("received", traffic.in_msgs, traffic.in_bytes)]
            {
                json.begin(name, b'{');
                json.number("msgs", messages);
                json.number("bytes", bytes);
                json.end(b'}');
            }
            json.text("reason", client.closing.unwrap_or(Reason::Gone).text());
        }
        json.finish()
    }
}
