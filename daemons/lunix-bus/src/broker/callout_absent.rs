//! Without tokens no service decides who a client is.

use super::Broker;
use super::account::AccountId;
use super::authenticate::Verdict;
use super::client::Client;
use super::connect::Connect;
use super::permissions::Permissions;
use super::settings::Settings;
use reactor::Instant;
use std::rc::Rc;

/// A question that is never asked.
#[derive(Debug)]
pub(crate) enum Delegation {}

#[expect(clippy::unused_self, reason = "with tokens they look")]
impl Broker {
    pub(super) fn question(&mut self, _slot: u32, _connect: &Connect) -> Option<Box<Delegation>> {
        None
    }

    pub(super) fn delegate(&self, _verdict: Verdict, question: &Delegation) -> Result<Verdict, ()> {
        match *question {}
    }

    pub(super) fn ask(&mut self, _now: Instant, _slot: u32) {}

    pub(super) fn hears_answers(&self, _account: AccountId) -> bool {
        false
    }

    pub(super) fn answers_subject(&self) -> String {
        String::new()
    }

    pub(super) fn hear_answer(&mut self, _now: Instant, _subject: &[u8], _payload: &[u8]) -> bool {
        false
    }

    pub(super) fn guarded(&self, _account: &str, permissions: Option<Rc<Permissions>>) -> Option<Rc<Permissions>> {
        permissions
    }

    pub(super) fn review_granted(&mut self, _before: &Settings, _slot: u32) -> bool {
        false
    }
}

#[expect(clippy::unused_self, reason = "with tokens they look")]
impl Client {
    pub(super) fn is_asked_about(&self) -> bool {
        false
    }
}
