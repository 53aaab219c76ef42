//! The shipped policy, cell by cell: every row of the table with every kind of client, over real sockets, as real users.
//!
//! Connecting as somebody else needs root.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use common::{Client, DEADLINE, Server, as_user, directory, is_root, ours};
use interfaces::policy::{Column, Kind, Owner, Row, rows};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

const DAEMONS: [(&str, u32); 6] =
    [("natsdev", 902), ("natsps", 903), ("natsinit", 901), ("natstoast", 904), ("natsnet", 905), ("natslog", 906)];
const SESSION: u32 = 950;
const ADM: u32 = 951;

/// The people of the test machine: number, groups, and the columns that say what they may do.
const PEOPLE: [(u32, &[u32], &[Column]); 4] = [
    (1000, &[SESSION], &[Column::Session]),
    (1001, &[], &[Column::User]),
    (1002, &[ADM], &[Column::User, Column::Adm]),
    (1003, &[ADM, SESSION], &[Column::Session, Column::Adm]),
];

trait Stream: Read + Write {}
impl<S: Read + Write> Stream for S {}

type Peer = Client<Box<dyn Stream>>;

/// How somebody comes to the bus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Unix,
    Tcp,
    /// As a browser does.
    Web,
}

struct Machine {
    server: Server,
    folder: PathBuf,
}

impl Machine {
    /// A bus with the shipped configuration, for the users and groups of this test; `None` when we are not root.
    fn start(name: &str) -> Option<Self> {
        if !is_root() {
            return None;
        }
        let folder = directory(name);
        let mut passwd = "root:x:0:0::/:\n".to_owned();
        DAEMONS.iter().for_each(|(name, uid)| passwd += &format!("{name}:x:{uid}:{uid}::/:\n"));
        PEOPLE.iter().for_each(|(uid, ..)| passwd += &format!("user{uid}:x:{uid}:{uid}::/:\n"));
        let members = |gid: u32| {
            let of = PEOPLE.iter().filter(|(_, groups, _)| groups.contains(&gid));
            of.map(|(uid, ..)| format!("user{uid}")).collect::<Vec<_>>().join(",")
        };
        let group = format!("session:x:{SESSION}:{}\nadm:x:{ADM}:{}\n", members(SESSION), members(ADM));
        let write = |name: &str, text: &str| std::fs::write(folder.join(name), text).unwrap();
        write("passwd", &passwd);
        write("group", &group);
        write("bus-users.conf", "users: [{ user: host, password: secret }]\n");
        let web =
            if cfg!(feature = "websocket") { "websocket { host: 127.0.0.1, port: -1, no_tls: true }\n" } else { "" };
        write("bus.conf", &(configuration(&folder) + web));
        let server = Server::start(ours(), &["-c", folder.join("bus.conf").to_str().unwrap()]);
        Some(Self { server, folder })
    }

    /// Connects as user `uid`, in its own group and `groups`, and sends CONNECT with `more`.
    fn connect(&self, uid: u32, groups: &[u32], way: Way, more: &str) -> Peer {
        let stream: Box<dyn Stream> = as_user(uid, groups, || match way {
            Way::Unix => {
                let stream = UnixStream::connect(self.folder.join("bus.sock")).unwrap();
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                Box::new(stream) as Box<dyn Stream + Send>
            }
            Way::Web => Box::new(Web::open(self.server.web_port)),
            Way::Tcp => {
                let stream = TcpStream::connect(("127.0.0.1", self.server.port)).unwrap();
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                // A second small message must not wait for the first one's acknowledgement.
                stream.set_nodelay(true).unwrap();
                Box::new(stream)
            }
        });
        let mut client = Client::new(stream);
        client.expect("\r\n");
        client.say(
            format!("CONNECT {{\"verbose\":false,\"headers\":true,\"no_responders\":true{more}}}\r\nPING\r\n")
                .as_bytes(),
        );
        client.expect("PONG\r\n");
        client
    }

    fn root(&self) -> Peer {
        self.connect(0, &[], Way::Unix, "")
    }

    fn owner(&self, owner: Owner) -> Peer {
        match owner {
            Owner::Nobody => self.root(),
            Owner::Each => self.connect(DAEMONS[0].1, &[], Way::Unix, ""),
            Owner::Daemon(name) => {
                let (_, uid) = DAEMONS.into_iter().find(|(known, _)| *known == name).unwrap();
                self.connect(uid, &[], Way::Unix, "")
            }
        }
    }

