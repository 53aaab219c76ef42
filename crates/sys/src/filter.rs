//! Classic BPF filters on sockets (`man 7 socket`, SO_ATTACH_FILTER): the kernel drops what nobody wants to be woken for.

use std::io;
use std::mem::size_of;
use std::os::fd::{AsFd, AsRawFd};

/// One instruction of classic BPF (`Documentation/networking/filter.rst`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Loads the 32-bit word at this byte offset of the datagram, as big-endian.
    Load(u32),
    /// Keeps only these bits of the loaded word.
    And(u32),
    /// Keeps the loaded word in scratch memory.
    Store(u32),
    /// Copies scratch memory to the index register.
    LoadIndex(u32),
    /// Compares the loaded word with a constant; skips so many instructions when equal, and when not.
    JumpIfEqual(u32, u8, u8),
    /// Compares the loaded word with the index register.
    JumpIfEqualIndex(u8, u8),
    /// Ends: keep the whole datagram.
    Keep,
    /// Ends: drop the datagram.
    Drop,
}

impl Instruction {
    fn encode(self) -> libc::sock_filter {
        let of = |code: u32, jt, jf, k| libc::sock_filter { code: u16::try_from(code).unwrap_or(0), jt, jf, k };
        match self {
            Self::Load(offset) => of(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, offset),
            Self::And(bits) => of(libc::BPF_ALU | libc::BPF_AND | libc::BPF_K, 0, 0, bits),
            Self::Store(slot) => of(libc::BPF_ST, 0, 0, slot),
            Self::LoadIndex(slot) => of(libc::BPF_LDX | libc::BPF_W | libc::BPF_MEM, 0, 0, slot),
            Self::JumpIfEqual(word, yes, no) => of(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, yes, no, word),
            Self::JumpIfEqualIndex(yes, no) => of(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_X, yes, no, 0),
            Self::Keep => of(libc::BPF_RET | libc::BPF_K, 0, 0, u32::MAX),
            Self::Drop => of(libc::BPF_RET | libc::BPF_K, 0, 0, 0),
        }
    }
}

/// Attaches a filter to a socket. Needs no privilege.
///
/// # Errors
/// `EINVAL` when the kernel's checker refuses the program, for example one that does not end in [`Instruction::Keep`] or
/// [`Instruction::Drop`].
pub fn attach(socket: impl AsFd, program: &[Instruction]) -> io::Result<()> {
    let mut code: Vec<libc::sock_filter> = program.iter().map(|instruction| instruction.encode()).collect();
    let length = u16::try_from(code.len()).map_err(|_| io::ErrorKind::InvalidInput)?;
    let program = libc::sock_fprog { len: length, filter: code.as_mut_ptr() };
    // SAFETY: `program` points at `length` initialised instructions that outlive the call; the kernel copies them.
    let result = unsafe {
        libc::setsockopt(
            socket.as_fd().as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_ATTACH_FILTER,
            (&raw const program).cast(),
            libc::socklen_t::try_from(size_of::<libc::sock_fprog>()).unwrap_or(0),
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixDatagram;

    #[test]
    fn a_filter_keeps_and_drops_by_a_word_of_the_datagram() {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        let same_words = [
            Instruction::Load(0),
            Instruction::Store(0),
            Instruction::LoadIndex(0),
            Instruction::Load(4),
            Instruction::JumpIfEqualIndex(0, 1),
            Instruction::Keep,
            Instruction::Drop,
        ];
        attach(&receiver, &same_words).unwrap();
        receiver.set_nonblocking(true).unwrap();
        sender.send(b"aaaabbbb").unwrap();
        sender.send(b"aaaaaaaa").unwrap();
        let mut buffer = [0; 16];
        assert_eq!(receiver.recv(&mut buffer).unwrap(), 8);
        assert!(receiver.recv(&mut buffer).is_err());
    }

    #[test]
    fn a_program_without_end_is_refused() {
        let (receiver, _sender) = UnixDatagram::pair().unwrap();
        assert!(attach(&receiver, &[Instruction::Load(0)]).is_err());
    }
}
