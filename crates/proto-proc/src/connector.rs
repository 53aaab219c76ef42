//! Messages of the process connector.

const NETLINK_HEADER: usize = 16;
const CONNECTOR_HEADER: usize = 20;
const EVENT_HEADER: usize = 16;

const NLMSG_DONE: u16 = 3;
const CN_IDX_PROC: u32 = 1;
const CN_VAL_PROC: u32 = 1;
const PROC_CN_MCAST_LISTEN: u32 = 1;

const WHAT_FORK: u32 = 0x0000_0001;
const WHAT_EXEC: u32 = 0x0000_0002;
const WHAT_COMM: u32 = 0x0000_0200;
const WHAT_EXIT: u32 = 0x8000_0000;

/// Something that happened to a thread. A process is the thread whose `pid` equals its `tgid`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event {
    /// A thread or process was created.
    Fork {
        /// Thread group of the creator.
        parent: u32,
        /// The new thread.
        pid: u32,
        /// Its thread group; a new process when equal to `pid`.
        tgid: u32,
    },
    /// A process runs another program now.
    Exec {
        /// The process.
        tgid: u32,
    },
    /// A thread named itself.
    Comm {
        /// The thread.
        pid: u32,
        /// Its thread group.
        tgid: u32,
    },
    /// A thread ended.
    Exit {
        /// The thread.
        pid: u32,
        /// Its thread group.
        tgid: u32,
        /// As `waitpid` reports it: signal in the low 7 bits, exit code in the next byte.
        status: u32,
    },
    /// A kind this crate does not read.
    Other,
}

/// Where the fields lie that a socket filter looks at, in bytes from the start of the datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FilterOffsets {
    /// Kind of the event, 32 bits; see the constants beside it.
    pub what: u32,
    /// FORK: thread group of the creator.
    pub fork_parent_tgid: u32,
    /// FORK: the new thread.
    pub fork_pid: u32,
    /// FORK: its thread group.
    pub fork_tgid: u32,
    /// EXIT: the thread.
    pub exit_pid: u32,
    /// EXIT: its thread group.
    pub exit_tgid: u32,
    /// EXIT: thread group of the parent (kernels from 4.18 on; before, no thread group's number stands there).
    pub exit_parent_tgid: u32,
    /// Value of `what` for FORK.
    pub fork: u32,
    /// Value of `what` for EXEC.
    pub exec: u32,
    /// Value of `what` for EXIT.
    pub exit: u32,
}

/// The offsets of this protocol.
pub const FILTER_OFFSETS: FilterOffsets = FilterOffsets {
    what: 36,
    fork_parent_tgid: 56,
    fork_pid: 60,
    fork_tgid: 64,
    exit_pid: 52,
    exit_tgid: 56,
    exit_parent_tgid: 72,
    fork: WHAT_FORK,
    exec: WHAT_EXEC,
    exit: WHAT_EXIT,
};

/// The datagram that asks the kernel for events.
#[must_use]
pub fn listen_request() -> [u8; 40] {
    let mut request = [0; 40];
    let words: [(usize, u32); 5] = [
        (0, 40),
        (4, u32::from(NLMSG_DONE)),
        (NETLINK_HEADER, CN_IDX_PROC),
        (NETLINK_HEADER + 4, CN_VAL_PROC),
        (NETLINK_HEADER + CONNECTOR_HEADER, PROC_CN_MCAST_LISTEN),
    ];
    for (at, word) in words {
        put(&mut request, at, &word.to_ne_bytes());
    }
    // nlmsg_type is the first half of the second word, whatever the byte order.
    put(&mut request, 4, &NLMSG_DONE.to_ne_bytes());
    put(&mut request, 6, &[0, 0]);
    put(&mut request, NETLINK_HEADER + 16, &4_u16.to_ne_bytes());
    request
}

/// The events of one datagram. What is cut short or not of the process connector ends the iteration or is [`Event::Other`].
pub fn events(datagram: &[u8]) -> impl Iterator<Item = Event> {
    let mut rest = datagram;
    core::iter::from_fn(move || {
        let length = usize::try_from(word(rest, 0)?).ok()?;
        let message = rest.get(..length).filter(|message| message.len() >= NETLINK_HEADER)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(event(message).unwrap_or(Event::Other))
    })
}

