//! `--state`: the followers of the domains, their questions and their timer.

use super::printer::Printer;
use super::{Key, Message};
use crate::bus;
use crate::output::Stop;
use follow::{Effect, Follower, Input, Note};
use nats_client::{Client, Subscription};
use program::{Fatal, Level, log};
use reactor::{Instant, Interest, Reactor, Timer};
use std::collections::BTreeMap;
use std::io;

/// One domain.
struct Domain {
    follower: Follower,
    events: Subscription,
    answers: Subscription,
    /// Answers go here, with the question's number behind it.
    inbox: String,
    deadline: Option<Instant>,
}

/// All domains that are followed.
pub(super) struct States {
    domains: Vec<Domain>,
    timer: Timer,
    armed: Option<Instant>,
}

impl States {
    /// Subscribes to every domain of the patterns.
    pub(super) fn new(
        patterns: Vec<String>,
        client: &mut Client<Key>,
        reactor: &mut Reactor<Key>,
        key: Key,
    ) -> io::Result<Self> {
        let timer = Timer::new()?;
        reactor.insert(&timer, Interest::READ, key)?;
        let mut grouped = BTreeMap::<String, Vec<String>>::new();
        for pattern in patterns {
            let domain = follow::domain(&pattern).unwrap_or(&pattern).to_owned();
            grouped.entry(domain).or_default().push(pattern);
        }
        let unique = format!("_INBOX.lunix.{}.{:x}", std::process::id(), Instant::now().as_nanos());
        let domains = grouped.into_iter().map(|(name, patterns)| {
            let follower = Follower::new(&name, patterns);
            let inbox = format!("{unique}.{name}");
            let events = client.subscribe(&follower.subscription(), None);
            let answers = client.subscribe(&format!("{inbox}.*"), None);
            Domain { follower, events, answers, inbox, deadline: None }
        });
        Ok(Self { domains: domains.collect(), timer, armed: None })
    }

    pub(super) fn connected(
        &mut self,
        now: Instant,
        client: &mut Client<Key>,
        printer: &mut Printer,
    ) -> Result<(), Stop> {
        for index in 0..self.domains.len() {
            self.step(index, now, Input::Connected, client, printer)?;
        }
        Ok(())
    }

    pub(super) fn disconnected(&mut self) {
        for domain in &mut self.domains {
            domain.follower.step(Instant::default(), Input::Disconnected, &mut Vec::new());
            domain.deadline = None;
        }
    }

    pub(super) fn deadline(
        &mut self,
        now: Instant,
        client: &mut Client<Key>,
        printer: &mut Printer,
    ) -> Result<(), Stop> {
        self.timer.fired().map_err(|error| Fatal::system("cannot read a timer", error))?;
        self.armed = None;
        for index in 0..self.domains.len() {
            let due = self.domains.get(index).and_then(|domain| domain.deadline).is_some_and(|at| at <= now);
            if due {
                self.step(index, now, Input::Deadline, client, printer)?;
            }
        }
        self.arm()
    }

    pub(super) fn message(
        &mut self,
        now: Instant,
        message: &Message,
        client: &mut Client<Key>,
        printer: &mut Printer,
    ) -> Result<(), Stop> {
        let of = |domain: &Domain| [domain.events, domain.answers].contains(&message.subscription);
        let Some(index) = self.domains.iter().position(of) else { return Ok(()) };
        let Some(domain) = self.domains.get(index) else { return Ok(()) };
        if message.subscription == domain.events {
            let input = Input::Message { subject: &message.subject, payload: &message.payload };
            return self.step(index, now, input, client, printer);
        }
        let number = message.subject.rsplit('.').next().and_then(|token| token.parse().ok());
        let Some(number) = number else { return Ok(()) };
        match bus::service_error(&message.headers) {
            // An answer all the same comes from nobody: the deadline asks again.
            _ if message.nobody => Ok(()),
            Some(why) => self.step(index, now, Input::Refused(number, &why.reason), client, printer),
            None => self.step(index, now, Input::Listed(number, &message.payload), client, printer),
        }
    }

    fn step(
        &mut self,
        index: usize,
        now: Instant,
        input: Input<'_>,
        client: &mut Client<Key>,
        printer: &mut Printer,
    ) -> Result<(), Stop> {
        let Some(domain) = self.domains.get_mut(index) else { return Ok(()) };
        let mut effects = Vec::new();
        domain.follower.step(now, input, &mut effects);
        for effect in effects {
            match effect {
                Effect::Ask(number) => {
                    let reply = format!("{}.{number}", domain.inbox);
                    // Not sent means not connected or too much waiting to be sent: asked again at the deadline.
                    drop(client.publish(&domain.follower.list_subject(), Some(&reply), b"", b""));
                }
                Effect::Show { subject, payload } => printer.message(&subject, &payload)?,
                Effect::Arm(at) => domain.deadline = at,
                Effect::Note(note) => tell(domain.follower.domain(), &note),
            }
        }
        self.arm()
    }

    /// Sets the timer to the earliest deadline.
    fn arm(&mut self) -> Result<(), Stop> {
        let next = self.domains.iter().filter_map(|domain| domain.deadline).min();
        if next == self.armed {
            return Ok(());
        }
        self.armed = next;
        let set = next.map_or_else(|| self.timer.disarm(), |at| self.timer.arm(at));
        Ok(set.map_err(|error| Fatal::system("cannot set a timer", error))?)
    }
}

fn tell(domain: &str, note: &Note) {
    match note {
        Note::Silence => log::line("lunix", Level::Warn, format_args!("nobody answers {domain}.list: waiting for it")),
        Note::NoList(why) => {
            log::line("lunix", Level::Warn, format_args!("{domain}.list: {why}; printing events as they come"));
        }
    }
}
