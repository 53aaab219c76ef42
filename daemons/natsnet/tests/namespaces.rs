//! The real daemon and a real bus, beside interfaces in a network namespace of their own. `ip -j` is the oracle.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

use rustix::process::Signal;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use testkit::Deadline;
use testkit::bus::{Bus, Message};
use testkit::process::Process;
use testkit::rng::Rng;
use testkit::server::Server;

/// A network namespace; deleted with everything in it when dropped.
struct Namespace(String);

impl Namespace {
    /// `None`, and a note why, where we may not make one.
    fn new(test: &str) -> Option<Self> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("lunix{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let made = Command::new("ip").args(["netns", "add", &name]).output();
        match made {
            Ok(made) if made.status.success() => {
                let namespace = Self(name);
                namespace.ip("link set lo up");
                return Some(namespace);
            }
            Ok(made) => testkit::skip::note(test, String::from_utf8_lossy(&made.stderr).trim()),
            Err(error) => testkit::skip::note(test, &format!("ip (Debian: iproute2): {error}")),
        }
        None
    }

    fn run(&self, words: &str) -> std::process::Output {
        Command::new("ip").args(["-n", &self.0]).args(words.split(' ')).output().unwrap()
    }

    /// Runs `ip` inside, which must succeed.
    fn ip(&self, words: &str) {
        let output = self.run(words);
        assert!(output.status.success(), "ip {words}: {}", String::from_utf8_lossy(&output.stderr));
    }

    /// Many lines at once.
    fn batch(&self, lines: &str) {
        let mut child = Command::new("ip").args(["-n", &self.0, "-batch", "-"]).stdin(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    }

    fn json(&self, words: &str) -> Vec<Value> {
        let output = self.run(&format!("-j {words}"));
        let text = String::from_utf8(output.stdout).unwrap();
        if text.trim().is_empty() { Vec::new() } else { serde_json::from_str(&text).unwrap() }
    }

    fn natsnet(&self, server: &Server, arguments: &[&str]) -> Process {
        server.daemon_within(&["ip", "netns", "exec", &self.0], "natsnet", arguments).unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["netns", "del", &self.0]).output();
    }
}

fn soon() -> Deadline {
    Deadline::seconds(20)
}

fn list(bus: &mut Bus, kind: &str) -> Vec<Value> {
    let list = bus.request("network.list", kind.as_bytes(), soon()).unwrap().json();
    list["items"].as_array().unwrap().clone()
}

/// What natsnet says there is.
fn told(bus: &mut Bus) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut told = BTreeSet::new();
    for item in list(bus, "") {
        let subject = text(&item["subject"]);
        match subject.split('.').collect::<Vec<_>>()[..] {
            ["network", "link", _, "add"] => {
                told.insert(format!("link {} {} up={}", item["ifindex"], text(&item["name"]), item["up"]));
            }
            ["network", "addr", _, "add"] => {
                let (interface, address) = (text(&item["interface"]), text(&item["address"]));
                told.insert(format!("addr {interface} {address}/{}", item["prefix_len"]));
            }
            ["network", "route", "default", "add"] => {
                let (gateway, interface) = (text(&item["gateway"]), text(&item["interface"]));
                told.insert(format!("route {} {gateway} {interface} {}", text(&item["family"]), item["metric"]));
            }
            [..] => {}
        }
    }
    told
}

/// The same, as iproute2 says it.
fn oracle(namespace: &Namespace) -> BTreeSet<String> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let has = |value: &Value, flag: &str| value.as_array().unwrap().iter().any(|known| known == flag);
    let mut seen = BTreeSet::new();
    for link in namespace.json("addr show") {
        let flags = &link["flags"];
        let state = text(&link["operstate"]);
        let up = has(flags, "UP") && has(flags, "LOWER_UP") && matches!(&*state, "UP" | "UNKNOWN");
        seen.insert(format!("link {} {} up={up}", link["ifindex"], text(&link["ifname"])));
        for address in link["addr_info"].as_array().unwrap() {
            let unusable = address["tentative"] == true || address["dadfailed"] == true;
            if !unusable && !address["local"].is_null() {
                let (interface, local) = (text(&link["ifname"]), text(&address["local"]));
                seen.insert(format!("addr {interface} {local}/{}", address["prefixlen"]));
            }
        }
    }
    for (family, option) in [("inet", "-4"), ("inet6", "-6")] {
        for route in namespace.json(&format!("{option} route show default")) {
            let metric = route["metric"].as_u64().unwrap_or(0);
            seen.insert(format!("route {family} {} {} {metric}", text(&route["gateway"]), text(&route["dev"])));
        }
    }
    seen
}

