//! One datagram of the uevent socket.

use crate::action::Action;
use crate::properties::Properties;
use crate::scan::{Fault, Scanner, Shape};
use crate::udev;
use core::fmt;

/// A datagram, by who wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// The kernel, multicast group 1.
    Kernel(Uevent<'a>),
    /// udevd, multicast group 2: the same with udevd's properties added and `DEVNAME` absolute.
    Udev(Uevent<'a>),
}

/// What happened, to which device, with its properties.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Uevent<'a> {
    /// What happened.
    pub action: Action,
    /// Path below /sys, beginning with a slash.
    pub devpath: &'a [u8],
    /// Everything else, `ACTION` and `DEVPATH` included.
    pub properties: Properties<'a>,
}

/// Why a datagram was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// It breaks the grammar.
    Grammar(Fault),
    /// The action is none of the kernel's.
    Action,
    /// udevd's header is shorter than it says or of another version.
    Header(&'static str),
    /// A rebroadcast without ACTION or DEVPATH.
    Missing(&'static str),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Grammar(fault) => fault.fmt(f),
            Self::Action => f.write_str("unknown action"),
            Self::Header(what) => write!(f, "libudev header: {what}"),
            Self::Missing(key) => write!(f, "no {key}"),
        }
    }
}

impl core::error::Error for Error {}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Grammar(fault)
    }
}

impl<'a> Message<'a> {
    /// Reads one whole datagram.
    ///
    /// # Errors
    /// [`Error`] says what is wrong; nothing of the datagram may be used then.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, Error> {
        if bytes.starts_with(udev::PREFIX) {
            return rebroadcast(bytes).map(Self::Udev);
        }
        datagram(bytes).map(Self::Kernel)
    }

    /// The event, whoever wrote it.
    #[must_use]
    pub const fn event(&self) -> &Uevent<'a> {
        match self {
            Self::Kernel(event) | Self::Udev(event) => event,
        }
    }
}

fn datagram(bytes: &[u8]) -> Result<Uevent<'_>, Error> {
    let mut scanner = Scanner::new(Shape::Datagram);
    scanner.feed(bytes)?;
    scanner.finish()?;
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    let (head, rest) = bytes.split_at(end);
    let at = head.iter().position(|&byte| byte == b'@').unwrap_or(head.len());
    let (action, devpath) = head.split_at(at);
    Ok(Uevent {
        action: Action::from_bytes(action).ok_or(Error::Action)?,
        devpath: devpath.get(1..).unwrap_or_default(),
        properties: Properties::from_checked(rest.get(1..).unwrap_or_default()),
    })
}

fn rebroadcast(bytes: &[u8]) -> Result<Uevent<'_>, Error> {
    let properties = Properties::parse(udev::properties_of(bytes).map_err(Error::Header)?)?;
    let action = properties.get("ACTION").ok_or(Error::Missing("ACTION"))?;
    let devpath = properties.get("DEVPATH").filter(|path| path.starts_with(b"/"));
    Ok(Uevent {
        action: Action::from_bytes(action).ok_or(Error::Action)?,
        devpath: devpath.ok_or(Error::Missing("DEVPATH"))?,
        properties,
    })
}
