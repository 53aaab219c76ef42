//! The table of services, and what is asked of them.

mod message;

pub use message::{Effect, Happened, Input, Note};

use crate::jobs::{Jobs, Outcome, Refusal};
use crate::question::Question;
use crate::row::Row;
use crate::trust::{Needs, Trust, Who};
use daemon::{Effects, Instant};
use interfaces::error;
use interfaces::init::ServiceStatus;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Most services that are followed.
const SERVICES_MAX: usize = 4096;

/// First pause before connecting to lunix-init again; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// Longest pause before connecting to lunix-init again.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How far the rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// There were none yet: what they tell is how the world is, and is not announced.
    First,
    /// Rows after something was missed: what differs is announced.
    Again,
    /// Complete; events follow.
    Live,
}

/// What an answer of lunix-init is for. It answers in the order of the questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    /// The table: all rows.
    Rows,
    /// The question under way.
    Question,
}

/// Follows services over rows and events, and passes on questions.
#[derive(Debug)]
pub struct Machine {
    table: BTreeMap<String, Row>,
    snapshot: BTreeMap<String, Row>,
    phase: Phase,
    /// Number of the last event.
    seq: u64,
    /// `None` while there is no connection.
    expected: Option<VecDeque<Expected>>,
    jobs: Jobs,
    trust: Trust,
    /// lunix-init takes commands from us.
    is_companion: bool,
    pause: Duration,
    connect_at: Option<Instant>,
    armed: Option<Instant>,
    lost: bool,
}

impl Machine {
    /// Most effects of one step: one for every service before and after something was missed, and some.
    pub const EFFECTS_MAX: usize = 2 * SERVICES_MAX + 256;

    /// A machine that is connected and has asked for all rows. `is_companion`: lunix-init takes commands from it.
    #[must_use]
    pub fn new(trust: Trust, is_companion: bool) -> Self {
        Self {
            table: BTreeMap::new(),
            snapshot: BTreeMap::new(),
            phase: Phase::First,
            seq: 0,
            expected: Some(VecDeque::from([Expected::Rows])),
            jobs: Jobs::default(),
            trust,
            is_companion,
            pause: PAUSE_MIN,
            connect_at: None,
            armed: None,
            lost: false,
        }
    }

    /// The services.
    pub fn rows(&self) -> impl Iterator<Item = &Row> {
        self.table.values()
    }

    fn event(&mut self, seq: u64, happened: Happened, out: &mut Effects<Effect>) {
        let missing = seq.saturating_sub(self.seq.saturating_add(1));
        if missing > 0 && self.phase == Phase::Live {
            out.push(Effect::Note(Note::Missing(missing)));
            self.phase = Phase::Again;
            if let Some(expected) = &mut self.expected {
                expected.push_back(Expected::Rows);
                out.push(Effect::Watch);
            }
        }
        self.seq = self.seq.max(seq);
        match happened {
            Happened::Service(row) => self.service(row, out),
            Happened::Generation { .. } | Happened::Machine { .. } => out.push(Effect::Publish(happened)),
        }
    }

    fn service(&mut self, row: Row, out: &mut Effects<Effect>) {
        let known = self.table.contains_key(&row.name);
        if row.what == "removed" {
            self.table.remove(&row.name);
        } else if row.passes() && known {
            // It is still what it was: the list goes on to say that.
        } else if self.table.len() < SERVICES_MAX || known {
            self.table.insert(row.name.clone(), row.clone());
        } else {
            return out.push(Effect::Note(Note::TableFull));
        }
        out.push(Effect::Publish(Happened::Service(row)));
    }

    fn row(&mut self, status: ServiceStatus<'static>, out: &mut Effects<Effect>) {
        match self.expects() {
            Some(Expected::Question) => self.jobs.status(status),
            Some(Expected::Rows) if self.snapshot.len() < SERVICES_MAX => {
                let row = Row::of(&status);
                self.snapshot.insert(row.name.clone(), row);
            }
            Some(Expected::Rows) => out.push(Effect::Note(Note::TableFull)),
            None => out.push(Effect::Note(Note::Stray)),
        }
    }

    fn expects(&self) -> Option<Expected> {
        self.expected.as_ref().and_then(|expected| expected.front().copied())
    }

    fn end(&mut self, seq: u64, dropped: u64, out: &mut Effects<Effect>) {
        match self.expected.as_mut().and_then(VecDeque::pop_front) {
            Some(Expected::Rows) => self.rows_complete(seq, out),
            Some(Expected::Question) => {
                let outcome = self.jobs.ended(dropped);
                self.come_to(outcome, out);
            }
            None => out.push(Effect::Note(Note::Stray)),
        }
    }

    /// Takes the rows as the table and announces what differs, unless they are the first.
    fn rows_complete(&mut self, seq: u64, out: &mut Effects<Effect>) {
        let before = std::mem::replace(&mut self.table, std::mem::take(&mut self.snapshot));
        if self.phase == Phase::Again {
            for row in before.values().filter(|row| !self.table.contains_key(&row.name)) {
                out.push(Effect::Publish(Happened::Service(Row { what: "removed".to_owned(), ..row.clone() })));
            }
            for row in self.table.values().filter(|row| before.get(&row.name) != Some(row)) {
                out.push(Effect::Publish(Happened::Service(row.clone())));
            }
        }
        (self.phase, self.seq, self.pause) = (Phase::Live, seq, PAUSE_MIN);
        if std::mem::take(&mut self.lost) {
            out.push(Effect::Note(Note::Back));
        }
    }

