//! Messages on their way to another machine: those that wait, and those that were sent but may have to be sent again.

use crate::machine::ring::Ring;

/// A queue in a fixed piece of memory. What was sent stays until newer messages take its place; what was not sent and has to make room is
/// counted.
#[derive(Debug)]
pub struct Queue {
    ring: Ring,
    /// The message to send next.
    next: u64,
    lost: u64,
}

impl Queue {
    /// An empty queue of `size` bytes.
    #[must_use]
    pub fn new(size: usize) -> Self {
        Self { ring: Ring::new(size), next: 1, lost: 0 }
    }

    /// Adds a message made of these parts. One that is larger than the queue is lost.
    pub fn push(&mut self, parts: &[&[u8]]) {
        if self.ring.push(parts).is_none() {
            self.lost += 1;
        }
        let given_up = self.ring.oldest().saturating_sub(self.next);
        self.lost += given_up;
        self.next += given_up;
    }

    /// The message to send next.
    #[must_use]
    pub fn front(&self) -> Option<&[u8]> {
        self.ring.get(self.next)
    }

    /// The message that was next is on its way.
    pub fn sent(&mut self) {
        if self.front().is_some() {
            self.next += 1;
        }
    }

    /// The connection broke: the last messages that were sent, up to so many bytes and as far as they are still here, are sent again. At
    /// least one is: it may have been cut.
    pub fn send_again(&mut self, bytes: usize) {
        let mut left = bytes;
        let mut is_first = true;
        while let Some(piece) = self.next.checked_sub(1).and_then(|number| self.ring.get(number)) {
            if piece.len() > left && !is_first {
                return;
            }
            left = left.saturating_sub(piece.len());
            is_first = false;
            self.next -= 1;
        }
    }

    /// How many messages were lost since the last call.
    pub fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(queue: &mut Queue) -> Vec<String> {
        let mut all = Vec::new();
        while let Some(message) = queue.front() {
            all.push(String::from_utf8(message.to_vec()).unwrap());
            queue.sent();
        }
        all
    }

    #[test]
    fn messages_leave_in_order_and_some_leave_again_after_a_break() {
        let mut queue = Queue::new(100);
        ["one", "two", "three"].iter().for_each(|text| queue.push(&[text.as_bytes()]));
        assert_eq!(all(&mut queue), ["one", "two", "three"]);
        queue.send_again(8);
        assert_eq!(all(&mut queue), ["two", "three"]);
        queue.send_again(0);
        assert_eq!(all(&mut queue), ["three"]);
        queue.send_again(1000);
        assert_eq!(all(&mut queue), ["one", "two", "three"]);
        assert_eq!(queue.take_lost(), 0);
    }

    #[test]
    fn what_was_sent_makes_room_first_and_what_was_not_is_counted() {
        let mut queue = Queue::new(10);
        queue.push(&[b"aaaaa"]);
        queue.push(&[b"bbbbb"]);
        queue.sent();
        queue.push(&[b"ccccc"]);
        assert_eq!(queue.take_lost(), 0);
        queue.push(&[b"ddddd"]);
        assert_eq!((queue.take_lost(), queue.take_lost()), (1, 0));
        queue.push(&[b"much too long"]);
        assert_eq!((all(&mut queue), queue.take_lost()), (vec!["ccccc".into(), "ddddd".into()], 1));
        queue.send_again(100);
        assert_eq!(all(&mut queue), ["ccccc", "ddddd"]);
    }
}
