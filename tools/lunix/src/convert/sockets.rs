//! A `.socket` unit as lines of the file `sockets` of its service.

use super::draft::Draft;
use super::service::fates;
use super::text::quoted;
use super::unit::{Entry, Unit};
use std::net::SocketAddr;

/// Longest name that the file takes.
const NAME_MAX: usize = 64;

/// The name of the service that a socket belongs to.
pub(crate) fn service_of(socket: &Unit) -> String {
    let named = socket.last("Socket", "Service").map(|entry| entry.value.clone());
    named.unwrap_or_else(|| socket.name.with_suffix("service").full())
}

/// Adds the socket's lines to the directory of its service.
pub(crate) fn add(draft: &mut Draft<'_>, socket: &Unit) {
    let mut own = Draft::new(socket);
    fates(&mut own);
    if let Some(entry) = socket.last("Socket", "Accept").filter(|_| socket.is_on("Socket", "Accept")) {
        own.lost(entry, "no service is started for each connection: use tcpsvd, s6-tcpserver or socat in a `run`");
        return draft.remarks.append(&mut own.remarks);
    }
    let name = name(&mut own);
    let mode = socket.last("Socket", "SocketMode").map_or(String::new(), |entry| format!(" {}", entry.value));
    let mut lines = draft.tree.text("sockets").unwrap_or_default();
    for entry in &socket.entries {
        let Some(kind) = entry.key.strip_prefix("Listen").filter(|_| &*entry.section == "Socket") else { continue };
        if entry.value.is_empty() {
            continue;
        }
        let kind = match kind {
            "Stream" => "stream",
            "Datagram" => "dgram",
            "SequentialPacket" => "seqpacket",
            _ => {
                own.lost(entry, "lunix-init listens on unix, TCP and UDP sockets alone");
                continue;
            }
        };
        if let Some(address) = address(&mut own, entry) {
            let mode = if address.starts_with('/') { mode.as_str() } else { "" };
            lines.push_str(&format!("{name} {kind} {address}{mode}\n"));
            folder(draft, &address);
        }
    }
    owner(&mut own);
    draft.tree.small("sockets", lines.trim_end());
    draft.remarks.append(&mut own.remarks);
}

fn name(own: &mut Draft<'_>) -> String {
    let entry = own.unit.last("Socket", "FileDescriptorName");
    let name = entry.map_or_else(|| own.unit.name.full(), |entry| entry.value.clone());
    name.chars().filter(|letter| letter.is_ascii_graphic() && *letter != ':').take(NAME_MAX).collect()
}

/// An address as the file `sockets` has it.
fn address(own: &mut Draft<'_>, entry: &Entry) -> Option<String> {
    let text = own.plain(entry, &entry.value)?;
    if text.starts_with(['/', '@']) {
        return Some(text);
    }
    if let Ok(port) = text.parse::<u16>() {
        return Some(format!("[::]:{port}"));
    }
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Some(address.to_string());
    }
    own.lost(entry, "expected a path, @NAME, a port or ADDRESS:PORT");
    None
}

/// The directory of a path is made by root before the service starts; what is always there is left alone.
fn folder(draft: &mut Draft<'_>, address: &str) {
    let Some((folder, _)) = address.rsplit_once('/') else { return };
    if !["", "/run", "/var/run", "/tmp", "/dev"].contains(&folder) {
        draft.setup.push(format!("mkdir -p {}", quoted(folder)));
    }
}

fn owner(own: &mut Draft<'_>) {
    for key in ["SocketUser", "SocketGroup"] {
        if let Some(entry) = own.unit.last("Socket", key).filter(|entry| entry.value != "root") {
            own.lost(entry, "the socket belongs to root; let the mode in `sockets` admit who may connect");
        }
    }
    for (key, why) in [
        ("Symlinks", "links to sockets are not made"),
        ("BindIPv6Only", "a port alone listens on both versions of IP, as the kernel has it"),
    ] {
        if let Some(entry) = own.unit.last("Socket", key) {
            own.lost(entry, why);
        }
    }
}
