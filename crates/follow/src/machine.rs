//! The machine.

use crate::fields::Fields;
use crate::present::{Present, Thing, appeared, vanished};
use nats_subject::matches;
use reactor::Instant;
use std::collections::VecDeque;
use std::time::Duration;

/// Most events that wait for a list; when there are more, they are dropped and the list is asked for once more.
const WAITING_MAX: usize = 4096;

/// How long the first answer may take; it doubles with each question that stays without, up to the longest.
const PAUSE_MIN: Duration = Duration::from_millis(500);
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// What can happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input<'a> {
    /// The bus is there and has the subscription to `<domain>.>`.
    Connected,
    /// The bus is away.
    Disconnected,
    /// A message of the domain.
    Message {
        /// Its subject.
        subject: &'a str,
        /// Its payload.
        payload: &'a [u8],
    },
    /// The answer to the question of that number.
    Listed(u32, &'a [u8]),
    /// The list is refused for good, with a sentence.
    Refused(u32, &'a str),
    /// The deadline of [`Effect::Arm`] has passed.
    Deadline,
}

/// What must happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Request `<domain>.list`; the answer comes back with the question's number. Nobody serving it is no answer: the subscription
    /// to the domain hears the question too, so the bus cannot tell.
    Ask(u32),
    /// Hand this on.
    Show {
        /// The subject; of something that vanished unseen, the one it would have vanished under.
        subject: String,
        /// The payload.
        payload: Vec<u8>,
    },
    /// Call with [`Input::Deadline`] then; `None`: never.
    Arm(Option<Instant>),
    /// Tell the user.
    Note(Note),
}

/// What the user is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Note {
    /// Nobody answers; it is asked again.
    Silence,
    /// The list is not to be had: what is there already is not shown, and a missed event stays missed.
    NoList(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The bus is not there.
    Away,
    /// Asked, no answer yet.
    Asking,
    /// The list was shown.
    Following,
    /// There is no list.
    Blind,
}

/// Follows one domain.
#[derive(Debug)]
pub struct Follower {
    domain: String,
    patterns: Vec<String>,
    phase: Phase,
    question: u32,
    /// The first question that was asked after all that waits; older answers do not include it.
    valid_from: u32,
    pause: Duration,
    told_silence: bool,
    /// The last event that was shown or is in the list.
    last: Option<(String, u64)>,
    waiting: VecDeque<(String, Vec<u8>)>,
    present: Present,
}

impl Follower {
    /// Follows `domain` and shows what matches one of the patterns.
    #[must_use]
    pub fn new(domain: &str, patterns: Vec<String>) -> Self {
        Self {
            domain: domain.to_owned(),
            patterns,
            phase: Phase::Away,
            question: 0,
            valid_from: 1,
            pause: PAUSE_MIN,
            told_silence: false,
            last: None,
            waiting: VecDeque::new(),
            present: Present::default(),
        }
    }

    /// The domain.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What to subscribe to.
    #[must_use]
    pub fn subscription(&self) -> String {
        format!("{}.>", self.domain)
    }

    /// What to request.
    #[must_use]
    pub fn list_subject(&self) -> String {
        format!("{}.list", self.domain)
    }

    /// Advances by one input; everything that must happen is pushed to `out`.
    pub fn step(&mut self, now: Instant, input: Input<'_>, out: &mut Vec<Effect>) {
        match input {
            Input::Connected => self.ask(now, out),
            Input::Disconnected => {
                self.phase = Phase::Away;
                self.waiting.clear();
                out.push(Effect::Arm(None));
            }
            Input::Message { subject, payload } => self.message(now, subject, payload, out),
            Input::Listed(question, list) if self.expects(question) => self.listed(list, out),
            Input::Refused(question, why) if self.expects(question) => self.go_blind(why.to_owned(), out),
            // Answers to questions that were given up.
            Input::Listed(..) | Input::Refused(..) => {}
            Input::Deadline => match self.phase {
                Phase::Asking => self.ask_again(now, out),
                // The timer was disarmed, but had fired already.
                Phase::Away | Phase::Following | Phase::Blind => {}
            },
        }
    }

    fn expects(&self, question: u32) -> bool {
        self.phase == Phase::Asking && (self.valid_from..=self.question).contains(&question)
    }

    fn ask(&mut self, now: Instant, out: &mut Vec<Effect>) {
        self.phase = Phase::Asking;
        self.pause = PAUSE_MIN;
        self.question = self.question.saturating_add(1);
        self.valid_from = self.question;
        out.push(Effect::Ask(self.question));
        out.push(Effect::Arm(Some(now + self.pause)));
    }

