//! Sockets that ask the kernel and wait for its answer.

use crate::DATAGRAM_BYTES;
use proto_rtnetlink::{Message, Messages, Outcome};
use rustix::net::sockopt::{self, Timeout};
use rustix::net::{AddressFamily, Protocol, RecvFlags, SendFlags, SocketFlags, SocketType};
use std::io;
use std::os::fd::OwnedFd;
use std::time::Duration;

/// The kernel answers while the request is made; this is for a kernel that does not.
const ANSWER_WAIT: Duration = Duration::from_secs(5);
/// How often a dump that was disturbed is asked for again.
const TRIES: u32 = 10;

/// A socket for questions.
#[derive(Debug)]
pub struct Asker {
    socket: OwnedFd,
    sequence: u32,
}

impl Asker {
    /// Opens the socket.
    ///
    /// # Errors
    /// A protocol that the kernel does not have.
    pub fn open(protocol: Option<Protocol>) -> io::Result<Self> {
        let flags = SocketFlags::CLOEXEC;
        let socket = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)?;
        sockopt::set_socket_timeout(&socket, Timeout::Recv, Some(ANSWER_WAIT))?;
        Ok(Self { socket, sequence: 0 })
    }

    /// Asks, and hands each message of the answer to `read`, which makes something of it. A dump that was disturbed is asked for again.
    ///
    /// # Errors
    /// The kernel's refusal, as the error number it gave; `WouldBlock` when it does not answer within 5 s.
    pub fn ask<T>(
        &mut self,
        request: impl Fn(u32) -> Vec<u8>,
        mut read: impl FnMut(&Message<'_>) -> Option<T>,
    ) -> io::Result<Vec<T>> {
        for _ in 0..TRIES {
            self.sequence = self.sequence.wrapping_add(1).max(1);
            rustix::net::send(&self.socket, &request(self.sequence), SendFlags::empty())?;
            if let Some(answer) = self.answer(&mut read)? {
                return Ok(answer);
            }
        }
        Err(io::Error::other("it changes faster than the kernel can list it"))
    }

    /// Reads one answer to its end; `None` when it was disturbed.
    fn answer<T>(&self, read: &mut impl FnMut(&Message<'_>) -> Option<T>) -> io::Result<Option<Vec<T>>> {
        let (mut all, mut disturbed) = (Vec::new(), false);
        let mut buffer = vec![0; DATAGRAM_BYTES];
        loop {
            let (_, count) = rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::empty())?;
            let messages = Messages::new(buffer.get(..count).unwrap_or_default());
            for message in messages {
                let message = message.map_err(|fault| io::Error::other(fault.to_string()))?;
                if message.sequence != self.sequence {
                    continue;
                }
                disturbed |= message.is_interrupted();
                match message.outcome() {
                    Some(Outcome::Done | Outcome::Refused(0)) => return Ok((!disturbed).then_some(all)),
                    Some(Outcome::Refused(errno)) => return Err(io::Error::from_raw_os_error(errno)),
                    Some(Outcome::Overrun) => return Ok(None),
                    None => all.extend(read(&message)),
                }
                if !message.is_one_of_many() {
                    return Ok(Some(all));
                }
            }
        }
    }
}
