//! What a service's row says.

use super::Host;
use super::answers::Sent;
use init_control::{Ended, REPLY_MAX, ServiceState, Writer};
use reactor::Instant;

/// Most bytes of the names a service depends on.
const AFTER_MAX: usize = 1000;

impl Host {
    /// Sends the row of a service; there is nothing to send for one that is gone.
    pub(super) fn send_row(&self, index: usize, id: usize) -> Sent {
        let Some(service) = self.supervisor.get(id) else { return Sent::Yes };
        let (code, number) = match service.ended {
            None => (None, None),
            Some(Ended::Code(code)) => (Some(code), None),
            Some(Ended::Signal(number)) => (None, Some(number)),
        };
        let now = Instant::now();
        let age = |moment: Instant| u64::try_from(now.since(moment).as_millis()).unwrap_or(u64::MAX);
        let is_ready = service.life.state() == ServiceState::Ready && service.definition.policy.announces;
        let kind: &[u8] = match service.newest() {
            definition if definition.is_bundle => b"bundle",
            definition if definition.policy.oneshot => b"oneshot",
            _ => b"longrun",
        };
        let wanted: &[u8] = if service.is_wanted() { b"up" } else { b"down" };
        let chosen: Option<&[u8]> = service.chosen.map(|started| if started { &b"started"[..] } else { b"stopped" });
        let reason = service.reason.as_bytes();
        let after = service.newest().after.join("\n");
        let after = after.as_bytes().get(..AFTER_MAX).unwrap_or(after.as_bytes());
        let mut buffer = [0; REPLY_MAX];
        let record = Writer::new(&mut buffer, "service")
            .field("name", service.name.as_bytes())
            .field("state", service.shown_state().word().as_bytes())
            .field("type", kind)
            .field("wanted", wanted)
            .optional("override", chosen)
            .optional("once", service.once.then_some(b"yes"))
            .optional_number("pid", service.pid)
            .number("since_ms", age(service.life.since()))
            .optional_number("process_ms", service.pid.map(|_| age(service.life.born())))
            .optional_number("ready_ms", is_ready.then(|| age(service.life.since())))
            .number("restarts", service.life.restarts())
            .optional_number("code", code)
            .optional_number("signal", number)
            .optional("after", (!after.is_empty()).then_some(after))
            .optional("status", service.status().map(str::as_bytes))
            .optional("reason", (!reason.is_empty()).then(|| reason.get(..400).unwrap_or(reason)))
            .finish();
        self.send_to(index, record)
    }
}
