//! Why a service is in its state: the sentences of lists and events.

use crate::service::Service;
use crate::supervisor::Supervisor;
use init_control::What;
use reactor::Instant;

impl Supervisor {
    /// Writes down why, for lists and events.
    pub(crate) fn explain(&mut self, now: Instant, id: usize, what: What) {
        let Some(service) = self.get(id) else { return };
        let Some(reason) = self.reason_of(now, service, what) else { return };
        if let Some(service) = self.get_mut(id) {
            service.reason = reason.into();
        }
    }

    /// The sentence that comes with what happens; `None`: the one there is stays.
    fn reason_of(&self, now: Instant, service: &Service, what: What) -> Option<String> {
        match what {
            What::Waiting => {
                Some(self.missing(service).map_or_else(String::new, |other| format!("waits for {}", other.name)))
            }
            What::Backoff => {
                let delay = service.life.deadline().map_or(0, |deadline| deadline.since(now).as_millis());
                let before = if service.reason.is_empty() { "" } else { "; " };
                Some(format!("{}{before}starts again in {delay} ms", service.reason))
            }
            What::Broken if service.reason.is_empty() => {
                let script = if service.definition.policy.oneshot { "up" } else { "run" };
                service.ended.map(|how| format!("{script} {how}: not started again"))
            }
            What::Oom | What::Pressure | What::Broken | What::Exited | What::Added | What::Removed | What::Changed => {
                None
            }
            What::Started | What::Ready | What::Stopping | What::Stopped | What::Reloaded => Some(String::new()),
            // These are not about one service.
            What::Poweroff | What::Reboot | What::Halt | What::Kexec | What::Shutdown => None,
            What::GenerationBegun | What::GenerationDone | What::GenerationRejected => None,
        }
    }
}
