//! Routes: `struct rtmsg` and `RTA_*`.

use crate::{Attributes, INET, INET6, ip, u16_at, u32_at};
use core::net::IpAddr;

const FIXED_LEN: usize = 12;
const INTERFACE: u16 = 4;
const GATEWAY: u16 = 5;
const PRIORITY: u16 = 6;
const MULTIPATH: u16 = 9;
const TABLE: u16 = 15;
const VIA: u16 = 18;

const UNICAST: u8 = 1;
const NEXT_HOP_LEN: usize = 8;

/// A route. Of one with several next hops the first is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Route {
    /// `AF_INET` or `AF_INET6`.
    pub family: u8,
    /// Bits of the destination that matter; 0: everything.
    pub destination_len: u8,
    /// Type of service it is for; 0: any.
    pub tos: u8,
    /// Table, `RT_TABLE_*`: 254 main, 255 local.
    pub table: u32,
    /// Who made it, `RTPROT_*`: 2 kernel, 3 boot, 4 static, 9 router advertisement, 16 DHCP.
    pub protocol: u8,
    /// What it does, `RTN_*`: 1 forwards.
    pub kind: u8,
    /// Number of the interface.
    pub interface: Option<u32>,
    /// The next router; absent when the destination is on the link itself.
    pub gateway: Option<IpAddr>,
    /// Metric: of two the smaller one is taken.
    pub priority: u32,
}

impl Route {
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let attributes = Attributes::new(payload.get(FIXED_LEN..)?);
        let mut route = Self {
            family: *payload.first()?,
            destination_len: *payload.get(1)?,
            tos: *payload.get(3)?,
            table: u32::from(*payload.get(4)?),
            protocol: *payload.get(5)?,
            kind: *payload.get(7)?,
            interface: None,
            gateway: None,
            priority: 0,
        };
        for attribute in attributes {
            match attribute.kind {
                TABLE => route.table = attribute.number().unwrap_or(route.table),
                PRIORITY => route.priority = attribute.number().unwrap_or_default(),
                MULTIPATH => route.first_hop(attribute.value),
                _ => route.hop(attribute.kind, attribute.value),
            }
        }
        Some(route)
    }

    fn first_hop(&mut self, hops: &[u8]) {
        let len = u16_at(hops, 0).map_or(0, usize::from);
        self.interface = u32_at(hops, 4);
        for attribute in Attributes::new(hops.get(NEXT_HOP_LEN..len).unwrap_or_default()) {
            self.hop(attribute.kind, attribute.value);
        }
    }

    fn hop(&mut self, kind: u16, value: &[u8]) {
        match kind {
            INTERFACE => self.interface = u32_at(value, 0),
            GATEWAY => self.gateway = ip(self.family, value),
            // A gateway of the other family: its family, and its address.
            VIA => {
                let family = u16_at(value, 0).map_or(0, |family| if family == u16::from(INET) { INET } else { INET6 });
                self.gateway = ip(family, value.get(2..).unwrap_or_default());
            }
            _ => {}
        }
    }

    /// True for a route to everywhere that forwards packets and is in the main table.
    #[must_use]
    pub fn is_default(&self) -> bool {
        const MAIN: u32 = 254;
        self.destination_len == 0 && self.kind == UNICAST && self.table == MAIN && matches!(self.family, INET | INET6)
    }
}