fn event(message: &[u8]) -> Option<Event> {
    let connector = message.get(NETLINK_HEADER..)?;
    if (word(connector, 0)?, word(connector, 4)?) != (CN_IDX_PROC, CN_VAL_PROC) {
        return None;
    }
    let event = connector.get(CONNECTOR_HEADER..)?;
    let body = event.get(EVENT_HEADER..)?;
    match word(event, 0)? {
        WHAT_FORK => Some(Event::Fork { parent: word(body, 4)?, pid: word(body, 8)?, tgid: word(body, 12)? }),
        WHAT_EXEC => Some(Event::Exec { tgid: word(body, 4)? }),
        WHAT_COMM => Some(Event::Comm { pid: word(body, 0)?, tgid: word(body, 4)? }),
        WHAT_EXIT => Some(Event::Exit { pid: word(body, 0)?, tgid: word(body, 4)?, status: word(body, 8)? }),
        _ => None,
    }
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    if let Some(place) = into.get_mut(at..at + bytes.len()) {
        place.copy_from_slice(bytes);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    /// A datagram as the kernel sends it: headers, kind, then the words of the body.
    fn datagram(what: u32, body: &[u32]) -> Vec<u8> {
        let length = u32::try_from(NETLINK_HEADER + CONNECTOR_HEADER + EVENT_HEADER + 4 * body.len()).unwrap();
        let mut words = [length, 3, 0, 0, CN_IDX_PROC, CN_VAL_PROC, 0, 0, 40, what, 0, 0, 0].to_vec();
        words.extend_from_slice(body);
        words.iter().flat_map(|word| word.to_ne_bytes()).collect()
    }

    fn all(bytes: &[u8]) -> Vec<Event> {
        events(bytes).collect()
    }

    #[test]
    fn events_are_read_and_offsets_point_at_their_fields() {
        let fork = datagram(WHAT_FORK, &[7, 8, 9, 10]);
        assert_eq!(all(&fork), [Event::Fork { parent: 8, pid: 9, tgid: 10 }]);
        let at = |offset: u32| word(&fork, offset as usize).unwrap();
        assert_eq!((at(FILTER_OFFSETS.what), at(FILTER_OFFSETS.fork_parent_tgid)), (WHAT_FORK, 8));
        assert_eq!((at(FILTER_OFFSETS.fork_pid), at(FILTER_OFFSETS.fork_tgid)), (9, 10));
        assert_eq!(all(&datagram(WHAT_EXEC, &[5, 6])), [Event::Exec { tgid: 6 }]);
        assert_eq!(all(&datagram(WHAT_EXIT, &[5, 6, 256, 17])), [Event::Exit { pid: 5, tgid: 6, status: 256 }]);
        assert_eq!(all(&datagram(4, &[1, 1, 1, 1])), [Event::Other]);
    }

    #[test]
    fn several_messages_in_one_datagram_and_every_cut_of_it() {
        let bytes = [datagram(WHAT_EXEC, &[1, 1]), datagram(WHAT_EXIT, &[1, 1, 0, 17])].concat();
        assert_eq!(all(&bytes).len(), 2);
        for cut in 0..bytes.len() {
            let read = all(&bytes[..cut]);
            assert!(read.iter().all(|event| *event != Event::Other) && read.len() <= 1, "cut at {cut}: {read:?}");
        }
    }

    #[test]
    fn foreign_and_impossible_messages_are_not_read() {
        let mut foreign = datagram(WHAT_EXEC, &[1, 1]);
        foreign[NETLINK_HEADER] = 99;
        assert_eq!(all(&foreign), [Event::Other]);
        assert_eq!(all(&3_u32.to_ne_bytes()), []);
        assert_eq!(all(&[0; 64]), []);
        assert_eq!(all(&u32::MAX.to_ne_bytes()), []);
    }

    #[test]
    fn the_request_is_what_the_kernel_documents() {
        let request = listen_request();
        assert_eq!(word(&request, 0), Some(40));
        assert_eq!(u16::from_ne_bytes([request[4], request[5]]), NLMSG_DONE);
        assert_eq!((word(&request, 16), word(&request, 20), word(&request, 36)), (Some(1), Some(1), Some(1)));
        assert_eq!(u16::from_ne_bytes([request[32], request[33]]), 4);
    }
}
