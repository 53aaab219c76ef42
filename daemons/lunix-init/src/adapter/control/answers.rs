//! Telling clients what they are to be told, as far as their sockets have room.

use super::Host;
use crate::ring::{Cursor, RECORD_MAX, Read};
use init_control::{Error, REPLY_MAX, Writer};
use rustix::io::Errno;
use rustix::net::{self, SendFlags};
use std::os::fd::OwnedFd;
use std::rc::Rc;

/// Most packets sent to one client per turn.
const PACKETS_MAX: usize = 64;

/// What a client asked for, from here on.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// It was told all of it.
    Complete,
    /// It comes later.
    Waiting,
    /// Taken note of.
    Ok,
    /// Refused: a code and a sentence.
    Refused(u8, Rc<str>),
    /// The rows of these numbers of services, then the end.
    Rows { next: usize, end: usize, seq: u64 },
    /// What the services of these numbers use, then the end.
    Usage { next: usize, end: usize, seq: u64 },
    /// The lines from the cursor to this number, the first that came after the question: a flood must not make the answer endless.
    Lines { cursor: Cursor, end: u64, of: Option<Rc<str>> },
}

/// What a client is told for ever, from here on.
#[derive(Clone, Debug)]
pub(super) enum Feed {
    Nothing,
    Events(Cursor),
    /// The lines of all, or of one service.
    Lines(Cursor, Option<Rc<str>>),
}

/// What one attempt to send came to.
pub(super) enum Sent {
    Yes,
    NoRoom,
    Gone,
}

impl Host {
    /// Tells the client what it is to be told, as far as there is room.
    pub(super) fn go_on(&mut self, index: usize) {
        for _ in 0..PACKETS_MAX {
            let Some(client) = self.control.client(index) else { return };
            let (sent, answer, feed) = match (client.answer.clone(), client.feed.clone()) {
                (Answer::Complete, Feed::Nothing) | (Answer::Waiting, _) => return self.wait_for(index, false),
                (Answer::Complete, Feed::Events(cursor)) if cursor == self.events.next() => {
                    return self.wait_for(index, false);
                }
                (Answer::Complete, Feed::Lines(cursor, _)) if cursor == self.log.next() => {
                    return self.wait_for(index, false);
                }
                (Answer::Complete, Feed::Events(cursor)) => self.event(index, cursor),
                (Answer::Complete, Feed::Lines(cursor, of)) => self.new_line(index, cursor, of),
                (answer, feed) => {
                    let (sent, answer) = self.answer(index, answer);
                    (sent, answer, feed)
                }
            };
            match sent {
                Sent::NoRoom => return self.wait_for(index, true),
                Sent::Gone => return self.drop_client(index),
                Sent::Yes => {
                    if let Some(client) = self.control.client_mut(index) {
                        (client.answer, client.feed) = (answer, feed);
                    }
                }
            }
        }
        // Others first; there is room, so the next turn comes at once.
        self.wait_for(index, true);
    }

    /// The next packet of an answer, and what is left of it.
    fn answer(&self, index: usize, answer: Answer) -> (Sent, Answer) {
        let mut buffer = [0; 1024];
        match answer {
            Answer::Complete | Answer::Waiting => (Sent::Yes, answer),
            Answer::Ok => (self.send_to(index, Writer::new(&mut buffer, "ok").finish()), Answer::Complete),
            Answer::Refused(code, sentence) => {
                (self.send_to(index, refusal(&mut buffer, code, &sentence)), Answer::Complete)
            }
            Answer::Rows { next, end, seq } => {
                let last = end.min(self.supervisor.numbers());
                match (next..last).find(|&id| self.supervisor.get(id).is_some()) {
                    Some(id) => (self.send_row(index, id), Answer::Rows { next: id + 1, end, seq }),
                    None => (self.send_end(index, seq, None), Answer::Complete),
                }
            }
            Answer::Usage { next, end, seq } => {
                let mut used = (next..end.min(self.supervisor.numbers())).filter_map(|id| Some((id, self.usage(id)?)));
                match used.next() {
                    Some((id, usage)) => {
                        (self.send_to(index, usage.encode(&mut buffer)), Answer::Usage { next: id + 1, end, seq })
                    }
                    None => (self.send_end(index, seq, None), Answer::Complete),
                }
            }
            Answer::Lines { cursor, end, of } => self.kept_line(index, cursor, end, of),
        }
    }

