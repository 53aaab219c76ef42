//! A unit's name: `PREFIX.SUFFIX`, `PREFIX@.SUFFIX` (a template), `PREFIX@INSTANCE.SUFFIX`.

/// The parts of a unit's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) prefix: String,
    /// Empty for a template.
    pub(crate) instance: Option<String>,
    /// Without the dot: `service`, `socket` …
    pub(crate) suffix: String,
}

impl Name {
    /// Without a known suffix it is a service's, as for systemctl.
    pub(crate) fn parse(text: &str) -> Self {
        const SUFFIXES: [&str; 11] =
            ["service", "socket", "target", "timer", "path", "mount", "automount", "swap", "slice", "scope", "device"];
        let (stem, suffix) = match text.rsplit_once('.') {
            Some((stem, suffix)) if SUFFIXES.contains(&suffix) => (stem, suffix),
            Some(_) | None => (text, "service"),
        };
        let (prefix, instance) = match stem.split_once('@') {
            Some((prefix, instance)) => (prefix, Some(instance.to_owned())),
            None => (stem, None),
        };
        Self { prefix: prefix.to_owned(), instance, suffix: suffix.to_owned() }
    }

    pub(crate) fn is_template(&self) -> bool {
        self.instance.as_deref() == Some("")
    }

    /// The template it is an instance of.
    pub(crate) fn template(&self) -> Option<Self> {
        self.instance.as_deref().filter(|instance| !instance.is_empty())?;
        Some(Self { instance: Some(String::new()), ..self.clone() })
    }

    /// Without the suffix: the name of its service here.
    pub(crate) fn stem(&self) -> String {
        match &self.instance {
            Some(instance) => format!("{}@{instance}", self.prefix),
            None => self.prefix.clone(),
        }
    }

    /// The whole name.
    pub(crate) fn full(&self) -> String {
        format!("{}.{}", self.stem(), self.suffix)
    }

    pub(crate) fn with_suffix(&self, suffix: &str) -> Self {
        Self { suffix: suffix.to_owned(), ..self.clone() }
    }
}

/// `systemd-escape --unescape`: `-` is a slash, `\x2d` a byte.
pub(crate) fn unescaped(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escape = after.strip_prefix(b"x").filter(|_| *first == b'\\').and_then(|digits| digits.get(..2));
        let value = escape
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|text| u8::from_str_radix(text, 16).ok());
        rest = match (value, first) {
            (Some(value), _) => {
                bytes.push(value);
                after.get(3..).unwrap_or_default()
            }
            (None, b'-') => {
                bytes.push(b'/');
                after
            }
            (None, other) => {
                bytes.push(*other);
                after
            }
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_parts() {
        let parts = |text| {
            let Name { prefix, instance, suffix } = Name::parse(text);
            (prefix, instance, suffix)
        };
        assert_eq!(parts("a.service"), ("a".into(), None, "service".into()));
        assert_eq!(parts("org.a.b"), ("org.a.b".into(), None, "service".into()));
        assert_eq!(parts("a@b@c.socket"), ("a".into(), Some("b@c".into()), "socket".into()));
        assert_eq!(Name::parse("getty@tty1").template().unwrap().full(), "getty@.service");
        assert!(Name::parse("getty@.service").is_template() && Name::parse("getty@.service").template().is_none());
    }

    #[test]
    fn names_are_unescaped() {
        for (escaped, plain) in [("a-b", "a/b"), (r"a\x2db", "a-b"), (r"a\x2", r"a\x2"), (r"\x", r"\x"), ("", "")] {
            assert_eq!(unescaped(escaped), plain);
        }
    }
}
