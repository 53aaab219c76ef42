//! What the operator says, and what follows from it.

use crate::lifecycle::Input;
use crate::service::Service;
use crate::supervisor::{Act, Acts, News, Supervisor};
use init_control::What;
use reactor::Instant;

/// What the operator may say about a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Run it, whatever the directory says.
    Start,
    /// End it, whatever the directory says.
    Stop,
    /// End it and run it again.
    Restart,
    /// Run it, and leave it down when it has ended.
    Once,
    /// Tell it to read its configuration again.
    Reload,
}

impl Supervisor {
    /// Takes the operator's word. What is said of a bundle is said of all that it contains; what is started brings with it what it depends on
    /// and was left out of the bundle of all that is to be started.
    ///
    /// # Errors
    /// A sentence, when nothing was done.
    pub fn order(&mut self, now: Instant, id: usize, order: Order, acts: &mut Acts) -> Result<(), String> {
        if self.ending {
            return Err("everything is being stopped".to_owned());
        }
        let ids = self.meant(id, order);
        if order == Order::Reload {
            return ids.into_iter().try_for_each(|id| self.reload(id, acts));
        }
        for &id in &ids {
            self.may(id, order)?;
        }
        for id in ids {
            self.obey(now, id, order, acts);
        }
        self.settle_all(now, acts);
        Ok(())
    }

    /// The services an order is about, each once.
    fn meant(&self, id: usize, order: Order) -> Vec<usize> {
        let mut ids = vec![id];
        let mut at = 0;
        while let Some(service) = ids.get(at).map(|&id| self.get(id)) {
            at += 1;
            let Some(service) = service else { continue };
            let pulls = |other: &Service| order == Order::Start && other.unlisted && other.chosen.is_none();
            for other in service.after() {
                let meant = service.newest().is_bundle || self.get(other).is_some_and(pulls);
                if meant && !ids.contains(&other) {
                    ids.push(other);
                }
            }
        }
        if order == Order::Reload {
            ids.retain(|&id| self.get(id).is_some_and(|one| !one.newest().is_bundle));
        }
        ids
    }

    /// # Errors
    /// Why the order cannot be obeyed.
    fn may(&self, id: usize, order: Order) -> Result<(), String> {
        let Some(service) = self.get(id) else { return Err("there is no such service".to_owned()) };
        match (service.fault(), order) {
            (Some(fault), Order::Start | Order::Restart | Order::Once) => Err(fault.to_owned()),
            (_, Order::Stop) if service.newest().is_essential => {
                Err(format!("{} is essential: it may be restarted, not stopped", service.name))
            }
            (_, Order::Start | Order::Stop | Order::Restart | Order::Once | Order::Reload) => Ok(()),
        }
    }

    fn obey(&mut self, now: Instant, id: usize, order: Order, acts: &mut Acts) {
        self.overrides_dirty = true;
        let Some(service) = self.get_mut(id) else { return };
        let wish = match order {
            Order::Start | Order::Restart | Order::Once | Order::Reload => true,
            Order::Stop => false,
        };
        service.once = order == Order::Once && !service.newest().policy.oneshot;
        // Only what differs from the directory is an override.
        service.chosen = (wish != service.is_wanted_by_directory()).then_some(wish);
        let afresh = match order {
            Order::Start | Order::Once => !service.life.is_active(),
            Order::Stop | Order::Reload => false,
            Order::Restart => true,
        };
        if afresh {
            self.step(now, id, Input::Restart, acts);
        }
        self.dirty.push_back(id);
    }

    /// Tells the service to read its configuration again.
    fn reload(&mut self, id: usize, acts: &mut Acts) -> Result<(), String> {
        match self.get_mut(id) {
            Some(service) if service.life.is_up() && service.pid.is_some() => {
                acts.push_back(Act::Reload(id));
                Ok(())
            }
            Some(service) => Err(format!("it is {}: only what runs and is ready can reload", service.shown_state())),
            None => Err("there is no such service".to_owned()),
        }
    }

    /// The program that [`Act::Reload`] asked for executes.
    pub fn reloading(&mut self, id: usize, pid: i32) {
        if let Some(service) = self.get_mut(id) {
            service.said.set(|words| words.reloader = Some(pid));
        }
    }

    /// The service whose program `reload` has this process.
    #[must_use]
    pub fn find_reloader(&self, pid: i32) -> Option<usize> {
        self.iter().find(|(_, service)| service.reloader() == Some(pid)).map(|(id, _)| id)
    }

    /// The program `reload` has ended, or could not be started for the `reason`; tells it, and starts it again if asked for meanwhile.
    pub fn reloaded(&mut self, id: usize, reason: String, acts: &mut Acts) {
        let Some(service) = self.get_mut(id) else { return };
        let again = service.said.set(|words| {
            words.reloader = None;
            std::mem::take(&mut words.reload_again)
        });
        let again = again && service.life.is_up();
        acts.push_back(Act::Tell(News {
            id,
            what: What::Reloaded,
            pid: service.pid,
            ended: None,
            reason: reason.into(),
        }));
        if again {
            acts.push_back(Act::Reload(id));
        }
    }

    /// The service is to reload once more when the reload under way has ended; false when none is.
    pub fn reload_later(&mut self, id: usize) -> bool {
        let Some(service) = self.get_mut(id) else { return false };
        service.said.set(|words| {
            words.reload_again = words.reloader.is_some();
            words.reload_again
        })
    }
}
