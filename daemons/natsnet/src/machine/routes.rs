//! Default routes.

use super::Effect;
use super::facts::RouteFacts;
use super::state::{State, publish};
use daemon::Effects;
use std::collections::BTreeSet;

impl State {
    /// A default route is there. `replaces`: in the place of one of the same family, metric and type of service.
    pub(super) fn route(&mut self, route: RouteFacts, replaces: bool, out: &mut Effects<Effect>) {
        if self.routes.contains(&route) {
            return;
        }
        let replaced = self.routes.iter().find(|known| replaces && known.is_in_place_of(&route)).cloned();
        if let Some(replaced) = &replaced {
            self.routes.remove(replaced);
        }
        self.tell_route(&route, if replaced.is_some() { "change" } else { "add" }, out);
        self.routes.insert(route);
    }

    /// A default route is gone.
    pub(super) fn route_gone(&mut self, route: &RouteFacts, out: &mut Effects<Effect>) {
        if self.routes.remove(route) {
            self.tell_route(route, "remove", out);
        }
    }

    /// These are all default routes there are.
    pub(super) fn routes(&mut self, all: Vec<RouteFacts>, out: &mut Effects<Effect>) {
        let present: BTreeSet<&RouteFacts> = all.iter().collect();
        let gone: Vec<RouteFacts> = self.routes.iter().filter(|known| !present.contains(known)).cloned().collect();
        for route in all {
            let replaces = gone.iter().any(|gone| gone.is_in_place_of(&route));
            self.route(route, replaces, out);
        }
        for route in gone {
            self.route_gone(&route, out);
        }
    }

    fn tell_route(&self, route: &RouteFacts, what: &str, out: &mut Effects<Effect>) {
        let interface = route.index.map(|index| self.name(index));
        publish(out, format!("network.route.default.{what}"), &route.route(interface.as_deref()));
    }
}

impl RouteFacts {
    fn is_in_place_of(&self, other: &Self) -> bool {
        (self.family, self.metric, self.tos) == (other.family, other.metric, other.tos)
    }
}
