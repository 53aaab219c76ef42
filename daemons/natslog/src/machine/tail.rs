//! Which of the kept lines somebody asked for.

use super::record::Record;
use super::ring::Ring;
use interfaces::log::Query;
use interfaces::{Argument, argument::Malformed};

/// Lines of an answer when nobody says how many.
const COUNT: u32 = 100;
/// Most lines of an answer.
const COUNT_MAX: u32 = 1000;
/// Bytes of an answer, counting what JSON adds.
const BYTES_MAX: usize = 256 * 1024;
/// Bytes that JSON adds to a line, and how much longer escapes may make it.
const LINE_BYTES: usize = 320;

/// What was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Found {
    /// The lines, the oldest first.
    pub(super) numbers: Vec<u64>,
    /// The last line that was looked at.
    pub(super) seq: u64,
}

/// Reads the argument of `log.tail` and looks for the lines.
///
/// # Errors
/// A sentence for whoever asked.
pub(super) fn find(payload: &[u8], ring: &Ring) -> Result<Found, String> {
    let query = match Argument::parse(payload).map_err(|malformed: Malformed| malformed.to_string())? {
        Argument::None => Query::default(),
        Argument::Text(source) => Query { source: Some(source), ..Query::default() },
        Argument::Object(_) => serde_json::from_slice(payload).map_err(|error| error.to_string())?,
    };
    let count = query.count.unwrap_or(COUNT);
    if !(1..=COUNT_MAX).contains(&count) {
        return Err(format!("count = {count}: expected 1 to {COUNT_MAX}"));
    }
    let mut search = Search { ring, query: &query, count: count as usize, bytes: 0, found: Vec::new() };
    let newest = ring.next() - 1;
    let Some(since) = query.since else {
        let _ = (ring.oldest()..ring.next()).rev().try_for_each(|number| search.look(number));
        search.found.reverse();
        return Ok(Found { numbers: search.found, seq: newest });
    };
    let first = since.saturating_add(1).max(ring.oldest());
    let ended = (first..ring.next()).try_for_each(|number| search.look(number));
    let seq = if ended.is_ok() { newest } else { search.found.last().copied().unwrap_or(newest) };
    Ok(Found { numbers: search.found, seq })
}

struct Full;

struct Search<'a> {
    ring: &'a Ring,
    query: &'a Query<'a>,
    count: usize,
    bytes: usize,
    found: Vec<u64>,
}

impl Search<'_> {
    /// Takes the line if it fits the query.
    fn look(&mut self, number: u64) -> Result<(), Full> {
        let Some(piece) = self.ring.get(number) else { return Ok(()) };
        if !Record::decode(piece).is_some_and(|record| fits(&record, self.query)) {
            return Ok(());
        }
        self.bytes += piece.len() + piece.len() / 4 + LINE_BYTES;
        if self.found.len() >= self.count || (self.bytes > BYTES_MAX && !self.found.is_empty()) {
            return Err(Full);
        }
        self.found.push(number);
        Ok(())
    }
}

fn fits(record: &Record<'_>, query: &Query<'_>) -> bool {
    query.source.as_deref().is_none_or(|source| source == record.source)
        && query.severity.is_none_or(|severity| record.severity() <= severity.number())
        && query.program.as_deref().is_none_or(|program| program.as_bytes() == record.program)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring() -> Ring {
        let mut ring = Ring::new(4096);
        for (source, priority, program) in
            [("kernel", 4, ""), ("web", 30, "a"), ("web", 27, "b"), ("user-1", 14, "a"), ("web", 30, "b")]
        {
            let record = Record { source, priority, program: program.as_bytes(), ..Record::default() };
            record.encode(|parts| ring.push(parts));
        }
        ring
    }

    fn found(query: &str) -> (Vec<u64>, u64) {
        let found = find(query.as_bytes(), &ring()).unwrap();
        (found.numbers, found.seq)
    }

    #[test]
    fn filters_and_counts() {
        assert_eq!(found(""), (vec![1, 2, 3, 4, 5], 5));
        assert_eq!(found("web"), (vec![2, 3, 5], 5));
        assert_eq!(found(r#"{"source":"web","count":2}"#), (vec![3, 5], 5));
        assert_eq!(found(r#"{"severity":"warning"}"#), (vec![1, 3], 5));
        assert_eq!(found(r#"{"program":"b","severity":"info"}"#), (vec![3, 5], 5));
        assert_eq!(found("nobody"), (vec![], 5));
    }

    #[test]
    fn since_goes_on_from_the_oldest() {
        assert_eq!(found(r#"{"since":0,"count":2}"#), (vec![1, 2], 2));
        assert_eq!(found(r#"{"since":2,"count":2}"#), (vec![3, 4], 4));
        assert_eq!(found(r#"{"since":4,"count":2}"#), (vec![5], 5));
        assert_eq!(found(r#"{"since":5}"#), (vec![], 5));
        assert_eq!(found(r#"{"since":18446744073709551615}"#), (vec![], 5));
        assert_eq!(found(r#"{"since":0,"source":"user-1"}"#), (vec![4], 5));
    }

    #[test]
    fn bad_questions_get_a_sentence() {
        let sentence = |query: &str| find(query.as_bytes(), &ring()).unwrap_err();
        assert_eq!(sentence(r#"{"count":0}"#), "count = 0: expected 1 to 1000");
        assert!(sentence(r#"{"sorce":"x"}"#).starts_with("unknown field `sorce`"), "{}", sentence(r#"{"sorce":"x"}"#));
        assert!(sentence(r#"{"severity":"warn"}"#).starts_with("unknown variant `warn`"));
    }

    #[test]
    fn an_answer_is_bounded() {
        let mut ring = Ring::new(1 << 20);
        let text = vec![b'x'; 8000];
        for _ in 0..100 {
            Record { text: &text, ..Record::default() }.encode(|parts| ring.push(parts));
        }
        let newest = find(b"", &ring).unwrap().numbers;
        assert_eq!((newest.len(), newest.last()), (25, Some(&100)));
        let oldest = find(br#"{"since":0}"#, &ring).unwrap();
        assert_eq!((oldest.numbers.len(), oldest.seq), (25, 25));
    }
}
