//! Numbered events that are kept until the bus has proved that it took them.
//!
//! The bus delivers at most once, and what is written to a socket may die with the bus. So the last events stay in a ring of bounded
//! size; after each batch a PING is sent, and its PONG proves everything before it. After a reconnect the unproven ones are sent
//! again with the same numbers, and a subscriber that has seen one already drops it by its `seq`.

use interfaces::Stamp;
use nats_client::{Client, PublishError};
use serde::Serialize;
use std::collections::VecDeque;
use std::io;

/// Most events that wait for their proof; past it the oldest is given up, and its number is a hole that clients notice.
const EVENTS_MAX: usize = 1024;

/// Most bytes of payload that wait for their proof.
const BYTES_MAX: usize = 256 * 1024;

/// An event the bus has not yet proved to have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unproven {
    /// Its number.
    pub seq: u64,
    /// Its subject.
    pub subject: String,
    /// Its payload, stamp included.
    pub payload: Vec<u8>,
}

/// The event numbers of one domain and the events under way.
#[derive(Debug)]
pub struct Outbox {
    epoch: String,
    seq: u64,
    ring: VecDeque<Unproven>,
    bytes: usize,
    /// How many of the ring's events this connection was given.
    given: usize,
    /// The last number before each unanswered PING.
    marks: VecDeque<u64>,
    lost: u64,
}

impl Outbox {
    /// An outbox with a new epoch, numbers from 1.
    ///
    /// # Errors
    /// When the kernel gives no random numbers.
    pub fn new() -> io::Result<Self> {
        let mut random = [0; 8];
        rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
        let epoch = format!("{:016x}", u64::from_ne_bytes(random));
        Ok(Self { epoch, seq: 0, ring: VecDeque::new(), bytes: 0, given: 0, marks: VecDeque::new(), lost: 0 })
    }

    /// Goes on where an earlier process of this daemon stopped: same epoch, next number, and its unproven events first.
    pub fn resume(&mut self, epoch: String, seq: u64, unproven: Vec<Unproven>) {
        self.epoch = epoch;
        self.seq = seq;
        self.bytes = unproven.iter().map(|event| event.payload.len()).sum();
        self.ring = unproven.into();
        self.given = 0;
        self.marks.clear();
    }

    /// The epoch of the numbers.
    #[must_use]
    pub fn epoch(&self) -> &str {
        &self.epoch
    }

    /// The last number given to an event, 0 before the first.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Whether there is room for one more event of usual size without giving one up. A daemon that has thousands to tell at once waits
    /// for room and goes on at the end of the turn in which the bus has proved to have some.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.ring.len() < EVENTS_MAX && self.bytes < BYTES_MAX / 4 * 3
    }

    /// The events the bus has not proved to have, oldest first.
    pub fn unproven(&self) -> impl Iterator<Item = &Unproven> {
        self.ring.iter()
    }

    /// Events that were given up, since the last call: the ring was full, or the bus refuses their size.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Numbers and keeps an event; it leaves at the end of the turn. `time`: RFC 3339.
    ///
    /// # Errors
    /// When the body does not serialize to a JSON object.
    pub fn stage(&mut self, subject: String, time: &str, body: &impl Serialize) -> Result<u64, serde_json::Error> {
        let stamp = Stamp { epoch: self.epoch.as_str().into(), seq: self.seq + 1, time: time.into() };
        let payload = joined(serde_json::to_vec(&stamp)?, &serde_json::to_vec(body)?);
        self.seq += 1;
        while !self.ring.is_empty() && (self.ring.len() >= EVENTS_MAX || self.bytes + payload.len() > BYTES_MAX) {
            self.drop_oldest();
            self.lost += 1;
        }
        self.bytes += payload.len();
        self.ring.push_back(Unproven { seq: self.seq, subject, payload });
        Ok(self.seq)
    }

    /// Leaves out `count` numbers: events that there will never be. Clients notice the hole.
    pub fn skip(&mut self, count: u64) {
        self.seq += count;
    }

    /// Gives the bus what it was not given yet, and asks for the proof.
    pub(crate) fn deliver<K: Copy>(&mut self, client: &mut Client<K>) {
        let before = self.given;
        while let Some(event) = self.ring.get(self.given) {
            match client.publish(&event.subject, None, b"", &event.payload) {
                Ok(()) => self.given += 1,
                Err(PublishError::Down | PublishError::Full) => break,
                Err(PublishError::TooLarge { .. }) => {
                    self.bytes -= event.payload.len();
                    self.ring.remove(self.given);
                    self.lost += 1;
                }
            }
        }
        if self.given > before && client.ping() {
            let last = self.given.checked_sub(1).and_then(|index| self.ring.get(index));
            self.marks.extend(last.map(|event| event.seq));
        }
    }

    /// The oldest PING was answered.
    pub(crate) fn proved(&mut self) {
        let Some(mark) = self.marks.pop_front() else { return };
        while self.ring.front().is_some_and(|event| event.seq <= mark) {
            self.drop_oldest();
        }
        if self.ring.is_empty() {
            self.ring.shrink_to(16);
        }
    }

    /// There is a new connection, or none: nothing was given to it.
    pub(crate) fn disconnected(&mut self) {
        self.given = 0;
        self.marks.clear();
    }

    fn drop_oldest(&mut self) {
        if let Some(event) = self.ring.pop_front() {
            self.bytes -= event.payload.len();
            self.given = self.given.saturating_sub(1);
        }
    }
}

