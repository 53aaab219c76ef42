//! The ways clients connect, and those that a user may take.

/// A way to connect, as configuration and tokens name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectionKind {
    /// A client over TCP or a unix socket.
    Standard,
    /// A client over WebSocket.
    Websocket,
    /// A leaf node.
    Leafnode,
    /// A leaf node over WebSocket.
    LeafnodeWs,
    /// A client that speaks MQTT.
    Mqtt,
    /// The same over WebSocket.
    MqttWs,
    /// A client inside the server's process.
    InProcess,
}

impl ConnectionKind {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Standard, "STANDARD"),
        (Self::Websocket, "WEBSOCKET"),
        (Self::Leafnode, "LEAFNODE"),
        (Self::LeafnodeWs, "LEAFNODE_WS"),
        (Self::Mqtt, "MQTT"),
        (Self::MqttWs, "MQTT_WS"),
        (Self::InProcess, "IN_PROCESS"),
    ];

    /// The kind called `name`, in whatever case.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).map(|(kind, _)| kind)
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Some ways to connect; none said means all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ConnectionKinds(u8);

impl ConnectionKinds {
    /// The same with `kind`.
    #[must_use]
    pub const fn with(self, kind: ConnectionKind) -> Self {
        Self(self.0 | kind.bit())
    }

    /// True when a user of these may connect as `kind`.
    #[must_use]
    pub const fn allow(self, kind: ConnectionKind) -> bool {
        self.0 == 0 || self.0 & kind.bit() != 0
    }

    /// True when none is said.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_said_means_all() {
        let (standard, web) = (ConnectionKind::Standard, ConnectionKind::named("websocket").unwrap());
        assert!(ConnectionKinds::default().allow(standard) && ConnectionKinds::default().is_empty());
        let only = ConnectionKinds::default().with(web);
        assert!(only.allow(web) && !only.allow(standard) && only.with(standard).allow(standard));
        assert_eq!(ConnectionKind::named("web"), None);
        assert!(ConnectionKind::ALL.iter().all(|(kind, name)| ConnectionKind::named(name) == Some(*kind)));
    }
}
