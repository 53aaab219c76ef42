//! The index and its cache against the naive matcher, over random subscriptions that come and go.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use nats_subject::{Cache, Entry, Index, is_subset, matches};
use std::collections::{BTreeMap, BTreeSet};

struct Random(u64);

impl Random {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % below as u64).unwrap()
    }

    fn subject(&mut self, words: &[&str]) -> String {
        let length = 1 + self.next(4);
        let mut tokens: Vec<&str> = (0..length).map(|_| words[self.next(words.len())]).collect();
        // `>` may only come last.
        while let Some(place) = tokens.iter().position(|&token| token == ">").filter(|place| place + 1 < tokens.len()) {
            tokens.truncate(place + 1);
        }
        tokens.join(".")
    }
}

struct Subscription {
    pattern: String,
    queue: Option<&'static str>,
    entry: Entry,
}

#[test]
fn the_index_finds_what_the_naive_matcher_finds() {
    let seed = 0x1234_5678_9abc_def1;
    println!("seed {seed:#x}");
    let mut random = Random(seed);
    let mut index = Index::new(99);
    let mut cache = Cache::new(16);
    let mut live: BTreeMap<u32, Subscription> = BTreeMap::new();
    for step in 0..30_000_u32 {
        if live.is_empty() || (live.len() < 200 && random.next(2) == 0) {
            let pattern = random.subject(&["a", "b", "c", "*", "*", ">", "long-token-of-more-than-eight"]);
            let queue = [None, None, Some("q1"), Some("q2")][random.next(4)];
            let entry = index.insert(pattern.as_bytes(), queue.map(str::as_bytes), step).unwrap();
            live.insert(step, Subscription { pattern, queue, entry });
        } else if random.next(3) > 0 {
            let key = *live.keys().nth(random.next(live.len())).unwrap();
            assert_eq!(index.remove(live.remove(&key).unwrap().entry), Some(key));
        }
        assert_eq!(index.len(), live.len());
        let literal = random.subject(&["a", "b", "c", "d", "*", "long-token-of-more-than-eight"]);
        let found = cache.find(&index, literal.as_bytes());
        let mut plain = BTreeSet::new();
        let mut groups: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for (&key, subscription) in &live {
            if matches(subscription.pattern.as_bytes(), literal.as_bytes()) {
                match subscription.queue {
                    None => assert!(plain.insert(key)),
                    Some(queue) => assert!(groups.entry(queue).or_default().insert(key)),
                }
            }
        }
        assert_eq!(found.plain().len(), plain.len(), "{literal}");
        assert_eq!(found.plain().iter().copied().collect::<BTreeSet<_>>(), plain, "{literal}");
        let theirs: BTreeSet<BTreeSet<u32>> = groups.into_values().collect();
        let ours: BTreeSet<BTreeSet<u32>> = found.groups().map(|group| group.iter().copied().collect()).collect();
        assert_eq!(ours, theirs, "{literal}");
    }
    for subscription in live.into_values() {
        index.remove(subscription.entry).unwrap();
    }
    assert!(index.is_empty() && cache.find(&index, b"a").is_empty());
}

#[test]
fn a_subset_is_what_no_subject_disproves() {
    let words = ["a", "b"];
    let mut literals = vec![];
    for one in words {
        literals.push(one.to_string());
        for two in words {
            literals.push(format!("{one}.{two}"));
            for three in words {
                literals.push(format!("{one}.{two}.{three}"));
                literals.push(format!("{one}.{two}.{three}.x"));
            }
        }
    }
    literals.extend([
        "x".into(),
        "x.x".into(),
        "a.x".into(),
        "x.a".into(),
        "x.x.x".into(),
        "a.x.x".into(),
        "x.x.x.x.x".into(),
    ]);
    let mut random = Random(7);
    for _ in 0..20_000 {
        let (inner, outer) = (random.subject(&["a", "b", "*", ">"]), random.subject(&["a", "b", "*", ">"]));
        let disproved = literals.iter().any(|literal| {
            matches(inner.as_bytes(), literal.as_bytes()) && !matches(outer.as_bytes(), literal.as_bytes())
        });
        if is_subset(inner.as_bytes(), outer.as_bytes()) {
            assert!(!disproved, "{inner} in {outer}");
        }
        // Two words and a stranger show every difference of patterns up to three tokens.
        else if inner.split('.').count() <= 3 && outer.split('.').count() <= 3 && !inner.contains("*.*") {
            assert!(disproved, "{inner} not in {outer}");
        }
    }
}

#[test]
fn empty_tokens_match_nothing_and_invalid_patterns_are_refused() {
    let mut index = Index::new(1);
    let mut cache = Cache::new(4);
    index.insert(b">", None, 1).unwrap();
    index.insert(b"foo.*", None, 2).unwrap();
    for literal in [&b""[..], b".", b"foo.", b".foo", b"foo..a"] {
        assert!(cache.find(&index, literal).is_empty());
        assert!(!cache.look_up(&index, literal).0);
    }
    assert_eq!(cache.find(&index, b"foo.>").plain(), [1, 2]);
    assert!(!cache.look_up(&index, b"foo.>").0 && cache.look_up(&index, b"foo.x").0);
    for pattern in [&b""[..], b"a..b", b"a.>.b", b"a b"] {
        assert_eq!(index.insert(pattern, None, 3), Err(nats_subject::Error::InvalidPattern));
    }
    assert_eq!(index.len(), 2);
}

#[test]
fn one_subject_with_many_subscribers_is_emptied_in_any_order() {
    let mut index = Index::new(1);
    let entries: Vec<Entry> = (0..5000).map(|n| index.insert(b"a.b", None, n).unwrap()).collect();
    let mut cache = Cache::new(4);
    assert_eq!(cache.find(&index, b"a.b").plain().len(), 5000);
    for (n, entry) in entries.iter().enumerate().filter(|(n, _)| n % 2 == 0) {
        assert_eq!(index.remove(*entry), Some(n));
        assert_eq!(index.remove(*entry), None);
    }
    assert!(cache.find(&index, b"a.b").plain().iter().all(|n| n % 2 == 1));
    assert_eq!(cache.find(&index, b"a.b").plain().len(), 2500);
    cache.clear();
    assert!(cache.heap_len() < 4096);
}

#[test]
fn those_alike_have_the_same_pattern_and_queue() {
    let mut index = Index::new(5);
    let first = index.insert(b"a.*", None, 1).unwrap();
    let second = index.insert(b"a.*", None, 2).unwrap();
    let grouped = index.insert(b"a.*", Some(b"q"), 3).unwrap();
    let other = index.insert(b"a.b", None, 4).unwrap();
    assert!(index.alike(first).eq([1, 2]) && index.alike(second).eq([1, 2]));
    assert_eq!([first, second, grouped, other].map(|entry| index.alike_len(entry)), [2, 2, 1, 1]);
    index.remove(first);
    assert_eq!([first, second].map(|entry| index.alike_len(entry)), [0, 1]);
    assert!(index.alike(grouped).eq([3]));
}
