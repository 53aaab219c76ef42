//! The network: interfaces, addresses, default routes, neighbours, Wi-Fi, radio switches, and whether the machine is online. Daemon: natsnet.
//!
//! | subject | kind | payload |
//! |---|---|---|
//! | `network.link.<if>.add`, `.remove`, `.up`, `.down`, `.change` | event | [`Link`] |
//! | `network.link.<if>.rename` | event | [`Renamed`] |
//! | `network.addr.<if>.add`, `.remove` | event | [`Address`] |
//! | `network.route.default.add`, `.change`, `.remove` | event | [`DefaultRoute`] |
//! | `network.neighbour.<if>.add`, `.change`, `.remove` | event, where configured | [`Neighbour`] |
//! | `network.online`, `network.offline` | event | [`Reach`] |
//! | `network.wifi.<if>.connected`, `.disconnected`, `.roam`, `.signal` | event | [`Wifi`] |
//! | `network.wifi.<if>.scan` | event without number | [`Scan`] |
//! | `network.rfkill.<switch>.add`, `.remove`, `.blocked`, `.unblocked` | event | [`Switch`] |
//! | `network.list` | request | [`crate::List`] of [`Thing`]; argument: the second token of a subject (`link`), or none for all |
//! | `network.overrun` | event without number | [`crate::Overrun`] |
//!
//! `<if>` is the interface's name as one token: characters outside `[A-Za-z0-9_-]` are percent-encoded (`eth0.5` is `eth0%2E5`). `up`
//! means that packets can go through (the carrier is there), not that somebody switched the interface on. An address is announced when
//! it can be used: after the search for duplicates. One fact is one message: a burst of kernel messages that changes nothing says
//! nothing, and of an interface that appears with a carrier both `add` and `up` are told.
//!
//! In the list everything stands under the `add` of its kind; a link that is up stands there once more under `up`, a Wi-Fi link under
//! `connected` while it is. Either `network.online` or `network.offline` is always there.

use crate::Text;
use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// A network interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Link<'a> {
    /// The kernel's number for it; a name may change, this does not.
    pub ifindex: u32,
    /// Its name.
    #[serde(borrow)]
    pub name: Text<'a>,
    /// True when packets can go through: switched on, carrier there, nothing missing. Source: `IFF_UP`, `IFF_LOWER_UP`, `IFF_RUNNING`.
    pub up: bool,
    /// Kind of a virtual interface: `veth`, `bridge`, `vlan`, `dummy`; `loopback`; absent for hardware. Source: `IFLA_INFO_KIND`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Text<'a>>,
    /// Hardware address as `52:54:00:12:34:56`; absent when it has none. Source: `IFLA_ADDRESS`.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub mac: Option<Text<'a>>,
    /// Largest packet in bytes. Source: `IFLA_MTU`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mtu: Option<u32>,
    /// Number of the bridge, bond or the like that it is a part of; absent when it is none. Source: `IFLA_MASTER`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub master: Option<u32>,
}

/// An interface with a new name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Renamed<'a> {
    /// The interface, with the new name.
    #[serde(flatten, borrow)]
    pub link: Link<'a>,
    /// The name until now.
    #[serde(borrow)]
    pub previous_name: Text<'a>,
}

/// IPv4 or IPv6.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Inet,
    /// IPv6.
    Inet6,
}

/// An address that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Address<'a> {
    /// Name of the interface.
    #[serde(borrow)]
    pub interface: Text<'a>,
    /// Number of the interface.
    pub ifindex: u32,
    /// Its family.
    pub family: Family,
    /// The address as text.
    pub address: IpAddr,
    /// Bits of the network's part.
    pub prefix_len: u8,
    /// How far it reaches: `global`, `site`, `link`, `host`, or the kernel's number.
    #[serde(borrow)]
    pub scope: Text<'a>,
    /// The other end of a point-to-point link; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<IpAddr>,
}

/// A route to everywhere, in the main table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DefaultRoute<'a> {
    /// Its family.
    pub family: Family,
    /// The next router; absent when everything is on the link itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<IpAddr>,
    /// Name of the interface; absent when it has none.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Text<'a>>,
    /// Of two routes the one with the smaller metric is taken.
    pub metric: u32,
    /// Who made it, in iproute2's words: `static`, `dhcp`, `ra`, `kernel`, `boot`, or the kernel's number.
    #[serde(borrow)]
    pub protocol: Text<'a>,
}

/// A neighbour whose hardware address is known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Neighbour<'a> {
    /// Name of the interface it is reached through.
    #[serde(borrow)]
    pub interface: Text<'a>,
    /// Its address.
    pub address: IpAddr,
    /// Its hardware address. Identifies a single item.
    #[serde(borrow)]
    pub mac: Text<'a>,
}

/// Whether packets can leave the machine: there is a default route through an interface that is up, and an address to send them from.
/// Announced when that has held for a while (half a second unless configured otherwise).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Reach {
    /// True when it can reach others at all.
    pub online: bool,
    /// By IPv4.
    pub inet: bool,
    /// By IPv6.
    pub inet6: bool,
}

/// A Wi-Fi link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Wifi<'a> {
    /// Name of the interface.
    #[serde(borrow)]
    pub interface: Text<'a>,
    /// True while it is connected to an access point.
    pub connected: bool,
    /// Name of the network; bytes that are not UTF-8 are replaced. Absent when it is not known.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub ssid: Option<Text<'a>>,
    /// Hardware address of the access point; absent when it is not known.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub bssid: Option<Text<'a>>,
    /// Frequency in MHz; absent when it is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frequency_mhz: Option<u32>,
    /// Signal in dBm as last told; absent when it was not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal_dbm: Option<i32>,
    /// IEEE 802.11 reason of a disconnection; absent elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<u16>,
}

/// A search for Wi-Fi networks ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Scan<'a> {
    /// Name of the interface.
    #[serde(borrow)]
    pub interface: Text<'a>,
    /// True when it was given up before its end.
    pub aborted: bool,
}

/// A radio switch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Switch<'a> {
    /// Its name in subjects: `rfkill0`.
    #[serde(borrow)]
    pub switch: Text<'a>,
    /// What it switches: `wlan`, `bluetooth`, `uwb`, `wimax`, `wwan`, `gps`, `fm`, `nfc`, or the kernel's number.
    #[serde(borrow)]
    pub radio: Text<'a>,
    /// True when software switched it off.
    pub soft_blocked: bool,
    /// True when a switch or button on the machine did.
    pub hard_blocked: bool,
}

/// Anything of this domain's state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Thing<'a> {
    /// Under `network.link`.
    #[serde(borrow)]
    Link(Link<'a>),
    /// Under `network.addr`.
    #[serde(borrow)]
    Address(Address<'a>),
    /// Under `network.route`.
    #[serde(borrow)]
    Route(DefaultRoute<'a>),
    /// Under `network.neighbour`.
    #[serde(borrow)]
    Neighbour(Neighbour<'a>),
    /// Under `network.wifi`.
    #[serde(borrow)]
    Wifi(Wifi<'a>),
    /// Under `network.rfkill`.
    #[serde(borrow)]
    Switch(Switch<'a>),
    /// `network.online` or `network.offline`.
    Reach(Reach),
}
