//! What the rows of the table do.

use super::Lifecycle;
use super::vocabulary::{BACKOFF_MAX, BACKOFF_MIN, CLEAR_LIMIT, Cause, Effect, Effects, Policy, STABLE, Script};
use init_control::{Ended, ServiceState, What};
use reactor::Instant;
use std::time::Duration;

impl Lifecycle {
    pub(super) fn enter(&mut self, state: ServiceState, now: Instant, what: What, out: &mut Effects) {
        (self.state, self.since, self.deadline) = (state, now, None);
        out.push(Effect::Tell(what));
    }

    pub(super) fn forget(&mut self) {
        (self.crashes, self.crashed, self.doomed, self.hung) = (0, false, false, false);
    }

    pub(super) fn start(&mut self, now: Instant, out: &mut Effects) {
        (self.state, self.since, self.born, self.deadline) = (ServiceState::Starting, now, now, None);
        out.push(Effect::Run(Script::Main));
    }

    pub(super) fn wait(&mut self, now: Instant, out: &mut Effects) {
        self.enter(ServiceState::Waiting, now, What::Waiting, out);
    }

    pub(super) fn rest(&mut self, now: Instant, out: &mut Effects) {
        self.forget();
        self.enter(ServiceState::Down, now, What::Stopped, out);
    }

    pub(super) fn spawned(&mut self, now: Instant, policy: &Policy, out: &mut Effects) {
        out.push(Effect::Tell(What::Started));
        if policy.oneshot {
            self.deadline = policy.timeout_up.map(|limit| now + limit);
        } else if !policy.announces {
            self.enter(ServiceState::Ready, now, What::Ready, out);
        }
    }

    pub(super) fn exited_by_itself(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        out.push(Effect::Tell(What::Exited));
        self.ended_by_itself(now, policy, how, out);
    }

    pub(super) fn exited_as_told(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        out.push(Effect::Tell(What::Exited));
        self.ended_as_told(now, policy, how, out);
    }

    /// The process is gone, not what it left behind.
    pub(super) fn clear(&mut self, now: Instant, how: Ended, cause: Cause, out: &mut Effects) {
        if cause != Cause::Script {
            out.push(Effect::Tell(What::Exited));
        }
        (self.state, self.since, self.deadline) = (ServiceState::Killing, now, Some(now + CLEAR_LIMIT));
        self.left = Some((how, cause));
        out.push(Effect::Clear);
    }

    /// That is gone, too, or abandoned.
    pub(super) fn cleared(&mut self, now: Instant, policy: &Policy, out: &mut Effects) {
        match self.left.take() {
            None => {}
            Some((how, Cause::ByItself)) => self.ended_by_itself(now, policy, how, out),
            Some((how, Cause::AsTold)) => self.ended_as_told(now, policy, how, out),
            Some((_, Cause::Script)) => self.after_the_end(now, out),
        }
    }

    pub(super) fn ended_by_itself(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        if policy.oneshot {
            return match how {
                Ended::Code(0) => self.enter(ServiceState::Done, now, What::Ready, out),
                Ended::Code(_) | Ended::Signal(_) => self.enter(ServiceState::Broken, now, What::Broken, out),
            };
        }
        self.crashed = true;
        self.doomed = matches!(how, Ended::Code(code) if policy.permanent.contains(&code));
        if now.since(self.born) >= STABLE {
            self.crashes = 0;
        }
        self.finish(now, policy, how, out);
    }

    pub(super) fn ended_as_told(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        self.crashed = std::mem::take(&mut self.hung);
        if policy.oneshot { self.after_the_end(now, out) } else { self.finish(now, policy, how, out) }
    }

    pub(super) fn finish(&mut self, now: Instant, policy: &Policy, how: Ended, out: &mut Effects) {
        if !policy.has_end_script {
            return self.after_the_end(now, out);
        }
        (self.state, self.since) = (ServiceState::Finishing, now);
        self.deadline = policy.timeout_end.map(|limit| now + limit);
        out.push(Effect::Run(Script::End(Some(how))));
    }

    pub(super) fn undo(&mut self, now: Instant, policy: &Policy, out: &mut Effects) {
        self.enter(ServiceState::Undoing, now, What::Stopping, out);
        self.deadline = policy.timeout_end.map(|limit| now + limit);
        out.push(Effect::Run(Script::End(None)));
    }

    /// Nothing runs any more: what next?
    pub(super) fn after_the_end(&mut self, now: Instant, out: &mut Effects) {
        if !self.wanted {
            self.rest(now, out);
        } else if self.doomed {
            self.doomed = false;
            self.enter(ServiceState::Broken, now, What::Broken, out);
        } else if self.crashed {
            self.retry(now, out);
        } else {
            self.wait(now, out);
        }
    }

    /// Starts again: at once the first time, then after a delay that doubles.
    pub(super) fn retry(&mut self, now: Instant, out: &mut Effects) {
        let delay = backoff(self.crashes);
        self.crashes = self.crashes.saturating_add(1);
        self.crashed = false;
        if delay.is_zero() {
            self.restarts = self.restarts.saturating_add(1);
            return self.start(now, out);
        }
        self.enter(ServiceState::Backoff, now, What::Backoff, out);
        self.deadline = Some(now + delay);
    }

    pub(super) fn terminate(&mut self, now: Instant, policy: &Policy, out: &mut Effects) {
        self.enter(ServiceState::Stopping, now, What::Stopping, out);
        self.deadline = policy.timeout_kill.map(|limit| now + limit);
        out.push(Effect::Terminate);
    }

    pub(super) fn kill(&mut self, now: Instant, out: &mut Effects) {
        if self.state != ServiceState::Stopping {
            out.push(Effect::Tell(What::Stopping));
        }
        (self.state, self.since, self.deadline) = (ServiceState::Killing, now, None);
        out.push(Effect::Kill);
    }

    pub(super) fn kill_script(&mut self, out: &mut Effects) {
        self.deadline = None;
        out.push(Effect::Kill);
    }
}

/// The delay before the start that follows `crashes` earlier ones.
fn backoff(crashes: u32) -> Duration {
    match crashes {
        0 => Duration::ZERO,
        // 2^9 * 100 ms is beyond the maximum already.
        _ => BACKOFF_MIN.saturating_mul(1 << (crashes - 1).min(9)).min(BACKOFF_MAX),
    }
}
