//! A bare relay: what one epoll thread that reads and writes costs, and nothing else. The floor of a server's latency.
//!
//! The first connection is the responder. Every connection begins with the length of all frames to come, four bytes, little endian; a frame
//! begins with the requester's number, two bytes, little endian. A request goes to the responder as it is, an answer to the requester it names.

use crate::failure::{Context, Failure, Result};
use reactor::{Interest, Reactor};
use rustix::net::{RecvFlags, SendFlags};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const CONNECTIONS_MAX: usize = 64;

/// The port, if this is the command line of [`Relay::start`].
pub fn port_of(mut parser: lexopt::Parser) -> Option<u16> {
    match parser.next() {
        Ok(Some(lexopt::Arg::Long("relay"))) => parser.value().ok()?.to_str()?.parse().ok(),
        Ok(_) | Err(_) => None,
    }
}

/// A relay that runs until it is dropped.
pub struct Relay {
    child: Child,
    pub port: u16,
}

impl Relay {
    /// Starts this very program as a relay and waits until it listens.
    pub fn start() -> Result<Self> {
        let port = super::server::free_port()?;
        let program = Path::new("/proc/self/exe");
        let mut command = Command::new(program);
        command.args(["bench", "--relay", &port.to_string()]).stdin(Stdio::null());
        let relay = Self { child: command.spawn().context("start the relay")?, port };
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline {
            if std::fs::read_to_string("/proc/net/tcp")
                .context("/proc/net/tcp")?
                .contains(&format!(":{port:04X} 00000000:0000 0A"))
            {
                return Ok(relay);
            }
            std::thread::yield_now();
        }
        Err(Failure::new("the relay does not listen"))
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Err(error) = self.child.kill().and_then(|()| self.child.wait()) {
            eprintln!("cannot stop the relay: {error}");
        }
    }
}

/// Relays until it is killed.
pub fn serve(port: u16) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", port)).context("listen")?;
    let mut reactor = Reactor::new(CONNECTIONS_MAX).map_err(|error| Failure::new(error.to_string()))?;
    let epoll = |error: reactor::Error| Failure::new(error.to_string());
    reactor.insert(&listener, Interest::READ, usize::MAX).map_err(epoll)?;
    let mut connections: Vec<TcpStream> = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut frame_len = 0;
    loop {
        reactor.wait(None).map_err(epoll)?;
        while let Some(event) = reactor.next() {
            if event.key == usize::MAX {
                let (stream, _) = listener.accept().context("accept")?;
                stream.set_nodelay(true).context("accept")?;
                frame_len = length(&stream)?;
                reactor.insert(&stream, Interest::READ, connections.len()).map_err(epoll)?;
                connections.push(stream);
                continue;
            }
            let Some(from) = connections.get(event.key) else { continue };
            let (len, _) = rustix::net::recv(from, &mut *buffer, RecvFlags::empty())
                .map_err(std::io::Error::from)
                .context("recv")?;
            if len == 0 {
                // Its place in the list stays, the others keep their numbers.
                reactor.remove(event.token, from).map_err(epoll)?;
            }
            for frame in buffer.get(..len).unwrap_or_default().chunks(frame_len) {
                let to = if event.key == 0 { 1 + number(frame) } else { 0 };
                let to = connections.get(to).ok_or_else(|| Failure::new("the relay knows no such requester"))?;
                rustix::net::send(to, frame, SendFlags::empty()).map_err(std::io::Error::from).context("send")?;
            }
        }
    }
}

fn number(frame: &[u8]) -> usize {
    frame.first_chunk().map_or(0, |number| usize::from(u16::from_le_bytes(*number)))
}

fn length(mut stream: &TcpStream) -> Result<usize> {
    let mut length = [0; 4];
    std::io::Read::read_exact(&mut stream, &mut length).context("read")?;
    Ok(usize::try_from(u32::from_le_bytes(length)).unwrap_or(1).max(2))
}
