//! The request that makes the kernel tell.

use proto_genetlink::{Answer, Request};

/// The name of the family.
pub const FAMILY: &[u8] = b"TASKSTATS";

/// TASKSTATS_CMD_GET.
const GET: u8 = 1;
/// TASKSTATS_CMD_ATTR_REGISTER_CPUMASK.
const REGISTER: u16 = 3;
/// Most bytes of a list of processors; more would not fit into the request.
const PROCESSORS_MAX: usize = 32;

/// Asks to be told of what ends on these processors, written as the kernel writes lists of them (`0-3,8`; see
/// `/sys/devices/system/cpu/possible`). `family`: the number of [`FAMILY`]. `None` when the list is longer than 32 bytes. The answer is an
/// acknowledgement; it takes `CAP_NET_ADMIN` in the first user namespace.
#[must_use]
pub fn register(family: u16, sequence: u32, processors: &[u8]) -> Option<Request> {
    let mut text = [0; PROCESSORS_MAX + 1];
    text.get_mut(..processors.len()).filter(|_| processors.len() <= PROCESSORS_MAX)?.copy_from_slice(processors);
    let text = text.get(..=processors.len())?;
    Some(Request::new(family, Answer::Done, sequence, GET, Some((REGISTER, text))))
}

#[cfg(test)]
mod tests {
    use super::register;

    #[test]
    fn a_list_of_processors_ends_with_nul_and_is_not_cut() {
        let request = register(31, 1, b"0-1").unwrap();
        assert_eq!(request.bytes().len(), 28);
        assert_eq!(request.bytes().get(20..), Some(&[8, 0, 3, 0, b'0', b'-', b'1', 0][..]));
        assert!(register(31, 1, &[b'0'; 32]).is_some());
        assert!(register(31, 1, &[b'0'; 33]).is_none());
    }
}
