//! Wi-Fi: what nl80211 tells, as the machine's facts. Events only say that something happened; to what a link is connected is read then.

use super::route::mac;
use crate::machine::{Input, WifiFacts};
use netlink::{Asker, Listen, Listener};
use proto_genetlink::{self as generic, Family};
use proto_nl80211::{Interface, Report, Station, request};
use rustix::net::netlink as protocol;
use std::io;

/// A kernel with Wi-Fi.
#[derive(Debug)]
pub(super) struct Wifi {
    asker: Asker,
    family: u16,
    pub(super) listener: Listener,
}

impl Wifi {
    /// Listens; `Ok(None)` when the kernel has no Wi-Fi (or its module is not loaded).
    pub(super) fn open() -> io::Result<Option<Self>> {
        let mut asker = Asker::open(Some(protocol::GENERIC))?;
        let asked = asker.ask(
            |sequence| generic::family(b"nl80211", sequence).bytes().to_vec(),
            |message| {
                let family = Family::read(message.payload)?;
                let groups = [&b"mlme"[..], b"scan"].map(|name| family.group(name));
                Some((family.id, groups))
            },
        );
        let (family, groups) = match asked {
            Ok(found) => match found.into_iter().next() {
                Some(found) => found,
                None => return Ok(None),
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let groups: Vec<u32> = groups.into_iter().flatten().collect();
        let listener = Listen { protocol: Some(protocol::GENERIC), groups: &groups, ..Listen::default() }.open()?;
        Ok(Some(Self { asker, family, listener }))
    }

    /// The numbers of all connected links, and to what they are.
    pub(super) fn connections(&mut self) -> io::Result<Vec<(u32, WifiFacts)>> {
        let family = self.family;
        let interfaces = self.asker.ask(
            |sequence| request::interfaces(family, sequence).bytes().to_vec(),
            |message| {
                let interface = Interface::read(message.payload).filter(|interface| interface.is_station)?;
                let ssid = interface.ssid.map(|ssid| String::from_utf8_lossy(ssid).into_owned());
                Some((interface.index, ssid, interface.frequency_mhz))
            },
        )?;
        let mut all = Vec::new();
        for (index, ssid, frequency_mhz) in interfaces {
            if let Some((bssid, signal_dbm)) = self.other_end(index)? {
                all.push((index, WifiFacts { ssid, bssid: Some(bssid), frequency_mhz, signal_dbm }));
            }
        }
        Ok(all)
    }

    /// The access point of a link, and its signal.
    fn other_end(&mut self, index: u32) -> io::Result<Option<(String, Option<i32>)>> {
        let family = self.family;
        let stations = self.asker.ask(
            |sequence| request::stations(family, sequence, index).bytes().to_vec(),
            |message| Station::read(message.payload).map(|station| (mac(station.mac), station.signal_dbm)),
        );
        match stations {
            Ok(stations) => Ok(stations.into_iter().next()),
            // The interface went away meanwhile, or its driver keeps no list.
            Err(error) if matches!(error.raw_os_error(), Some(NO_DEVICE | NOT_SUPPORTED | IS_DOWN)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What a report means to the machine; `None` when it is of no interest, or the link is gone again.
    pub(super) fn input(&mut self, index: u32, report: Report) -> io::Result<Option<Input>> {
        let roamed = report == Report::Roamed;
        Ok(match report {
            Report::Connected { status: 0 } | Report::Roamed => {
                let connected = self.connections()?.into_iter().find(|(known, _)| *known == index);
                connected.map(|(index, wifi)| Input::WifiConnected { index, wifi, roamed })
            }
            Report::Connected { .. } | Report::Signal { dbm: None } => None,
            Report::Disconnected { reason } => Some(Input::WifiDisconnected { index, reason }),
            Report::Scanned { aborted } => Some(Input::WifiScanned { index, aborted }),
            Report::Signal { dbm: Some(dbm) } => Some(Input::WifiSignal { index, dbm }),
        })
    }
}

const NO_DEVICE: i32 = 19;
const NOT_SUPPORTED: i32 = 95;
const IS_DOWN: i32 = 100;
