//! Interfaces: `struct ifinfomsg` and `IFLA_*`.

use crate::{Attributes, u16_at, u32_at};

const FIXED_LEN: usize = 16;
const ADDRESS: u16 = 1;
const NAME: u16 = 3;
const MTU: u16 = 4;
const MASTER: u16 = 10;
const INFO: u16 = 18;
const INFO_KIND: u16 = 1;

const UP: u32 = 0x1;
const RUNNING: u32 = 0x40;
const LOWER_UP: u32 = 0x1_0000;

/// An interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link<'a> {
    /// `AF_UNSPEC` (0) in messages about the interface itself; `AF_BRIDGE` (7) in those about its place in a bridge, which say
    /// "gone" when it leaves the bridge.
    pub family: u8,
    /// Hardware type, `ARPHRD_*`: 1 Ethernet, 772 loopback.
    pub hardware: u16,
    /// Its number, never 0.
    pub index: u32,
    /// Flags, `IFF_*`.
    pub flags: u32,
    /// Its name: 1 to 15 bytes, neither `/` nor blank.
    pub name: &'a [u8],
    /// Hardware address; absent or empty for interfaces without one.
    pub address: Option<&'a [u8]>,
    /// Largest packet in bytes.
    pub mtu: Option<u32>,
    /// Number of the bridge, bond or the like that it is a part of; never 0.
    pub master: Option<u32>,
    /// What kind of virtual interface it is: `veth`, `bridge`, `vlan`; absent for hardware.
    pub kind: Option<&'a [u8]>,
}

impl<'a> Link<'a> {
    pub(crate) fn read(payload: &'a [u8]) -> Option<Self> {
        let attributes = Attributes::new(payload.get(FIXED_LEN..)?);
        let mut link = Self {
            family: *payload.first()?,
            hardware: u16_at(payload, 2)?,
            index: u32_at(payload, 4)?,
            flags: u32_at(payload, 8)?,
            name: b"",
            address: None,
            mtu: None,
            master: None,
            kind: None,
        };
        for attribute in attributes {
            match attribute.kind {
                NAME => link.name = attribute.text(),
                ADDRESS => link.address = Some(attribute.value),
                MTU => link.mtu = attribute.number(),
                MASTER => link.master = attribute.number().filter(|&master| master != 0),
                INFO => link.kind = attribute.nested().find(INFO_KIND).map(|kind| kind.text()),
                _ => {}
            }
        }
        Some(link)
    }

    /// True when somebody switched it on (`IFF_UP`); it may still have no carrier.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.flags & UP != 0
    }

    /// True when packets can go through: it is switched on, has a carrier, and nothing above it is still missing (`IFF_UP`,
    /// `IFF_LOWER_UP`, `IFF_RUNNING`).
    #[must_use]
    pub fn is_running(&self) -> bool {
        let needed = UP | RUNNING | LOWER_UP;
        self.flags & needed == needed
    }
}
