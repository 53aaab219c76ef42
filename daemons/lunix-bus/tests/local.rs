//! Clients that are who the kernel says they are: the real binary, real users, and those who would like to be others.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Client, DEADLINE, Server, as_user, directory, is_root, ours, skip};
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const ACCOUNTS: &str = "accounts { SYSTEM { exports: [{ stream: news.> }, { service: time }] }
    USER { imports: [{ stream: { account: SYSTEM, subject: news.> } }, { service: { account: SYSTEM, subject: time } }] }
    NOBODY {} }\n";
const RULES: &str = "local { rules: [{ uid: 0, account: SYSTEM }, { uid: \"1000-1999\", template: USER }]
    anonymous: { account: NOBODY } }\n";

struct Bus {
    server: Server,
    folder: PathBuf,
}

impl Bus {
    fn start(name: &str, configuration: &str) -> Self {
        let folder = directory(name);
        let socket = folder.join("bus.sock");
        let text = format!("unix: {socket:?}\nunix_mode: \"666\"\n{configuration}");
        std::fs::write(folder.join("bus.conf"), text).unwrap();
        let server = Server::start(ours(), &["-c", folder.join("bus.conf").to_str().unwrap()]);
        Self { server, folder }
    }

    fn tcp(&self) -> Client<TcpStream> {
        let mut client = self.server.client();
        client.connect();
        client
    }

    fn unix(&self) -> Client<UnixStream> {
        let stream = UnixStream::connect(self.folder.join("bus.sock")).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Client::new(stream);
        client.connect();
        client
    }

    fn address(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.server.port))
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn connect_from(from: SocketAddr, to: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    rustix::net::bind(&socket, &from).unwrap();
    rustix::net::connect(&socket, &to).unwrap();
    let stream = TcpStream::from(socket);
    stream.set_read_timeout(Some(DEADLINE)).unwrap();
    stream
}

#[test]
fn who_is_reset_speaks_for_nobody_even_if_somebody_else_has_its_port_by_now() {
    if !is_root() {
        return;
    }
    let bus = Bus::start("takeover", &format!("{ACCOUNTS}{RULES}"));
    let mut watch = as_user(1002, &[], || bus.tcp());
    watch.say(b"SUB > 1\r\n");
    watch.ping();
    // The bus sleeps, so both connections wait to be accepted while one takes the other's place.
    bus.server.signal("STOP");
    let from = SocketAddr::from(([127, 78, 0, 1], 0));
    let mut bad = as_user(1001, &[], || connect_from(from, bus.address()));
    bad.write_all(b"CONNECT {\"verbose\":false}\r\nPUB as.somebody.else 3\r\nbad\r\n").unwrap();
    let port = bad.local_addr().unwrap();
    sockopt::set_socket_linger(&bad, Some(Duration::ZERO)).unwrap();
    drop(bad);
    let good = as_user(1002, &[], || connect_from(port, bus.address()));
    bus.server.signal("CONT");
    let mut good = Client::new(good);
    good.connect();
    good.say(b"PUB as.myself 4\r\ngood\r\n");
    good.ping();
    // User 1002 hears its own program, and nothing of user 1001. (Two things see to that: the first connection is nobody's, and INFO
    // cannot be sent on it.)
    watch.say(b"PING\r\n");
    assert_eq!(watch.expect("PONG\r\n"), "MSG as.myself 1 4\r\ngood\r\nPONG\r\n");
}

