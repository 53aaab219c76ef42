//! Whether packets can leave the machine.

use super::state::{State, publish};
use super::{Effect, Machine};
use daemon::{Effects, Instant};
use interfaces::network::{Family, Reach};

/// Scope of addresses that reach everywhere.
const GLOBAL: u8 = 0;

/// Under which subject it is told.
pub(super) fn subject(reach: &Reach) -> &'static str {
    if reach.online { "network.online" } else { "network.offline" }
}

impl State {
    fn reach(&self) -> Reach {
        let (inet, inet6) = (self.reaches(Family::Inet), self.reaches(Family::Inet6));
        Reach { online: inet || inet6, inet, inet6 }
    }

    /// There is a default route through a link that is up, and an address to send from.
    fn reaches(&self, family: Family) -> bool {
        let leads_out = |index: u32| self.links.get(&index).is_some_and(|link| link.up);
        let mut routes = self.routes.iter().filter(|route| route.family == family);
        let route = routes.any(|route| route.index.is_some_and(leads_out));
        let mut addresses = self.addresses.values().filter(|address| address.scope == GLOBAL);
        route && addresses.any(|address| address.address.is_ipv4() == (family == Family::Inet))
    }
}

impl Machine {
    /// Tells that the machine is on- or offline once that has held for a while.
    pub(super) fn follow_reach(&mut self, now: Instant, first: bool, out: &mut Effects<Effect>) {
        let reach = self.state.reach();
        if first {
            self.told = reach;
        }
        match self.due {
            _ if reach == self.told => self.due = None,
            None => self.due = Some(now + self.settle),
            Some(due) if due <= now => {
                self.told = reach;
                self.due = None;
                publish(out, subject(&reach).to_owned(), &reach);
            }
            Some(_) => {}
        }
    }
}
