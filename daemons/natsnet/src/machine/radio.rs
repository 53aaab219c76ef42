//! Wi-Fi links and radio switches.

use super::Effect;
use super::facts::{SwitchFacts, WifiFacts};
use super::state::{State, news, publish, subject};
use daemon::Effects;
use interfaces::network::Scan;
use std::collections::BTreeMap;

impl State {
    /// A Wi-Fi link is connected.
    pub(super) fn wifi_connected(&mut self, index: u32, wifi: WifiFacts, roamed: bool, out: &mut Effects<Effect>) {
        let name = self.name(index);
        let what = match self.wifi.get(&index) {
            Some(before) if before.bssid == wifi.bssid && before.ssid == wifi.ssid => {
                // Told already; only the signal may be newer.
                return drop(self.wifi.insert(index, wifi));
            }
            Some(before) if roamed || before.ssid == wifi.ssid => "roam",
            Some(_) | None => "connected",
        };
        publish(out, subject("wifi", &name, what), &wifi.wifi(&name, true, None));
        self.wifi.insert(index, wifi);
    }

    /// A Wi-Fi link is not connected any more. Said once, however often the kernel says it.
    pub(super) fn wifi_disconnected(&mut self, index: u32, reason: Option<u16>, out: &mut Effects<Effect>) {
        let Some(wifi) = self.wifi.remove(&index) else { return };
        let name = self.name(index);
        publish(out, subject("wifi", &name, "disconnected"), &wifi.wifi(&name, false, reason));
    }

    /// The signal of a connected link crossed a threshold.
    pub(super) fn wifi_signal(&mut self, index: u32, dbm: i32, out: &mut Effects<Effect>) {
        let name = self.name(index);
        let Some(wifi) = self.wifi.get_mut(&index) else { return };
        wifi.signal_dbm = Some(dbm);
        publish(out, subject("wifi", &name, "signal"), &wifi.wifi(&name, true, None));
    }

    /// A search ended. It changes no state.
    pub(super) fn wifi_scanned(&self, index: u32, aborted: bool, out: &mut Effects<Effect>) {
        let name = self.name(index);
        let scan = Scan { interface: name.as_str().into(), aborted };
        out.push(Effect::Announce(news(subject("wifi", &name, "scan"), &scan)));
    }

    /// These are all connected Wi-Fi links.
    pub(super) fn wifi_like(&mut self, all: BTreeMap<u32, WifiFacts>, out: &mut Effects<Effect>) {
        let gone: Vec<u32> = self.wifi.keys().copied().filter(|index| !all.contains_key(index)).collect();
        for index in gone {
            self.wifi_disconnected(index, None, out);
        }
        for (index, wifi) in all {
            self.wifi_connected(index, wifi, false, out);
        }
    }

    /// A radio switch is there, or in another position.
    pub(super) fn switch(&mut self, switch: SwitchFacts, out: &mut Effects<Effect>) {
        let position = if switch.is_blocked() { "blocked" } else { "unblocked" };
        let what = match self.switches.get(&switch.index) {
            Some(before) if *before == switch => return,
            Some(_) => position,
            None => "add",
        };
        publish(out, subject("rfkill", &switch.name(), what), &switch.switch());
        self.switches.insert(switch.index, switch);
    }

    /// A radio switch is gone.
    pub(super) fn switch_gone(&mut self, index: u32, out: &mut Effects<Effect>) {
        if let Some(switch) = self.switches.remove(&index) {
            publish(out, subject("rfkill", &switch.name(), "remove"), &switch.switch());
        }
    }
}
