//! Radio switches: `/dev/rfkill` (`include/uapi/linux/rfkill.h`).

use crate::machine::{Input, SwitchFacts};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

const PATH: &str = "/dev/rfkill";
const ADD: u8 = 0;
const REMOVE: u8 = 1;
const CHANGE: u8 = 2;

/// The device; it tells of every switch when it is opened, and of each change.
#[derive(Debug)]
pub(super) struct Rfkill(OwnedFd);

impl Rfkill {
    /// Opens the device; `Ok(None)` where there is none.
    pub(super) fn open() -> io::Result<Option<Self>> {
        let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        match rustix::fs::open(PATH, flags, Mode::empty()) {
            Ok(fd) => Ok(Some(Self(fd))),
            Err(Errno::NOENT | Errno::NODEV | Errno::NXIO) => Ok(None),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Takes one event; `None` when there is no more.
    pub(super) fn read(&self) -> io::Result<Option<Input>> {
        // Newer kernels give longer events to whoever asks for more than the first eight bytes.
        let mut event = [0; 8];
        loop {
            match rustix::io::read(&self.0, &mut event) {
                Ok(8) => {
                    if let Some(input) = input(event) {
                        return Ok(Some(input));
                    }
                }
                Ok(_) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Err(Errno::AGAIN) => return Ok(None),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
    }
}

impl AsFd for Rfkill {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// An event: number, type, operation, soft, hard.
fn input(event: [u8; 8]) -> Option<Input> {
    let [a, b, c, d, radio, operation, soft, hard] = event;
    let index = u32::from_ne_bytes([a, b, c, d]);
    match operation {
        ADD | CHANGE => Some(Input::Switch(SwitchFacts { index, radio, soft: soft != 0, hard: hard != 0 })),
        REMOVE => Some(Input::SwitchGone { index }),
        // RFKILL_OP_CHANGE_ALL is for writers.
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_read() {
        let [a, b, c, d] = 3_u32.to_ne_bytes();
        let switch = SwitchFacts { index: 3, radio: 1, soft: true, hard: false };
        assert_eq!(input([a, b, c, d, 1, ADD, 1, 0]), Some(Input::Switch(switch.clone())));
        assert_eq!(input([a, b, c, d, 1, CHANGE, 1, 0]), Some(Input::Switch(switch)));
        assert_eq!(input([a, b, c, d, 1, REMOVE, 1, 0]), Some(Input::SwitchGone { index: 3 }));
        assert_eq!(input([a, b, c, d, 1, 3, 1, 0]), None);
    }
}
