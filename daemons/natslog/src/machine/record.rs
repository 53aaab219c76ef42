//! One line of the log as it is kept: its fields, and their place in a piece of bytes.

use proto_syslog::{Moment, Time};

/// Bytes before the fields of a piece.
const HEAD: usize = 46;
/// Fields of text.
const FIELDS: usize = 7;

/// Why a line is not what it should be. Numbers, since they are kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub enum Raw {
    /// It is.
    #[default]
    No = 0,
    /// It does not begin with a priority.
    NoPriority = 1,
    /// Its priority is no number from 0 to 191.
    BadPriority = 2,
    /// It says that it is RFC 5424, and is not.
    BadHeader = 3,
    /// Its structured data is not well-formed.
    BadStructuredData = 4,
    /// A record of the kernel without its header.
    NoRecord = 5,
    /// The JSON of an entry cannot be read.
    BadEntry = 6,
    /// It was longer than allowed; the rest is gone.
    Cut = 7,
    /// It was longer than allowed and goes on in the next line.
    GoesOn = 8,
}

impl Raw {
    const ALL: [Self; 9] = [
        Self::No,
        Self::NoPriority,
        Self::BadPriority,
        Self::BadHeader,
        Self::BadStructuredData,
        Self::NoRecord,
        Self::BadEntry,
        Self::Cut,
        Self::GoesOn,
    ];

    /// In a few words; empty when all is well.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::No => "",
            Self::NoPriority => proto_syslog::Reason::NoPriority.text(),
            Self::BadPriority => proto_syslog::Reason::BadPriority.text(),
            Self::BadHeader => proto_syslog::Reason::BadHeader.text(),
            Self::BadStructuredData => proto_syslog::Reason::BadStructuredData.text(),
            Self::NoRecord => "no record of the kernel",
            Self::BadEntry => "no entry in JSON",
            Self::Cut => "too long: the rest is gone",
            Self::GoesOn => "too long: it goes on in the next line",
        }
    }

    fn from_number(number: u8) -> Self {
        Self::ALL.into_iter().find(|raw| *raw as u8 == number).unwrap_or_default()
    }
}

/// One line. What it does not have is `None` or empty.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Record<'a> {
    /// When it arrived, in microseconds since 1970.
    pub wall_us: u64,
    /// When it arrived (of the kernel's lines, when it was written), in microseconds since boot.
    pub monotonic_us: u64,
    /// Facility and severity in one.
    pub priority: u8,
    /// Why it is not what it should be.
    pub raw: Raw,
    /// Who sent it.
    pub uid: Option<u32>,
    /// The process that sent it.
    pub pid: Option<u32>,
    /// When it was written, as it says.
    pub written: Option<Time>,
    /// `structured` is what the kernel has written, not RFC 5424.
    pub is_kernel: bool,
    /// Where it comes from: a token of subjects.
    pub source: &'a str,
    /// The machine, as it calls itself.
    pub host: &'a [u8],
    /// The program, as it calls itself.
    pub program: &'a [u8],
    /// What stands in the place of the process id.
    pub process: &'a [u8],
    /// Kind of message.
    pub message_id: &'a [u8],
    /// Structured data as it is written.
    pub structured: &'a [u8],
    /// The text.
    pub text: &'a [u8],
}

/// Which of the optional numbers are there.
const HAS_UID: u8 = 1;
const HAS_PID: u8 = 2;
const IS_KERNEL: u8 = 4;
const WRITTEN_FULL: u8 = 8;
const WRITTEN_LOCAL: u8 = 16;

impl<'a> Record<'a> {
    /// Facility, 0 to 31.
    #[must_use]
    pub const fn facility(&self) -> u8 {
        self.priority >> 3
    }

    /// Severity, 0 (worst) to 7.
    #[must_use]
    pub const fn severity(&self) -> u8 {
        self.priority & 7
    }

    const fn fields(&self) -> [&'a [u8]; FIELDS] {
        [self.source.as_bytes(), self.host, self.program, self.process, self.message_id, self.structured, self.text]
    }

    /// Hands the parts of the piece that keeps it to `keep`. Fields are cut at 65 535 bytes.
    pub fn encode<T>(&self, keep: impl FnOnce(&[&[u8]]) -> T) -> T {
        let fields = self.fields().map(|field| field.get(..usize::from(u16::MAX)).unwrap_or(field));
        let mut head = [0; HEAD];
        let mut flags = 0;
        let mut set = |present: bool, flag: u8| flags |= if present { flag } else { 0 };
        set(self.uid.is_some(), HAS_UID);
        set(self.pid.is_some(), HAS_PID);
        set(self.is_kernel, IS_KERNEL);
        set(matches!(self.written, Some(Time::Full(_))), WRITTEN_FULL);
        set(matches!(self.written, Some(Time::Local { .. })), WRITTEN_LOCAL);
        let mut writer = Writer(&mut head);
        writer.put(self.wall_us.to_le_bytes());
        writer.put(self.monotonic_us.to_le_bytes());
        writer.put(packed(self.written).to_le_bytes());
        writer.put(self.uid.unwrap_or_default().to_le_bytes());
        writer.put(self.pid.unwrap_or_default().to_le_bytes());
        for field in fields.iter().skip(1).take(FIELDS - 2) {
            writer.put(u16::try_from(field.len()).unwrap_or(u16::MAX).to_le_bytes());
        }
        writer.put([u8::try_from(self.source.len()).unwrap_or(u8::MAX), self.priority, self.raw as u8, flags]);
        let [source, host, program, process, message_id, structured, text] = fields;
        let source = source.get(..usize::from(u8::MAX)).unwrap_or(source);
        keep(&[&head, source, host, program, process, message_id, structured, text])
    }

