//! What the boot cannot do without: the services of the bundle `boot`, and those marked `critical`.

use crate::service::Service;
use crate::supervisor::{BOOT, Supervisor};
use init_control::ServiceState;
use std::collections::BTreeSet;

impl Supervisor {
    /// From the next reading of the directory on, only what the bundle `boot` leads to is to run, or everything again.
    pub fn boots_only(&mut self, only: bool) {
        self.only_boot = only;
    }

    /// The numbers of services that are broken and that the boot needs, each with a sentence.
    #[must_use]
    pub fn broken_for_the_boot(&self) -> Vec<(usize, String)> {
        let boot = self.held_by_boot();
        let is_needed = |id: usize| boot.contains(&id) || self.get(id).is_some_and(|one| one.newest().is_critical);
        let broken = self
            .iter()
            .filter(|(id, one)| one.shown_state() == ServiceState::Broken && one.is_wanted() && is_needed(*id));
        broken.map(|(id, one)| (id, format!("the boot needs {}: {}", one.name, one.reason))).collect()
    }

    /// The services of the bundle, and all that they depend on.
    fn held_by_boot(&self) -> BTreeSet<usize> {
        let root = self.find(BOOT).filter(|&id| self.get(id).is_some_and(|one| one.newest().is_bundle));
        let mut ahead: Vec<usize> = root.into_iter().collect();
        let mut found = BTreeSet::new();
        while let Some(id) = ahead.pop() {
            if found.insert(id) {
                ahead.extend(self.get(id).into_iter().flat_map(Service::after));
            }
        }
        found
    }
}
