//! `/accountz`.

use super::super::Broker;
use super::{ENTRIES_MAX, Facts, Query};
use crate::broker::account::{Account, AccountId};
use crate::broker::json::Json;
use crate::broker::sharing::{Export, ExportKind, Import, ImportKind};

impl Broker {
    pub(super) fn accounts_report(&self, facts: &Facts<'_>, query: &Query<'_>) -> Vec<u8> {
        let mut json = self.heading(facts);
        json.text("system_account", &self.settings.system_account);
        match query.text("acc") {
            Some(name) => {
                if let Some((id, account)) = self.accounts.iter().find(|(_, account)| *account.name == *name) {
                    self.write_account(&mut json, id, account);
                }
            }
            None => {
                json.begin("accounts", b'[');
                for (_, account) in self.accounts.iter() {
                    json.item(&account.name);
                }
                json.end(b']');
            }
        }
        json.finish()
    }

    fn write_account(&self, json: &mut Json, id: AccountId, account: &Account) {
        json.begin("account_detail", b'{');
        json.text("account_name", &account.name);
        let expired = self.has_expired(&account.name);
        json.truth("expired", expired);
        json.truth("complete", true);
        json.truth("jetstream_enabled", false);
        json.number("leafnode_connections", u64::from(account.links));
        json.number("client_connections", u64::from(account.clients));
        json.number("subscriptions", self.subscriptions.count_of(id) as u64);
        if !account.sharing.exports.is_empty() {
            json.begin("exports", b'[');
            account.sharing.exports.iter().for_each(|export| write_export(json, export));
            json.end(b']');
        }
        if !account.sharing.imports.is_empty() {
            json.begin("imports", b'[');
            for (import, supplier) in account.sharing.imports.iter().zip(&account.suppliers) {
                write_import(json, import, supplier.is_some());
            }
            json.end(b']');
        }
        self.write_responses(json, id);
        self.write_token_of(json, &account.name);
        json.end(b'}');
    }

    fn write_responses(&self, json: &mut Json, id: AccountId) {
        let mut owed = self.replies.iter().filter(|(_, reply)| reply.exporter == id).take(ENTRIES_MAX).peekable();
        if owed.peek().is_none() {
            return;
        }
        json.begin("responses", b'{');
        for (subject, reply) in owed {
            let subject = String::from_utf8_lossy(&subject);
            json.begin(&subject, b'{');
            json.text("subject", &String::from_utf8_lossy(&reply.subject));
            json.text("account", self.accounts.name(reply.importer));
            json.text("to", &subject);
            json.text("local_subject", &subject);
            json.end(b'}');
        }
        json.end(b'}');
    }
}

fn write_export(json: &mut Json, export: &Export) {
    json.begin("", b'{');
    json.text("subject", &String::from_utf8_lossy(&export.subject));
    match export.kind {
        ExportKind::Stream => json.text("type", "stream"),
        ExportKind::Service { responses, .. } => {
            json.text("type", "service");
            json.text("response_type", responses.name());
        }
    }
    if !export.accounts.is_empty() {
        json.begin("approved_accounts", b'[');
        export.accounts.iter().for_each(|account| json.item(account));
        json.end(b']');
    }
    json.end(b'}');
}

fn write_import(json: &mut Json, import: &Import, works: bool) {
    let local = String::from_utf8_lossy(&import.local);
    json.begin("", b'{');
    json.text("subject", &String::from_utf8_lossy(&import.remote));
    json.text("account", &import.account);
    let share = match import.kind {
        ImportKind::Stream { .. } => false,
        ImportKind::Service { share } => {
            json.text("to", &local);
            share
        }
    };
    json.text("local_subject", &local);
    json.text("type", if import.is_service() { "service" } else { "stream" });
    json.truth("invalid", !works);
    json.truth("share", share);
    json.truth("tracking", false);
    json.end(b'}');
}
