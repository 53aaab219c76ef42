//! Answers that are owed across accounts: for each request that went into another account, the subject made up for the answer there and
//! the requester's own. Bounded in number and time, and charged to the requester.

use super::account::AccountId;
use super::sharing::ResponseType;
use nats_subject::hash;
use reactor::Instant;
use std::time::Duration;

const NONE: u32 = u32::MAX;
/// Answers owed to one client; the oldest is forgotten for one more.
const OWED_MAX: u32 = 16_384;
/// What an answer owed is charged against the ceiling beside its subject.
const REPLY_SIZE: usize = 128;
/// Expiry is looked for at multiples of this.
const GRAIN: Duration = Duration::from_millis(250);
/// Places kept for use again.
const KEPT: usize = 1024;

/// How every subject made up for an answer begins.
const PREFIX: &[u8] = b"_R_.";
/// A token of 60 bits in digits of six.
const TOKEN_DIGITS: usize = 10;
const DIGITS: &[u8; 64] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

/// An answer owed.
#[derive(Debug)]
pub(crate) struct Reply {
    /// Tells it from others that were in its place; 0 in a free place.
    token: u64,
    /// Where the answer is published.
    pub(crate) exporter: AccountId,
    /// Where it goes.
    pub(crate) importer: AccountId,
    /// The requester's subject for it.
    pub(crate) subject: Vec<u8>,
    pub(crate) responses: ResponseType,
    threshold: Duration,
    until: Instant,
    /// The requester's slot.
    pub(crate) requester: u32,
    newer: u32,
    older: u32,
}

/// What one client is owed: a list from its newest to its oldest.
#[derive(Debug)]
pub(crate) struct Owed {
    newest: u32,
    oldest: u32,
    count: u32,
    charged: usize,
}

impl Default for Owed {
    fn default() -> Self {
        Self { newest: NONE, oldest: NONE, count: 0, charged: 0 }
    }
}

impl Owed {
    /// Bytes it is charged with.
    pub(crate) fn charged(&self) -> usize {
        self.charged
    }
}

/// A request that goes into another account.
pub(crate) struct Request<'a> {
    pub(crate) exporter: AccountId,
    pub(crate) importer: AccountId,
    pub(crate) requester: u32,
    pub(crate) subject: &'a [u8],
    pub(crate) responses: ResponseType,
    pub(crate) threshold: Duration,
}

/// All answers owed.
#[derive(Debug)]
pub(crate) struct Replies {
    seed: u64,
    drawn: u64,
    slots: Vec<Reply>,
    free: Vec<u32>,
    /// When one may be overdue.
    pub(crate) due: Option<Instant>,
}

impl Replies {
    pub(crate) fn new(seed: u64) -> Self {
        let seed = hash(seed, b"answers from other accounts");
        Self { seed, drawn: 0, slots: Vec::new(), free: Vec::new(), due: None }
    }