#[test]
fn an_unmodified_client_over_tcp_gets_its_user_s_subjects() {
    let Some(python) = std::env::var_os("LUNIX_PYTHON") else {
        return skip("LUNIX_PYTHON names no Python with nats-py");
    };
    if !is_root() {
        return;
    }
    let bus = Bus::start("python", &format!("{ACCOUNTS}{RULES}"));
    let (mut system, mut other) = (bus.unix(), as_user(1001, &[], || bus.unix()));
    system.say(b"SUB time 1\r\nSUB > 2\r\n");
    system.ping();
    other.say(b"SUB mine 1\r\nSUB _INBOX.> 2\r\nSUB news.> 3\r\n");
    other.ping();
    // It becomes that user when everything is read that only root may read.
    let script = "
import asyncio, os, sys, nats
os.setgroups([]); os.setgid(1000); os.setuid(1000)
async def main():
    nc = await nats.connect(sys.argv[1])
    mine = await nc.subscribe('mine'); news = await nc.subscribe('news.*'); await nc.flush()
    await nc.publish('mine', b'to myself'); await nc.publish('news.forged', b'no news')
    print('heard', (await mine.next_msg(5)).data.decode(), flush=True)
    print('answer', (await nc.request('time', b'?', timeout=9)).data.decode(), flush=True)
    first = await news.next_msg(9)
    if first.data == b'no news': first = await news.next_msg(9)
    print('news', first.data.decode(), flush=True)
    try: await nc.request('other', b'?', timeout=5)
    except nats.errors.NoRespondersError: print('nobody', flush=True)
    await nc.close()
asyncio.run(main())";
    let mut client = Command::new(python);
    client.args(["-c", script, &format!("nats://{}", bus.address())]).stdout(Stdio::piped());
    let client = client.spawn().unwrap();
    let request = system.expect("?\r\n");
    // Of all that the client did, the daemons see the request alone.
    assert!(!request.contains("to myself") && !request.contains("no news"), "{request}");
    assert!(request.contains("\"acc\":\"USER-1000\""), "{request}");
    let reply =
        request.lines().find(|line| line.contains("MSG time 1 ")).unwrap().split(' ').nth(3).unwrap().to_owned();
    system.say(format!("PUB {reply} 4\r\nlate\r\nPUB news.today 4\r\ngood\r\n").as_bytes());
    let output = client.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(text, "heard to myself\nanswer late\nnews good\nnobody\n");
    other.say(b"PING\r\n");
    assert_eq!(other.expect("PONG\r\n"), "MSG news.today 3 4\r\ngood\r\nPONG\r\n");
}

