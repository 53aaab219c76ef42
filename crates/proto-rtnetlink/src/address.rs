//! Addresses of interfaces: `struct ifaddrmsg` and `IFA_*`.

use crate::{Attributes, ip, u32_at};
use core::net::IpAddr;

const FIXED_LEN: usize = 8;
const ADDRESS: u16 = 1;
const LOCAL: u16 = 2;
const FLAGS: u16 = 8;

const DAD_FAILED: u32 = 0x08;
const TENTATIVE: u32 = 0x40;
const OPTIMISTIC: u32 = 0x04;

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Address {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Bits of the network's part.
    pub prefix_len: u8,
    /// How far it reaches, `RT_SCOPE_*`: 0 everywhere, 253 this link, 254 this machine.
    pub scope: u8,
    /// Flags, `IFA_F_*`.
    pub flags: u32,
    /// The interface's number.
    pub index: u32,
    /// The address itself.
    pub local: IpAddr,
    /// The other end of a point-to-point link; absent elsewhere.
    pub peer: Option<IpAddr>,
}

impl Address {
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let attributes = Attributes::new(payload.get(FIXED_LEN..)?);
        let family = *payload.first()?;
        let (mut address, mut local, mut flags) = (None, None, u32::from(*payload.get(2)?));
        for attribute in attributes {
            match attribute.kind {
                ADDRESS => address = ip(family, attribute.value),
                LOCAL => local = ip(family, attribute.value),
                FLAGS => flags = attribute.number().unwrap_or(flags),
                _ => {}
            }
        }
        let own = local.or(address)?;
        Some(Self {
            family,
            prefix_len: *payload.get(1)?,
            scope: *payload.get(3)?,
            flags,
            index: u32_at(payload, 4)?,
            local: own,
            peer: address.filter(|&address| address != own),
        })
    }

    /// True when it can be used: nobody else on the link was found to have it, and the search is over.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let searching = self.flags & TENTATIVE != 0 && self.flags & OPTIMISTIC == 0;
        !searching && self.flags & DAD_FAILED == 0
    }
}
