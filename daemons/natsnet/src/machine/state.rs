//! Everything that is known, and how it is told.

use super::facts::{AddressFacts, LinkFacts, NeighbourFacts, RouteFacts, SwitchFacts, WifiFacts};
use super::{Effect, News};
use daemon::Effects;
use interfaces::network::Thing;
use nats_subject::encode_token;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// All there is, in one reading.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Everything {
    /// Interfaces.
    pub links: Vec<LinkFacts>,
    /// Addresses.
    pub addresses: Vec<AddressFacts>,
    /// Default routes.
    pub routes: Vec<RouteFacts>,
    /// Neighbours, where they are asked for.
    pub neighbours: Vec<NeighbourFacts>,
    /// Connected Wi-Fi links, by the number of the interface. `None`: they were not read, and stay as they are.
    pub wifi: Option<Vec<(u32, WifiFacts)>>,
    /// Radio switches; read at the start only, for the kernel loses none of their events.
    pub switches: Vec<SwitchFacts>,
}

/// An address is known by the interface, itself and its prefix.
pub(super) type AddressKey = (u32, IpAddr, u8);

/// What is known.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) links: BTreeMap<u32, LinkFacts>,
    /// Those that can be used.
    pub(super) addresses: BTreeMap<AddressKey, AddressFacts>,
    pub(super) routes: BTreeSet<RouteFacts>,
    /// Those whose hardware address is known.
    pub(super) neighbours: BTreeMap<(u32, IpAddr), NeighbourFacts>,
    /// The connected ones.
    pub(super) wifi: BTreeMap<u32, WifiFacts>,
    pub(super) switches: BTreeMap<u32, SwitchFacts>,
    /// Most links, addresses and neighbours.
    pub(super) things_max: usize,
    /// What had no room since the last note.
    pub(super) lost: u64,
}

/// Something with a number.
pub(super) fn publish(out: &mut Effects<Effect>, subject: String, body: &impl Serialize) {
    out.push(Effect::Publish(news(subject, body)));
}

pub(super) fn news(subject: String, body: &impl Serialize) -> News {
    // Plain data with text keys: there is nothing in it that JSON cannot say.
    News { subject, body: serde_json::to_value(body).unwrap_or_default() }
}

/// `network.<kind>.<name>.<what>`.
pub(super) fn subject(kind: &str, name: &str, what: &str) -> String {
    format!("network.{kind}.{}.{what}", encode_token(name.as_bytes()))
}

impl State {
    /// Whether there is room for one more link, address or neighbour; if not, it is counted.
    pub(super) fn has_room(&mut self) -> bool {
        let room = self.links.len() + self.addresses.len() + self.neighbours.len() < self.things_max;
        self.lost += u64::from(!room);
        room
    }

    /// An interface's name; its number while the name is not known.
    pub(super) fn name(&self, index: u32) -> String {
        self.links.get(&index).map_or_else(|| index.to_string(), |link| link.name.clone())
    }

    pub(super) fn things(&self) -> Vec<(String, Thing<'_>)> {
        let name = |index: u32| self.links.get(&index).map_or("", |link| link.name.as_str());
        let mut things = Vec::new();
        for link in self.links.values() {
            things.push((subject("link", &link.name, "add"), Thing::Link(link.link())));
            if link.up {
                things.push((subject("link", &link.name, "up"), Thing::Link(link.link())));
            }
        }
        for address in self.addresses.values() {
            let interface = name(address.index);
            things.push((subject("addr", interface, "add"), Thing::Address(address.address(interface))));
        }
        for route in &self.routes {
            things.push(("network.route.default.add".to_owned(), Thing::Route(route.route(route.index.map(name)))));
        }
        for neighbour in self.neighbours.values() {
            let interface = name(neighbour.index);
            let known = neighbour.neighbour(interface).map(Thing::Neighbour);
            things.extend(known.map(|known| (subject("neighbour", interface, "add"), known)));
        }
        for (&index, wifi) in &self.wifi {
            let interface = name(index);
            things.push((subject("wifi", interface, "connected"), Thing::Wifi(wifi.wifi(interface, true, None))));
        }
        for switch in self.switches.values() {
            things.push((subject("rfkill", &switch.name(), "add"), Thing::Switch(switch.switch())));
        }
        things
    }

    /// Publishes the differences to what is known, and knows it then.
    pub(super) fn become_like(&mut self, all: Everything, out: &mut Effects<Effect>) {
        let present: BTreeSet<u32> = all.links.iter().map(|link| link.index).collect();
        let gone: Vec<u32> = self.links.keys().copied().filter(|index| !present.contains(index)).collect();
        for index in gone {
            self.link_gone(index, out);
        }
        for link in all.links {
            self.link(link, out);
        }
        let present: BTreeSet<AddressKey> = all.addresses.iter().map(AddressFacts::key).collect();
        let gone: Vec<_> = self.addresses.values().filter(|known| !present.contains(&known.key())).cloned().collect();
        for address in gone {
            self.address_gone(&address, out);
        }
        for address in all.addresses {
            self.address(address, out);
        }
        self.routes(all.routes, out);
        let present: BTreeSet<_> = all.neighbours.iter().map(|known| (known.index, known.address)).collect();
        let gone: Vec<_> = self.neighbours.keys().copied().filter(|key| !present.contains(key)).collect();
        for (index, address) in gone {
            self.neighbour(NeighbourFacts { index, address, mac: None }, out);
        }
        for neighbour in all.neighbours {
            self.neighbour(neighbour, out);
        }
        if let Some(wifi) = all.wifi {
            self.wifi_like(wifi.into_iter().collect(), out);
        }
        for switch in all.switches {
            self.switch(switch, out);
        }
    }
}

impl AddressFacts {
    pub(super) fn key(&self) -> AddressKey {
        (self.index, self.address, self.prefix_len)
    }
}
