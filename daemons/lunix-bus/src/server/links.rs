//! Connections to hubs: made here, then served like those of clients.

use super::{Server, Source};
use crate::broker::{LinkOrder, Proof};
use crate::leaf::Remote;
use nats_keys::{Credentials, KeyPair};
use reactor::{Instant, Interest, Token};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};
use std::fs::File;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use zeroize::Zeroizing;

/// A credentials file larger than this is none.
const CREDENTIALS_MAX: usize = 64 * 1024;

/// A connection that is coming about.
#[derive(Debug)]
struct Dialling {
    remote: usize,
    fd: OwnedFd,
    token: Token,
    address: SocketAddr,
}

/// Connections that are coming about; at most one per remote.
#[derive(Debug, Default)]
pub(super) struct Dials(Vec<Dialling>);

impl Server {
    /// Does what the broker wants for its links.
    pub(super) fn serve_links(&mut self, now: Instant) {
        while let Some(order) = self.broker.take_link_order() {
            match order {
                LinkOrder::Resolve { remote, .. } => self.broker.link_failed(now, remote, "names are not resolved"),
                LinkOrder::Dial { remote, address } => {
                    if let Err(error) = self.dial(remote, address) {
                        self.broker.link_failed(now, remote, &format!("dial tcp {address}: {error}"));
                    }
                }
                LinkOrder::Abandon { remote } => drop(self.undial(remote)),
                LinkOrder::Secure { remote, .. } => self.broker.link_failed(now, remote, "this build has no TLS"),
            }
        }
    }

    fn dial(&mut self, remote: usize, address: SocketAddr) -> io::Result<()> {
        let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        sockopt::set_tcp_nodelay(&fd, true)?;
        sockopt::set_socket_keepalive(&fd, true)?;
        match rustix::net::connect(&fd, &address) {
            Ok(()) | Err(Errno::INPROGRESS | Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        // There is at most one per remote, and few remotes.
        let name = u32::try_from(remote).unwrap_or(u32::MAX);
        let token = self.reactor.insert(&fd, Interest::WRITE, Source::Dialling(name))?;
        self.dials.0.push(Dialling { remote, fd, token, address });
        Ok(())
    }

    /// Takes back the connection that is coming about.
    fn undial(&mut self, remote: usize) -> Option<(OwnedFd, SocketAddr)> {
        let place = self.dials.0.iter().position(|dialling| dialling.remote == remote)?;
        let Dialling { fd, token, address, .. } = self.dials.0.swap_remove(place);
        // It is watched for nothing else.
        let _ = self.reactor.remove(token, &fd);
        Some((fd, address))
    }

    /// A connection came about, or did not.
    pub(super) fn dialled(&mut self, now: Instant, remote: u32) {
        let remote = remote as usize;
        let Some((fd, address)) = self.undial(remote) else { return };
        let failure = match sockopt::socket_error(&fd) {
            Ok(Ok(())) => None,
            Ok(Err(errno)) | Err(errno) => Some(io::Error::from(errno)),
        };
        if let Some(error) = failure {
            return self.broker.link_failed(now, remote, &format!("dial tcp {address}: connect: {error}"));
        }
        let proof = match self.broker.remote(remote).map(|remote| prove(remote)) {
            None => return,
            Some(Ok(proof)) => proof,
            Some(Err(text)) => return self.broker.link_failed(now, remote, &text),
        };
        let Some(slot) = self.broker.link_connected(now, remote, address, proof) else { return };
        if self.attach(slot, fd).is_none() {
            self.broker.remove(Instant::now(), slot);
        }
    }
}

/// What proves who we are: from the credentials file, read each time because it may be a new one, or from the seed.
fn prove(remote: &Remote) -> Result<Option<Proof>, String> {
    if let Some(path) = &remote.credentials {
        let failed = |error: &dyn std::fmt::Display| format!("credentials file {}: {error}", path.display());
        let mut text = Zeroizing::new(String::new());
        let mut file = File::open(path).map_err(|error| failed(&error))?.take(CREDENTIALS_MAX as u64);
        file.read_to_string(&mut text).map_err(|error| failed(&error))?;
        let Credentials { token, key } = Credentials::parse(&text).map_err(|error| failed(&error))?;
        return Ok(Some(Proof { key, token: Some(token) }));
    }
    let seed = remote.seed.as_ref().map(|seed| KeyPair::from_seed(seed.as_str()));
    let key = seed.transpose().map_err(|error| error.to_string())?;
    Ok(key.map(|key| Proof { key, token: None }))
}
