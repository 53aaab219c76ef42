//! Cutting input into pieces: a streaming parser must give the same result wherever its input happens to be cut.

use crate::rng::Rng;

/// Calls `feed` once for each way to cut `input` in two, the uncut input (a first or second part that is empty) included.
pub fn two(input: &[u8], mut feed: impl FnMut(&[&[u8]])) {
    for cut in 0..=input.len() {
        let (head, tail) = input.split_at(cut);
        feed(&[head, tail]);
    }
}

/// Calls `feed` once with `input` cut into single bytes.
pub fn bytes(input: &[u8], mut feed: impl FnMut(&[&[u8]])) {
    feed(&input.chunks(1).collect::<Vec<_>>());
}

/// Calls `feed` `rounds` times with `input` cut at random places, pieces of 1 to `longest` bytes.
pub fn random(input: &[u8], rng: &mut Rng, rounds: usize, longest: usize, mut feed: impl FnMut(&[&[u8]])) {
    for _ in 0..rounds {
        let mut rest = input;
        let mut parts = Vec::new();
        while !rest.is_empty() {
            let (head, tail) = rest.split_at((1 + rng.below(longest)).min(rest.len()));
            parts.push(head);
            rest = tail;
        }
        feed(&parts);
    }
}

/// Fails unless `parse` gives for every cut in two, for single bytes and for 64 random cuts what it gives for the whole.
///
/// # Panics
/// When a cut changes the result; the message shows the parts and both results.
pub fn invariant<T: PartialEq + core::fmt::Debug>(input: &[u8], mut parse: impl FnMut(&[&[u8]]) -> T) {
    let whole = parse(&[input]);
    let mut check = |parts: &[&[u8]]| {
        let cut = parse(parts);
        assert!(cut == whole, "the cut changes the result\nparts: {parts:?}\nwhole: {whole:?}\ncut:   {cut:?}");
    };
    two(input, &mut check);
    bytes(input, &mut check);
    random(input, &mut Rng::printed("split"), 64, 16, &mut check);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_cut_joins_to_the_whole() {
        let mut count = 0;
        two(b"abc", |parts| {
            assert_eq!(parts.concat(), b"abc");
            count += 1;
        });
        assert_eq!(count, 4);
        random(b"abcdefgh", &mut Rng::from_seed(1), 20, 3, |parts| assert_eq!(parts.concat(), b"abcdefgh"));
    }

    #[test]
    #[should_panic(expected = "the cut changes the result")]
    fn a_parser_that_forgets_is_found() {
        invariant(b"ab", |parts| parts.first().map(|part| part.len()));
    }
}
