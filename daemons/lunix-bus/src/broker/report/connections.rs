//! `/connz`.

use super::super::Broker;
use super::server::write_traffic;
use super::{ENTRIES_MAX, Facts, Query, uptime};
use crate::broker::client::{About, Peer, Reason, Traffic};
use crate::broker::door::{PeerCertificate, TlsFacts, Way};
use crate::broker::json::Json;
use crate::broker::subscriptions::NONE;
use reactor::Instant;
use std::time::Duration;

/// An open or closed connection.
struct Row<'a> {
    id: u64,
    peer: Peer,
    opened: Instant,
    last_active: Instant,
    stopped: Option<(Instant, Reason)>,
    traffic: Traffic,
    round_trip: Option<Duration>,
    pending: usize,
    subscriptions: u32,
    first_subscription: u32,
    about: Option<&'a About>,
    way: Option<&'a Way>,
    account: &'a str,
    /// The user of this machine, where there is no doubt.
    uid: Option<u32>,
    /// Who it proved to be.
    user: Option<&'a str>,
    #[cfg(feature = "jwt")]
    standing: Option<&'a crate::operator::Standing>,
    /// It is a link to a hub.
    is_link: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed,
    Any,
}

/// What of its subscriptions each connection lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subscriptions {
    None,
    Subjects,
    Details,
}

impl Broker {
    pub(super) fn connections_report(&self, facts: &Facts<'_>, query: &Query<'_>) -> Result<Vec<u8>, String> {
        let state = state(query)?;
        let subscriptions = match query.text("subs").as_deref() {
            Some("detail") => Subscriptions::Details,
            Some(_) if query.truth("subs")? => Subscriptions::Subjects,
            Some(_) | None => Subscriptions::None,
        };
        let (names_users, offset) = (query.truth("auth")?, query.number("offset", 0)?);
        let limit = query.number("limit", 1024)?.min(ENTRIES_MAX);
        let only = query.number("cid", 0)? as u64;
        let mut rows: Vec<Row<'_>> = Vec::new();
        if state != State::Closed {
            rows.extend(self.open_rows());
        }
        if state != State::Open {
            rows.extend(self.closed_rows());
        }
        let account = query.text("acc").filter(|account| !account.is_empty());
        rows.retain(|row| only == 0 || row.id == only);
        rows.retain(|row| account.as_deref().is_none_or(|account| account == row.account));
        sort(&mut rows, &query.text("sort").unwrap_or_default(), state)?;
        let total = rows.len();
        let listed: Vec<_> = rows.into_iter().skip(offset).take(limit).collect();
        let mut json = self.heading(facts);
        json.number("num_connections", listed.len() as u64);
        json.number("total", total as u64);
        json.number("offset", offset as u64);
        json.number("limit", limit as u64);
        json.begin("connections", b'[');
        let mut room = ENTRIES_MAX;
        for row in &listed {
            json.begin("", b'{');
            write_row(&mut json, facts, row, names_users);
            self.write_subscriptions_of(&mut json, row, subscriptions, &mut room);
            json.end(b'}');
        }
        json.end(b']');
        Ok(json.finish())
    }

    fn open_rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.clients.iter().filter_map(|client| client.as_deref()).map(|client| Row {
            id: client.id,
            peer: client.peer,
            opened: client.opened,
            last_active: client.last_active,
            stopped: None,
            traffic: client.traffic,
            round_trip: client.round_trip,
            pending: client.output.pending(),
            subscriptions: client.subscriptions,
            first_subscription: client.first_subscription,
            about: client.about.as_deref(),
            way: client.way.as_deref(),
            account: client.account.map(|account| self.accounts.name(account)).unwrap_or_default(),
            uid: self.uid_of(client),
            user: client.user.as_deref(),
            #[cfg(feature = "jwt")]
            standing: client.residence.as_deref().map(|residence| &*residence.standing),
            is_link: client.link.is_some(),
        })
    }

    fn closed_rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.closed.iter().map(|closed| Row {
            id: closed.id,
            peer: closed.peer,
            opened: closed.opened,
            last_active: closed.last_active,
            stopped: Some((closed.stopped, closed.reason)),
            traffic: closed.traffic,
            round_trip: closed.round_trip,
            pending: 0,
            subscriptions: closed.subscriptions,
            first_subscription: NONE,
            about: closed.about.as_deref(),
            way: closed.way.as_deref(),
            account: &closed.account,
            uid: match closed.peer {
                Peer::Unix { uid } => Some(uid),
                Peer::Tcp(_) => None,
            },
            user: None,
            #[cfg(feature = "jwt")]
            standing: closed.standing.as_deref(),
            is_link: false,
        })
    }

    fn write_subscriptions_of(&self, json: &mut Json, row: &Row<'_>, what: Subscriptions, room: &mut usize) {
        let listed = self.subscriptions.of(row.first_subscription).take(*room);
        match what {
            Subscriptions::None => return,
            Subscriptions::Subjects => {
                json.begin("subscriptions_list", b'[');
                for subscription in listed {
                    json.item(&String::from_utf8_lossy(&self.subscriptions.pattern(subscription)));
                }
            }
            Subscriptions::Details => {
                json.begin("subscriptions_list_detail", b'[');
                for subscription in listed {
                    self.write_subscription(json, subscription, false);
                }
            }
        }
        json.end(b']');
        *room = room.saturating_sub(row.subscriptions as usize);
    }
}

