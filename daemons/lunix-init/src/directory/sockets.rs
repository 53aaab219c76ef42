//! The file `sockets`: what lunix-init listens on for a service.

use super::parse::Expected;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Most sockets of one service.
const SOCKETS_MAX: usize = 16;

/// What kind of socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// SOCK_STREAM.
    Stream,
    /// SOCK_DGRAM.
    Datagram,
    /// SOCK_SEQPACKET.
    Packets,
}

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// A unix socket in the file system.
    Path(PathBuf),
    /// A unix socket with an abstract name.
    Abstract(String),
    /// TCP or UDP.
    Internet(SocketAddr),
}

/// One line of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Socket {
    /// What the service knows it by (LISTEN_FDNAMES).
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// Its address.
    pub address: Address,
    /// Permissions of a path.
    pub mode: u32,
}

/// A socket per line: name, kind (stream, dgram, seqpacket), address (a path, @name, or number:port), and for a path its mode in octal. `#` begins a
/// comment.
///
/// # Errors
/// What was expected.
pub fn parse(content: &[u8]) -> Result<Vec<Socket>, Expected> {
    let text = std::str::from_utf8(content).map_err(|_| EXPECTED)?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default().trim());
    let all = lines.filter(|line| !line.is_empty()).map(socket).collect::<Result<Vec<Socket>, Expected>>()?;
    if all.len() > SOCKETS_MAX { Err("at most 16 sockets") } else { Ok(all) }
}

const EXPECTED: Expected = "lines such as: client stream /run/my.sock 0666, or: web stream 0.0.0.0:80";

fn socket(line: &str) -> Result<Socket, Expected> {
    let mut words = line.split_ascii_whitespace();
    let name = words.next().filter(|name| !name.contains(':') && name.len() <= 64).ok_or(EXPECTED)?.to_owned();
    let kind = match words.next() {
        Some("stream") => Kind::Stream,
        Some("dgram") => Kind::Datagram,
        Some("seqpacket") => Kind::Packets,
        Some(_) | None => return Err(EXPECTED),
    };
    let word = words.next().ok_or(EXPECTED)?;
    let address = match (word.strip_prefix('@'), word.starts_with('/')) {
        (Some(name), _) if !name.is_empty() && name.len() < 100 => Address::Abstract(name.to_owned()),
        (None, true) if word.len() < 108 => Address::Path(word.into()),
        (None, false) if kind != Kind::Packets => Address::Internet(word.parse().map_err(|_| EXPECTED)?),
        (Some(_) | None, _) => return Err(EXPECTED),
    };
    let mode = match (words.next(), &address) {
        (None, _) => 0o666,
        (Some(mode), Address::Path(_)) => {
            u32::from_str_radix(mode, 8).ok().filter(|mode| *mode <= 0o777).ok_or(EXPECTED)?
        }
        (Some(_), Address::Abstract(_) | Address::Internet(_)) => return Err(EXPECTED),
    };
    if words.next().is_some() { Err(EXPECTED) } else { Ok(Socket { name, kind, address, mode }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_per_line() {
        let all =
            parse(b"# two\nclient stream /run/a.sock 0600\nweb stream [::]:80\n\nlog dgram @log # here\n").unwrap();
        let expected = [
            Socket {
                name: "client".into(),
                kind: Kind::Stream,
                address: Address::Path("/run/a.sock".into()),
                mode: 0o600,
            },
            Socket {
                name: "web".into(),
                kind: Kind::Stream,
                address: Address::Internet("[::]:80".parse().unwrap()),
                mode: 0o666,
            },
            Socket { name: "log".into(), kind: Kind::Datagram, address: Address::Abstract("log".into()), mode: 0o666 },
        ];
        assert_eq!(all, expected);
        let bad = [
            "a",
            "a stream",
            "a raw /x",
            "a:b stream /x",
            "a stream localhost:80",
            "a stream /x 9",
            "a stream @",
            "a stream 1.2.3.4:80 0600",
            "a seqpacket 1.2.3.4:80",
            "a stream /x 0600 more",
        ];
        for line in bad {
            assert!(parse(line.as_bytes()).is_err(), "{line}");
        }
        assert_eq!(parse(&b"a stream @x\n".repeat(17)), Err("at most 16 sockets"));
    }
}
