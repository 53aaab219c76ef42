//! Without tokens nobody's time is limited by one.

use super::Broker;
use super::authenticate::Identity;
use super::client::Client;
#[cfg(feature = "monitoring")]
use super::json::Json;
use super::settings::Settings;
use reactor::Instant;

#[expect(clippy::unused_self, reason = "with tokens they look")]
impl Broker {
    pub(super) fn is_full(&self, _slot: u32, _identity: &Identity) -> bool {
        false
    }

    pub(super) fn expire(&mut self, _now: Instant, _slot: u32) {}

    pub(super) fn review_token(&mut self, _slot: u32) -> bool {
        false
    }

    #[cfg(feature = "monitoring")]
    pub(super) fn has_expired(&self, _account: &str) -> bool {
        false
    }

    #[cfg(feature = "monitoring")]
    pub(super) fn write_token_of(&self, _json: &mut Json, _account: &str) {}

    pub(super) fn thin_out(&mut self) {}

    pub(super) fn share_when_due(&mut self, _now: Instant) {}
}

#[expect(clippy::unused_self, reason = "with tokens they look")]
impl Client {
    pub(super) fn payload_max(&self, settings: &Settings) -> usize {
        settings.max_payload
    }

    pub(super) fn subscriptions_max(&self, settings: &Settings) -> Option<usize> {
        (settings.max_subscriptions > 0).then_some(settings.max_subscriptions)
    }

    pub(super) fn ends(&self) -> Option<Instant> {
        None
    }
}
