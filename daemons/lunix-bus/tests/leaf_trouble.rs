//! A leaf node whose hubs go away, are slow, refuse it or lead back to it. Each scenario with nats-server as the leaf node first, and with
//! ours. They are skipped where `NATS_SERVER` does not name a binary.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::print_stdout, reason = "a test")]

mod common;
#[path = "common/hubs.rs"]
mod hubs;

use hubs::{Node, both, crosses, free_port, has_reference, until};
use std::process::Command;

#[test]
fn a_hub_that_was_killed_is_joined_again_and_hears_what_changed() {
    both(|command| {
        let mut hub = Node::hub("hub", "", "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.joined(1);
        let (mut above, mut below) = (hub.client(), leaf.client());
        below.subscribe("stays 1");
        below.subscribe("goes 2");
        hub.wants("goes");
        above.subscribe("above 1");
        leaf.wants("above");
        drop(above);
        hub.kill();
        leaf.joined(0);
        below.say("UNSUB 2\r\n");
        below.subscribe("comes 3");
        // What nobody gets any more is told at once.
        below.subscribe("inbox 4");
        below.say("PUB above inbox 0\r\n\r\n");
        assert!(below.take("\r\n\r\n\r\n").contains("NATS/1.0 503"));
        hub.revive();
        leaf.joined(1);
        hub.wants("stays");
        hub.wants("comes");
        assert!(!hub.is_asked_for("goes"));
        let mut above = hub.client();
        crosses(&mut above, &mut below, "stays");
        above.subscribe("again 1");
        crosses(&mut below, &mut above, "again");
    });
}

/// Three hubs of one cluster.
fn cluster() -> Vec<Node> {
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let routes = ports.iter().map(|port| format!("\"nats-route://127.0.0.1:{port}\"")).collect::<Vec<_>>().join(", ");
    let node = |place: usize| {
        let cluster = format!("cluster {{ name: c, listen: \"127.0.0.1:{}\", routes: [ {routes} ] }}", ports[place]);
        Node::hub(&format!("node{place}"), &cluster, "")
    };
    let nodes: Vec<Node> = (0..3).map(node).collect();
    for node in &nodes {
        until("three nodes", || node.page("/varz")["routes"].as_u64().unwrap_or_default() >= 2);
    }
    nodes
}

#[test]
fn a_cluster_is_served_while_each_of_its_nodes_is_killed_in_turn() {
    both(|command| {
        let mut nodes = cluster();
        // Only one address is configured; the cluster tells the others.
        let leaf = Node::leaf(command, "leaf", &[nodes[0].url()], "");
        leaf.joined(1);
        let mut below = leaf.client();
        below.subscribe("down 1");
        for victim in [0, 1, 2, 0] {
            let attached = |nodes: &[Node]| {
                let name = leaf.page("/leafz")["leafs"][0]["name"].as_str().unwrap_or_default().to_owned();
                nodes.iter().position(|node| node.page("/varz")["server_name"] == name.as_str())
            };
            let link = attached(&nodes).unwrap();
            let other = (0..3).find(|&place| place != victim && place != link).unwrap();
            let mut above = nodes[other].client();
            crosses(&mut above, &mut below, "down");
            nodes[victim].kill();
            if victim == link {
                until("another node", || {
                    let page = leaf.page("/leafz");
                    page["leafnodes"] == 1 && page["leafs"][0]["name"] != format!("node{victim}").as_str()
                });
            }
            crosses(&mut above, &mut below, "down");
            above.subscribe("up 1");
            crosses(&mut below, &mut above, "up");
            nodes[victim].revive();
            until("three nodes", || {
                nodes.iter().all(|node| node.page("/varz")["routes"].as_u64().unwrap_or_default() >= 2)
            });
        }
    });
}

/// Two hubs, one of which is a leaf node of the other: joining both closes a circle.
#[test]
fn a_loop_is_detected_and_opened() {
    both(|command| {
        let top = Node::hub("top", "", "");
        let middle = Node::hub("middle", "", &format!("remotes: [ {{ {} }} ]", top.url()));
        middle.joined(1);
        let leaf = Node::leaf(command, "leaf", &[middle.url(), top.url()], "");
        // Whoever notices first says so; the leaf node knows either way, and waits.
        let logs = || [&leaf, &top, &middle].map(Node::log).concat();
        until("detection", || {
            logs().contains("Loop detected for leafnode account=\"$G\". Delaying attempt to reconnect for 30s")
        });
        until("an open circle", || leaf.page("/leafz")["leafnodes"].as_u64().is_some_and(|count| count <= 1));
    });
}

#[test]
fn a_second_link_of_the_same_account_to_the_same_hub_is_refused() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let other = format!("url: \"nats-leaf://127.0.0.2:{}\"", hub.leaf_port);
        // The hub listens on one address only, so another one is made to lead there.
        let _forward = Forward::start(("127.0.0.2", hub.leaf_port), ("127.0.0.1", hub.leaf_port));
        let leaf = Node::leaf(command, "leaf", &[hub.url(), other], "");
        leaf.logged("Duplicate Remote LeafNode Connection");
        until("at most one link at the hub", || {
            hub.page("/leafz")["leafnodes"].as_u64().is_some_and(|count| count <= 1)
        });
    });
}

/// Passes connections on.
struct Forward(std::process::Child);

