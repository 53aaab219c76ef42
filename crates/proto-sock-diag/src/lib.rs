//! Whose socket is at the other end of a TCP connection on this machine: the kernel's `sock_diag` messages. No I/O, no allocation.
//!
//! One request names one connection exactly, as its other end sees it: source is the peer's address, destination is ours. The answer
//! tells the state of the peer's socket, which user made it, and its inode, which is 0 once no process holds the socket any more.
//! Messages are records of fixed size (`man 7 sock_diag`, `include/uapi/linux/inet_diag.h`): `nlmsghdr` (16 bytes), then
//! `inet_diag_req_v2` (56) or `inet_diag_msg` (72), in the machine's byte order but for ports and addresses.
//!
//! ```
//! use proto_sock_diag::{Answer, answer, request};
//!
//! let question = request(7, "127.0.0.1:40000".parse().unwrap(), "127.0.0.1:4222".parse().unwrap()).unwrap();
//! assert_eq!(question.len(), 72);
//! // The kernel's way to say that there is no such connection: the error ENOENT, and the question again.
//! let refusal = [&[92, 0, 0, 0, 2, 0, 0, 0, 7, 0, 0, 0, 0, 0, 0, 0][..], &(-2_i32).to_ne_bytes(), &question].concat();
//! # if cfg!(target_endian = "little") {
//! assert_eq!(answer(&refusal, 7), Some(Answer::Refused { errno: 2 }));
//! # }
//! ```
#![no_std]
#![forbid(unsafe_code)]

use core::net::{IpAddr, SocketAddr};

const NETLINK_HEADER: usize = 16;
const REQUEST_LEN: usize = NETLINK_HEADER + 56;
const MESSAGE_LEN: usize = 72;

const NLMSG_ERROR: u16 = 2;
const SOCK_DIAG_BY_FAMILY: u16 = 20;
const NLM_F_REQUEST: u16 = 1;

const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const IPPROTO_TCP: u8 = 6;
/// The cookie of a request that is about any socket of these addresses.
const NO_COOKIE: [u8; 8] = [0xff; 8];

/// State number of an open connection (`include/net/tcp_states.h`).
const TCP_ESTABLISHED: u8 = 1;

/// Enough for any one answer: the kernel adds attributes after the message.
pub const ANSWER_LEN_MAX: usize = 512;

/// What the kernel said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is such a socket.
    Socket {
        /// Whether the connection is open in both directions.
        is_established: bool,
        /// The user who made the socket; the overflow user where that one has no number in our user namespace.
        uid: u32,
        /// The socket's inode; 0 when no process holds it any more, as in TIME_WAIT, where `uid` means nothing.
        inode: u32,
    },
    /// There is none, or the kernel cannot tell.
    Refused {
        /// Error number, above 0: ENOENT (2) when there is no such socket or module.
        errno: u32,
    },
}

/// The request for the socket that has `peer` as its own address and `ours` as the other. `sequence` comes back in the answer.
/// IPv4 addresses in IPv6 form are told as IPv4. `None` when the two addresses are of different families.
#[must_use]
pub fn request(sequence: u32, peer: SocketAddr, ours: SocketAddr) -> Option<[u8; REQUEST_LEN]> {
    let family = match (peer.ip().to_canonical(), ours.ip().to_canonical()) {
        (IpAddr::V4(_), IpAddr::V4(_)) => AF_INET,
        (IpAddr::V6(_), IpAddr::V6(_)) => AF_INET6,
        (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return None,
    };
    let mut request = [0; REQUEST_LEN];
    put(&mut request, 0, &72_u32.to_ne_bytes());
    put(&mut request, 4, &SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    put(&mut request, 6, &NLM_F_REQUEST.to_ne_bytes());
    put(&mut request, 8, &sequence.to_ne_bytes());
    put(&mut request, 16, &[family, IPPROTO_TCP]);
    // Any state: the answer says which.
    put(&mut request, 20, &u32::MAX.to_ne_bytes());
    put(&mut request, 24, &peer.port().to_be_bytes());
    put(&mut request, 26, &ours.port().to_be_bytes());
    put(&mut request, 28, &bytes(peer.ip()));
    put(&mut request, 44, &bytes(ours.ip()));
    put(&mut request, 64, &NO_COOKIE);
    Some(request)
}

/// Reads one datagram. `None` when it is not the answer to the request with this `sequence`, or none at all.
#[must_use]
pub fn answer(datagram: &[u8], sequence: u32) -> Option<Answer> {
    let length = usize::try_from(word(datagram, 0)?).ok()?;
    let message = datagram.get(..length)?;
    if word(message, 8)? != sequence {
        return None;
    }
    let body = message.get(NETLINK_HEADER..)?;
    match u16::from_ne_bytes(take(message, 4)?) {
        NLMSG_ERROR => Some(Answer::Refused { errno: i32::from_ne_bytes(take(body, 0)?).unsigned_abs() }),
        SOCK_DIAG_BY_FAMILY if body.len() >= MESSAGE_LEN => {
            let [_, state] = take(body, 0)?;
            Some(Answer::Socket {
                is_established: state == TCP_ESTABLISHED,
                uid: word(body, 64)?,
                inode: word(body, 68)?,
            })
        }
        _ => None,
    }
}

fn bytes(address: IpAddr) -> [u8; 16] {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let mut whole = [0; 16];
            put(&mut whole, 0, &address.octets());
            whole
        }
        IpAddr::V6(address) => address.octets(),
    }
}

