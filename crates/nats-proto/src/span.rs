//! Places in the caller's buffer, and the splitting of a control line into fields.

/// A part of the input, by position: what a parser may keep between calls where a slice would borrow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    start: usize,
    end: usize,
}

impl Span {
    pub(crate) fn of(self, input: &[u8]) -> &[u8] {
        input.get(self.start..self.end).unwrap_or_default()
    }

    /// All of `line`.
    pub(crate) fn whole(line: &[u8]) -> Self {
        Self { start: 0, end: line.len() }
    }

    /// Cuts the first field off; `None` when there is none.
    pub(crate) fn take_first(&mut self, line: &[u8]) -> Option<Self> {
        let text = self.of(line);
        let start = self.start + text.iter().position(|&byte| !is_blank(byte))?;
        let field = line.get(start..self.end)?;
        let end = start + field.iter().position(|&byte| is_blank(byte)).unwrap_or(field.len());
        self.start = end;
        Some(Self { start, end })
    }

    /// Cuts the last field off; `None` when there is none.
    pub(crate) fn take_last(&mut self, line: &[u8]) -> Option<Self> {
        let text = self.of(line);
        let end = self.start + text.iter().rposition(|&byte| !is_blank(byte))? + 1;
        let field = line.get(self.start..end)?;
        let start = field.iter().rposition(|&byte| is_blank(byte)).map_or(self.start, |blank| self.start + blank + 1);
        self.end = start;
        Some(Self { start, end })
    }

    /// The same without the blanks at both ends.
    pub(crate) fn trimmed(mut self, line: &[u8]) -> Self {
        let text = self.of(line);
        match (text.iter().position(|&byte| !is_blank(byte)), text.iter().rposition(|&byte| !is_blank(byte))) {
            (Some(first), Some(last)) => {
                self.end = self.start + last + 1;
                self.start += first;
                self
            }
            (Some(_) | None, Some(_) | None) => Self::default(),
        }
    }

    /// From the beginning of this to the end of `last`, which may be empty.
    pub(crate) fn up_to(self, last: Self) -> Self {
        Self { start: self.start, end: self.end.max(last.end) }
    }
}

/// The fields of a control line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fields<const N: usize> {
    spans: [Span; N],
    count: usize,
}

impl<const N: usize> Fields<N> {
    /// Splits `line` at blanks; `None` when there are more than `N` fields.
    pub(crate) fn split(line: &[u8]) -> Option<Self> {
        Self::split_at(line, is_blank)
    }

    /// The same where a carriage return is a blank, too, as the reference has it for subscriptions.
    pub(crate) fn split_at_returns(line: &[u8]) -> Option<Self> {
        Self::split_at(line, |byte| is_blank(byte) || byte == b'\r' || byte == b'\n')
    }

    fn split_at(line: &[u8], splits: impl Fn(u8) -> bool) -> Option<Self> {
        let mut fields = Self { spans: [Span::default(); N], count: 0 };
        let mut start = 0;
        for (at, &byte) in line.iter().enumerate() {
            if splits(byte) {
                fields.push(start, at)?;
                start = at + 1;
            }
        }
        fields.push(start, line.len())?;
        Some(fields)
    }

    fn push(&mut self, start: usize, end: usize) -> Option<()> {
        if start < end {
            *self.spans.get_mut(self.count)? = Span { start, end };
            self.count += 1;
        }
        Some(())
    }

    pub(crate) fn as_slice(&self) -> &[Span] {
        self.spans.get(..self.count).unwrap_or_default()
    }
}

/// True for the two separators of fields.
pub(crate) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// The line's end as seen so far.
pub(crate) enum Line {
    /// Complete: the length without its end, and the position after the line feed.
    Ends { len: usize, next: usize },
    /// No line feed yet; everything was searched.
    Open,
    /// Longer than the limit, whatever follows.
    TooLong,
}

/// Looks for the end of the line that starts at `input[0]`, knowing that `scanned` bytes hold none. At most `max` bytes may
/// precede CR LF or LF.
pub(crate) fn find_line(input: &[u8], scanned: usize, max: usize) -> Line {
    let window = input.get(..max.saturating_add(2)).unwrap_or(input);
    if let Some(found) = memchr::memchr(b'\n', window.get(scanned..).unwrap_or_default()) {
        let feed = scanned + found;
        let len = match feed.checked_sub(1).and_then(|last| window.get(last)) {
            Some(b'\r') => feed - 1,
            Some(_) | None => feed,
        };
        return if len > max { Line::TooLong } else { Line::Ends { len, next: feed + 1 } };
    }
    let content = if window.last() == Some(&b'\r') { window.len() - 1 } else { window.len() };
    if content > max { Line::TooLong } else { Line::Open }
}

/// The text of -ERR without trailing blanks and the quotes around it.
pub(crate) fn unquoted(line: &[u8]) -> &[u8] {
    let mut text = line;
    while let [before @ .., last] = text
        && is_blank(*last)
    {
        text = before;
    }
    match text {
        [b'\'', inner @ .., b'\''] => inner,
        bare => bare,
    }
}
