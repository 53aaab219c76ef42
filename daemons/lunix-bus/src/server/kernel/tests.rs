//! With real sockets. Connecting as somebody else needs root; without, those tests end at once.

use super::*;
use rustix::net::sockopt;
use rustix::thread::{
    LinkNameSpaceType, move_into_link_name_space, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};

/// Runs `work` as user and group `number`, in groups `number + 1` and 4. The kernel keeps credentials per thread.
fn as_user<T: Send>(number: u32, work: impl FnOnce() -> T + Send) -> T {
    let (uid, gid) = (rustix::fs::Uid::from_raw(number), rustix::fs::Gid::from_raw(number));
    std::thread::scope(|scope| {
        let thread = scope.spawn(|| {
            set_thread_groups(&[rustix::fs::Gid::from_raw(number + 1), rustix::fs::Gid::from_raw(4)]).unwrap();
            set_thread_res_gid(gid, gid, gid).unwrap();
            set_thread_res_uid(uid, uid, uid).unwrap();
            work()
        });
        thread.join().unwrap()
    })
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A listener on `address`, and one who can be asked; `None` where the kernel does not know.
fn listening(address: &str) -> Option<(TcpListener, Kernel)> {
    let (listener, mut kernel) = (TcpListener::bind(address).ok()?, Kernel::with_tcp());
    if kernel.sees(&listener) {
        return Some((listener, kernel));
    }
    // If it knows one, it knows all.
    assert!(!kernel.sees(TcpListener::bind("127.0.0.1:0").unwrap()), "{address}");
    None
}

fn connect_from(from: SocketAddr, to: SocketAddr) -> TcpStream {
    let socket = rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap();
    sockopt::set_socket_reuseaddr(&socket, true).unwrap();
    rustix::net::bind(&socket, &from).unwrap();
    rustix::net::connect(&socket, &to).unwrap();
    socket.into()
}

fn reset(stream: TcpStream) {
    sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
}

#[test]
fn the_user_at_the_other_end_of_a_unix_socket() {
    let path = std::env::temp_dir().join(format!("lunix-bus-kernel-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let ours = UnixStream::connect(&path).unwrap();
    let facts = Kernel::unix(&listener.accept().unwrap().0);
    assert_eq!(facts.uid, Some(rustix::process::geteuid().as_raw()));
    assert_eq!((facts.gid, facts.pid), (Some(rustix::process::getegid().as_raw()), Some(std::process::id())));
    drop(ours);
    if is_root() {
        std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        let theirs = as_user(54_321, || UnixStream::connect(&path).unwrap());
        let facts = Kernel::unix(&listener.accept().unwrap().0);
        assert_eq!((facts.origin, facts.uid, facts.gid), (Origin::Unix, Some(54_321), Some(54_321)));
        let mut groups = facts.groups;
        groups.sort_unstable();
        assert_eq!(groups, [4, 54_322]);
        drop(theirs);
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn a_process_that_is_gone_has_no_number() {
    let path = std::env::temp_dir().join(format!("lunix-bus-gone-{}", std::process::id()));
    let listener = UnixListener::bind(&path).unwrap();
    let script = "import socket,sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])";
    let Ok(status) = Command::new("python3").args(["-c", script]).arg(&path).status() else { return };
    assert!(status.success());
    let (connection, _) = listener.accept().unwrap();
    let facts = Kernel::unix(&connection);
    assert_eq!(facts.uid, Some(rustix::process::geteuid().as_raw()));
    if sys::peer::pidfd(&connection).is_ok_and(|pidfd| pidfd.is_some()) || facts.pid.is_none() {
        assert_eq!(facts.pid, None);
    }
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_user_at_the_other_end_of_loopback_tcp_in_every_form_of_address() {
    for (listen, connect) in [
        ("127.0.0.1:0", "127.0.0.1"),
        ("0.0.0.0:0", "127.0.0.7"),
        ("[::1]:0", "::1"),
        ("[::]:0", "::1"),
        ("[::]:0", "127.0.0.1"),
        ("127.0.0.1:0", "::ffff:127.0.0.1"),
        ("[::]:0", "::ffff:127.0.0.1"),
    ] {
        let Some((listener, mut kernel)) = listening(listen) else { continue };
        let to = SocketAddr::new(connect.parse().unwrap(), listener.local_addr().unwrap().port());
        let users: &[u32] = if is_root() { &[0, 102, 54_321] } else { &[] };
        for &uid in users {
            let client = as_user(uid, || TcpStream::connect(to).unwrap());
            let (connection, peer) = listener.accept().unwrap();
            let facts = kernel.tcp(&connection, peer);
            assert_eq!((facts.origin, facts.uid), (Origin::Loopback, Some(uid)), "{listen} {connect}");
            assert_eq!((facts.gid, facts.groups, facts.pid), (None, Vec::new(), None));
            drop(client);
        }
        let client = TcpStream::connect(to).unwrap();
        let (connection, peer) = listener.accept().unwrap();
        assert_eq!(kernel.tcp(&connection, peer).uid, Some(rustix::process::geteuid().as_raw()));
        drop(client);
    }
}

#[test]
fn who_closed_or_was_reset_is_nobody() {
    let Some((listener, mut kernel)) = listening("127.0.0.1:0") else { return };
    let to = listener.local_addr().unwrap();
    let close: [fn(TcpStream) -> Option<TcpStream>; 3] = [
        |stream| {
            drop(stream);
            None
        },
        |stream| {
            reset(stream);
            None
        },
        |stream| {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
            Some(stream)
        },
    ];
    for (number, close) in close.into_iter().enumerate() {
        let client = TcpStream::connect(to).unwrap();
        let (connection, peer) = listener.accept().unwrap();
        let kept = close(client);
        assert_eq!(kernel.tcp(&connection, peer), Facts::new(Origin::Loopback), "{number}");
        drop(kept);
    }
}

#[test]
fn who_took_over_the_port_of_a_reset_client_lends_it_nothing() {
    let Some((listener, mut kernel)) = listening("127.0.0.1:0") else { return };
    if !is_root() {
        return;
    }
    let to = listener.local_addr().unwrap();
    // An address of this test's own: nobody else takes a port of it.
    let from = SocketAddr::from(([127, 77, 0, 1], 0));
    let mut bad = as_user(54_321, || connect_from(from, to));
    bad.write_all(b"PUB as.somebody.else 0\r\n\r\n").unwrap();
    let port = bad.local_addr().unwrap();
    let (first, peer) = listener.accept().unwrap();
    reset(bad);
    // Between accept and the question, somebody else connects from the very same address.
    let honest = as_user(54_322, || connect_from(port, to));
    // The kernel does find a socket of these addresses, and the words of the first client can still be read ...
    let found = kernel.ask(peer, to);
    assert!(matches!(found, Some(Answer::Socket { is_established: true, uid: 54_322, .. })), "{found:?}");
    let mut words = [0; 64];
    assert!((&first).read(&mut words).is_ok_and(|len| words[..len].starts_with(b"PUB")));
    // ... but the first client is nobody, and the second is who it is.
    assert_eq!(kernel.tcp(&first, peer), Facts::new(Origin::Loopback));
    let (second, same) = listener.accept().unwrap();
    assert_eq!(same, peer);
    assert_eq!(kernel.tcp(&second, same).uid, Some(54_322));
    drop(honest);
}

#[test]
fn another_network_namespace_is_not_known() {
    if !is_root() {
        return;
    }
    let name = format!("lunix-bus-{}", std::process::id());
    let ip = |arguments: &[&str]| Command::new("ip").args(arguments).stderr(Stdio::null()).status();
    let made = ip(&["netns", "add", &name]).is_ok_and(|status| status.success());
    if made && ip(&["-n", &name, "link", "set", "lo", "up"]).is_ok_and(|status| status.success()) {
        // A thread there listens and connects to itself; we here ask about it.
        let (listener, client) = std::thread::scope(|scope| {
            let thread = scope.spawn(|| {
                let namespace = std::fs::File::open(format!("/run/netns/{name}")).unwrap();
                move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network)).unwrap();
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
                (listener, client)
            });
            thread.join().unwrap()
        });
        let (connection, peer) = listener.accept().unwrap();
        let mut kernel = Kernel::with_tcp();
        assert!(!kernel.sees(&listener));
        assert_eq!(kernel.tcp(&connection, peer), Facts::new(Origin::Loopback));
        drop(client);
    }
    if made {
        assert!(ip(&["netns", "del", &name]).unwrap().success());
    }
}

#[test]
fn a_kernel_that_cannot_be_asked_knows_nobody() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (connection, peer) = listener.accept().unwrap();
    let mut blind = Kernel::without_tcp();
    assert!(!blind.sees(&listener));
    assert_eq!(blind.tcp(&connection, peer), Facts::new(Origin::Loopback));
    assert!(!Kernel::with_tcp().sees(client));
    // No address of this machine.
    let far = "192.0.2.1:4222".parse().unwrap();
    assert_eq!(Kernel::with_tcp().tcp(&connection, far), Facts::new(Origin::Elsewhere));
}