    /// Number of answers owed.
    pub(crate) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// All of them, with the subjects made up for them.
    #[cfg(feature = "monitoring")]
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Vec<u8>, &Reply)> {
        (0..).zip(&self.slots).filter(|(_, reply)| reply.token != 0).map(|(number, reply)| {
            let mut subject = Vec::new();
            write_subject(&mut subject, reply.token, number);
            (subject, reply)
        })
    }

    /// Notes that an answer is owed; `subject` becomes where it is to be published. Returns the number, and how many bytes more are
    /// charged to the requester.
    pub(crate) fn note(
        &mut self,
        now: Instant,
        owed: &mut Owed,
        request: &Request<'_>,
        subject: &mut Vec<u8>,
    ) -> Option<(u32, isize)> {
        let before = owed.charged;
        if owed.count >= OWED_MAX {
            self.remove(owed, owed.oldest);
        }
        let number = self.take_place()?;
        self.drawn += 1;
        let token = hash(self.seed, &self.drawn.to_ne_bytes()) >> 4 | 1 << 59;
        let until = now + request.threshold;
        let reply = self.slots.get_mut(number as usize)?;
        reply.token = token;
        (reply.exporter, reply.importer, reply.requester) = (request.exporter, request.importer, request.requester);
        reply.subject.clear();
        reply.subject.extend_from_slice(request.subject);
        (reply.responses, reply.threshold, reply.until) = (request.responses, request.threshold, until);
        (reply.newer, reply.older) = (NONE, owed.newest);
        owed.charged += REPLY_SIZE + reply.subject.len();
        owed.count += 1;
        match self.slots.get_mut(owed.newest as usize) {
            Some(second) => second.newer = number,
            None => owed.oldest = number,
        }
        owed.newest = number;
        self.note_due(until);
        write_subject(subject, token, number);
        Some((number, owed.charged.wrapping_sub(before).cast_signed()))
    }

    fn take_place(&mut self) -> Option<u32> {
        if let Some(free) = self.free.pop() {
            return Some(free);
        }
        let number = u32::try_from(self.slots.len()).ok().filter(|&number| number != NONE)?;
        self.slots.push(Reply {
            token: 0,
            exporter: AccountId::GLOBAL,
            importer: AccountId::GLOBAL,
            subject: Vec::new(),
            responses: ResponseType::Singleton,
            threshold: Duration::ZERO,
            until: Instant::from_nanos(0),
            requester: NONE,
            newer: NONE,
            older: NONE,
        });
        Some(number)
    }

    /// The answer owed that is published to `subject` in the account.
    pub(crate) fn find(&self, exporter: AccountId, subject: &[u8]) -> Option<u32> {
        let (token, number) = read_subject(subject)?;
        let reply = self.slots.get(number as usize)?;
        (reply.token == token && reply.exporter == exporter).then_some(number)
    }

    pub(crate) fn get(&self, number: u32) -> Option<&Reply> {
        self.slots.get(number as usize).filter(|reply| reply.token != 0)
    }

    /// Gives the next message of an answer its time.
    pub(crate) fn prolong(&mut self, now: Instant, number: u32) {
        if let Some(reply) = self.slots.get_mut(number as usize) {
            reply.until = now + reply.threshold;
        }
    }

    /// Nothing more is owed; `owed` is the requester's list. Returns how many bytes are not charged any more.
    pub(crate) fn remove(&mut self, owed: &mut Owed, number: u32) -> usize {
        let Some(reply) = self.slots.get_mut(number as usize).filter(|reply| reply.token != 0) else { return 0 };
        reply.token = 0;
        let (newer, older, size) = (reply.newer, reply.older, REPLY_SIZE + reply.subject.len());
        match self.slots.get_mut(newer as usize) {
            Some(newer) => newer.older = older,
            None => owed.newest = older,
        }
        match self.slots.get_mut(older as usize) {
            Some(older) => older.newer = newer,
            None => owed.oldest = newer,
        }
        owed.count -= 1;
        owed.charged -= size;
        self.free.push(number);
        if self.len() == 0 {
            self.due = None;
            if self.slots.len() > KEPT {
                (self.slots, self.free) = (Vec::new(), Vec::new());
            }
        }
        size
    }

    /// The client is owed nothing more. Returns how many bytes are not charged any more.
    pub(crate) fn forget_all(&mut self, owed: &mut Owed) -> usize {
        let charged = owed.charged;
        while owed.newest != NONE {
            self.remove(owed, owed.newest);
        }
        charged
    }

    /// The numbers and requesters of those that are overdue.
    pub(crate) fn overdue(&mut self, now: Instant) -> Vec<(u32, u32)> {
        if self.due.is_none_or(|due| due > now) {
            return Vec::new();
        }
        self.due = None;
        let next =
            self.slots.iter().filter(|reply| reply.token != 0 && reply.until > now).map(|reply| reply.until).min();
        next.into_iter().for_each(|next| self.note_due(next));
        self.those(|reply| reply.until <= now)
    }

    /// The numbers and requesters of those that concern an account.
    pub(crate) fn of_account(&self, account: AccountId) -> Vec<(u32, u32)> {
        self.those(|reply| reply.exporter == account || reply.importer == account)
    }

    fn those(&self, which: impl Fn(&Reply) -> bool) -> Vec<(u32, u32)> {
        let numbered = (0..).zip(&self.slots).filter(|(_, reply)| reply.token != 0 && which(reply));
        numbered.map(|(number, reply)| (number, reply.requester)).collect()
    }

    fn note_due(&mut self, until: Instant) {
        let grain = u64::try_from(GRAIN.as_nanos()).unwrap_or(1);
        let due = Instant::from_nanos(until.as_nanos().div_ceil(grain).saturating_mul(grain));
        self.due = Some(self.due.map_or(due, |known| known.min(due)));
    }
}

