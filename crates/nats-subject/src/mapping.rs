//! One subject made from another: `orders.*.*` becomes `sales.$2.$1`.

use crate::pattern::tokens;
use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

/// Why there is no such mapping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MappingError {
    /// A wildcard of the destination stands for none of the source.
    NoSuchWildcard,
    /// `>` ends one of the two patterns and not the other.
    Rest,
    /// `*` and `$1` in one destination.
    Mixed,
    /// A wildcard of the source is not used, or used twice, so that there is no way back.
    NotReversible,
}

impl fmt::Display for MappingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchWildcard => "a wildcard of the destination stands for none of the source",
            Self::Rest => "`>` ends one of the two and not the other",
            Self::Mixed => "`*` and `$1` cannot stand in one destination",
            Self::NotReversible => "not every wildcard is used exactly once",
        })
    }
}

impl core::error::Error for MappingError {}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Word(Box<[u8]>),
    /// The source's token at this place.
    Token(usize),
    /// Everything from the source's token at this place on.
    Rest(usize),
}

/// How the subjects of one pattern become subjects of another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mapping {
    parts: Box<[Part]>,
    source: Box<[u8]>,
}

impl Mapping {
    /// From the subjects of `source` to `destination`, where `$1` or `{{wildcard(1)}}` is what the first `*` of the source stands for.
    /// A `*` in the destination is the source's `*` of the same rank; `>` at the end of both is what remains.
    ///
    /// # Errors
    /// See [`MappingError`].
    pub fn new(source: &[u8], destination: &[u8]) -> Result<Self, MappingError> {
        let places = || tokens(source).enumerate().filter(|&(_, token)| token == b"*").map(|(place, _)| place);
        let rest = tokens(source).enumerate().find(|&(_, token)| token == b">").map(|(place, _)| place);
        let (mut rank, mut numbered) = (0, false);
        let mut parts = Vec::new();
        for token in tokens(destination) {
            let wanted = match (token, reference(token)) {
                (b">", _) => {
                    parts.push(Part::Rest(rest.ok_or(MappingError::Rest)?));
                    continue;
                }
                (b"*", _) => {
                    rank += 1;
                    rank
                }
                (_, Some(number)) => {
                    numbered = true;
                    number
                }
                (word, None) => {
                    parts.push(Part::Word(word.into()));
                    continue;
                }
            };
            let place = wanted.checked_sub(1).and_then(|skipped| places().nth(skipped));
            parts.push(Part::Token(place.ok_or(MappingError::NoSuchWildcard)?));
        }
        if numbered && rank > 0 {
            return Err(MappingError::Mixed);
        }
        Ok(Self { parts: parts.into(), source: source.into() })
    }

    /// The pattern of what goes in.
    #[must_use]
    pub fn source(&self) -> &[u8] {
        &self.source
    }

    /// The pattern of what comes out.
    #[must_use]
    pub fn destination(&self) -> Vec<u8> {
        let token = |part: &Part| match part {
            Part::Word(word) => word.to_vec(),
            Part::Token(_) => b"*".to_vec(),
            Part::Rest(_) => b">".to_vec(),
        };
        self.parts.iter().map(token).collect::<Vec<_>>().join(&b'.')
    }

    /// The way back.
    ///
    /// # Errors
    /// [`MappingError::NotReversible`].
    pub fn reverse(&self) -> Result<Self, MappingError> {
        let mut used = 0;
        let back = |(place, token): (usize, &[u8])| {
            let mut from = self.parts.iter().enumerate().filter_map(|(at, part)| match part {
                Part::Token(known) if *known == place => Some(Part::Token(at)),
                Part::Rest(known) if *known == place => Some(Part::Rest(at)),
                Part::Word(_) | Part::Token(_) | Part::Rest(_) => None,
            });
            if !matches!(token, b"*" | b">") {
                return Ok(Part::Word(token.into()));
            }
            used += 1;
            from.next().filter(|_| from.next().is_none()).ok_or(MappingError::NotReversible)
        };
        let parts = tokens(&self.source).enumerate().map(back).collect::<Result<_, _>>()?;
        Ok(Self { parts, source: self.destination().into() })
    }

