//! What stands in the place of links to hubs in a build without them: nothing, at no cost.

use super::client::Client;
#[cfg(feature = "monitoring")]
use super::json::Json;
use super::publish::{Delivery, Message, Published};
#[cfg(feature = "monitoring")]
use super::report::{Facts, Query};
use super::subscriptions::Subscription;
use super::{Broker, Progress};
use nats_subject::Index;
use reactor::Instant;
use std::marker::PhantomData;

/// There is none.
#[derive(Debug)]
pub(crate) enum Link {}

impl Link {
    pub(crate) fn wanted_len(&self) -> Option<usize> {
        match *self {}
    }

    pub(crate) fn is_walking(&self) -> bool {
        match *self {}
    }

    pub(crate) fn walk_anew(&mut self) {
        match *self {}
    }
}

/// None of them.
#[derive(Debug, Default)]
pub(crate) struct Links {}

impl Links {
    pub(crate) fn seated(&self) -> usize {
        0
    }

    pub(crate) fn next_due(&self) -> Option<Instant> {
        None
    }
}

/// Every queue group gets the message.
#[derive(Clone, Copy)]
pub(super) enum Filter<'a> {
    None,
    #[expect(dead_code, reason = "no hub sends anything")]
    Hub(PhantomData<&'a [u8]>),
}

impl Filter<'_> {
    pub(super) fn takes(&self, _: &[u32], _: &[Subscription], _: &Index<u32>) -> bool {
        true
    }
}

/// None of them.
#[derive(Debug, Default)]
pub(super) struct Hubs {
    pub(super) in_group: bool,
    pub(super) passed_over: bool,
}

impl Hubs {
    pub(super) fn begin(&mut self, _: &Filter<'_>) {}

    pub(super) fn is_empty(&self) -> bool {
        true
    }
}

impl Delivery<'_> {
    pub(super) fn deliver_to_hub(&mut self, _: u32, _: &Message<'_>) -> bool {
        false
    }

    pub(super) fn deliver_to_one_hub(&mut self, _: &[u32], _: &Message<'_>, _: &mut u64) -> bool {
        false
    }
}

impl Broker {
    pub(super) fn run_link(&mut self, _: Instant, _: u32, _: &[u8]) -> (usize, Progress) {
        (0, Progress::Ending)
    }

    pub(super) fn link_closed(&mut self, _: Instant, _: u32, _: &Client, link: &Link) {
        match *link {}
    }

    pub(super) fn tell_hubs(&mut self) {}

    pub(super) fn walk_on(&mut self, _: u32) {}

    pub(super) fn tick_links(&mut self, _: Instant) {}

    pub(super) fn send_to_hubs(&mut self, _: &Published<'_>) {}
}

#[cfg(feature = "monitoring")]
impl Broker {
    pub(super) fn leafs_report(&self, facts: &Facts<'_>, _: &Query<'_>) -> Result<Vec<u8>, String> {
        let mut json = self.heading(facts);
        json.number("leafnodes", 0);
        json.begin("leafs", b'[');
        json.end(b']');
        Ok(json.finish())
    }

    pub(super) fn write_remotes(&self, json: &mut Json) {
        json.begin("leaf", b'{');
        json.end(b'}');
    }

    pub(super) fn joined(&self) -> usize {
        0
    }

    pub(super) fn links_made(&self) -> u64 {
        0
    }
}
