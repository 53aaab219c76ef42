//! Structured data: `[id name="value" …][id …]`.

use crate::scan::Scan;

/// The elements of a message, well-formed: checked when the message was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Elements<'a>(&'a [u8]);

/// One element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element<'a> {
    /// Its name: `origin`, or `name@number` of an organisation's own.
    pub id: &'a [u8],
    parameters: &'a [u8],
}

/// The parameters of an element.
#[derive(Clone, Copy, Debug)]
pub struct Parameters<'a>(Scan<'a>);

/// One parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameter<'a> {
    /// Its name.
    pub name: &'a [u8],
    /// Its value.
    pub value: Value<'a>,
}

/// A value as it is written: `\"`, `\\` and `\]` stand for the second byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value<'a>(&'a [u8]);

fn name<'a>(scan: &mut Scan<'a>) -> Option<&'a [u8]> {
    scan.some(|byte| byte.is_ascii_graphic() && !b"=]\"".contains(&byte))
}

fn parameter<'a>(scan: &mut Scan<'a>) -> Option<Parameter<'a>> {
    scan.byte(b' ')?;
    let name = name(scan)?;
    scan.byte(b'=')?;
    scan.byte(b'"')?;
    let (text, mut escaped) = (scan.rest(), false);
    let end = text.iter().position(|&byte| match byte {
        b'"' if !escaped => true,
        byte => {
            escaped = byte == b'\\' && !escaped;
            false
        }
    })?;
    let (value, rest) = text.split_at_checked(end)?;
    *scan = Scan::new(rest);
    scan.byte(b'"')?;
    Some(Parameter { name, value: Value(value) })
}

fn element<'a>(scan: &mut Scan<'a>) -> Option<Element<'a>> {
    scan.byte(b'[')?;
    let id = name(scan)?;
    let parameters = scan.rest();
    while scan.byte(b']').is_none() {
        parameter(scan)?;
    }
    Some(Element { id, parameters })
}

impl<'a> Elements<'a> {
    pub(crate) const fn none() -> Self {
        Self(b"")
    }

    /// Takes one element or more; `None` when they are not well-formed.
    pub(crate) fn take(scan: &mut Scan<'a>) -> Option<Self> {
        let whole = scan.rest();
        element(scan)?;
        while scan.rest().first() == Some(&b'[') {
            element(scan)?;
        }
        whole.get(..whole.len() - scan.rest().len()).map(Self)
    }

    /// Reads what [`Self::written`] gave; `None` when it is not well-formed.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        if bytes.is_empty() {
            return Some(Self::none());
        }
        let mut scan = Scan::new(bytes);
        Self::take(&mut scan).filter(|_| scan.rest().is_empty())
    }

    /// The bytes as they are written; none without an element.
    #[must_use]
    pub const fn written(self) -> &'a [u8] {
        self.0
    }

    /// True when there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let mut scan = Scan::new(self.0);
        let element = element(&mut scan);
        self.0 = if element.is_some() { scan.rest() } else { b"" };
        element
    }
}

impl<'a> Element<'a> {
    /// Its parameters, in order; a name may come several times.
    #[must_use]
    pub const fn parameters(self) -> Parameters<'a> {
        Parameters(Scan::new(self.parameters))
    }
}

impl<'a> Iterator for Parameters<'a> {
    type Item = Parameter<'a>;

    fn next(&mut self) -> Option<Parameter<'a>> {
        parameter(&mut self.0)
    }
}

impl<'a> Value<'a> {
    /// The bytes as they are written, escapes included.
    #[must_use]
    pub const fn written(self) -> &'a [u8] {
        self.0
    }

    /// The bytes that are meant. A backslash before anything but `"`, `\` and `]` means itself.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        let mut rest = self.0;
        core::iter::from_fn(move || {
            let (&first, after) = rest.split_first()?;
            rest = after;
            let escaped = after.split_first().filter(|(next, _)| first == b'\\' && b"\"\\]".contains(next));
            match escaped {
                Some((&next, after)) => {
                    rest = after;
                    Some(next)
                }
                None => Some(first),
            }
        })
    }
}
