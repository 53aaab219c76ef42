//! Who asks. A request for a service of another account carries the header `Nats-Request-Info`, one line of JSON. The bus writes it and takes
//! away what clients write there, so a responder can trust it; within one account, and on nats-server without accounts, there is none.
//!
//! The keys are nats-server's, but for [`Asker::uid`], [`Asker::gid`] and [`Asker::pid`], which lunix-bus adds for the users of its own
//! machine. Everything but [`Asker::account`], [`Asker::service`] and [`Asker::round_trip_ns`] is there only where the import says
//! `share: true`.

use crate::Text;
use serde::{Deserialize, Serialize};

/// Name of the header.
pub const HEADER: &str = "Nats-Request-Info";

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Asker<'a> {
    /// When the client connected: RFC 3339.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Text<'a>>,
    /// Address of the client; absent over a unix socket.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub host: Option<Text<'a>>,
    /// User number of the client, as the kernel says. Absent for clients from elsewhere, and over TCP where the kernel is not sure or the
    /// user is one of the system's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// First group of the client's process, as the kernel says; over unix sockets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gid: Option<u32>,
    /// Number of the client's process, where it still ran when it had connected; over unix sockets only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Number of the client on the bus.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<u64>,
    /// Name of the client's account.
    #[serde(rename = "acc", borrow)]
    pub account: Text<'a>,
    /// Name of the last account that passed the request on; absent when the client's own did.
    #[serde(rename = "svc", borrow, default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Text<'a>>,
    /// Name of the user.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub user: Option<Text<'a>>,
    /// Name that the client gave itself.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Text<'a>>,
    /// Round trip to the client, in nanoseconds; absent until it was measured.
    #[serde(rename = "rtt", default, skip_serializing_if = "Option::is_none")]
    pub round_trip_ns: Option<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bus_s_line_is_read() {
        let line = r#"{"start":"2026-01-31T23:59:59Z","uid":1000,"gid":1000,"pid":7,"id":9,"acc":"USER-1000","user":"alice",
            "rtt":12000,"server":"N","kind":"Client","client_type":"nats"}"#;
        let asker: Asker<'_> = serde_json::from_str(line).unwrap();
        assert_eq!((asker.uid, asker.account.as_ref(), asker.round_trip_ns), (Some(1000), "USER-1000", Some(12_000)));
        assert_eq!(serde_json::from_str::<Asker<'_>>(r#"{"acc":"A"}"#).unwrap().uid, None);
    }
}
