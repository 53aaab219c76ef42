//! What stands in the place of pages of monitoring in a build without them: nobody answers.

use super::Broker;
use super::account::AccountId;
use super::client::Client;
use reactor::Instant;

impl Broker {
    pub(super) fn ask_page(&mut self, _: AccountId, _: &[u8], _: &str, _: &[u8]) -> bool {
        false
    }

    pub(super) fn remember(&mut self, _: Instant, _: &Client, _: Option<AccountId>) {}
}