/// `_R_.`, ten characters nobody can guess, and a place in the table.
fn write_subject(out: &mut Vec<u8>, token: u64, number: u32) {
    out.extend_from_slice(PREFIX);
    (0..TOKEN_DIGITS).for_each(|place| out.push(digit(token >> (6 * place))));
    out.push(b'.');
    let mut rest = u64::from(number);
    loop {
        out.push(digit(rest));
        rest >>= 6;
        if rest == 0 {
            return;
        }
    }
}

fn digit(value: u64) -> u8 {
    let place = usize::try_from(value & 63).unwrap_or_default();
    DIGITS.get(place).copied().unwrap_or(b'0')
}

fn read_subject(subject: &[u8]) -> Option<(u64, u32)> {
    let (token, rest) = subject.strip_prefix(PREFIX)?.split_at_checked(TOKEN_DIGITS)?;
    let number = rest.strip_prefix(b".")?;
    if number.is_empty() || number.len() > 6 {
        return None;
    }
    Some((read_digits(token)?, u32::try_from(read_digits(number)?).ok()?))
}

/// The number that these digits stand for, the lowest first.
fn read_digits(digits: &[u8]) -> Option<u64> {
    digits.iter().rev().try_fold(0_u64, |value, &letter| {
        let digit = match letter {
            b'0'..=b'9' => letter - b'0',
            b'A'..=b'Z' => letter - b'A' + 10,
            b'a'..=b'z' => letter - b'a' + 36,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        Some(value << 6 | u64::from(digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(subject: &[u8], requester: u32) -> Request<'_> {
        let threshold = Duration::from_secs(2);
        let (exporter, importer) = (AccountId::GLOBAL, AccountId::from_place(1).unwrap());
        Request { exporter, importer, requester, subject, responses: ResponseType::Singleton, threshold }
    }

    #[test]
    fn answers_are_found_by_the_subject_made_up_for_them_and_by_no_other() {
        let (mut replies, mut owed, now) = (Replies::new(3), Owed::default(), Instant::from_nanos(7));
        let mut numbers = Vec::new();
        for _ in 0..200 {
            let mut subject = Vec::new();
            let (number, _) = replies.note(now, &mut owed, &request(b"inbox", 1), &mut subject).unwrap();
            assert!(nats_subject::is_valid_publish(&subject));
            assert_eq!(replies.find(AccountId::GLOBAL, &subject), Some(number));
            assert_eq!(replies.find(AccountId::from_place(1).unwrap(), &subject), None);
            for place in 0..subject.len() {
                let mut other = subject.clone();
                other[place] = if other[place] == b'x' { b'y' } else { b'x' };
                assert_eq!(replies.find(AccountId::GLOBAL, &other), None);
            }
            numbers.push(number);
        }
        assert_eq!((replies.len(), owed.charged()), (200, 200 * (REPLY_SIZE + 5)));
        for number in numbers {
            assert_eq!(replies.remove(&mut owed, number), REPLY_SIZE + 5);
            assert_eq!(replies.remove(&mut owed, number), 0);
        }
        assert_eq!((replies.len(), owed.charged(), replies.due), (0, 0, None));
    }

    #[test]
    fn the_oldest_is_forgotten_and_what_is_overdue_is_told() {
        let (mut replies, mut owed, now) = (Replies::new(3), Owed::default(), Instant::from_nanos(0));
        for number in 0..=OWED_MAX {
            let moment = now + Duration::from_millis(u64::from(number));
            replies.note(moment, &mut owed, &request(b"", number), &mut Vec::new()).unwrap();
        }
        assert_eq!(replies.len(), OWED_MAX as usize);
        assert_eq!(replies.due, Some(now + Duration::from_secs(2)));
        assert!(replies.overdue(now + Duration::from_secs(1)).is_empty());
        let overdue = replies.overdue(now + Duration::from_millis(2010));
        assert_eq!(overdue.len(), 10, "those of the first ten milliseconds but the very first, which is forgotten");
        assert!(overdue.iter().all(|&(_, requester)| (1..=10).contains(&requester)));
        assert_eq!(replies.due, Some(now + Duration::from_millis(2250)));
        assert_eq!(replies.forget_all(&mut owed), OWED_MAX as usize * REPLY_SIZE);
        assert_eq!((replies.len(), replies.slots.len()), (0, 0));
    }
}
