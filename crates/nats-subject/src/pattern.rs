//! What is a subject, what is a pattern, and which is inside which.

use alloc::vec::Vec;

/// Splits at dots; an empty subject is one empty token.
pub(crate) fn tokens(subject: &[u8]) -> impl Iterator<Item = &[u8]> {
    subject.split(|&byte| byte == b'.')
}

fn has_blank(token: &[u8]) -> bool {
    token.iter().any(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// True for a pattern one may subscribe to: tokens are not empty and hold no blanks, and `>` comes last or inside a longer token.
#[must_use]
pub fn is_valid_subscription(pattern: &[u8]) -> bool {
    let mut ended = false;
    tokens(pattern).all(|token| {
        let valid = !ended && !token.is_empty() && !has_blank(token);
        ended = token == b">";
        valid
    })
}

/// True when no token is a wildcard. `a*b` is a plain word.
#[must_use]
pub fn is_literal(subject: &[u8]) -> bool {
    tokens(subject).all(|token| token != b"*" && token != b">")
}

/// True for a subject one may publish to: no token is empty or a wildcard. The reference does not mind blanks here.
#[must_use]
pub fn is_valid_publish(subject: &[u8]) -> bool {
    tokens(subject).all(|token| !token.is_empty() && token != b"*" && token != b">")
}

/// True when `literal` is one of the subjects that `pattern` stands for. Both are taken as they are; an empty token matches nothing.
#[must_use]
pub fn matches(pattern: &[u8], literal: &[u8]) -> bool {
    let mut words = tokens(literal);
    if tokens(literal).any(<[u8]>::is_empty) {
        return false;
    }
    for token in tokens(pattern) {
        match (token, words.next()) {
            (b">", Some(_)) => return true,
            (b"*", Some(_)) => {}
            (token, Some(word)) if token == word => {}
            (_, Some(_) | None) => return false,
        }
    }
    words.next().is_none()
}

/// True when every subject that `inner` stands for is also one of `outer`: the test a permission needs. Both are patterns.
#[must_use]
pub fn is_subset(inner: &[u8], outer: &[u8]) -> bool {
    let mut allowed = tokens(outer);
    for token in tokens(inner) {
        match (token, allowed.next()) {
            (_, Some(b">")) => return true,
            (b">", Some(_)) => return false,
            (_, Some(b"*")) => {}
            (token, Some(word)) if token == word => {}
            (_, Some(_) | None) => return false,
        }
    }
    allowed.next().is_none()
}

/// Fills `out` with the pattern of the subjects that both patterns stand for; false when there are none.
pub fn intersect(left: &[u8], right: &[u8], out: &mut Vec<u8>) -> bool {
    out.clear();
    let (mut lefts, mut rights) = (tokens(left).peekable(), tokens(right).peekable());
    loop {
        let token = match (lefts.peek().copied(), rights.peek().copied()) {
            (None, None) => return true,
            (None, Some(_)) | (Some(_), None) => return false,
            // What remains of the narrower one stays as it is.
            (Some(b">"), Some(_)) => {
                rights.for_each(|token| append(out, token));
                return true;
            }
            (Some(_), Some(b">")) => {
                lefts.for_each(|token| append(out, token));
                return true;
            }
            (Some(b"*"), Some(token)) | (Some(token), Some(b"*")) => token,
            (Some(token), Some(same)) if token == same => token,
            (Some(_), Some(_)) => return false,
        };
        append(out, token);
        lefts.next();
        rights.next();
    }
}

fn append(out: &mut Vec<u8>, token: &[u8]) {
    if !out.is_empty() {
        out.push(b'.');
    }
    out.extend_from_slice(token);
}

/// True when at least one subject is among those of both patterns.
#[must_use]
pub fn overlaps(left: &[u8], right: &[u8]) -> bool {
    let mut others = tokens(right);
    for token in tokens(left) {
        match (token, others.next()) {
            (_, Some(b">")) | (b">", Some(_)) => return true,
            (b"*", Some(_)) | (_, Some(b"*")) => {}
            (token, Some(word)) if token == word => {}
            (_, Some(_) | None) => return false,
        }
    }
    others.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_and_patterns_good_and_bad() {
        for good in [
            &b"a"[..],
            b"a.b",
            b"*",
            b">",
            b"a.*.b",
            b"a.>",
            b"a*b",
            b">a",
            b"a.>b.c",
            b"$SYS.x",
            b"\xff\xfe",
            b"a\x0c",
        ] {
            assert!(is_valid_subscription(good), "{}", good.escape_ascii());
        }
        for bad in [&b""[..], b".", b".a", b"a.", b"a..b", b"a.>.b", b">.a", b"a b", b"a.b\tc", b"a\r", b"a\n.b"] {
            assert!(!is_valid_subscription(bad), "{}", bad.escape_ascii());
            let has_blank = bad.iter().any(|byte| b" \t\r\n".contains(byte));
            assert_eq!(is_valid_publish(bad), has_blank, "{}", bad.escape_ascii());
        }
        assert!(is_valid_publish(b"a*b.>c") && is_literal(b"a*b.>c"));
        for wild in [&b"*"[..], b">", b"a.*", b"a.>", b"*.a"] {
            assert!(!is_valid_publish(wild) && !is_literal(wild));
        }
    }

    #[test]
    fn patterns_match() {
        let table: [(&[u8], &[u8], bool); 14] = [
            (b"a", b"a", true),
            (b"a", b"b", false),
            (b"a", b"a.b", false),
            (b"a.b", b"a", false),
            (b"*", b"a", true),
            (b"*", b"a.b", false),
            (b">", b"a", true),
            (b">", b"a.b.c", true),
            (b"a.>", b"a", false),
            (b"a.>", b"a.b.c", true),
            (b"a.*.c", b"a.b.c", true),
            (b"a*b", b"axb", false),
            (b"a.>", b"a.*", true),
            (b"a.>", b"a..b", false),
        ];
        for (pattern, literal, expected) in table {
            assert_eq!(matches(pattern, literal), expected);
        }
    }

    #[test]
    fn a_wider_pattern_is_no_subset() {
        let table: [(&[u8], &[u8], bool); 14] = [
            (b"bar.*", b"bar.*", true),
            (b"bar.>", b"bar.*", false),
            (b"bar.*", b"bar.>", true),
            (b"bar.*.*", b"bar.>", true),
            (b"bar", b"bar.>", false),
            (b">", b"bar.>", false),
            (b">", b">", true),
            (b"*", b">", true),
            (b"*", b"a", false),
            (b"a", b"*", true),
            (b"a.b", b"*.b", true),
            (b"*.b", b"a.*", false),
            (b"a.b.c", b"a.b", false),
            (b"a.b", b"a.b.c", false),
        ];
        for (inner, outer, expected) in table {
            assert_eq!(is_subset(inner, outer), expected, "{} in {}", inner.escape_ascii(), outer.escape_ascii());
        }
    }

    #[test]
    fn what_two_patterns_share() {
        type Case = (&'static [u8], &'static [u8], Option<&'static [u8]>);
        let table: [Case; 12] = [
            (b"a", b"a", Some(b"a")),
            (b"a", b"b", None),
            (b"a.*", b"*.b", Some(b"a.b")),
            (b"a.>", b"a.b", Some(b"a.b")),
            (b"a.>", b"a", None),
            (b">", b"a.*", Some(b"a.*")),
            (b"a.>", b"*.b.>", Some(b"a.b.>")),
            (b"*.*", b"a.>", Some(b"a.*")),
            (b"a.*.c", b"a.b.*", Some(b"a.b.c")),
            (b"a.*.c", b"a.b", None),
            (b">", b">", Some(b">")),
            (b"a.b", b"a.c", None),
        ];
        let mut out = Vec::new();
        for (left, right, expected) in table {
            for (left, right) in [(left, right), (right, left)] {
                assert_eq!(intersect(left, right, &mut out).then_some(&*out), expected);
            }
        }
    }

    #[test]
    fn patterns_overlap_when_a_subject_is_in_both() {
        let table: [(&[u8], &[u8], bool); 10] = [
            (b"a", b"a", true),
            (b"a", b"b", false),
            (b"a.*", b"*.b", true),
            (b"a.*", b"b.>", false),
            (b"*.a", b"im.>", true),
            (b">", b"a.b", true),
            (b"a.>", b"a", false),
            (b"a.b", b"a.b.>", false),
            (b"*", b">", true),
            (b"a.b.c", b"a.*", false),
        ];
        for (left, right, expected) in table {
            for (left, right) in [(left, right), (right, left)] {
                assert_eq!(overlaps(left, right), expected, "{} {}", left.escape_ascii(), right.escape_ascii());
            }
        }
    }
}
