//! The messages of natsnet.

use super::{Domain, Kind, Message, message, overrun, stamp, with};
use crate::network::{Address, DefaultRoute, Link, Neighbour, Reach, Renamed, Scan, Switch, Thing, Wifi};
use crate::{Event, List};
use schemars::JsonSchema;
use serde_json::{Value, json};

pub(super) fn domain() -> Domain {
    let renamed = with(link(), json!({"previous_name": "wlan0"}));
    let scan = json!({"interface": "wlan0", "aborted": false});
    let offline = json!({"online": false, "inet": false, "inet6": false});
    let mut messages = vec![
        message::<List<'_, Thing<'_>>>(
            "network.list",
            Kind::Request,
            "NetworkList",
            "Answers everything there is, or what has this second token in its subject.",
            json!({"epoch": "5f1d7a84c09be6f2", "seq": 7, "items": [
                with(json!({"subject": "network.link.eth0.add"}), link()),
                with(json!({"subject": "network.addr.eth0.add"}), address()),
                with(json!({"subject": "network.online"}), online()),
            ]}),
        ),
        overrun("network.overrun"),
    ];
    messages.extend([
        event::<Link<'_>>("network.link.<if>.add", "NetworkLink", "An interface appeared.", link()),
        event::<Link<'_>>("network.link.<if>.remove", "NetworkLink", "It is gone.", down()),
        event::<Link<'_>>("network.link.<if>.up", "NetworkLink", "Packets can go through from now on.", link()),
        event::<Link<'_>>("network.link.<if>.down", "NetworkLink", "They can not any more.", down()),
        event::<Link<'_>>(
            "network.link.<if>.change",
            "NetworkLink",
            "Hardware address, MTU or master changed.",
            link(),
        ),
        event::<Renamed<'_>>("network.link.<if>.rename", "NetworkRenamed", "It has another name.", renamed),
        event::<Address<'_>>("network.addr.<if>.add", "NetworkAddress", "An address can be used.", address()),
        event::<Address<'_>>("network.addr.<if>.remove", "NetworkAddress", "It can not any more.", address()),
        event::<DefaultRoute<'_>>("network.route.default.add", "NetworkRoute", "There is a way out.", route()),
        event::<DefaultRoute<'_>>("network.route.default.change", "NetworkRoute", "It goes another way.", route()),
        event::<DefaultRoute<'_>>("network.route.default.remove", "NetworkRoute", "It is gone.", route()),
        event::<Neighbour<'_>>("network.neighbour.<if>.add", "NetworkNeighbour", "A neighbour was found.", near()),
        event::<Neighbour<'_>>("network.neighbour.<if>.change", "NetworkNeighbour", "It has another address.", near()),
        event::<Neighbour<'_>>("network.neighbour.<if>.remove", "NetworkNeighbour", "It is lost.", near()),
        event::<Reach>("network.online", "NetworkReach", "Packets can leave the machine.", online()),
        event::<Reach>("network.offline", "NetworkReach", "They can not any more.", offline),
        event::<Wifi<'_>>("network.wifi.<if>.connected", "NetworkWifi", "It is connected.", wifi()),
        event::<Wifi<'_>>("network.wifi.<if>.disconnected", "NetworkWifi", "It is not any more.", lost()),
        event::<Wifi<'_>>("network.wifi.<if>.roam", "NetworkWifi", "It went to another access point.", wifi()),
        event::<Wifi<'_>>("network.wifi.<if>.signal", "NetworkWifi", "Its signal crossed a threshold.", wifi()),
        message::<Scan<'_>>("network.wifi.<if>.scan", Kind::Event, "NetworkScan", "A search ended.", scan),
        event::<Switch<'_>>("network.rfkill.<switch>.add", "NetworkSwitch", "A radio switch appeared.", radio(false)),
        event::<Switch<'_>>("network.rfkill.<switch>.remove", "NetworkSwitch", "It is gone.", radio(false)),
        event::<Switch<'_>>("network.rfkill.<switch>.blocked", "NetworkSwitch", "The radio is off.", radio(true)),
        event::<Switch<'_>>("network.rfkill.<switch>.unblocked", "NetworkSwitch", "The radio is on.", radio(false)),
    ]);
    Domain {
        name: "network",
        daemon: "natsnet",
        summary: "Interfaces, addresses, and whether there is a way out.",
        messages,
    }
}

fn event<T>(subject: &'static str, type_name: &'static str, summary: &'static str, body: Value) -> Message
where
    for<'a> Event<'a, T>: JsonSchema,
{
    message::<Event<'_, T>>(subject, Kind::Event, type_name, summary, with(stamp(7), body))
}

fn link() -> Value {
    json!({"ifindex": 2, "name": "eth0", "up": true, "mac": "52:54:00:12:34:56", "mtu": 1500})
}

fn down() -> Value {
    with(link(), json!({"up": false}))
}

fn address() -> Value {
    json!({"interface": "eth0", "ifindex": 2, "family": "inet", "address": "192.0.2.17", "prefix_len": 24, "scope": "global"})
}

fn route() -> Value {
    json!({"family": "inet", "gateway": "192.0.2.1", "interface": "eth0", "metric": 0, "protocol": "dhcp"})
}

fn near() -> Value {
    json!({"interface": "eth0", "address": "192.0.2.1", "mac": "52:54:00:ab:cd:ef"})
}

fn online() -> Value {
    json!({"online": true, "inet": true, "inet6": false})
}

fn wifi() -> Value {
    json!({"interface": "wlan0", "connected": true, "ssid": "home", "bssid": "02:00:00:00:01:00", "frequency_mhz": 2412,
        "signal_dbm": -52})
}

fn lost() -> Value {
    json!({"interface": "wlan0", "connected": false, "ssid": "home", "bssid": "02:00:00:00:01:00", "reason": 3})
}

fn radio(blocked: bool) -> Value {
    json!({"switch": "rfkill0", "radio": "wlan", "soft_blocked": blocked, "hard_blocked": false})
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Every example is read by its type; `of` finds one by the type's name.
    pub(in crate::catalogue) fn read(of: &impl Fn(&str) -> String) {
        serde_json::from_str::<List<'_, Thing<'_>>>(&of("NetworkList")).unwrap();
        serde_json::from_str::<Event<'_, Link<'_>>>(&of("NetworkLink")).unwrap();
        serde_json::from_str::<Event<'_, Renamed<'_>>>(&of("NetworkRenamed")).unwrap();
        serde_json::from_str::<Event<'_, Address<'_>>>(&of("NetworkAddress")).unwrap();
        serde_json::from_str::<Event<'_, DefaultRoute<'_>>>(&of("NetworkRoute")).unwrap();
        serde_json::from_str::<Event<'_, Neighbour<'_>>>(&of("NetworkNeighbour")).unwrap();
        serde_json::from_str::<Event<'_, Reach>>(&of("NetworkReach")).unwrap();
        serde_json::from_str::<Event<'_, Wifi<'_>>>(&of("NetworkWifi")).unwrap();
        serde_json::from_str::<Scan<'_>>(&of("NetworkScan")).unwrap();
        serde_json::from_str::<Event<'_, Switch<'_>>>(&of("NetworkSwitch")).unwrap();
    }

    #[test]
    fn a_thing_is_read_back_as_what_it_was() {
        for body in [link(), address(), route(), near(), wifi(), radio(true), online()] {
            let text = body.to_string();
            let thing: Thing<'_> = serde_json::from_str(&text).unwrap();
            assert_eq!(serde_json::to_value(&thing).unwrap(), body);
        }
    }
}
