//! The questions of the bus on their way to lunix-init, one at a time.

use crate::question::{LINES_MAX, Question};
use interfaces::error;
use interfaces::init::{OutputLine, OutputTail, ServiceStatus, Taken, Usage, UsageList};
use reactor::Instant;
use serde::Serialize;
use std::collections::VecDeque;
use std::time::Duration;

/// Most questions that wait.
const JOBS_MAX: usize = 64;

/// Most services whose usage is told at once.
const ITEMS_MAX: usize = 4096;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// An answer, as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// The state of a service.
    Status(ServiceStatus<'static>),
    /// What a service uses.
    Usage(Usage<'static>),
    /// What all of them use.
    Usages(UsageList<'static>),
    /// Lines.
    Log(OutputTail<'static>),
    /// A command for the whole was taken note of.
    Taken(Taken<'static>),
}

/// Why there is none: a code of [`interfaces::error`] and a sentence.
pub type Refusal = (u16, String);

/// One question, and who waits for its answer.
#[derive(Debug)]
struct Job {
    question: Question,
    /// `None` when the time was over: what still comes is for nobody.
    reply: Option<String>,
    deadline: Instant,
}

/// What lunix-init has said of the question under way.
#[derive(Debug, Default)]
struct Gathered {
    status: Option<ServiceStatus<'static>>,
    usage: Vec<Usage<'static>>,
    lines: VecDeque<OutputLine<'static>>,
}

/// The questions: one under way, the others waiting.
#[derive(Debug, Default)]
pub struct Jobs {
    under_way: Option<Job>,
    waiting: VecDeque<Job>,
    gathered: Gathered,
}

/// What came of a record.
#[derive(Debug)]
pub enum Outcome {
    /// One more thing is to be asked for the same answer.
    Ask(Question),
    /// It is complete; where to, and what. Nobody may wait for it any more.
    Done(Option<String>, Result<Answer, Refusal>),
}

impl Jobs {
    /// Puts a question at the end of the line.
    ///
    /// # Errors
    /// There are too many.
    pub fn add(&mut self, now: Instant, question: Question, reply: String) -> Result<(), (String, Refusal)> {
        if self.waiting.len() >= JOBS_MAX {
            return Err((reply, (error::UNAVAILABLE, "too many questions at once: ask again later".to_owned())));
        }
        self.waiting.push_back(Job { question, reply: Some(reply), deadline: now + PATIENCE });
        Ok(())
    }

    /// The question to ask now; `None` while one is under way or there is none.
    pub fn next_question(&mut self) -> Option<Question> {
        if self.under_way.is_some() {
            return None;
        }
        let job = self.waiting.pop_front()?;
        let question = job.question.clone();
        self.under_way = Some(job);
        Some(question)
    }

    /// When somebody has waited too long.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        let mut all = self.under_way.iter().chain(&self.waiting);
        all.find(|job| job.reply.is_some()).map(|job| job.deadline)
    }

    /// Those who have waited too long.
    pub fn overdue(&mut self, now: Instant) -> Vec<String> {
        let mut late: Vec<String> = Vec::new();
        if let Some(job) = self.under_way.as_mut().filter(|job| job.deadline <= now) {
            late.extend(job.reply.take());
        }
        while self.waiting.front().is_some_and(|job| job.deadline <= now) {
            late.extend(self.waiting.pop_front().and_then(|job| job.reply));
        }
        late
    }

    /// Everybody who waits: there is nobody to answer.
    pub fn give_up(&mut self) -> Vec<String> {
        self.gathered = Gathered::default();
        self.under_way.take().into_iter().chain(self.waiting.drain(..)).filter_map(|job| job.reply).collect()
    }

    /// The row of a service.
    pub fn status(&mut self, status: ServiceStatus<'static>) {
        self.gathered.status = Some(status);
    }

    /// What a service uses.
    pub fn usage(&mut self, usage: Usage<'static>) {
        if self.gathered.usage.len() < ITEMS_MAX {
            self.gathered.usage.push(usage);
        }
    }

    /// A line; only the newest of those that are wanted are kept.
    pub fn line(&mut self, line: OutputLine<'static>) {
        let wanted = match self.under_way.as_ref().map(|job| &job.question) {
            Some(Question::Log { lines, .. }) => *lines,
            Some(
                Question::Status { .. } | Question::Usage { .. } | Question::Command { .. } | Question::Whole { .. },
            )
            | None => 0,
        };
        while self.gathered.lines.len() >= wanted.clamp(1, LINES_MAX) {
            self.gathered.lines.pop_front();
        }
        self.gathered.lines.push_back(line);
    }

    /// The command was taken note of: of a service, its state is asked next.
    pub fn taken(&mut self) -> Outcome {
        match self.under_way.as_ref().map(|job| &job.question) {
            Some(Question::Command { name, .. }) => Outcome::Ask(Question::Status { name: name.clone() }),
            Some(Question::Whole { verb }) => {
                let taken = Taken { taken: verb.clone().into() };
                self.finish(Ok(Answer::Taken(taken)))
            }
            Some(Question::Status { .. } | Question::Usage { .. } | Question::Log { .. }) | None => {
                self.finish(Err((error::INTERNAL, "lunix-init answers something else".to_owned())))
            }
        }
    }

    /// lunix-init refuses: a code of sysexits.
    pub fn refused(&mut self, code: u8, reason: String) -> Outcome {
        let code = match code {
            64 => error::BAD_REQUEST,
            69 => error::NOT_FOUND,
            75 => error::UNAVAILABLE,
            77 => error::FORBIDDEN,
            78 => error::CONFLICT,
            _ => error::INTERNAL,
        };
        self.finish(Err((code, reason)))
    }

    /// The answer is complete.
    pub fn ended(&mut self, dropped: u64) -> Outcome {
        let gathered = std::mem::take(&mut self.gathered);
        let missing = |name: &str, what: &str| Err((error::NOT_FOUND, format!("{name} {what}")));
        let answer = match self.under_way.as_ref().map(|job| &job.question) {
            Some(Question::Status { name } | Question::Command { name, .. }) => {
                gathered.status.map_or_else(|| missing(name, "is gone"), |status| Ok(Answer::Status(status)))
            }
            Some(Question::Usage { name: None }) => Ok(Answer::Usages(UsageList { items: gathered.usage })),
            Some(Question::Usage { name: Some(name) }) => {
                let first = gathered.usage.into_iter().next();
                first.map_or_else(|| missing(name, "has no process"), |usage| Ok(Answer::Usage(usage)))
            }
            Some(Question::Log { .. }) => Ok(Answer::Log(OutputTail { dropped, lines: gathered.lines.into() })),
            Some(Question::Whole { .. }) | None => {
                Err((error::INTERNAL, "lunix-init answers something else".to_owned()))
            }
        };
        self.finish(answer)
    }

    fn finish(&mut self, answer: Result<Answer, Refusal>) -> Outcome {
        self.gathered = Gathered::default();
        Outcome::Done(self.under_way.take().and_then(|job| job.reply), answer)
    }
}
