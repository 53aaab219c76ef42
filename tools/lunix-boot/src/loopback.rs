//! `loopback`: enables the interface lo; the kernel then gives it its addresses.

use crate::Job;
use program::{Fatal, exit};
use proto_rtnetlink::{Messages, Outcome, enable};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, sendto, socket_with};

const SEQUENCE: u32 = 1;

/// Enables it.
///
/// # Errors
/// When the kernel refuses, as it does without CAP_NET_ADMIN.
pub fn run(job: &Job) -> Result<u8, Fatal> {
    if job.check {
        return job.print(format_args!("enable lo")).map(|()| exit::OK);
    }
    let cannot = |errno: Errno| Fatal::system("cannot enable lo", errno);
    // NETLINK_ROUTE is the protocol of number 0, the default.
    let socket = socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None).map_err(cannot)?;
    let request = enable(b"lo", SEQUENCE).ok_or_else(|| cannot(Errno::INVAL))?;
    let kernel = netlink::SocketAddrNetlink::new(0, 0);
    sendto(&socket, &request, SendFlags::empty(), &kernel).map_err(cannot)?;
    let mut answer = [0; 4096];
    let (length, _) = recv(&socket, &mut answer[..], RecvFlags::empty()).map_err(cannot)?;
    match outcome(answer.get(..length).unwrap_or_default()) {
        Some(Outcome::Refused(0) | Outcome::Done) => Ok(exit::OK),
        Some(Outcome::Refused(number)) => Err(cannot(Errno::from_raw_os_error(number))),
        Some(Outcome::Overrun) | None => Err(cannot(Errno::BADMSG)),
    }
}

/// What the kernel answers to our request.
fn outcome(datagram: &[u8]) -> Option<Outcome> {
    let ours = Messages::new(datagram).flatten().find(|message| message.sequence == SEQUENCE);
    ours.and_then(|message| message.outcome())
}