#[test]
fn groups_and_rules_are_read_again() {
    if !is_root() {
        return;
    }
    let folder = directory("reload");
    let path = |name: &str| folder.join(name);
    std::fs::write(path("passwd"), "alice:x:1000:1000::/:\n").unwrap();
    std::fs::write(path("group"), "wheel:x:10:\n").unwrap();
    let rules = format!(
        "local {{ passwd_file: {:?}, group_file: {:?}, rules: [{{ group: wheel, account: SYSTEM }},
         {{ user: alice, template: USER }}] }}\n",
        path("passwd"),
        path("group")
    );
    let mut bus = Bus::start("reload-bus", &format!("{ACCOUNTS}{rules}"));
    let mut alice = as_user(1000, &[], || bus.tcp());
    let mut in_group = as_user(1000, &[10], || bus.unix());
    in_group.say(b"SUB secret 1\r\n");
    in_group.ping();
    alice.say(b"PUB secret 0\r\n\r\n");
    alice.ping();
    in_group.ping();
    std::fs::write(path("group"), "wheel:x:10:alice\n").unwrap();
    bus.server.signal("HUP");
    bus.server.log_line("Reloaded");
    alice.say(b"PUB secret 0\r\n\r\n");
    alice.ping();
    in_group.say(b"PING\r\n");
    assert_eq!(in_group.expect("PONG\r\n"), "MSG secret 1 0\r\n\r\nPONG\r\n");
    // A name that is gone: everything stays as it was, and the log says where the mistake is.
    std::fs::write(path("group"), "").unwrap();
    bus.server.signal("HUP");
    let line = bus.server.log_line("configuration not reloaded");
    assert!(line.contains("bus.conf:") && line.contains("there is no group \"wheel\""), "{line}");
    alice.say(b"PUB secret 0\r\n\r\n");
    alice.ping();
    in_group.expect("MSG secret 1 0\r\n\r\n");
    // Out of every rule, and nobody is let in without one.
    std::fs::write(path("group"), "wheel:x:11:\n").unwrap();
    std::fs::write(path("passwd"), "alice:x:1005:1005::/:\n").unwrap();
    bus.server.signal("HUP");
    bus.server.log_line("Reloaded");
    assert!(alice.rest().ends_with("-ERR 'Authorization Violation'\r\n"));
    assert!(in_group.rest().ends_with("-ERR 'Authorization Violation'\r\n"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn an_address_of_the_machine_that_is_no_loopback_one_is_elsewhere() {
    if !is_root() {
        return;
    }
    let folder = directory("elsewhere");
    let file = folder.join("bus.conf");
    std::fs::write(&file, format!("{ACCOUNTS}{RULES}")).unwrap();
    // All of 127.0.0.0/8 is loopback, so an address is added.
    let address = "192.0.2.77/32";
    let ip = |verb| Command::new("ip").args(["address", verb, address, "dev", "lo"]).status();
    if !ip("add").is_ok_and(|status| status.success()) {
        return skip("no address can be added to lo");
    }
    let (file, place) = (file.to_str().unwrap(), folder.to_str().unwrap());
    let (mut child, _) = started(&["-c", file, "-a", "0.0.0.0", "-p", "-1", "--ports_file_dir", place]);
    let ports = ports_of(&folder, child.id());
    let port: u16 = ports.first().unwrap().rsplit(':').next().unwrap().parse().unwrap();
    assert!(ports.contains(&format!("nats://127.0.0.1:{port}")), "{ports:?}");
    assert!(ports.contains(&format!("nats://192.0.2.77:{port}")), "{ports:?}");
    let connect = |host: &str| {
        let stream = TcpStream::connect((host, port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut client = Client::new(stream);
        client.connect();
        client
    };
    let (mut near, mut far) = as_user(1000, &[], || (connect("127.0.0.1"), connect("192.0.2.77")));
    near.say(b"SUB a 1\r\n");
    near.ping();
    far.say(b"PUB a 0\r\n\r\n");
    far.ping();
    near.ping();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(ip("del").unwrap().success());
    std::fs::remove_dir_all(folder).unwrap();
}

fn ports_of(folder: &Path, pid: u32) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join(format!("lunix-bus_{pid}.ports"))).unwrap();
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    value.get("nats").unwrap().as_array().unwrap().iter().map(|url| url.as_str().unwrap().to_owned()).collect()
}

/// The program with these arguments, and its log until it is ready.
fn started(arguments: &[&str]) -> (Child, String) {
    let mut child = ours().args(arguments).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("Server is ready") {
        assert!(log.read_line(&mut text).unwrap() > 0, "{text}");
    }
    (child, text)
}

#[test]
fn monitoring_tells_who_a_client_is_rather_than_what_it_says() {
    if !is_root() {
        return;
    }
    let mut text = format!("http: \"127.0.0.1:-1\"\n{ACCOUNTS}{RULES}");
    text = text.replace("local {", "local { passwd_file: \"/dev/null\" ");
    let bus = Bus::start("connz", &text);
    let mut client = as_user(1000, &[], || bus.server.client());
    client.say(b"CONNECT {\"verbose\":false,\"user\":\"root\",\"pass\":\"x\"}\r\nPING\r\n");
    client.expect("PONG\r\n");
    let page = bus.server.json("/connz?auth=1");
    let row = page.pointer("/connections/0").unwrap();
    let told = |key| row.get(key).cloned().unwrap_or_default();
    assert_eq!(
        (told("uid"), told("authorized_user"), told("account")),
        (1000.into(), "1000".into(), "USER-1000".into())
    );
    drop(client);
}

#[test]
fn the_log_says_when_everything_is_open() {
    let folder = directory("open");
    let file = folder.join("bus.conf");
    for (configuration, is_open) in [(String::new(), true), (format!("{ACCOUNTS}{RULES}"), false)] {
        std::fs::write(&file, configuration).unwrap();
        let (mut child, log) = started(&["-a", "127.0.0.1", "-p", "-1", "-c", file.to_str().unwrap()]);
        assert_eq!(log.contains("may publish and subscribe to everything"), is_open, "{log}");
        child.kill().unwrap();
        child.wait().unwrap();
    }
    std::fs::remove_dir_all(folder).unwrap();
}
