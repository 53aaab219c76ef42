//! What services say of themselves, and what follows from it.

use crate::lifecycle::Input;
use crate::notice::Notice;
use crate::supervisor::{Acts, Supervisor};
use init_control::What;
use reactor::Instant;
use std::rc::Rc;

impl Supervisor {
    /// The service has said something of itself by sd_notify; what came along with it is not this machine's business.
    pub fn noticed(&mut self, now: Instant, id: usize, notice: &Notice, acts: &mut Acts) {
        let Some(service) = self.get_mut(id) else { return };
        let is_up = service.life.is_up();
        let again = service.said.set(|words| {
            if let Some(status) = &notice.status {
                words.status = Some(status.as_str().into());
            } else if notice.stopping {
                words.status = Some("stopping".into());
            }
            words.reloads |= notice.reloading;
            words.heir = notice.main_pid.or(words.heir);
            notice.ready && is_up && std::mem::take(&mut words.reloads)
        });
        if let Some(limit) = notice.watchdog {
            Rc::make_mut(&mut service.definition).policy.watchdog = (!limit.is_zero()).then_some(limit);
        }
        if again {
            self.tell(id, What::Reloaded, acts);
        }
        if notice.alive || notice.watchdog.is_some() {
            self.step(now, id, Input::Alive, acts);
        }
        if notice.hangs {
            self.step(now, id, Input::Timeout, acts);
        }
        if notice.ready {
            self.announced(now, id, acts);
        }
    }

    /// The service's process has ended, and the one that it named takes its place: true when it did. The caller has checked that it runs.
    pub fn succeeded(&mut self, id: usize) -> bool {
        let Some(service) = self.get_mut(id) else { return false };
        match service.said.set(|words| words.heir.take()) {
            Some(heir) if service.pid != Some(heir) => {
                service.pid = Some(heir);
                true
            }
            Some(_) | None => false,
        }
    }
}