    /// Everybody but the daemons: what to call them, the columns that apply, a connection.
    fn guests(&self) -> Vec<Guest> {
        let mut guests = Vec::new();
        let mut add = |name: String, columns: &[Column], uid, make: Box<dyn Fn(&Self) -> Peer>| {
            guests.push(Guest { name, columns: columns.to_vec(), uid, make });
        };
        add("root".into(), &[Column::Root], Some(0), Box::new(Self::root));
        for (uid, groups, columns) in PEOPLE {
            let make = move |way| Box::new(move |machine: &Self| machine.connect(uid, groups, way, ""));
            add(format!("user {uid}, unix"), columns, Some(uid), make(Way::Unix));
            // No groups: over TCP they are those of the files.
            let make = move |machine: &Self| machine.connect(uid, &[], Way::Tcp, "");
            add(format!("user {uid}, TCP"), columns, Some(uid), Box::new(make));
        }
        let nobody = &[Column::Anonymous];
        add("root, TCP".into(), nobody, None, Box::new(|machine| machine.connect(0, &[SESSION], Way::Tcp, "")));
        add("a daemon, TCP".into(), nobody, None, Box::new(|machine| machine.connect(902, &[], Way::Tcp, "")));
        add(
            "system user".into(),
            nobody,
            None,
            Box::new(|machine| machine.connect(33, &[SESSION, ADM], Way::Unix, "")),
        );
        let credentials = ",\"user\":\"leaf\",\"pass\":\"secret\"";
        let make = move |machine: &Self| machine.connect(0, &[], Way::Tcp, credentials);
        add("leaf".into(), &[Column::Leaf], None, Box::new(make));
        #[cfg(feature = "websocket")]
        for uid in [0, 1000] {
            let make = move |machine: &Self| machine.connect(uid, &[SESSION], Way::Web, "");
            add(format!("web page of user {uid}"), &[Column::Websocket], None, Box::new(make));
        }
        guests
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

struct Guest {
    name: String,
    columns: Vec<Column>,
    uid: Option<u32>,
    make: Box<dyn Fn(&Machine) -> Peer>,
}

/// The bytes of a WebSocket of a browser.
struct Web {
    stream: TcpStream,
    /// Of the frame under way.
    left: usize,
}

impl Web {
    fn open(port: u16) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let request = "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
            Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") {
            stream.read_exact(&mut byte).unwrap();
            head.extend(byte);
        }
        assert!(head.starts_with(b"HTTP/1.1 101 "));
        Self { stream, left: 0 }
    }
}

impl Read for Web {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        if self.left == 0 {
            let mut head = [0; 4];
            self.stream.read_exact(&mut head[..2])?;
            self.left = usize::from(head[1]);
            if head[1] == 126 {
                self.stream.read_exact(&mut head[2..])?;
                self.left = usize::from(u16::from_be_bytes([head[2], head[3]]));
            }
        }
        let len = self.left.min(buffer.len());
        let len = self.stream.read(&mut buffer[..len])?;
        self.left -= len;
        Ok(len)
    }
}

impl Write for Web {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        // Masked with zeros, which changes nothing; all that is said here is shorter than 64 KiB.
        let len = u16::try_from(bytes.len()).unwrap();
        let mut frame = if len < 126 { vec![0x82, 0x80 | u8::try_from(len).unwrap()] } else { vec![0x82, 0x80 | 126] };
        if len >= 126 {
            frame.extend(len.to_be_bytes());
        }
        frame.extend([0; 4]);
        frame.extend(bytes);
        self.stream.write_all(&frame)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The shipped file, with paths of this test, and with a user in the account for other machines.
fn configuration(folder: &Path) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut text = std::fs::read_to_string(root.join("image/root/etc/lunix/bus.conf")).unwrap();
    let path = |name: &str| folder.join(name).to_string_lossy().into_owned();
    let names = format!("local {{\n  passwd_file: {:?}\n  group_file: {:?}\n", path("passwd"), path("group"));
    for (from, to) in [
        ("/run/lunix/bus.sock", path("bus.sock")),
        ("local {\n", names),
        ("  LEAF {\n", "  LEAF {\n users: [{ user: leaf, password: secret }]\n".into()),
    ] {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, &to, 1);
    }
    text
}

/// A subject that the pattern matches.
fn concrete(pattern: &str) -> String {
    pattern.replace('*', "x").replace('>', "x.y")
}

/// Everything the client has heard until now.
fn heard(client: &mut Peer) -> String {
    client.say(b"PING\r\n");
    let text = client.expect("PONG\r\n");
    text.strip_suffix("PONG\r\n").unwrap().to_owned()
}

