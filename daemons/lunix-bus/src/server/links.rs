//! Connections to hubs: made here, then served like those of clients.

use super::transport::Transport;
use super::{Server, Source};
use crate::broker::{LinkOrder, Proof};
use crate::leaf::Remote;
use crate::resolving::{Outcome, Resolver};
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

/// What is under way before a link has its connection.
#[derive(Debug, Default)]
pub(super) struct Dials {
    /// Connections that are coming about; at most one per remote.
    connections: Vec<Dialling>,
    resolver: Resolver,
    /// Its socket's name in the reactor.
    token: Option<Token>,
}

impl Server {
    /// Does what the broker wants for its links.
    pub(super) fn serve_links(&mut self, now: Instant) {
        while let Some(order) = self.broker.take_link_order() {
            match order {
                LinkOrder::Resolve { remote, host, port } => {
                    self.dials.resolver.push(remote, host, port);
                    self.resolve(now);
                }
                LinkOrder::Dial { remote, address } => {
                    if let Err(error) = self.dial(remote, address) {
                        self.broker.link_failed(now, remote, &format!("dial tcp {address}: {error}"));
                    }
                }
                LinkOrder::Abandon { remote } => {
                    drop(self.undial(remote));
                    if self.dials.resolver.abandon(remote) {
                        self.drop_resolver();
                        self.resolve(now);
                    }
                }
                LinkOrder::Secure { remote, slot, name } => {
                    if let Err(why) = self.secure(now, remote, slot, &name) {
                        self.broker.link_failed(now, remote, &why);
                    }
                }
            }
        }
    }

    /// Gives the helper its next name, if it has none.
    fn resolve(&mut self, now: Instant) {
        let Self { dials, reactor, .. } = self;
        let failed = match dials.resolver.advance() {
            Ok(true) => dials.resolver.socket().and_then(|socket| {
                let inserted = reactor.insert(socket, Interest::READ, Source::Resolver);
                inserted.map(|token| dials.token = Some(token)).err().map(|error| error.to_string())
            }),
            Ok(false) => None,
            Err((remote, error)) => {
                self.broker.link_failed(now, remote, &error.to_string());
                Some(error.to_string())
            }
        };
        if let Some(error) = failed {
            self.log.error(format_args!("cannot look names up: {error}"));
            self.drop_resolver();
        }
    }

    /// The helper's socket has something.
    pub(super) fn resolver_ready(&mut self, now: Instant) {
        match self.dials.resolver.read() {
            Outcome::Addresses(remote, addresses) => self.broker.link_resolved(now, remote, &addresses),
            Outcome::Failed(remote, why) => self.broker.link_failed(now, remote, &format!("lookup: {why}")),
            Outcome::Gone(remote) => {
                self.drop_resolver();
                if let Some(remote) = remote {
                    self.broker.link_failed(now, remote, "lookup: the helper ended by itself");
                }
            }
            Outcome::Nothing => {}
        }
        self.resolve(now);
    }

    fn drop_resolver(&mut self) {
        if let (Some(token), Some(socket)) = (self.dials.token.take(), self.dials.resolver.socket()) {
            // The socket is closed right after, which ends the watching, too.
            let _ = self.reactor.remove(token, socket);
        }
        self.dials.resolver.discard();
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
        self.dials.connections.push(Dialling { remote, fd, token, address });
        Ok(())
    }

    /// Takes back the connection that is coming about.
    fn undial(&mut self, remote: usize) -> Option<(OwnedFd, SocketAddr)> {
        let place = self.dials.connections.iter().position(|dialling| dialling.remote == remote)?;
        let Dialling { fd, token, address, .. } = self.dials.connections.swap_remove(place);
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
        self.attach(slot, fd, Transport::Plain);
        // It is needed again when the link is lost, which may be never.
        if self.dials.resolver.is_idle() {
            self.drop_resolver();
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
