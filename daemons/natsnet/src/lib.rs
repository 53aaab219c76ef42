//! natsnet puts the network on the bus: links, addresses, default routes, Wi-Fi, and whether the machine is online.
//!
//! | input | effect |
//! |---|---|
//! | an interface appears, vanishes, gets or loses its carrier, is renamed or changed | `network.link.<if>.<what>` |
//! | an address can be used, or not any more | `network.addr.<if>.add`, `.remove` |
//! | a default route comes, goes, or takes another's place | `network.route.default.<what>` |
//! | there is a way out, or none, for half a second | `network.online`, `network.offline` |
//! | a Wi-Fi link connects, disconnects, roams, has searched, crosses a signal threshold | `network.wifi.<if>.<what>` |
//! | a radio is switched | `network.rfkill.<switch>.<what>` |
//! | request `network.list` | everything there is, with epoch and number |
//! | the kernel dropped events | everything is read anew, the differences are published, `network.overrun` says so |
//!
//! The kernel says each fact several times (seven messages for a pair of interfaces that is switched on); natsnet keeps what it knows by
//! the interface's number and publishes differences. It never polls, configures nothing and needs no privilege.
//!
//! What was there at its start is in `network.list` and is never announced.
//!
//! Sources: `man 7 rtnetlink`, `include/uapi/linux/nl80211.h`, `Documentation/driver-api/rfkill.rst`.
#![forbid(unsafe_code)]

mod adapter;
pub mod config;
pub mod machine;

pub use adapter::Natsnet;
