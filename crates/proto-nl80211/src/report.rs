//! What nl80211 multicasts and answers.

use proto_genetlink::HEADER_LEN;
use proto_rtnetlink::{Attribute, Attributes};

const NEW_INTERFACE: u8 = 7;
const NEW_STATION: u8 = 19;
const SCAN_RESULTS: u8 = 34;
const SCAN_ABORTED: u8 = 35;
const CONNECT: u8 = 46;
const ROAM: u8 = 47;
const DISCONNECT: u8 = 48;
const QUALITY: u8 = 64;

const INDEX: u16 = 3;
const KIND: u16 = 5;
const MAC: u16 = 6;
const STATION: u16 = 21;
const STATION_SIGNAL: u16 = 7;
const FREQUENCY: u16 = 38;
const SSID: u16 = 52;
const REASON: u16 = 54;
const STATUS: u16 = 72;
const CQM: u16 = 94;
const CQM_LEVEL: u16 = 9;

/// Interface that connects to access points (`NL80211_IFTYPE_STATION`).
const KIND_STATION: u32 = 2;

/// What happened to an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Report {
    /// It tried to connect.
    Connected {
        /// IEEE 802.11 status; 0: it is connected.
        status: u16,
    },
    /// It went over to another access point of the same network.
    Roamed,
    /// It is not connected any more.
    Disconnected {
        /// IEEE 802.11 reason; absent when nobody gave one.
        reason: Option<u16>,
    },
    /// A search ended.
    Scanned {
        /// Before its end.
        aborted: bool,
    },
    /// The signal crossed a threshold that somebody set.
    Signal {
        /// In dBm; absent when the driver does not tell.
        dbm: Option<i32>,
    },
}

/// An interface, as `NL80211_CMD_GET_INTERFACE` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interface<'a> {
    /// Its number.
    pub index: u32,
    /// True when it is one that connects to access points.
    pub is_station: bool,
    /// The network it is connected to.
    pub ssid: Option<&'a [u8]>,
    /// Its frequency in MHz.
    pub frequency_mhz: Option<u32>,
}

/// The other end of a link, as `NL80211_CMD_GET_STATION` answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Station<'a> {
    /// Number of our interface.
    pub index: u32,
    /// Hardware address of the other end.
    pub mac: &'a [u8],
    /// Its signal in dBm.
    pub signal_dbm: Option<i32>,
}

fn attributes(payload: &[u8]) -> Option<Attributes<'_>> {
    payload.get(HEADER_LEN..).map(Attributes::new)
}

fn number(attributes: Attributes<'_>, kind: u16) -> Option<u32> {
    attributes.find(kind).and_then(Attribute::number)
}

fn short(attributes: Attributes<'_>, kind: u16) -> Option<u16> {
    attributes.find(kind).and_then(|attribute| attribute.value.try_into().ok()).map(u16::from_ne_bytes)
}

impl Report {
    /// Reads a multicast message: the interface's number and what happened; `None` for everything else.
    #[must_use]
    pub fn read(payload: &[u8]) -> Option<(u32, Self)> {
        let attributes = attributes(payload)?;
        let report = match *payload.first()? {
            CONNECT => Self::Connected { status: short(attributes, STATUS).unwrap_or_default() },
            ROAM => Self::Roamed,
            DISCONNECT => Self::Disconnected { reason: short(attributes, REASON) },
            SCAN_RESULTS => Self::Scanned { aborted: false },
            SCAN_ABORTED => Self::Scanned { aborted: true },
            QUALITY => {
                let level = attributes.find(CQM)?.nested().find(CQM_LEVEL);
                Self::Signal { dbm: level.and_then(Attribute::number).map(u32::cast_signed) }
            }
            _ => return None,
        };
        Some((number(attributes, INDEX)?, report))
    }
}

impl<'a> Interface<'a> {
    /// Reads an answer; `None` for a message that is none.
    #[must_use]
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let attributes = attributes(payload).filter(|_| payload.first() == Some(&NEW_INTERFACE))?;
        Some(Self {
            index: number(attributes, INDEX)?,
            is_station: number(attributes, KIND) == Some(KIND_STATION),
            ssid: attributes.find(SSID).map(|ssid| ssid.value),
            frequency_mhz: number(attributes, FREQUENCY),
        })
    }
}

impl<'a> Station<'a> {
    /// Reads an answer; `None` for a message that is none.
    #[must_use]
    pub fn read(payload: &'a [u8]) -> Option<Self> {
        let attributes = attributes(payload).filter(|_| payload.first() == Some(&NEW_STATION))?;
        let signal = attributes.find(STATION).and_then(|station| station.nested().find(STATION_SIGNAL));
        Some(Self {
            index: number(attributes, INDEX)?,
            mac: attributes.find(MAC)?.value,
            // A signed byte: dBm.
            signal_dbm: signal.and_then(|signal| signal.value.first()).map(|&dbm| i32::from(dbm.cast_signed())),
        })
    }
}