/// Makes one JSON object of two.
fn joined(mut first: Vec<u8>, second: &[u8]) -> Vec<u8> {
    let fields = second.strip_prefix(b"{").unwrap_or(second);
    first.pop();
    if fields != b"}" {
        first.push(b',');
    }
    first.extend_from_slice(fields);
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct Body {
        pid: u32,
    }
    #[derive(Serialize)]
    struct Empty {}

    fn seqs(outbox: &Outbox) -> Vec<u64> {
        outbox.unproven().map(|event| event.seq).collect()
    }

    #[test]
    fn the_stamp_and_the_body_are_one_object() {
        let mut outbox = Outbox::new().unwrap();
        outbox.resume("e".into(), 6, Vec::new());
        outbox.stage("a.b.c".into(), "T", &Body { pid: 42 }).unwrap();
        outbox.stage("a.b.c".into(), "T", &Empty {}).unwrap();
        let payloads: Vec<_> = outbox.unproven().map(|event| String::from_utf8_lossy(&event.payload)).collect();
        assert_eq!(payloads, [r#"{"epoch":"e","seq":7,"time":"T","pid":42}"#, r#"{"epoch":"e","seq":8,"time":"T"}"#]);
    }

    #[test]
    fn a_pong_proves_what_was_given_before_its_ping_and_nothing_more() {
        let mut outbox = Outbox::new().unwrap();
        for pid in 0..3 {
            outbox.stage("s".into(), "T", &Body { pid }).unwrap();
        }
        (outbox.given, outbox.marks) = (2, [2].into());
        outbox.stage("s".into(), "T", &Empty {}).unwrap();
        outbox.proved();
        assert_eq!((seqs(&outbox), outbox.given), (vec![3, 4], 0));
        outbox.proved();
        assert_eq!(seqs(&outbox), [3, 4]);
    }

    #[test]
    fn numbers_can_be_left_out() {
        let mut outbox = Outbox::new().unwrap();
        outbox.stage("s".into(), "T", &Empty {}).unwrap();
        outbox.skip(3);
        assert_eq!(outbox.stage("s".into(), "T", &Empty {}).unwrap(), 5);
        assert_eq!((seqs(&outbox), outbox.seq()), (vec![1, 5], 5));
    }

    #[test]
    fn a_lost_connection_proves_nothing() {
        let mut outbox = Outbox::new().unwrap();
        outbox.stage("s".into(), "T", &Empty {}).unwrap();
        (outbox.given, outbox.marks) = (1, [1].into());
        outbox.disconnected();
        outbox.proved();
        assert_eq!((seqs(&outbox), outbox.given), (vec![1], 0));
    }

    #[test]
    fn the_ring_is_bounded_and_says_what_it_gave_up() {
        let mut outbox = Outbox::new().unwrap();
        for pid in 0..1030 {
            outbox.stage("s".into(), "T", &Body { pid }).unwrap();
        }
        assert_eq!((outbox.ring.len(), outbox.take_lost(), outbox.take_lost()), (EVENTS_MAX, 6, 0));
        assert!(!outbox.has_room());
        assert_eq!(seqs(&outbox).first(), Some(&7));
        let large = "x".repeat(BYTES_MAX - 1000);
        outbox.stage("s".into(), "T", &std::collections::BTreeMap::from([("x", large)])).unwrap();
        assert!(outbox.bytes <= BYTES_MAX && outbox.ring.len() < 20);
        assert_eq!(outbox.bytes, outbox.ring.iter().map(|event| event.payload.len()).sum::<usize>());
    }
}