fn subscribe(client: &mut Peer, subject: &str) -> String {
    client.say(format!("SUB {subject} 1\r\n").as_bytes());
    heard(client)
}

/// Publishes and returns what the client was told about it.
fn publish(client: &mut Peer, subject: &str) -> String {
    client.say(format!("PUB {subject} 5\r\nhello\r\n").as_bytes());
    heard(client)
}

/// Asks, with a forged header, and returns the answers of `responder`, which must see who asks.
fn ask(asker: &mut Peer, uid: Option<u32>, responder: &mut Peer, subject: &str) -> String {
    let headers = "NATS/1.0\r\nNats-Request-Info: {\"uid\":0}\r\n\r\n";
    asker.say(b"SUB _INBOX.ask.* 7\r\n");
    asker.say(
        format!("HPUB {subject} _INBOX.ask.1 {} {}\r\n{headers}hello\r\n", headers.len(), headers.len() + 5).as_bytes(),
    );
    let told = heard(asker);
    let request = heard(responder);
    if let Some(line) = request.lines().find(|line| line.contains("MSG ")) {
        if !matches!(uid, Some(0)) {
            let said = request.lines().filter(|line| line.starts_with("Nats-Request-Info")).collect::<Vec<_>>();
            assert_eq!(said.len(), 1, "{request}");
            let asks = format!("\"uid\":{},", uid.unwrap());
            assert!(
                said[0].contains(&asks) && said[0].contains(&format!("\"acc\":\"USER-{}\"", uid.unwrap())),
                "{said:?}"
            );
        } else {
            assert!(!request.contains("Nats-Request-Info"), "{request}");
        }
        let reply = line.split(' ').nth(3).unwrap();
        responder.say(format!("PUB {reply} 3\r\nyes\r\n").as_bytes());
        assert_eq!(heard(responder), "");
    }
    told + &heard(asker)
}

fn check_events(machine: &Machine, row: &Row, guest: &Guest, may: bool) {
    let subject = concrete(row.subject);
    let what = format!("{subject} {}", guest.name);
    let (mut owner, mut reader, mut root) = (machine.owner(row.owner), (guest.make)(machine), machine.root());
    let told = subscribe(&mut reader, row.subject);
    assert!(!may || told.is_empty(), "{what}: {told}");
    assert_eq!(publish(&mut owner, &subject), "", "{what}");
    let delivered = heard(&mut reader);
    assert_eq!(delivered.matches("hello").count(), usize::from(may), "{what}: {delivered}");
    // Whoever subscribes to everything gets no more than that.
    let mut greedy = (guest.make)(machine);
    subscribe(&mut greedy, ">");
    publish(&mut owner, &subject);
    assert_eq!(heard(&mut greedy).matches("hello").count(), usize::from(may), "{what}: >");
    // Nobody but the owner and root is heard by the others.
    subscribe(&mut root, &subject);
    publish(&mut reader, &subject);
    assert_eq!(heard(&mut root).contains("hello"), guest.columns == [Column::Root], "{what}: forged");
}

fn check_request(machine: &Machine, row: &Row, guest: &Guest, may: bool) {
    let subject = concrete(row.subject);
    let what = format!("{subject} {}", guest.name);
    // The subjects that a daemon may serve there, where there are several.
    let pattern = if row.owner == Owner::Each { "$SRV.PING" } else { row.subject };
    let subject = if row.owner == Owner::Each { pattern.to_owned() } else { subject };
    let (mut owner, mut asker) = (machine.owner(row.owner), (guest.make)(machine));
    let mut spies: Vec<Peer> =
        PEOPLE[..2].iter().map(|(_, groups, _)| machine.connect(1099, groups, Way::Unix, "")).collect();
    spies.iter_mut().for_each(|spy| assert_eq!(subscribe(spy, row.subject), ""));
    assert_eq!(subscribe(&mut owner, pattern), "", "{what}");
    let answer = ask(&mut asker, guest.uid, &mut owner, &subject);
    assert_eq!(answer.contains("\r\nyes\r\n"), may, "{what}: {answer}");
    assert!(may || answer.contains("503") || answer.contains("Permissions Violation"), "{what}: {answer}");
    // Two who answer: the asker hears both.
    if may && row.owner == Owner::Each {
        let mut second = machine.connect(DAEMONS[1].1, &[], Way::Unix, "");
        subscribe(&mut second, pattern);
        asker.say(b"PUB $SRV.PING _INBOX.ask.2 0\r\n\r\n");
        heard(&mut asker);
        for daemon in [&mut owner, &mut second] {
            let request = heard(daemon);
            let reply =
                request.lines().find(|line| line.contains("MSG ")).unwrap().split(' ').nth(3).unwrap().to_owned();
            assert_eq!(publish(daemon, &reply), "");
        }
        assert_eq!(heard(&mut asker).matches("hello").count(), 2, "{what}");
    }
    spies.iter_mut().for_each(|spy| assert_eq!(heard(spy), "", "{what}"));
}