    fn kept_line(&self, index: usize, mut cursor: Cursor, end: u64, of: Option<Rc<str>>) -> (Sent, Answer) {
        let mut record = [0; RECORD_MAX];
        match if cursor.number() < end { self.log.read(&mut cursor, &mut record) } else { Read::End } {
            Read::Record(length) => {
                let sent = self.send_line(index, record.get(..length).unwrap_or_default(), of.as_deref());
                (sent, Answer::Lines { cursor, end, of })
            }
            // Overwritten while it was being read: what is left is newer.
            Read::Lost => (Sent::Yes, Answer::Lines { cursor: self.log.oldest(), end, of }),
            Read::End => {
                let dropped = self.log.oldest().number() - 1;
                (self.send_end(index, self.events.next().number() - 1, Some(dropped)), Answer::Complete)
            }
        }
    }

    fn new_line(&self, index: usize, mut cursor: Cursor, of: Option<Rc<str>>) -> (Sent, Answer, Feed) {
        let mut record = [0; RECORD_MAX];
        let before = cursor.number();
        match self.log.read(&mut cursor, &mut record) {
            Read::Record(length) => {
                let sent = self.send_line(index, record.get(..length).unwrap_or_default(), of.as_deref());
                (sent, Answer::Complete, Feed::Lines(cursor, of))
            }
            Read::End => (Sent::Yes, Answer::Complete, Feed::Lines(cursor, of)),
            Read::Lost => {
                let oldest = self.log.oldest();
                let sent = self.send_lost(index, oldest.number().saturating_sub(before));
                (sent, Answer::Complete, Feed::Lines(oldest, of))
            }
        }
    }

    /// A record of the ring is the length of a name, the name, and the line.
    fn send_line(&self, index: usize, record: &[u8], of: Option<&str>) -> Sent {
        let (length, rest) = record.split_first().unwrap_or((&0, &[]));
        let (service, text) = rest.split_at_checked(usize::from(*length)).unwrap_or((&[], rest));
        if of.is_some_and(|of| of.as_bytes() != service) {
            return Sent::Yes;
        }
        let mut buffer = [0; REPLY_MAX];
        self.send_to(index, Writer::new(&mut buffer, "line").field("service", service).field("text", text).finish())
    }

    fn event(&self, index: usize, mut cursor: Cursor) -> (Sent, Answer, Feed) {
        let mut record = [0; RECORD_MAX];
        let before = cursor.number();
        match self.events.read(&mut cursor, &mut record) {
            Read::Record(length) => {
                let sent = self.send_to(index, Ok(record.get(..length).unwrap_or_default()));
                (sent, Answer::Complete, Feed::Events(cursor))
            }
            Read::End => (Sent::Yes, Answer::Complete, Feed::Events(cursor)),
            // The rows tell what the events would have led to.
            Read::Lost => {
                let next = self.events.next();
                let rows = Answer::Rows { next: 0, end: usize::MAX, seq: next.number() - 1 };
                (self.send_lost(index, next.number().saturating_sub(before)), rows, Feed::Events(next))
            }
        }
    }

    fn send_lost(&self, index: usize, count: u64) -> Sent {
        let mut buffer = [0; 64];
        self.send_to(index, Writer::new(&mut buffer, "lost").number("count", count).finish())
    }

    fn send_end(&self, index: usize, seq: u64, dropped: Option<u64>) -> Sent {
        let mut buffer = [0; 128];
        let record = Writer::new(&mut buffer, "end").number("seq", seq).optional_number("dropped", dropped).finish();
        self.send_to(index, record)
    }

    pub(super) fn send_to(&self, index: usize, record: Result<&[u8], Error>) -> Sent {
        self.control.client(index).map_or(Sent::Gone, |client| send(&client.socket, record))
    }
}

/// The record of a refusal.
pub(super) fn refusal<'b>(buffer: &'b mut [u8], code: u8, sentence: &str) -> Result<&'b [u8], Error> {
    let sentence = sentence.as_bytes();
    Writer::new(buffer, "error").number("code", code).field("reason", sentence.get(..200).unwrap_or(sentence)).finish()
}

/// Sends a record, if there is room.
pub(super) fn send(socket: &OwnedFd, record: Result<&[u8], Error>) -> Sent {
    // The buffers are sized for the longest record, so an unfinished one cannot be; it would be told as the end.
    let Ok(record) = record else { return Sent::Gone };
    match net::send(socket, record, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
        Ok(_) => Sent::Yes,
        Err(Errno::AGAIN | Errno::NOBUFS) => Sent::NoRoom,
        Err(_) => Sent::Gone,
    }
}
