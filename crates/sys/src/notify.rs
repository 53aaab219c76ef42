//! Telling the supervisor how we are, as `sd_notify` does (`man 3 sd_notify`): datagrams to the socket that NOTIFY_SOCKET names.

use std::ffi::OsStr;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The socket of the supervisor, if it has one.
#[derive(Debug, Default)]
pub struct Notify(Option<(UnixDatagram, SocketAddr)>);

impl Notify {
    /// The supervisor that NOTIFY_SOCKET names: a path, or `@` and an abstract name. Without that variable nobody is told anything.
    ///
    /// # Errors
    /// When the variable holds something else, or there can be no more sockets.
    pub fn from_environment() -> io::Result<Self> {
        std::env::var_os("NOTIFY_SOCKET").map_or(Ok(Self::default()), |name| Self::to(&name))
    }

    /// The supervisor that listens there.
    ///
    /// # Errors
    /// When it is neither a path nor an abstract name, or there can be no more sockets.
    pub fn to(name: &OsStr) -> io::Result<Self> {
        let address = match name.as_bytes() {
            [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
            [b'/', ..] => SocketAddr::from_pathname(name)?,
            _ => return Err(io::Error::new(io::ErrorKind::InvalidInput, "NOTIFY_SOCKET: expected a path or @NAME")),
        };
        let socket = UnixDatagram::unbound()?;
        socket.set_nonblocking(true)?;
        Ok(Self(Some((socket, address))))
    }

    /// Sends assignments such as `READY=1`, one a line.
    ///
    /// # Errors
    /// When the supervisor is gone, or does not read (`WouldBlock`).
    pub fn say(&self, text: &str) -> io::Result<()> {
        let Some((socket, address)) = &self.0 else { return Ok(()) };
        socket.send_to_addr(text.as_bytes(), address).map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(socket: &UnixDatagram) -> String {
        let mut bytes = [0; 64];
        let count = socket.recv(&mut bytes).unwrap();
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }

    #[test]
    fn paths_and_abstract_names_hear_it() {
        let name = format!("lunix-notify-{}", std::process::id());
        let path = std::env::temp_dir().join(&name);
        let by_path = UnixDatagram::bind(&path).unwrap();
        Notify::to(path.as_os_str()).unwrap().say("READY=1").unwrap();
        assert_eq!(heard(&by_path), "READY=1");
        std::fs::remove_file(&path).unwrap();
        let address = SocketAddr::from_abstract_name(name.as_bytes()).unwrap();
        let by_name = UnixDatagram::bind_addr(&address).unwrap();
        Notify::to(format!("@{name}").as_ref()).unwrap().say("STOPPING=1").unwrap();
        assert_eq!(heard(&by_name), "STOPPING=1");
    }

    #[test]
    fn nobody_and_nonsense() {
        Notify::default().say("READY=1").unwrap();
        for wrong in ["", "5", "relative"] {
            assert_eq!(Notify::to(wrong.as_ref()).unwrap_err().kind(), io::ErrorKind::InvalidInput, "{wrong}");
        }
        let gone = Notify::to("/nonexistent/lunix/notify".as_ref()).unwrap();
        assert_eq!(gone.say("READY=1").unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