fn check_command(machine: &Machine, row: &Row, guest: &Guest, may: bool) {
    let subject = concrete(row.subject);
    let what = format!("{subject} {}", guest.name);
    let (mut owner, mut sender) = (machine.owner(row.owner), (guest.make)(machine));
    let mut spy = machine.connect(1099, &[SESSION], Way::Unix, "");
    subscribe(&mut owner, row.subject);
    subscribe(&mut spy, row.subject);
    publish(&mut sender, &subject);
    let told = heard(&mut owner);
    assert_eq!(told.matches("hello").count(), usize::from(may), "{what}: {told}");
    assert_eq!(heard(&mut spy), "", "{what}");
    // The sender's own programs hear it, too.
    if guest.columns != [Column::Root] {
        let mut own = (guest.make)(machine);
        subscribe(&mut own, &subject);
        publish(&mut sender, &subject);
        assert_eq!(heard(&mut own).matches("hello").count(), 1, "{what}: own");
    }
}

fn check_private(machine: &Machine, row: &Row, guest: &Guest) {
    let subject = concrete(row.subject);
    let what = format!("{subject} {}", guest.name);
    let (mut one, mut other, mut root) = ((guest.make)(machine), (guest.make)(machine), machine.root());
    let mut spies: Vec<Peer> =
        PEOPLE[..2].iter().map(|(_, groups, _)| machine.connect(1099, groups, Way::Unix, "")).collect();
    for spy in spies.iter_mut().chain([&mut root, &mut other]) {
        assert_eq!(subscribe(spy, row.subject), "");
    }
    assert_eq!(publish(&mut one, &subject), "", "{what}");
    assert_eq!(heard(&mut other).matches("hello").count(), 1, "{what}");
    assert_eq!(heard(&mut root).contains("hello"), guest.columns == [Column::Root], "{what}");
    spies.iter_mut().for_each(|spy| assert_eq!(heard(spy), "", "{what}"));
}

#[test]
fn every_cell_of_the_table_is_as_it_says() {
    let Some(machine) = Machine::start("cells") else { return };
    let mut cells = 0;
    for row in rows().unwrap() {
        for guest in machine.guests() {
            let may = row.grants_any(&guest.columns);
            match row.kind {
                Kind::Events => check_events(&machine, &row, &guest, may),
                Kind::Request => check_request(&machine, &row, &guest, may),
                Kind::Command => check_command(&machine, &row, &guest, may),
                Kind::Private => check_private(&machine, &row, &guest),
            }
            cells += 1;
        }
    }
    assert!(cells >= 20 * 14, "{cells}");
    eprintln!("{cells} cells");
}

#[test]
fn a_daemon_speaks_and_listens_for_its_own_domain_only() {
    let Some(machine) = Machine::start("owners") else { return };
    for row in rows().unwrap() {
        let Owner::Daemon(owner) = row.owner else { continue };
        let subject = concrete(row.subject);
        for (name, uid) in DAEMONS {
            let mut daemon = machine.connect(uid, &[], Way::Unix, "");
            let told = match row.kind {
                Kind::Events => publish(&mut daemon, &subject),
                Kind::Request | Kind::Command | Kind::Private => subscribe(&mut daemon, row.subject),
            };
            assert_eq!(told.contains("Permissions Violation"), name != owner, "{subject} {name}: {told}");
        }
    }
    // Nor may one publish what is asked of it, or read what others say.
    let mut daemon = machine.connect(DAEMONS[0].1, &[], Way::Unix, "");
    for subject in ["toast.in", "hardware.list", "_INBOX.x", "power.off"] {
        assert!(publish(&mut daemon, subject).contains("Permissions Violation"), "{subject}");
    }
    for pattern in [">", "process.*.*", "hardware.>", "_INBOX.>", "$SRV.>"] {
        assert!(subscribe(&mut daemon, pattern).contains("Permissions Violation"), "{pattern}");
    }
}
