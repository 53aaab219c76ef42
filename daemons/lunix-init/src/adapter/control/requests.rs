//! Understanding what is asked, and doing it where it is a command.

use super::answers::{Answer, Feed};
use super::{Host, Rights};
use crate::shutdown::{Goal, Phase};
use crate::supervisor::Order;
use init_control::Request;
use reactor::Instant;
use std::rc::Rc;
use sys::signal;

/// Code and sentence of what is refused.
type Refusal = (u8, String);

impl Host {
    /// Takes a packet for a request, and begins its answer.
    pub(super) fn take_request(&mut self, index: usize, packet: &[u8]) {
        let begun = Request::decode(packet)
            .map_err(|error| (64, error.to_string()))
            .and_then(|request| self.permit(index, &request).and_then(|()| self.begin_answer(index, &request)));
        let answer = begun.unwrap_or_else(|(code, sentence)| Answer::Refused(code, Rc::from(sentence)));
        if let Some(client) = self.control.client_mut(index) {
            client.answer = answer;
        }
    }

    /// Who may do what.
    fn permit(&self, index: usize, request: &Request<'_>) -> Result<(), Refusal> {
        let verb = request.verb();
        match self.control.client(index).map(|client| &client.rights) {
            Some(Rights::Command) => Ok(()),
            Some(Rights::Look) if request.only_looks() => Ok(()),
            Some(Rights::Look) => Err((77, format!("{verb} needs root or the user lunix-init runs as"))),
            Some(Rights::Companion { verbs, .. }) if verbs.contains(&verb) => Ok(()),
            Some(Rights::Companion { .. }) => Err((77, format!("{verb} is not in the file companion of the service"))),
            None => Err((77, "nobody asks".to_owned())),
        }
    }

    /// Does what is asked, or begins to tell it.
    fn begin_answer(&mut self, index: usize, request: &Request<'_>) -> Result<Answer, Refusal> {
        let (events, lines) = (self.events.next(), self.log.next());
        let seq = events.number() - 1;
        let all = Answer::Rows { next: 0, end: usize::MAX, seq };
        match *request {
            Request::List => return Ok(all),
            Request::Watch => {
                self.feed(index, Feed::Events(events));
                return Ok(all);
            }
            Request::Status { name } => {
                let id = self.find(name)?;
                return Ok(Answer::Rows { next: id, end: id + 1, seq });
            }
            Request::Usage { name: None } => return Ok(Answer::Usage { next: 0, end: usize::MAX, seq }),
            Request::Usage { name: Some(name) } => {
                let id = self.find(name)?;
                return Ok(Answer::Usage { next: id, end: id + 1, seq });
            }
            Request::Log { name, follow } => {
                let of: Option<Rc<str>> = name.map(Rc::from);
                name.map_or(Ok(0), |name| self.find(name))?;
                if follow {
                    self.feed(index, Feed::Lines(lines, of.clone()));
                }
                return Ok(Answer::Lines { cursor: self.log.oldest(), end: lines.number(), of });
            }
            Request::Start { name } => self.order(name, Order::Start),
            Request::Stop { name } => self.order(name, Order::Stop),
            Request::Restart { name } => self.order(name, Order::Restart),
            Request::Once { name } => self.order(name, Order::Once),
            Request::Reload { name } => self.order(name, Order::Reload),
            Request::Signal { name, signal } => self.send_signal(name, signal),
            Request::Rescan => {
                self.rescan();
                Ok(())
            }
            Request::Poweroff => self.end_machine("poweroff", Goal::Poweroff),
            Request::Reboot => self.end_machine("reboot", Goal::Reboot),
            Request::Halt => self.end_machine("halt", Goal::Halt),
            Request::Kexec if !crate::poweroff::has_kernel_to_start() => {
                Err((69, "kexec: no kernel is loaded".to_owned()))
            }
            Request::Kexec => self.end_machine("kexec", Goal::Kexec),
            Request::Reexec => return self.try_exchange(index).map(|()| Answer::Waiting),
        }
        .map(|()| Answer::Ok)
    }

    /// Answers what took longer.
    pub(crate) fn conclude(&mut self, index: usize, outcome: Result<(), Refusal>) {
        let Some(client) = self.control.client_mut(index).filter(|client| matches!(client.answer, Answer::Waiting))
        else {
            return;
        };
        client.answer =
            outcome.map_or_else(|(code, sentence)| Answer::Refused(code, Rc::from(sentence)), |()| Answer::Ok);
        self.go_on(index);
    }

    fn feed(&mut self, index: usize, feed: Feed) {
        if let Some(client) = self.control.client_mut(index) {
            client.feed = feed;
        }
    }

    fn find(&self, name: &str) -> Result<usize, Refusal> {
        self.supervisor.find(name).ok_or_else(|| (69, format!("there is no service {name}")))
    }

    fn order(&mut self, name: &str, order: Order) -> Result<(), Refusal> {
        let id = self.find(name)?;
        let outcome = self.supervisor.order(Instant::now(), id, order, &mut self.acts);
        self.run_acts();
        outcome.map_err(|sentence| (78, format!("{name}: {sentence}")))
    }

    fn send_signal(&mut self, name: &str, word: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        let number = signal::number_of(word).ok_or_else(|| (64, format!("there is no signal {word}")))?;
        let process = self.channels.get(id).and_then(|channels| channels.process.as_ref());
        let process = process.ok_or_else(|| (69, format!("{name} has no process")))?;
        process.signal(number).map_err(|error| (71, format!("cannot signal process {}: {error}", process.pid())))
    }

    fn end_machine(&mut self, verb: &str, goal: Goal) -> Result<(), Refusal> {
        if !self.is_pid1 {
            return Err((64, format!("{verb}: this lunix-init is not PID 1; SIGTERM ends it")));
        }
        if self.shutdown.phase() != Phase::Over {
            self.ask(goal);
        }
        Ok(())
    }
}