    /// True when nothing changes.
    #[must_use]
    pub fn is_identity(&self) -> bool {
        let same = |(place, (part, token)): (usize, (&Part, &[u8]))| match part {
            Part::Word(word) => **word == *token,
            Part::Token(from) | Part::Rest(from) => *from == place,
        };
        self.parts.len() == tokens(&self.source).count()
            && self.parts.iter().zip(tokens(&self.source)).enumerate().all(same)
    }

    /// Appends what `subject` becomes, which must be in the source: a subject, or a pattern inside it.
    pub fn apply(&self, subject: &[u8], out: &mut Vec<u8>) {
        for (place, part) in self.parts.iter().enumerate() {
            if place > 0 {
                out.push(b'.');
            }
            match part {
                Part::Word(word) => out.extend_from_slice(word),
                Part::Token(from) => out.extend_from_slice(tokens(subject).nth(*from).unwrap_or_default()),
                Part::Rest(from) => {
                    let before: usize = tokens(subject).take(*from).map(|token| token.len() + 1).sum();
                    out.extend_from_slice(subject.get(before..).unwrap_or_default());
                }
            }
        }
    }
}

/// The number in `$1` or `{{wildcard(1)}}`.
fn reference(token: &[u8]) -> Option<usize> {
    let text = core::str::from_utf8(token).ok()?;
    let number = match text.strip_prefix('$') {
        Some(number) => number,
        None => {
            let inside = text.strip_prefix("{{")?.strip_suffix("}}")?.trim();
            inside.strip_prefix("wildcard(").or(inside.strip_prefix("Wildcard("))?.strip_suffix(')')?.trim()
        }
    };
    number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;

    fn through(source: &str, destination: &str, subject: &str) -> Result<String, MappingError> {
        let mapping = Mapping::new(source.as_bytes(), destination.as_bytes())?;
        let mut out = Vec::new();
        mapping.apply(subject.as_bytes(), &mut out);
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn subjects_are_mapped() {
        let table = [
            ("a", "b", "a", "b"),
            ("a.*.*", "b.$2.x.$1", "a.1.2", "b.2.x.1"),
            ("a.*.*", "b.*.*", "a.1.2", "b.1.2"),
            ("a.*", "b.{{wildcard(1)}}.$1", "a.1", "b.1.1"),
            ("a.>", "p.a.>", "a.b.c", "p.a.b.c"),
            ("*.>", "$1.x.>", "a.b.c", "a.x.b.c"),
            ("b.*", "x", "b.1", "x"),
            ("$SYS.a", "$SYS.b", "$SYS.a", "$SYS.b"),
            (">", "p.>", "a.>", "p.a.>"),
        ];
        for (source, destination, subject, expected) in table {
            assert_eq!(through(source, destination, subject).as_deref(), Ok(expected), "{source} {destination}");
        }
    }

    #[test]
    fn mappings_that_cannot_be() {
        let table = [
            ("a", "b.*", MappingError::NoSuchWildcard),
            ("a.*", "b.$2", MappingError::NoSuchWildcard),
            ("a.*", "b.$0", MappingError::NoSuchWildcard),
            ("a.*", "b.>", MappingError::Rest),
            ("a.*.*", "b.$2.*", MappingError::Mixed),
        ];
        for (source, destination, error) in table {
            assert_eq!(through(source, destination, ""), Err(error), "{source} {destination}");
        }
    }

    #[test]
    fn there_is_a_way_back_when_every_wildcard_is_used_once() {
        let mapping = Mapping::new(b"a.*.*.>", b"$2.b.$1.>").unwrap();
        let back = mapping.reverse().unwrap();
        assert_eq!((mapping.destination(), back.destination()), (b"*.b.*.>".to_vec(), b"a.*.*.>".to_vec()));
        let mut out = Vec::new();
        back.apply(b"2.b.1.x.y", &mut out);
        assert_eq!(out, b"a.1.2.x.y");
        for destination in [&b"b"[..], b"b.$1", b"b.$1.$2.$1"] {
            let mapping = Mapping::new(b"a.*.*", destination).unwrap();
            assert_eq!(mapping.reverse(), Err(MappingError::NotReversible));
        }
        assert!(Mapping::new(b"a.*.>", b"a.*.>").unwrap().is_identity());
        assert!(!Mapping::new(b"a.*.*", b"a.$2.$1").unwrap().is_identity());
        assert!(!Mapping::new(b"a.*", b"a.*.b").unwrap().is_identity());
    }
}