    /// What follows from what lunix-init said of a question.
    fn come_to(&mut self, outcome: Outcome, out: &mut Effects<Effect>) {
        match outcome {
            Outcome::Ask(question) => {
                if let Some(expected) = &mut self.expected {
                    expected.push_back(Expected::Question);
                }
                out.push(Effect::Ask(question));
            }
            Outcome::Done(None, _) => {}
            Outcome::Done(Some(reply), Ok(answer)) => out.push(Effect::Answer { reply, answer }),
            Outcome::Done(Some(reply), Err((code, why))) => out.push(Effect::Refuse { reply, code, why }),
        }
    }

    fn refused(&mut self, code: u8, reason: String, out: &mut Effects<Effect>) {
        match self.expected.as_mut().and_then(VecDeque::pop_front) {
            Some(Expected::Question) => {
                let outcome = self.jobs.refused(code, reason);
                self.come_to(outcome, out);
            }
            // Without rows there is nothing to do here.
            Some(Expected::Rows) | None => out.push(Effect::Leave(format!("{reason} (code {code})"))),
        }
    }

    fn taken(&mut self, out: &mut Effects<Effect>) {
        match self.expected.as_mut().and_then(VecDeque::pop_front) {
            Some(Expected::Question) => {
                let outcome = self.jobs.taken();
                self.come_to(outcome, out);
            }
            Some(Expected::Rows) | None => out.push(Effect::Leave("it says ok to what nobody asked".to_owned())),
        }
    }

    fn overwritten(&mut self, count: u64, out: &mut Effects<Effect>) {
        self.snapshot.clear();
        self.phase = if self.phase == Phase::First { Phase::First } else { Phase::Again };
        if let Some(expected) = &mut self.expected {
            expected.push_front(Expected::Rows);
        }
        out.push(Effect::Note(Note::Missing(count)));
    }

    fn ask(&mut self, now: Instant, question: Question, reply: String, who: &Who, out: &mut Effects<Effect>) {
        let permitted: Result<(), Refusal> = match self.trust.permit(question.needs(), who) {
            Err(why) => Err((error::FORBIDDEN, why.to_owned())),
            Ok(()) if question.needs() == Needs::Command && !self.is_companion => {
                Err((error::FORBIDDEN, "natsinit is not the companion of lunix-init here: it only looks".to_owned()))
            }
            Ok(()) if self.expected.is_none() => Err((error::UNAVAILABLE, "lunix-init does not answer".to_owned())),
            Ok(()) => Ok(()),
        };
        let passed = (question.needs() == Needs::Command).then(|| question.to_string());
        let added = match permitted {
            Err(refusal) => Err((reply, refusal)),
            Ok(()) => self.jobs.add(now, question, reply),
        };
        match added {
            Err((reply, (code, why))) => out.push(Effect::Refuse { reply, code, why }),
            Ok(()) => {
                if let Some(what) = passed {
                    out.push(Effect::Note(Note::Passed(what)));
                }
            }
        }
    }

    fn lost(&mut self, now: Instant, why: String, out: &mut Effects<Effect>) {
        self.snapshot.clear();
        self.expected = None;
        if self.phase == Phase::Live {
            self.phase = Phase::Again;
        }
        if !std::mem::replace(&mut self.lost, true) {
            out.push(Effect::Note(Note::Lost(why)));
        }
        refuse_all(self.jobs.give_up(), "lunix-init does not answer", out);
        self.connect_at = Some(now + self.pause);
        self.pause = (self.pause * 2).min(PAUSE_MAX);
    }

    fn deadline(&mut self, now: Instant, out: &mut Effects<Effect>) {
        self.armed = None;
        if self.connect_at.is_some_and(|moment| moment <= now) {
            self.connect_at = None;
            self.expected = Some(VecDeque::from([Expected::Rows]));
            out.push(Effect::Connect);
        }
        refuse_all(self.jobs.overdue(now), "lunix-init does not answer in time", out);
    }

    /// Asks what is next, and sets the timer where that changed.
    fn settle(&mut self, out: &mut Effects<Effect>) {
        if let Some(expected) = &mut self.expected
            && let Some(question) = self.jobs.next_question()
        {
            expected.push_back(Expected::Question);
            out.push(Effect::Ask(question));
        }
        let next = [self.connect_at, self.jobs.deadline()].into_iter().flatten().min();
        if next != self.armed {
            self.armed = next;
            out.push(Effect::Arm(next.map(Instant::as_nanos)));
        }
    }
}

fn refuse_all(replies: Vec<String>, why: &str, out: &mut Effects<Effect>) {
    for reply in replies {
        out.push(Effect::Refuse { reply, code: error::UNAVAILABLE, why: why.to_owned() });
    }
}

impl daemon::Machine for Machine {
    type Input<'a> = Input;
    type Effect = Effect;

    fn step(&mut self, now: Instant, input: Input, out: &mut Effects<Effect>) {
        match input {
            Input::Row(status) => self.row(status, out),
            Input::Usage(usage) => self.jobs.usage(usage),
            Input::Line(line) => self.jobs.line(line),
            Input::End { seq, dropped } => self.end(seq, dropped, out),
            Input::Taken => self.taken(out),
            Input::Refused { code, reason } => self.refused(code, reason, out),
            Input::Event { seq, happened } => self.event(seq, happened, out),
            Input::Overwritten(count) => self.overwritten(count, out),
            Input::Lost(why) => self.lost(now, why, out),
            Input::Deadline => self.deadline(now, out),
            Input::List { reply } => out.push(Effect::List { reply }),
            Input::Ask { question, reply, who } => self.ask(now, question, reply, &who, out),
            Input::Trust(trust) => self.trust = trust,
        }
        self.settle(out);
    }
}