    fn ask_again(&mut self, now: Instant, out: &mut Vec<Effect>) {
        if !std::mem::replace(&mut self.told_silence, true) {
            out.push(Effect::Note(Note::Silence));
        }
        self.pause = (self.pause * 2).min(PAUSE_MAX);
        self.question = self.question.saturating_add(1);
        out.push(Effect::Ask(self.question));
        out.push(Effect::Arm(Some(now + self.pause)));
    }

    fn go_blind(&mut self, why: String, out: &mut Vec<Effect>) {
        self.phase = Phase::Blind;
        out.push(Effect::Arm(None));
        out.push(Effect::Note(Note::NoList(why)));
        for (subject, payload) in std::mem::take(&mut self.waiting) {
            self.pass_on(&subject, &payload, out);
        }
    }

    fn message(&mut self, now: Instant, subject: &str, payload: &[u8], out: &mut Vec<Effect>) {
        if subject == self.list_subject() {
            // Somebody's question, our own too.
            return;
        }
        let Some((epoch, seq)) = Fields::parse(payload).as_ref().and_then(stamp) else {
            return self.show(subject, payload.to_vec(), out);
        };
        match self.phase {
            // The first that is heard of a daemon that was not there: it can answer now.
            Phase::Asking if self.told_silence && self.waiting.is_empty() => {
                self.wait(now, subject, payload, out);
                self.ask(now, out);
            }
            Phase::Asking => self.wait(now, subject, payload, out),
            Phase::Away => {}
            Phase::Blind => self.pass_on(subject, payload, out),
            Phase::Following => match &self.last {
                Some((known, last)) if *known == epoch && seq <= *last => {}
                Some((known, last)) if *known == epoch && seq == last + 1 => self.pass_on(subject, payload, out),
                Some(_) | None => {
                    self.wait(now, subject, payload, out);
                    self.ask(now, out);
                }
            },
        }
    }

    fn wait(&mut self, now: Instant, subject: &str, payload: &[u8], out: &mut Vec<Effect>) {
        if self.waiting.len() >= WAITING_MAX {
            // A list that is asked for from here on includes all of them.
            self.waiting.clear();
            self.ask(now, out);
        }
        self.waiting.push_back((subject.to_owned(), payload.to_vec()));
    }

    fn listed(&mut self, list: &[u8], out: &mut Vec<Effect>) {
        let read = Fields::parse(list).and_then(|list| Some((stamp(&list)?, list.objects("items")?)));
        let Some(((epoch, seq), items)) = read else {
            return self.go_blind(format!("the answer of {}.list is no list", self.domain), out);
        };
        self.phase = Phase::Following;
        self.told_silence = false;
        self.last = Some((epoch.clone(), seq));
        out.push(Effect::Arm(None));
        let things = items
            .into_iter()
            .filter_map(|item| Some(Thing { subject: item.text("subject")?, fields: item.without_stamp() }));
        let things = things.filter(|thing| self.is_of_interest(&thing.subject)).collect();
        for thing in self.present.replace(things) {
            self.show(&thing.subject, thing.fields.json().into_bytes(), out);
        }
        // What waits of another epoch is older than this list; a hole that is left now cannot be filled by one more list.
        for (subject, payload) in std::mem::take(&mut self.waiting) {
            let known = Fields::parse(&payload).as_ref().and_then(stamp);
            if known.is_some_and(|(of, _)| of == epoch) {
                self.pass_on(&subject, &payload, out);
            }
        }
    }

    /// Hands an event on, unless it is a repetition, and remembers it.
    fn pass_on(&mut self, subject: &str, payload: &[u8], out: &mut Vec<Effect>) {
        let Some(fields) = Fields::parse(payload) else { return };
        let Some((epoch, seq)) = stamp(&fields) else { return };
        if self.last.as_ref().is_some_and(|(known, last)| *known == epoch && seq <= *last) {
            return;
        }
        self.last = Some((epoch, seq));
        if self.phase == Phase::Following && self.is_of_interest(subject) {
            self.present.happened(Thing { subject: subject.to_owned(), fields: fields.without_stamp() });
        }
        self.show(subject, payload.to_vec(), out);
    }

    fn show(&self, subject: &str, payload: Vec<u8>, out: &mut Vec<Effect>) {
        if self.is_wanted(subject) {
            out.push(Effect::Show { subject: subject.to_owned(), payload });
        }
    }

    fn is_wanted(&self, subject: &str) -> bool {
        self.patterns.iter().any(|pattern| matches(pattern.as_bytes(), subject.as_bytes()))
    }

    /// True when the thing or its vanishing could be shown.
    fn is_of_interest(&self, subject: &str) -> bool {
        self.is_wanted(subject)
            || vanished(subject).is_some_and(|subject| self.is_wanted(&subject))
            || appeared(subject).is_some_and(|subject| self.is_wanted(&subject))
    }
}

fn stamp(fields: &Fields) -> Option<(String, u64)> {
    Some((fields.text("epoch")?, fields.number("seq")?))
}