impl Forward {
    fn start(from: (&str, u16), to: (&str, u16)) -> Self {
        let script = format!(
            "import socket,threading\ns=socket.create_server(('{}',{}))\nprint(flush=True)\n\
             def p(a,b):\n try:\n  while d:=a.recv(65536): b.sendall(d)\n except OSError: pass\n b.close()\n\
             while True:\n a,_=s.accept(); b=socket.create_connection(('{}',{}))\n\
             \x20threading.Thread(target=p,args=(a,b),daemon=True).start(); threading.Thread(target=p,args=(b,a),daemon=True).start()\n",
            from.0, from.1, to.0, to.1
        );
        let mut child =
            Command::new("python3").args(["-c", &script]).stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut ready = [0; 1];
        std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut ready).unwrap();
        Self(child)
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_cluster_of_the_same_name_is_not_joined() {
    both(|command| {
        let hub = Node::hub("hub", &format!("cluster {{ name: leaf, listen: \"127.0.0.1:{}\" }}", free_port()), "");
        let leaf = Node::leaf(command, "leaf", &[hub.url()], "");
        leaf.logged("Leafnode connection dropped with same cluster name error. Delaying attempt to reconnect for 30s");
        assert_eq!(leaf.page("/leafz")["leafnodes"], 0);
    });
}

#[test]
fn a_client_port_is_not_taken_for_a_hub() {
    both(|command| {
        let hub = Node::hub("hub", "", "");
        let remote = format!("url: \"nats-leaf://127.0.0.1:{}\"", hub.port);
        let leaf = Node::leaf(command, "leaf", &[remote], "");
        leaf.logged("attempted to connect to wrong port");
    });
}

/// A hub that does not read: nobody here waits for it, and what is kept for it is bounded.
#[test]
fn a_hub_that_does_not_read_is_given_up() {
    if !has_reference() {
        return;
    }
    let hub = Node::hub("hub", "", "");
    let limits = "max_pending: 4MB\nwrite_deadline: \"60s\"";
    let leaf = Node::leaf(common::ours, "leaf", &[hub.url()], limits);
    leaf.joined(1);
    let (mut above, mut below) = (hub.client(), leaf.client());
    above.subscribe("flood 1");
    leaf.wants("flood");
    hub.signal("STOP");
    let payload = "x".repeat(64 * 1024);
    for _ in 0..1000 {
        below.publish("flood", &payload);
    }
    below.flush();
    leaf.logged("Leafnode connection closed: Slow Consumer (Pending Bytes)");
    assert!(leaf.rss_kib() < 30_000, "{} KiB", leaf.rss_kib());
    hub.signal("CONT");
    leaf.joined(1);
    let mut again = hub.client();
    again.subscribe("again 1");
    crosses(&mut below, &mut again, "again");
}

/// A pair of virtual interfaces, one end in a network namespace; taken away when dropped.
struct Wire;

impl Wire {
    const NAMESPACE: &str = "lunix-leaf-test";

    fn run(arguments: &str) -> bool {
        Command::new("ip").args(arguments.split(' ')).output().is_ok_and(|output| output.status.success())
    }

    /// `None`, said aloud, where the machine does not let us.
    fn lay() -> Option<Self> {
        let wire = Self;
        let commands = [
            format!("netns add {}", Self::NAMESPACE),
            format!("link add lunixleaf0 type veth peer name lunixleaf1 netns {}", Self::NAMESPACE),
            "addr add 10.213.77.1/30 dev lunixleaf0".to_owned(),
            "link set lunixleaf0 up".to_owned(),
            format!("-n {} addr add 10.213.77.2/30 dev lunixleaf1", Self::NAMESPACE),
            format!("-n {} link set lunixleaf1 up", Self::NAMESPACE),
        ];
        if let Some(failed) = commands.iter().find(|command| !Self::run(command)) {
            println!("skipped: ip {failed} is not possible here");
            return None;
        }
        Some(wire)
    }

    fn set(&self, state: &str) {
        assert!(Self::run(&format!("-n {} link set lunixleaf1 {state}", Self::NAMESPACE)));
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        Self::run("link del lunixleaf0");
        Self::run(&format!("netns del {}", Self::NAMESPACE));
    }
}

/// A hub at the other end of the wire.
fn far_hub() -> Command {
    let mut command = Command::new("ip");
    command.args(["netns", "exec", Wire::NAMESPACE]).arg(common::reference().unwrap().get_program());
    command
}

/// A link that is cut without a word: nothing comes, nothing is refused.
#[test]
fn a_link_that_falls_silent_is_noticed_and_healed() {
    if !has_reference() {
        return;
    }
    let Some(wire) = Wire::lay() else { return };
    for command in [hubs::stock as fn() -> Command, common::ours] {
        let hub = Node::hub_at(far_hub, "10.213.77.2", "far");
        let remote = format!("url: \"nats-leaf://10.213.77.2:{}\"", hub.leaf_port);
        let leaf = Node::leaf(command, "leaf", &[remote], "ping_interval: \"500ms\"\nping_max: 2");
        leaf.joined(1);
        // A client that says nothing is not waited for any longer than a hub.
        let talk = || {
            let mut below = leaf.client();
            below.subscribe("down 1");
            crosses(&mut hub.client(), &mut below, "down");
        };
        talk();
        wire.set("down");
        leaf.logged("Leafnode connection closed");
        leaf.joined(0);
        leaf.logged("Error trying to connect as leafnode to remote server");
        wire.set("up");
        leaf.joined(1);
        talk();
    }
}
