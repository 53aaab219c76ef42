//! What the kernel tells, in memory of our own.

use interfaces::network::{Address, DefaultRoute, Family, Link, Neighbour, Switch, Wifi};
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// An interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkFacts {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: String,
    /// Switched on.
    pub enabled: bool,
    /// Packets can go through.
    pub up: bool,
    /// Kind, where it is no hardware.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Hardware address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
    /// Largest packet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// What it is a part of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<u32>,
}

/// An address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressFacts {
    /// The interface's number.
    pub index: u32,
    /// The address.
    pub address: IpAddr,
    /// Bits of the network's part.
    pub prefix_len: u8,
    /// Scope as `RT_SCOPE_*`.
    pub scope: u8,
    /// The other end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
    /// False while duplicates are searched, and when one was found.
    pub usable: bool,
}

/// A default route.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RouteFacts {
    /// Its family.
    pub family: Family,
    /// Metric.
    pub metric: u32,
    /// Type of service.
    pub tos: u8,
    /// The next router.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// The interface's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u32>,
    /// Who made it, as `RTPROT_*`.
    pub protocol: u8,
}

/// A neighbour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeighbourFacts {
    /// The interface's number.
    pub index: u32,
    /// Its address.
    pub address: IpAddr,
    /// Its hardware address, while it is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<String>,
}

/// A Wi-Fi link's connection.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WifiFacts {
    /// Name of the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ssid: Option<String>,
    /// Hardware address of the access point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bssid: Option<String>,
    /// Frequency in MHz.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_mhz: Option<u32>,
    /// Signal in dBm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_dbm: Option<i32>,
}

/// A radio switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SwitchFacts {
    /// Its number.
    pub index: u32,
    /// What it switches, as `RFKILL_TYPE_*`.
    pub radio: u8,
    /// Switched off by software.
    pub soft: bool,
    /// Switched off by hand.
    pub hard: bool,
}

impl LinkFacts {
    /// As it is published.
    #[must_use]
    pub fn link(&self) -> Link<'_> {
        Link {
            ifindex: self.index,
            name: self.name.as_str().into(),
            up: self.up,
            kind: self.kind.as_deref().map(Into::into),
            mac: self.mac.as_deref().map(Into::into),
            mtu: self.mtu,
            master: self.master,
        }
    }
}

/// The family of an address.
fn family(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::Inet } else { Family::Inet6 }
}

impl AddressFacts {
    /// As it is published, on the interface of this name.
    #[must_use]
    pub fn address<'a>(&self, interface: &'a str) -> Address<'a> {
        let scope = match self.scope {
            0 => "global".into(),
            200 => "site".into(),
            253 => "link".into(),
            254 => "host".into(),
            number => number.to_string().into(),
        };
        Address {
            interface: interface.into(),
            ifindex: self.index,
            family: family(self.address),
            address: self.address,
            prefix_len: self.prefix_len,
            scope,
            peer: self.peer,
        }
    }
}

impl RouteFacts {
    /// As it is published, through the interface of this name.
    #[must_use]
    pub fn route<'a>(&self, interface: Option<&'a str>) -> DefaultRoute<'a> {
        let protocol = match self.protocol {
            1 => "redirect".into(),
            2 => "kernel".into(),
            3 => "boot".into(),
            4 => "static".into(),
            9 => "ra".into(),
            16 => "dhcp".into(),
            number => number.to_string().into(),
        };
        let interface = interface.map(Into::into);
        DefaultRoute { family: self.family, gateway: self.gateway, interface, metric: self.metric, protocol }
    }
}

impl NeighbourFacts {
    /// As it is published; `None` while its hardware address is not known.
    #[must_use]
    pub fn neighbour<'a>(&'a self, interface: &'a str) -> Option<Neighbour<'a>> {
        let mac = self.mac.as_deref()?.into();
        Some(Neighbour { interface: interface.into(), address: self.address, mac })
    }
}

impl WifiFacts {
    /// As it is published.
    #[must_use]
    pub fn wifi<'a>(&'a self, interface: &'a str, connected: bool, reason: Option<u16>) -> Wifi<'a> {
        Wifi {
            interface: interface.into(),
            connected,
            ssid: self.ssid.as_deref().map(Into::into),
            bssid: self.bssid.as_deref().map(Into::into),
            frequency_mhz: self.frequency_mhz,
            signal_dbm: self.signal_dbm,
            reason,
        }
    }
}

impl SwitchFacts {
    /// The switch's name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("rfkill{}", self.index)
    }

    /// True when the radio is off.
    #[must_use]
    pub fn is_blocked(&self) -> bool {
        self.soft || self.hard
    }

    /// As it is published.
    #[must_use]
    pub fn switch(&self) -> Switch<'static> {
        let radio = match self.radio {
            1 => "wlan".into(),
            2 => "bluetooth".into(),
            3 => "uwb".into(),
            4 => "wimax".into(),
            5 => "wwan".into(),
            6 => "gps".into(),
            7 => "fm".into(),
            8 => "nfc".into(),
            number => number.to_string().into(),
        };
        Switch { switch: self.name().into(), radio, soft_blocked: self.soft, hard_blocked: self.hard }
    }
}