fn state(query: &Query<'_>) -> Result<State, String> {
    match query.text("state").unwrap_or_default().to_ascii_lowercase().as_str() {
        "" | "0" | "open" => Ok(State::Open),
        "1" | "closed" => Ok(State::Closed),
        "2" | "any" | "all" => Ok(State::Any),
        odd => Err(format!("Error decoding state for {odd}")),
    }
}

/// Sorts the rows; one sort for all orders, each of which is a number per row.
fn sort(rows: &mut [Row<'_>], by: &str, state: State) -> Result<(), String> {
    let key: fn(&Row<'_>) -> u64 = match by {
        "" | "cid" | "start" => |row| row.id,
        "subs" => |row| !u64::from(row.subscriptions),
        "pending" => |row| !(row.pending as u64),
        "msgs_to" => |row| !row.traffic.out_msgs,
        "msgs_from" => |row| !row.traffic.in_msgs,
        "bytes_to" => |row| !row.traffic.out_bytes,
        "bytes_from" => |row| !row.traffic.in_bytes,
        "last" => |row| !row.last_active.as_nanos(),
        "idle" => |row| row.last_active.as_nanos(),
        "uptime" => |row| row.opened.as_nanos(),
        "rtt" => |row| row.round_trip.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
        "stop" | "reason" if state != State::Closed => {
            return Err(format!("sort by {by} only valid on closed connections"));
        }
        "stop" => |row| row.stopped.map_or(0, |(at, _)| at.as_nanos()),
        "reason" => |row| row.stopped.map_or(0, |(_, reason)| initials(reason)),
        odd => return Err(format!("invalid sorting option: {odd}")),
    };
    rows.sort_unstable_by_key(|row| (key(row), row.id));
    Ok(())
}

/// The first letters of a reason, as a number in their order.
fn initials(reason: Reason) -> u64 {
    let letters = reason.text().bytes().chain(std::iter::repeat(0));
    letters.take(8).fold(0, |number, letter| number << 8 | u64::from(letter))
}

fn write_row(json: &mut Json, facts: &Facts<'_>, row: &Row<'_>, names_users: bool) {
    let until = row.stopped.map_or(facts.now, |(at, _)| at);
    json.number("cid", row.id);
    if row.is_link {
        json.text("kind", "Leafnode");
    } else {
        json.text("kind", "Client");
        let is_web = row.way.is_some_and(|way| way.web.is_some());
        json.text("type", if is_web { "websocket" } else { "nats" });
    }
    match row.peer {
        Peer::Tcp(address) => {
            json.text("ip", &address.ip().to_canonical().to_string());
            json.number("port", u64::from(address.port()));
        }
        Peer::Unix { .. } => {}
    }
    if let Some(uid) = row.uid {
        json.number("uid", u64::from(uid));
    }
    json.text("start", &facts.time(row.opened));
    json.text("last_activity", &facts.time(row.last_active));
    if let Some((at, reason)) = row.stopped {
        json.text("stop", &facts.time(at));
        json.text("reason", reason.text());
    }
    if let Some(round_trip) = row.round_trip {
        json.text("rtt", &format!("{round_trip:?}"));
    }
    json.text("uptime", &uptime(until - row.opened));
    json.text("idle", &uptime(until - row.last_active));
    json.number("pending_bytes", row.pending as u64);
    write_traffic(json, row.traffic);
    json.number("subscriptions", u64::from(row.subscriptions));
    if let Some(tls) = row.way.and_then(|way| way.tls.as_ref()) {
        write_tls(json, tls, names_users);
    }
    if let Some(about) = row.about {
        json.text_if_any("name", &about.name);
        json.text_if_any("lang", &about.lang);
        json.text_if_any("version", &about.version);
    }
    if names_users {
        // Where nothing is to be proved, the reference tells what the client calls itself.
        let claimed = row.about.map(|about| about.user.as_str());
        json.text_if_any("authorized_user", row.user.or(claimed).unwrap_or_default());
        json.text_if_any("account", row.account);
        #[cfg(feature = "jwt")]
        if let Some(standing) = row.standing {
            write_standing(json, standing);
        }
    }
}

/// What the client's token says.
#[cfg(feature = "jwt")]
fn write_standing(json: &mut Json, standing: &crate::operator::Standing) {
    json.text("jwt", &standing.token);
    json.text("issuer_key", standing.signing_key.as_deref().unwrap_or(&standing.account));
    json.text_if_any("name_tag", &standing.account_name);
    if !standing.tags.is_empty() {
        json.begin("tags", b'[');
        standing.tags.iter().for_each(|tag| json.item(tag));
        json.end(b']');
    }
}

fn write_tls(json: &mut Json, tls: &TlsFacts, shows_certificates: bool) {
    json.text("tls_version", tls.version);
    json.text("tls_cipher_suite", tls.cipher_suite);
    if tls.certificates.is_empty() || !shows_certificates {
        return;
    }
    json.begin("tls_peer_certs", b'[');
    for PeerCertificate { subject, key_hash, hash, .. } in &tls.certificates {
        json.begin("", b'{');
        json.text("subject", subject);
        json.text("spki_sha256", &hexadecimal(key_hash));
        json.text("cert_sha256", &hexadecimal(hash));
        json.end(b'}');
    }
    json.end(b']');
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
