//! TLS between leaf node and hub, with nats-server as the leaf node first, and with ours. Skipped where `NATS_SERVER` does not name a binary.
#![cfg(feature = "tls")]

#[path = "common/certificates.rs"]
mod certificates;
mod common;
#[path = "common/hubs.rs"]
mod hubs;

use certificates::Authority;
use hubs::{Node, both, crosses};

/// Certificates of a hub called localhost and of a leaf node, and a stranger's.
fn lay_out() -> std::path::PathBuf {
    let directory = common::directory("leaf-tls");
    let authority = Authority::new(&directory, "ca");
    authority.server("hub");
    authority.client("leaf");
    Authority::new(&directory, "stranger").client("stray");
    directory
}

#[test]
fn messages_cross_encrypted_and_both_sides_show_who_they_are() {
    let directory = lay_out();
    let file = |name: &str| format!("\"{}\"", directory.join(name).display());
    for first in [false, true] {
        both(|command| {
            let hub_tls = format!(
                "tls {{ cert_file: {}, key_file: {}, ca_file: {}, verify: true, handshake_first: {first} }}",
                file("hub.pem"),
                file("hub.key"),
                file("ca.pem")
            );
            let hub = Node::hub("hub", "", &hub_tls);
            let remote = |certificate: &str, authority: &str| {
                format!(
                    "url: \"tls://localhost:{}\", tls {{ cert_file: {}, key_file: {}, ca_file: {}, handshake_first: {first} }}",
                    hub.leaf_port,
                    file(&format!("{certificate}.pem")),
                    file(&format!("{certificate}.key")),
                    file(authority)
                )
            };
            let leaf = Node::leaf(command, "leaf", &[remote("leaf", "ca.pem")], "");
            leaf.joined(1);
            let (mut above, mut below) = (hub.client(), leaf.client());
            below.subscribe("down 1");
            crosses(&mut above, &mut below, "down");
            above.subscribe("up 1");
            crosses(&mut below, &mut above, "up");
            let large = "x".repeat(500_000);
            below.publish("up", &large);
            assert!(above.take(&format!("{large}\r\n")).contains("MSG up 1 500000"));
            above.publish("down", &large);
            assert!(below.take(&format!("{large}\r\n")).contains("MSG down 1 500000"));
            // A hub that somebody else vouches for, and a leaf node that the hub does not know.
            Node::leaf(command, "leaf", &[remote("leaf", "stranger.pem")], "").logged("TLS leafnode handshake error");
            Node::leaf(command, "leaf", &[remote("stray", "ca.pem")], "").logged("Leafnode connection closed");
        });
    }
}
