//! Links, addresses, routes and neighbours: what rtnetlink tells, as the machine's facts.

use crate::machine::{AddressFacts, Everything, Input, LinkFacts, NeighbourFacts, RouteFacts};
use interfaces::network::Family;
use netlink::{Asker, Listen, Listener};
use proto_rtnetlink::{Address, Change, Dump, INET, Link, Message, Neighbour, News, Route, groups};
use std::fmt::Write;
use std::io;

/// `AF_UNSPEC`: a message about the interface itself. Others are about its place in a bridge and the like.
const ITSELF: u8 = 0;
/// `ARPHRD_LOOPBACK`.
const LOOPBACK: u16 = 772;

/// Listens to what rtnetlink tells.
pub(super) fn listen(neighbours: bool) -> io::Result<Listener> {
    let always = [groups::LINK, groups::INET_ADDRESS, groups::INET6_ADDRESS, groups::INET_ROUTE, groups::INET6_ROUTE];
    let all: Vec<u32> = always.into_iter().chain(neighbours.then_some(groups::NEIGHBOUR)).collect();
    Listen { groups: &all, ..Listen::default() }.open()
}

/// Reads everything; Wi-Fi apart.
pub(super) fn everything(asker: &mut Asker, neighbours: bool) -> io::Result<Everything> {
    Ok(Everything {
        links: dump(asker, Dump::Links, |news| match news {
            News::Link(link) => is_itself(&link).then(|| link_facts(&link)),
            News::Address(_) | News::Route(_) | News::Neighbour(_) => None,
        })?,
        addresses: dump(asker, Dump::Addresses, |news| match news {
            News::Address(address) => Some(address_facts(&address)),
            News::Link(_) | News::Route(_) | News::Neighbour(_) => None,
        })?,
        routes: routes(asker)?,
        neighbours: if neighbours {
            dump(asker, Dump::Neighbours, |news| match news {
                News::Neighbour(neighbour) => neighbour_facts(&neighbour).filter(|facts| facts.mac.is_some()),
                News::Link(_) | News::Address(_) | News::Route(_) => None,
            })?
        } else {
            Vec::new()
        },
        wifi: None,
        switches: Vec::new(),
    })
}

/// Reads all default routes.
pub(super) fn routes(asker: &mut Asker) -> io::Result<Vec<RouteFacts>> {
    dump(asker, Dump::Routes, |news| match news {
        News::Route(route) => route_facts(&route),
        News::Link(_) | News::Address(_) | News::Neighbour(_) => None,
    })
}

fn dump<T>(asker: &mut Asker, what: Dump, mut facts: impl FnMut(News<'_>) -> Option<T>) -> io::Result<Vec<T>> {
    asker.ask(
        |sequence| what.request(sequence).to_vec(),
        |message| match message.change()? {
            Change::New(news) => facts(news),
            Change::Gone(_) => None,
        },
    )
}

/// What a multicast message means to the machine; `None` when it is of no interest.
pub(super) fn input(message: &Message<'_>) -> Option<Input> {
    Some(match message.change()? {
        Change::New(News::Link(link)) if is_itself(&link) => Input::Link(link_facts(&link)),
        Change::Gone(News::Link(link)) if is_itself(&link) => Input::LinkGone { index: link.index },
        Change::New(News::Link(_)) | Change::Gone(News::Link(_)) => return None,
        Change::New(News::Address(address)) => Input::Address(address_facts(&address)),
        Change::Gone(News::Address(address)) => Input::AddressGone(address_facts(&address)),
        Change::New(News::Route(route)) => Input::Route { route: route_facts(&route)?, replaces: message.replaces() },
        Change::Gone(News::Route(route)) => Input::RouteGone(route_facts(&route)?),
        Change::New(News::Neighbour(neighbour)) => Input::Neighbour(neighbour_facts(&neighbour)?),
        Change::Gone(News::Neighbour(neighbour)) => {
            Input::Neighbour(NeighbourFacts { mac: None, ..neighbour_facts(&neighbour)? })
        }
    })
}

/// True for an interface as such: with a name, and not about its place in a bridge.
fn is_itself(link: &Link<'_>) -> bool {
    link.family == ITSELF && link.index != 0 && !link.name.is_empty()
}

fn link_facts(link: &Link<'_>) -> LinkFacts {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    LinkFacts {
        index: link.index,
        name: text(link.name),
        enabled: link.is_enabled(),
        up: link.is_running(),
        kind: link.kind.map(text).or_else(|| (link.hardware == LOOPBACK).then(|| "loopback".to_owned())),
        mac: link.address.filter(|address| !address.is_empty()).map(mac),
        mtu: link.mtu,
        master: link.master,
    }
}

/// A hardware address in the usual form.
pub(super) fn mac(address: &[u8]) -> String {
    address.iter().enumerate().fold(String::new(), |mut text, (place, byte)| {
        let colon = if place == 0 { "" } else { ":" };
        // Writing to a string does not fail.
        let _ = write!(text, "{colon}{byte:02x}");
        text
    })
}

fn address_facts(address: &Address) -> AddressFacts {
    AddressFacts {
        index: address.index,
        address: address.local,
        prefix_len: address.prefix_len,
        scope: address.scope,
        peer: address.peer,
        usable: address.is_usable(),
    }
}

fn route_facts(route: &Route) -> Option<RouteFacts> {
    let family = if route.family == INET { Family::Inet } else { Family::Inet6 };
    route.is_default().then_some(RouteFacts {
        family,
        metric: route.priority,
        tos: route.tos,
        gateway: route.gateway,
        index: route.interface,
        protocol: route.protocol,
    })
}

fn neighbour_facts(neighbour: &Neighbour<'_>) -> Option<NeighbourFacts> {
    let known = neighbour.link_address.filter(|address| !address.is_empty() && neighbour.is_known());
    Some(NeighbourFacts { index: neighbour.index, address: neighbour.address?, mac: known.map(mac) })
}
