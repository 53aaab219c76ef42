//! Imports find their exports: by name, when accounts come, go or change.

use super::Broker;
use super::account::{Account, AccountId};
use super::sharing::{AccountSettings, ExportKind, Import, Sharing};
use std::rc::Rc;

/// Where answers from other accounts are expected.
const REPLIES: &[u8] = b"_R_.>";

impl Broker {
    /// Makes the accounts that the settings name, and forgets those that neither they nor a client need. Nothing may be wired.
    pub(super) fn open_accounts(&mut self) {
        let mut named = Vec::new();
        for AccountSettings { name, sharing } in &self.settings.accounts {
            if let Some(id) = self.accounts.open(name, &mut self.subscriptions) {
                named.push((id, Rc::clone(sharing)));
            }
        }
        let known: Vec<AccountId> = self.accounts.iter().map(|(id, _)| id).collect();
        for id in known {
            let template = self.accounts.get(id).and_then(|account| self.accounts.find(account.template.as_deref()?));
            let wanted = template.unwrap_or(id);
            let sharing = named.iter().find(|(known, _)| *known == wanted).map(|(_, sharing)| Rc::clone(sharing));
            let gone = sharing.is_none();
            if let Some(account) = self.accounts.get_mut(id) {
                account.sharing = sharing.unwrap_or_default();
            }
            if gone && self.accounts.close(id, &mut self.subscriptions) {
                self.forget_replies_of(id);
            }
        }
    }

    /// Makes what all accounts import work.
    pub(super) fn wire(&mut self) {
        let all: Vec<AccountId> = self.accounts.iter().map(|(id, _)| id).collect();
        all.into_iter().for_each(|id| self.wire_account(id));
    }

    /// Undoes [`Broker::wire`].
    pub(super) fn unwire(&mut self) {
        let all: Vec<AccountId> = self.accounts.iter().map(|(id, _)| id).collect();
        all.into_iter().for_each(|id| self.unwire_account(id));
    }

    /// Makes what an account imports work; what of it is not exported to the account stays silent.
    pub(super) fn wire_account(&mut self, id: AccountId) {
        self.unwire_account(id);
        let Some(account) = self.accounts.get(id) else { return };
        let sharing = Rc::clone(&account.sharing);
        let supplier = |import: &Import| {
            let supplier = self.accounts.find(&import.account)?;
            self.accounts.get(supplier)?.sharing.export_for(&account.name, import).map(|_| supplier)
        };
        let suppliers: Vec<_> = sharing.imports.iter().map(supplier).collect();
        let mut wires = Vec::new();
        for ((number, import), supplier) in (0..).zip(&sharing.imports).zip(&suppliers) {
            if import.is_service() && supplier.is_some() {
                wires.extend(self.subscriptions.insert_service(id, number, &import.local));
            }
        }
        if sharing.has_services() {
            wires.extend(self.subscriptions.insert_replies(id, REPLIES));
        }
        if self.hears_answers(id) {
            wires.extend(self.subscriptions.insert_server(id, self.answers_subject().as_bytes()));
        }
        if let Some(account) = self.accounts.get_mut(id) {
            account.suppliers = suppliers;
            account.wires = wires;
        }
    }

    /// Undoes [`Broker::wire_account`].
    pub(super) fn unwire_account(&mut self, id: AccountId) {
        let Some(account) = self.accounts.get_mut(id) else { return };
        account.suppliers = Vec::new();
        for wire in std::mem::take(&mut account.wires) {
            self.subscriptions.remove_hidden(wire);
        }
    }
}

impl Sharing {
    /// Whether anybody may ever wait for an answer from, or in, the account.
    fn has_services(&self) -> bool {
        self.imports.iter().any(Import::is_service)
            || self.exports.iter().any(|export| matches!(export.kind, ExportKind::Service { .. }))
    }
}

impl Account {
    /// True when subscriptions in the account may have to get what another one publishes.
    pub(super) fn reads_streams(&self) -> bool {
        self.imports().any(|(_, import, _)| !import.is_service())
    }
}
