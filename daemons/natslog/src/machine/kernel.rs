//! The kernel's log: numbers that say what was lost, and lines that come in parts.

use super::read;
use super::{Arrival, Keep};
use daemon::{Effects, Instant};
use proto_syslog::{Properties, Record};
use std::time::Duration;

/// How long the rest of a line may take.
const REST_WAIT: Duration = Duration::from_secs(1);
/// Bytes of a line in parts.
const LINE_MAX: usize = 4096;

/// What is known of the records so far.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    /// The number of the next record.
    next: Option<u64>,
    /// The beginning of a line whose rest is to come.
    begun: Option<Begun>,
}

#[derive(Debug)]
struct Begun {
    priority: u8,
    micros: u64,
    wall_us: u64,
    monotonic_us: u64,
    text: Vec<u8>,
    due: Instant,
}

impl Kernel {
    /// When the line that has begun is given up on.
    pub(super) fn due(&self) -> Option<Instant> {
        self.begun.as_ref().map(|begun| begun.due)
    }

    /// Takes what one read gave. Returns how many records were lost before it.
    pub(super) fn take(
        &mut self,
        now: Instant,
        arrival: &Arrival<'_>,
        keep: &mut Keep<'_>,
        out: &mut Effects<super::Effect>,
    ) -> u64 {
        let Ok(record) = Record::parse(&arrival.bytes) else {
            keep.keep(&read::no_record(&arrival.bytes, arrival, "kernel"), out);
            return 0;
        };
        let lost = self.next.map_or(0, |next| record.sequence.saturating_sub(next));
        self.next = Some(record.sequence.saturating_add(1));
        self.line(now, &record, arrival, keep, out);
        lost
    }

    fn line(
        &mut self,
        now: Instant,
        record: &Record<'_>,
        arrival: &Arrival<'_>,
        keep: &mut Keep<'_>,
        out: &mut Effects<super::Effect>,
    ) {
        let goes_on =
            self.begun.as_ref().is_some_and(|begun| begun.priority == record.priority && begun.text.len() < LINE_MAX);
        if !goes_on {
            self.give_up(keep, out);
        }
        match (&mut self.begun, record.is_fragment) {
            (None, false) => keep.keep(&read::kernel(record, arrival, "kernel"), out),
            (None, true) => {
                self.begun = Some(Begun {
                    priority: record.priority,
                    micros: record.micros,
                    wall_us: arrival.wall_us,
                    monotonic_us: arrival.monotonic_us,
                    text: record.text.to_vec(),
                    due: now + REST_WAIT,
                });
            }
            (Some(begun), is_fragment) => {
                begun.text.extend_from_slice(record.text);
                if !is_fragment {
                    self.give_up(keep, out);
                }
            }
        }
    }

    /// Keeps the line that has begun as it is.
    pub(super) fn give_up(&mut self, keep: &mut Keep<'_>, out: &mut Effects<super::Effect>) {
        let Some(begun) = self.begun.take() else { return };
        let record = Record {
            priority: begun.priority,
            sequence: 0,
            micros: begun.micros,
            is_fragment: false,
            text: &begun.text,
            properties: Properties::new(b""),
        };
        let arrival = Arrival { wall_us: begun.wall_us, monotonic_us: begun.monotonic_us, ..Arrival::default() };
        keep.keep(&read::kernel(&record, &arrival, "kernel"), out);
    }
}
