//! Neighbours, which are entries of the ARP and ND tables: `struct ndmsg` and `NDA_*`.

use crate::{Attributes, ip, u16_at, u32_at};
use core::net::IpAddr;

const FIXED_LEN: usize = 12;
const DESTINATION: u16 = 1;
const LINK_ADDRESS: u16 = 2;

const REACHABLE: u16 = 0x02;
const STALE: u16 = 0x04;
const DELAY: u16 = 0x08;
const PROBE: u16 = 0x10;
const PERMANENT: u16 = 0x80;

/// A neighbour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Neighbour<'a> {
    /// `AF_INET`, `AF_INET6` or, for a bridge's table, `AF_BRIDGE`.
    pub family: u8,
    /// Number of the interface it is reached through.
    pub index: u32,
    /// State, `NUD_*`.
    pub state: u16,
    /// Its address; absent in a bridge's table.
    pub address: Option<IpAddr>,
    /// Its hardware address; absent while it is searched.
    pub link_address: Option<&'a [u8]>,
}

impl<'a> Neighbour<'a> {
    pub(crate) fn read(payload: &'a [u8]) -> Option<Self> {
        let attributes = Attributes::new(payload.get(FIXED_LEN..)?);
        let family = *payload.first()?;
        let address = attributes.find(DESTINATION).and_then(|address| ip(family, address.value));
        let link_address = attributes.find(LINK_ADDRESS).map(|address| address.value);
        Some(Self { family, index: u32_at(payload, 4)?, state: u16_at(payload, 8)?, address, link_address })
    }

    /// True when its hardware address is known and not known to be wrong.
    #[must_use]
    pub fn is_known(&self) -> bool {
        self.state & (REACHABLE | STALE | DELAY | PROBE | PERMANENT) != 0
    }
}
