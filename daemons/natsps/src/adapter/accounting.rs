//! What the kernel counted of processes that ended (taskstats).
//!
//! Nothing is woken by it: the kernel queues a process's numbers before the connector tells of its end, so they are fetched then.

use netlink::{Asker, Listen, Listener, Received};
use proto_genetlink::Family;
use proto_rtnetlink::{Messages, Outcome};
use proto_taskstats::{Exit, FAMILY, FILTER, exit, register};
use rustix::net::netlink::GENERIC;
use std::io;
use sys::filter::Instruction;

/// Bytes the kernel may queue for us.
const QUEUE_BYTES: usize = 1024 * 1024;
/// Largest datagram: two structures of some 600 bytes.
const DATAGRAM_BYTES: usize = 4096;
/// The processors there can be.
const PROCESSORS: &str = "/sys/devices/system/cpu/possible";
/// The parent of the kernel's own threads.
const KTHREADD: u32 = 2;

/// A registered listener.
#[derive(Debug)]
pub(super) struct Accounting {
    listener: Listener,
}

impl Accounting {
    /// Registers for all processors.
    pub(super) fn open() -> io::Result<Self> {
        let asked = Asker::open(Some(GENERIC))?.ask(
            |sequence| proto_genetlink::family(FAMILY, sequence).bytes().to_vec(),
            |message| Family::read(message.payload).map(|family| family.id),
        );
        let family = asked?.first().copied().ok_or(io::ErrorKind::NotFound)?;
        let processors = std::fs::read_to_string(PROCESSORS)?;
        let request = register(family, 1, processors.trim_end().as_bytes());
        let request = request.ok_or_else(|| io::Error::other(format!("{PROCESSORS}: a list of more than 32 bytes")))?;
        let listen = Listen { protocol: Some(GENERIC), queue_bytes: QUEUE_BYTES, ..Listen::default() };
        let mut listener = Listen { datagram_bytes: DATAGRAM_BYTES, ..listen }.open()?;
        listener.send(request.bytes())?;
        registered(&mut listener)?;
        listener.filter(&processes_only())?;
        Ok(Self { listener })
    }

    /// The next process that ended; `None` when there is no more. `lost` is set when the kernel had to drop some.
    pub(super) fn read(&mut self, lost: &mut bool) -> io::Result<Option<Exit>> {
        loop {
            match self.listener.read()? {
                Received::Kernel(datagram) => {
                    let mut exits = Messages::new(datagram.bytes).filter_map(Result::ok);
                    if let Some(exit) = exits.find_map(|message| exit(message.payload)) {
                        return Ok(Some(exit));
                    }
                }
                Received::Foreign(_) => {}
                Received::Overrun => *lost = true,
                Received::Nothing => return Ok(None),
            }
        }
    }
}

/// Reads the acknowledgement, which the kernel queues while the request is made; processes may end before it.
fn registered(listener: &mut Listener) -> io::Result<()> {
    loop {
        let Received::Kernel(datagram) = listener.read()? else {
            return Err(io::Error::other("the kernel did not acknowledge"));
        };
        for message in Messages::new(datagram.bytes).filter_map(Result::ok) {
            match message.outcome() {
                Some(Outcome::Refused(0)) => return Ok(()),
                Some(Outcome::Refused(errno)) => return Err(io::Error::from_raw_os_error(errno)),
                Some(Outcome::Done | Outcome::Overrun) | None => {}
            }
        }
    }
}

/// Keeps ends of processes; ends of threads and of the kernel's own workers are not queued. Where the structure is padded, all are.
fn processes_only() -> [Instruction; 10] {
    use Instruction::{And, Drop, JumpIfEqual, Keep, Load};
    [
        /* 0 */ Load(FILTER.attribute),
        /* 1 */ And(FILTER.kind.0),
        /* 2 */ JumpIfEqual(FILTER.kind.1, 0, 6),
        /* 3 */ Load(FILTER.flags),
        /* 4 */ And(FILTER.last),
        /* 5 */ JumpIfEqual(0, 2, 0),
        /* 6 */ Load(FILTER.parent),
        /* 7 */ JumpIfEqual(KTHREADD.to_be(), 0, 1),
        /* 8 */ Drop,
        /* 9 */ Keep,
    ]
}

#[cfg(test)]
mod tests {
    use super::Accounting;
    use std::process::Command;
    use std::time::{Duration, Instant};

    #[test]
    fn the_kernel_tells_what_a_process_with_threads_used_and_nothing_of_its_threads() {
        let mut accounting = match Accounting::open() {
            Ok(accounting) => accounting,
            Err(error) => return testkit::skip::note("taskstats", &error.to_string()),
        };
        let work = "i=0; while [ $i -lt 50000 ]; do i=$((i+1)); done";
        let mut child = Command::new("sh").args(["-c", work]).spawn().unwrap();
        let pid = child.id();
        assert!(child.wait().unwrap().success());
        let (begun, mut lost) = (Instant::now(), false);
        let exit = loop {
            assert!(begun.elapsed() < Duration::from_secs(10), "the end was not told");
            if let Some(exit) = accounting.read(&mut lost).unwrap().filter(|exit| exit.pid == pid) {
                break exit;
            }
        };
        assert!(exit.user_us + exit.system_us > 1000, "{exit:?}");
        assert!((100..1_000_000).contains(&exit.memory_peak_kib), "{exit:?}");
        std::thread::spawn(|| ()).join().unwrap();
        while let Some(exit) = accounting.read(&mut lost).unwrap() {
            assert_ne!(exit.pid, std::process::id(), "a thread is no process");
        }
    }
}