/// Waits until natsnet and iproute2 say the same.
fn agree(bus: &mut Bus, namespace: &Namespace, what: &str) {
    let deadline = soon();
    loop {
        let (told, seen) = (told(bus), oracle(namespace));
        if told == seen {
            return;
        }
        let (more, less): (Vec<_>, Vec<_>) = (told.difference(&seen).collect(), seen.difference(&told).collect());
        assert!(deadline.left().is_some(), "{what}: natsnet alone says {more:?}, iproute2 alone says {less:?}");
    }
}

fn subjects(messages: &[Message]) -> Vec<&str> {
    messages.iter().map(|message| message.subject.as_str()).collect()
}

#[test]
fn a_pair_that_is_switched_on_is_two_messages() {
    let Some(namespace) = Namespace::new("a_pair_that_is_switched_on_is_two_messages") else { return };
    let server = Server::start().unwrap();
    let _natsnet = namespace.natsnet(&server, &[]);
    let mut bus = server.client().unwrap();
    bus.subscribe("network.link.>").unwrap();
    bus.flush(soon()).unwrap();
    namespace.ip("link add v0 type veth peer name v1");
    let mut made = [bus.next(soon()).unwrap().subject, bus.next(soon()).unwrap().subject];
    made.sort();
    assert_eq!(made, ["network.link.v0.add", "network.link.v1.add"]);
    namespace.ip("link set v0 up");
    namespace.ip("link set v1 up");
    // A rename is the mark after which nothing of the switching can follow.
    namespace.ip("link set v1 name eth0.5");
    let mut told = Vec::new();
    while told.last().is_none_or(|message: &Message| !message.subject.ends_with(".rename")) {
        told.push(bus.next(soon()).unwrap());
    }
    let last = told.pop().unwrap();
    let mut up = subjects(&told);
    up.sort_unstable();
    assert_eq!(up, ["network.link.v0.up", "network.link.v1.up"]);
    assert_eq!((last.subject.as_str(), &last.json()["previous_name"]), ("network.link.eth0%2E5.rename", &"v1".into()));
    namespace.ip("link del v0");
    let gone: BTreeSet<String> = (0..4).map(|_| bus.next(soon()).unwrap().subject).collect();
    let expected = ["eth0%2E5.down", "eth0%2E5.remove", "v0.down", "v0.remove"];
    assert_eq!(gone, expected.map(|what| format!("network.link.{what}")).into());
}

#[test]
fn a_way_out_is_told_when_it_holds_and_when_it_is_gone() {
    let Some(namespace) = Namespace::new("a_way_out_is_told_when_it_holds_and_when_it_is_gone") else { return };
    let server = Server::start().unwrap();
    let _natsnet = namespace.natsnet(&server, &[]);
    let mut bus = server.client().unwrap();
    for subject in ["network.route.>", "network.online", "network.offline"] {
        bus.subscribe(subject).unwrap();
    }
    bus.flush(soon()).unwrap();
    namespace.ip("link add wan type veth peer name far");
    namespace.ip("link set far up");
    namespace.ip("link set wan up");
    namespace.ip("addr add 192.0.2.17/24 dev wan");
    namespace.ip("route add default via 192.0.2.1");
    let told = [bus.next(soon()).unwrap(), bus.next(soon()).unwrap()];
    assert_eq!(subjects(&told), ["network.route.default.add", "network.online"]);
    assert_eq!(told[0].json()["gateway"], "192.0.2.1");
    namespace.ip("route replace default via 192.0.2.2");
    assert_eq!(bus.next(soon()).unwrap().subject, "network.route.default.change");
    // The kernel says nothing about the route that goes with its address.
    namespace.ip("addr del 192.0.2.17/24 dev wan");
    let told = [bus.next(soon()).unwrap(), bus.next(soon()).unwrap()];
    assert_eq!(subjects(&told), ["network.route.default.remove", "network.offline"]);
}