fn put(buffer: &mut [u8], at: usize, bytes: &[u8]) {
    for (place, byte) in buffer.iter_mut().skip(at).zip(bytes) {
        *place = *byte;
    }
}

fn take<const LEN: usize>(bytes: &[u8], at: usize) -> Option<[u8; LEN]> {
    bytes.get(at..)?.first_chunk().copied()
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    take(bytes, at).map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    extern crate std;

    use super::*;
    use std::vec::Vec;

    fn message(kind: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(NETLINK_HEADER + body.len()).unwrap();
        [&length.to_ne_bytes()[..], &kind.to_ne_bytes(), &[0, 0], &sequence.to_ne_bytes(), &[0; 4], body].concat()
    }

    fn socket(state: u8, uid: u32, inode: u32) -> Vec<u8> {
        [&[AF_INET, state, 0, 0][..], &[0; 48], &[0; 12], &uid.to_ne_bytes(), &inode.to_ne_bytes()].concat()
    }

    #[test]
    fn a_request_names_the_connection_as_its_other_end_sees_it() {
        let table = [
            ("127.0.0.1:40000", "127.0.0.1:4222", Some((AF_INET, [127, 0, 0, 1]))),
            ("[::ffff:127.0.0.1]:40000", "[::ffff:127.0.0.1]:4222", Some((AF_INET, [127, 0, 0, 1]))),
            ("[::ffff:127.0.0.1]:40000", "127.0.0.1:4222", Some((AF_INET, [127, 0, 0, 1]))),
            ("[::1]:40000", "[::1]:4222", Some((AF_INET6, [0, 0, 0, 0]))),
            ("[::1]:40000", "127.0.0.1:4222", None),
        ];
        for (peer, ours, expected) in table {
            let request = request(5, peer.parse().unwrap(), ours.parse().unwrap());
            assert_eq!(request.map(|bytes| (bytes[16], bytes[28..32].try_into().unwrap())), expected, "{peer}");
            let Some(bytes) = request else { continue };
            assert_eq!(bytes[24..28], [0x9c, 0x40, 0x10, 0x7e], "{peer}");
            assert_eq!((word(&bytes, 0), word(&bytes, 8), &bytes[64..]), (Some(72), Some(5), &[0xff; 8][..]));
        }
        let request = request(5, "[::1]:1".parse().unwrap(), "[fe80::1%3]:2".parse().unwrap()).unwrap();
        assert_eq!((request[43], request[44], request[59]), (1, 0xfe, 1));
    }

    #[test]
    fn answers_good_and_bad() {
        let whole = message(SOCK_DIAG_BY_FAMILY, 9, &socket(1, 1000, 77));
        let with_attributes = message(SOCK_DIAG_BY_FAMILY, 9, &[socket(6, 0, 0), std::vec![0; 52]].concat());
        let refused = message(NLMSG_ERROR, 9, &[&(-2_i32).to_ne_bytes()[..], &[0; 72]].concat());
        let good = [
            (&whole, Answer::Socket { is_established: true, uid: 1000, inode: 77 }),
            (&with_attributes, Answer::Socket { is_established: false, uid: 0, inode: 0 }),
            (&refused, Answer::Refused { errno: 2 }),
        ];
        for (datagram, expected) in good {
            assert_eq!(answer(datagram, 9), Some(expected));
            assert_eq!(answer(datagram, 8), None);
            for cut in 0..datagram.len() {
                assert_eq!(answer(&datagram[..cut], 9), None, "cut at {cut}");
            }
        }
        for bad in [message(3, 9, &socket(1, 0, 1)), message(SOCK_DIAG_BY_FAMILY, 9, &socket(1, 0, 1)[..71])] {
            assert_eq!(answer(&bad, 9), None);
        }
        assert_eq!(
            answer(&message(NLMSG_ERROR, 9, &i32::MIN.to_ne_bytes()), 9),
            Some(Answer::Refused { errno: 1 << 31 })
        );
    }
}
