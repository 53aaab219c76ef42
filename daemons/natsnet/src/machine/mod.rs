//! The state of the network, and what of a change is news.

mod facts;
mod links;
mod radio;
mod reach;
mod routes;
mod state;
#[cfg(test)]
mod tests;

pub use facts::{AddressFacts, LinkFacts, NeighbourFacts, RouteFacts, SwitchFacts, WifiFacts};
pub use state::Everything;

use daemon::{Effects, Instant};
use interfaces::network::{Reach, Thing};
use serde::{Deserialize, Serialize};
use state::State;
use std::time::Duration;

/// What can happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Input {
    /// An interface is there, or different from before.
    Link(LinkFacts),
    /// An interface is gone.
    LinkGone {
        /// Its number.
        index: u32,
    },
    /// An address is there, or different from before.
    Address(AddressFacts),
    /// An address is gone.
    AddressGone(AddressFacts),
    /// A default route is there.
    Route {
        /// The route.
        route: RouteFacts,
        /// In the place of the one with the same family, metric and type of service.
        replaces: bool,
    },
    /// A default route is gone.
    RouteGone(RouteFacts),
    /// All default routes, because of [`Effect::ReadRoutes`].
    Routes(Vec<RouteFacts>),
    /// A neighbour is there, or different from before, or gone when it has no hardware address.
    Neighbour(NeighbourFacts),
    /// Everything there is, read at the start and after a loss.
    Everything {
        /// True at the start: nothing is announced.
        first: bool,
        /// What there is.
        all: Everything,
    },
    /// A Wi-Fi link is connected, or to another access point than before.
    WifiConnected {
        /// The interface's number.
        index: u32,
        /// To what.
        wifi: WifiFacts,
        /// It went over from another access point.
        roamed: bool,
    },
    /// A Wi-Fi link is not connected any more.
    WifiDisconnected {
        /// The interface's number.
        index: u32,
        /// IEEE 802.11 reason.
        reason: Option<u16>,
    },
    /// The signal of a connected Wi-Fi link crossed a threshold.
    WifiSignal {
        /// The interface's number.
        index: u32,
        /// Signal in dBm.
        dbm: i32,
    },
    /// A search for Wi-Fi networks ended.
    WifiScanned {
        /// The interface's number.
        index: u32,
        /// Before its end.
        aborted: bool,
    },
    /// A radio switch is there, or in another position.
    Switch(SwitchFacts),
    /// A radio switch is gone.
    SwitchGone {
        /// Its number.
        index: u32,
    },
    /// Somebody asked for the list.
    List {
        /// Where the answer goes.
        reply: String,
        /// Only things of this kind: the second token of their subject.
        kind: Option<String>,
    },
    /// The deadline asked for by [`Effect::Arm`] has passed.
    Deadline,
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Publish something with a number.
    Publish(News),
    /// Publish something without a number: it changes no state.
    Announce(News),
    /// Answer with the list, as [`Machine::things`] gives it.
    List {
        /// Where to.
        reply: String,
        /// Only things of this kind.
        kind: Option<String>,
    },
    /// Read all default routes: the kernel does not tell of those that vanish with their interface or address.
    ReadRoutes,
    /// Call with [`Input::Deadline`] then; `None`: never.
    Arm(Option<u64>),
    /// Write a log line: so many links, addresses or neighbours have no room and are not followed.
    NoRoom {
        /// How many since the last line.
        lost: u64,
    },
}

/// Something to publish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct News {
    /// The subject.
    pub subject: String,
    /// The payload, ready to be sent.
    pub body: serde_json::Value,
}

/// Follows the network.
#[derive(Debug)]
pub struct Machine {
    state: State,
    settle: Duration,
    /// What was last told, and what is to be told then unless it changes back.
    told: Reach,
    due: Option<Instant>,
    armed: Option<Instant>,
}

impl Machine {
    /// Knows nothing yet, and follows at most `things_max` links, addresses and neighbours. `settle`: how long being online or offline
    /// must hold before it is told.
    #[must_use]
    pub fn new(settle: Duration, things_max: usize) -> Self {
        let told = Reach { online: false, inet: false, inet6: false };
        Self { state: State { things_max, ..State::default() }, settle, told, due: None, armed: None }
    }

    /// Waits that long from now on, and takes that many; what is above stays until it vanishes.
    pub fn configure(&mut self, settle: Duration, things_max: usize) {
        self.settle = settle;
        self.state.things_max = things_max;
    }

    /// Most effects of one step: what a new reading of everything can change, twice.
    #[must_use]
    pub fn effects_max(&self) -> usize {
        4 * self.state.things_max + 1024
    }

    /// Everything there is with its subjects; with `kind` only what has this second token.
    pub fn things(&self, kind: Option<&str>) -> Vec<(String, Thing<'_>)> {
        let mut things = self.state.things();
        things.push((reach::subject(&self.told).to_owned(), Thing::Reach(self.told)));
        let fits = |subject: &str| kind.is_none_or(|kind| subject.split('.').nth(1) == Some(kind));
        things.retain(|(subject, _)| fits(subject));
        things
    }

    /// The name of an interface, while it is known.
    #[must_use]
    pub fn name(&self, index: u32) -> Option<&str> {
        self.state.links.get(&index).map(|link| link.name.as_str())
    }

    fn settle_down(&mut self, now: Instant, first: bool, out: &mut Effects<Effect>) {
        self.follow_reach(now, first, out);
        if self.state.lost > 0 {
            out.push(Effect::NoRoom { lost: std::mem::take(&mut self.state.lost) });
        }
        if self.due != self.armed {
            self.armed = self.due;
            out.push(Effect::Arm(self.due.map(Instant::as_nanos)));
        }
    }
}

impl daemon::Machine for Machine {
    type Input<'a> = Input;
    type Effect = Effect;

    fn step(&mut self, now: Instant, input: Input, out: &mut Effects<Effect>) {
        let state = &mut self.state;
        let mut first = false;
        match input {
            Input::Link(link) => state.link(link, out),
            Input::LinkGone { index } => state.link_gone(index, out),
            Input::Address(address) => state.address(address, out),
            Input::AddressGone(address) => state.address_gone(&address, out),
            Input::Route { route, replaces } => state.route(route, replaces, out),
            Input::RouteGone(route) => state.route_gone(&route, out),
            Input::Routes(routes) => state.routes(routes, out),
            Input::Neighbour(neighbour) => state.neighbour(neighbour, out),
            Input::Everything { first: at_start, all } => {
                first = at_start;
                if first {
                    // The world as it is at the start is told to nobody.
                    state.become_like(all, &mut Effects::with_limit(0));
                } else {
                    state.become_like(all, out);
                }
            }
            Input::WifiConnected { index, wifi, roamed } => state.wifi_connected(index, wifi, roamed, out),
            Input::WifiDisconnected { index, reason } => state.wifi_disconnected(index, reason, out),
            Input::WifiSignal { index, dbm } => state.wifi_signal(index, dbm, out),
            Input::WifiScanned { index, aborted } => state.wifi_scanned(index, aborted, out),
            Input::Switch(switch) => state.switch(switch, out),
            Input::SwitchGone { index } => state.switch_gone(index, out),
            Input::List { reply, kind } => out.push(Effect::List { reply, kind }),
            Input::Deadline => self.armed = None,
        }
        self.settle_down(now, first, out);
    }
}
