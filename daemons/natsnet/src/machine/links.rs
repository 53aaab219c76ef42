//! Interfaces, their addresses and neighbours.

use super::Effect;
use super::facts::{AddressFacts, LinkFacts, NeighbourFacts};
use super::state::{State, publish, subject};
use daemon::Effects;
use interfaces::network::Renamed;

impl State {
    /// An interface is there, or different from before.
    pub(super) fn link(&mut self, link: LinkFacts, out: &mut Effects<Effect>) {
        if !self.links.contains_key(&link.index) && !self.has_room() {
            return;
        }
        let tell = |out: &mut Effects<Effect>, what| publish(out, subject("link", &link.name, what), &link.link());
        let Some(before) = self.links.insert(link.index, link.clone()) else {
            tell(out, "add");
            if link.up {
                tell(out, "up");
            }
            return;
        };
        if before.name != link.name {
            let renamed = Renamed { link: link.link(), previous_name: before.name.as_str().into() };
            publish(out, subject("link", &link.name, "rename"), &renamed);
        }
        match (before.up, link.up) {
            (false, true) => tell(out, "up"),
            (true, false) => tell(out, "down"),
            (true, true) | (false, false) if before.has_other_properties(&link) => tell(out, "change"),
            (true, true) | (false, false) => {}
        }
        if before.enabled && !link.enabled {
            out.push(Effect::ReadRoutes);
        }
    }

    /// An interface is gone, and with it everything on it.
    pub(super) fn link_gone(&mut self, index: u32, out: &mut Effects<Effect>) {
        let Some(mut link) = self.links.get(&index).cloned() else { return };
        self.wifi_disconnected(index, None, out);
        let addresses: Vec<_> = self.addresses.values().filter(|known| known.index == index).cloned().collect();
        for address in addresses {
            self.address_gone(&address, out);
        }
        let neighbours: Vec<_> = self.neighbours.keys().copied().filter(|key| key.0 == index).collect();
        for (index, address) in neighbours {
            self.neighbour(NeighbourFacts { index, address, mac: None }, out);
        }
        let routes: Vec<_> = self.routes.iter().filter(|route| route.index == Some(index)).cloned().collect();
        for route in routes {
            self.route_gone(&route, out);
        }
        if std::mem::take(&mut link.up) {
            publish(out, subject("link", &link.name, "down"), &link.link());
        }
        publish(out, subject("link", &link.name, "remove"), &link.link());
        self.links.remove(&index);
        out.push(Effect::ReadRoutes);
    }

    /// An address is there, or different from before. What only changes its lifetime is no news.
    pub(super) fn address(&mut self, address: AddressFacts, out: &mut Effects<Effect>) {
        if !address.usable {
            return self.address_gone(&address, out);
        }
        let key = address.key();
        if self.addresses.get(&key) == Some(&address) {
            return;
        }
        if let Some(before) = self.addresses.get(&key).cloned() {
            self.address_gone(&before, out);
        }
        if !self.has_room() {
            return;
        }
        let interface = self.name(address.index);
        publish(out, subject("addr", &interface, "add"), &address.address(&interface));
        self.addresses.insert(key, address);
    }

    /// An address is gone, or can not be used any more.
    pub(super) fn address_gone(&mut self, address: &AddressFacts, out: &mut Effects<Effect>) {
        let Some(known) = self.addresses.remove(&address.key()) else { return };
        let interface = self.name(known.index);
        publish(out, subject("addr", &interface, "remove"), &known.address(&interface));
        out.push(Effect::ReadRoutes);
    }

    /// A neighbour is there, or different from before, or gone when it has no hardware address.
    pub(super) fn neighbour(&mut self, neighbour: NeighbourFacts, out: &mut Effects<Effect>) {
        let key = (neighbour.index, neighbour.address);
        let interface = self.name(neighbour.index);
        let before = self.neighbours.remove(&key);
        if before.is_none() && neighbour.mac.is_some() && !self.has_room() {
            return;
        }
        let what = match (&before, &neighbour.mac) {
            (None, None) => return,
            (None, Some(_)) => "add",
            (Some(_), None) => "remove",
            (Some(before), Some(_)) if *before == neighbour => "",
            (Some(_), Some(_)) => "change",
        };
        let told = if neighbour.mac.is_some() { &neighbour } else { before.as_ref().unwrap_or(&neighbour) };
        if let Some(told) = told.neighbour(&interface).filter(|_| !what.is_empty()) {
            publish(out, subject("neighbour", &interface, what), &told);
        }
        if neighbour.mac.is_some() {
            self.neighbours.insert(key, neighbour);
        }
    }
}

impl LinkFacts {
    fn has_other_properties(&self, other: &Self) -> bool {
        (&self.mac, self.mtu, self.master) != (&other.mac, other.mtu, other.master)
    }
}