#[test]
fn after_any_operations_the_list_is_what_iproute2_says() {
    let Some(namespace) = Namespace::new("after_any_operations_the_list_is_what_iproute2_says") else { return };
    let server = Server::start().unwrap();
    let _natsnet = namespace.natsnet(&server, &[]);
    let mut bus = server.client().unwrap();
    let mut rng = Rng::printed("namespaces");
    for round in 0..8 {
        for _ in 0..12 {
            let operation = operation(&mut rng);
            // Many make no sense at the moment; the kernel refuses those, which changes nothing.
            namespace.run(&operation);
        }
        agree(&mut bus, &namespace, &format!("round {round}"));
    }
}

/// Something one can do to a network.
fn operation(rng: &mut Rng) -> String {
    let mut below = |limit| rng.below(limit);
    let (a, b, n) = (below(4), below(4), below(4));
    match below(16) {
        0 => format!("link add p{a} type veth peer name q{a}"),
        1 => format!("link add d{a} type veth peer name e{a}"),
        2 => format!("link add br{a} type bridge"),
        3 => format!("link add link d{a} name d{a}.{b} type vlan id {}", b + 1),
        4 | 5 => format!("link set p{a} up"),
        6 => format!("link set q{a} up"),
        7 => format!("link set {}{a} up", if b < 3 { "d" } else { "e" }),
        8 => format!("link set p{a} down"),
        9 => format!("link set p{a} master br{b}"),
        10 => format!("addr add 10.{a}.{b}.1/24 dev d{n}"),
        11 => format!("addr del 10.{a}.{b}.1/24 dev d{n}"),
        12 => format!("addr add 2001:db8:{a}::{b}/64 dev d{n}"),
        13 => format!("route add default via 10.{a}.{b}.2 metric {n}"),
        14 => format!("link set d{a} name d{b}"),
        _ => format!("link del {}{a}", ["p", "d", "br", "q"][n]),
    }
}

#[test]
fn two_thousand_links_appear_and_vanish_without_loss() {
    const COUNT: usize = 2000;
    let Some(namespace) = Namespace::new("two_thousand_links_appear_and_vanish_without_loss") else { return };
    let server = Server::start().unwrap();
    let natsnet = namespace.natsnet(&server, &[]);
    let mut bus = server.client().unwrap();
    bus.subscribe("network.link.>").unwrap();
    bus.flush(soon()).unwrap();
    let pairs = || (0..COUNT).step_by(2);
    // While it is stopped the kernel's queue runs over; it must notice, read everything and tell each link once.
    natsnet.signal(Signal::STOP).unwrap();
    namespace.batch(&pairs().map(|n| format!("link add n{n} type veth peer name n{}\n", n + 1)).collect::<String>());
    natsnet.signal(Signal::CONT).unwrap();
    assert_eq!(collect(&mut bus, COUNT, ".add"), COUNT);
    agree(&mut bus, &namespace, "after the links appeared");
    let lines: String = pairs().map(|n| format!("link del n{n}\n")).collect();
    std::thread::scope(|scope| {
        // Deleting takes the kernel many seconds; who does not read meanwhile is cut as a slow consumer.
        scope.spawn(|| namespace.batch(&lines));
        assert_eq!(collect(&mut bus, COUNT, ".remove"), COUNT);
    });
    agree(&mut bus, &namespace, "after the links vanished");
}

/// Takes messages until `count` different subjects ended in `what`; each must come once and their numbers must have no hole.
fn collect(bus: &mut Bus, count: usize, what: &str) -> usize {
    let deadline = Deadline::seconds(60);
    let (mut seen, mut last) = (BTreeSet::new(), None);
    while seen.len() < count {
        let message = bus.next(deadline).unwrap();
        let seq = message.json()["seq"].as_u64().unwrap();
        assert!(last.is_none_or(|last| seq == last + 1), "a hole before {seq}");
        last = Some(seq);
        if message.subject.ends_with(what) {
            assert!(seen.insert(message.subject.clone()), "{} came twice", message.subject);
        }
    }
    seen.len()
}
