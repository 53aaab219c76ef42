//! Records of `/dev/kmsg`: one per read.

use crate::scan::Scan;
use core::fmt;

/// One record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Facility and severity in one; the facility is not 0 for what programs wrote.
    pub priority: u8,
    /// Its number since boot: a hole means that records were overwritten.
    pub sequence: u64,
    /// Microseconds since boot.
    pub micros: u64,
    /// True for a part of a line that more parts follow (`c`), before Linux 5.10 also for those parts (`+`).
    pub is_fragment: bool,
    /// The text. Bytes that are not printable are written as `\xHH`.
    pub text: &'a [u8],
    /// What the kernel knows besides: `SUBSYSTEM=usb`, `DEVICE=+usb:1-2`.
    pub properties: Properties<'a>,
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The part before the semicolon is none.
    Header,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("kernel log record without its header")
    }
}

impl core::error::Error for Fault {}

/// Keys and values, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Properties<'a>(&'a [u8]);

impl<'a> Record<'a> {
    /// Reads what one read of the device gave.
    ///
    /// # Errors
    /// When it does not begin like a record.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        Self::read(bytes).ok_or(Fault::Header)
    }

    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut scan = Scan::new(bytes);
        // Programs may write any facility; what does not fit in a byte is of no known one.
        let priority = u8::try_from(scan.number(1, 10)?).unwrap_or(191);
        scan.byte(b',')?;
        let sequence = scan.number(1, 20)?;
        scan.byte(b',')?;
        let micros = scan.number(1, 20)?;
        scan.byte(b',')?;
        let flags = scan.some(|byte| byte != b';')?;
        scan.byte(b';')?;
        let is_fragment = matches!(flags.first(), Some(b'c' | b'+'));
        let rest = scan.rest();
        let end = rest.iter().position(|&byte| byte == b'\n').unwrap_or(rest.len());
        let (text, properties) = rest.split_at_checked(end)?;
        let properties = Properties(properties.strip_prefix(b"\n").unwrap_or(properties));
        Some(Self { priority, sequence, micros, is_fragment, text, properties })
    }
}

impl<'a> Properties<'a> {
    /// Those in bytes that [`Self::written`] gave.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The bytes as they are written: a line for each, with a blank in front.
    #[must_use]
    pub const fn written(self) -> &'a [u8] {
        self.0
    }
}

impl<'a> Iterator for Properties<'a> {
    type Item = (&'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let mut scan = Scan::new(self.0);
        scan.byte(b' ')?;
        let key = scan.some(|byte| byte != b'=' && byte != b'\n')?;
        scan.byte(b'=')?;
        let value = scan.some(|byte| byte != b'\n').unwrap_or_default();
        let _ = scan.byte(b'\n');
        self.0 = scan.rest();
        Some((key, value))
    }
}