    /// Reads a piece; `None` when it is none that [`Self::encode`] gave.
    #[must_use]
    pub fn decode(piece: &'a [u8]) -> Option<Self> {
        let mut reader = Reader(piece);
        let (wall_us, monotonic_us) = (u64::from_le_bytes(reader.take()?), u64::from_le_bytes(reader.take()?));
        let written = u64::from_le_bytes(reader.take()?);
        let (uid, pid) = (u32::from_le_bytes(reader.take()?), u32::from_le_bytes(reader.take()?));
        let mut lengths = [0; FIELDS - 2];
        for length in &mut lengths {
            *length = usize::from(u16::from_le_bytes(reader.take()?));
        }
        let [source, priority, raw, flags] = reader.take()?;
        let [host, program, process, message_id, structured] = lengths;
        reader.0 = piece.get(HEAD..)?;
        Some(Self {
            wall_us,
            monotonic_us,
            priority,
            raw: Raw::from_number(raw),
            uid: (flags & HAS_UID != 0).then_some(uid),
            pid: (flags & HAS_PID != 0).then_some(pid),
            written: unpacked(written, flags),
            is_kernel: flags & IS_KERNEL != 0,
            source: std::str::from_utf8(reader.bytes(usize::from(source))?).ok()?,
            host: reader.bytes(host)?,
            program: reader.bytes(program)?,
            process: reader.bytes(process)?,
            message_id: reader.bytes(message_id)?,
            structured: reader.bytes(structured)?,
            text: reader.0,
        })
    }
}

fn packed(written: Option<Time>) -> u64 {
    match written {
        None => 0,
        Some(Time::Full(moment)) => {
            let micros = moment.seconds.saturating_mul(1_000_000).saturating_add(i64::from(moment.micros));
            u64::from_le_bytes(micros.to_le_bytes())
        }
        Some(Time::Local { month, day, hour, minute, second }) => {
            u64::from_le_bytes([month, day, hour, minute, second, 0, 0, 0])
        }
    }
}

fn unpacked(written: u64, flags: u8) -> Option<Time> {
    if flags & WRITTEN_FULL != 0 {
        let micros = i64::from_le_bytes(written.to_le_bytes());
        let of_second = u32::try_from(micros.rem_euclid(1_000_000)).ok()?;
        return Some(Time::Full(Moment { seconds: micros.div_euclid(1_000_000), micros: of_second }));
    }
    let [month, day, hour, minute, second, ..] = written.to_le_bytes();
    (flags & WRITTEN_LOCAL != 0).then_some(Time::Local { month, day, hour, minute, second })
}

struct Writer<'b>(&'b mut [u8]);

impl Writer<'_> {
    fn put<const N: usize>(&mut self, bytes: [u8; N]) {
        let rest = std::mem::take(&mut self.0);
        if let Some((here, after)) = rest.split_first_chunk_mut::<N>() {
            *here = bytes;
            self.0 = after;
        }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (here, after) = self.0.split_first_chunk::<N>()?;
        self.0 = after;
        Some(*here)
    }

    fn bytes(&mut self, len: usize) -> Option<&'a [u8]> {
        let (here, after) = self.0.split_at_checked(len)?;
        self.0 = after;
        Some(here)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(record: &Record<'_>) -> Vec<u8> {
        record.encode(|parts| parts.concat())
    }

    #[test]
    fn every_field_comes_back() {
        let full = Record {
            wall_us: 1_769_903_999_123_456,
            monotonic_us: 77,
            priority: 191,
            raw: Raw::GoesOn,
            uid: Some(u32::MAX),
            pid: Some(1),
            written: Some(Time::Full(Moment { seconds: -1, micros: 999_999 })),
            is_kernel: true,
            source: "remote-fe80%3A%3A1",
            host: b"host",
            program: b"su",
            process: b"main",
            message_id: b"ID47",
            structured: b"[a b=\"c\"]",
            text: b"text\xff",
        };
        let local = Time::Local { month: 10, day: 11, hour: 22, minute: 14, second: 60 };
        let plain = Record { source: "kernel", written: Some(local), ..Record::default() };
        for record in [full, plain, Record { uid: Some(0), ..plain }, Record { written: None, pid: Some(0), ..plain }] {
            assert_eq!(Record::decode(&kept(&record)), Some(record));
        }
        for raw in Raw::ALL {
            assert_eq!(Raw::from_number(raw as u8), raw);
            assert_eq!(raw.text().is_empty(), raw == Raw::No);
        }
    }

    #[test]
    fn a_piece_cut_short_is_none() {
        let piece = kept(&Record { source: "kernel", host: b"host", ..Record::default() });
        assert!((0..piece.len()).all(|len| Record::decode(&piece[..len]).is_none()));
    }
}
