//! What the files of a cgroup and of a process count.

use super::scan::{Line, lines};

/// The value of a key in lines of the form `key value`, as of `memory.events` and `cpu.stat`; with its colon also of `man 5
/// proc_pid_io`.
#[must_use]
pub fn keyed(content: &[u8], key: &str) -> Option<u64> {
    lines(content).find_map(|line| {
        let mut line = Line::new(line);
        let found = line.take(key.as_bytes()) && line.blanks();
        if found { line.number().filter(|_| line.is_at_end()) } else { None }
    })
}

/// The number that is all of the file, as of `memory.current`; `None` for `max`.
#[must_use]
pub fn single(content: &[u8]) -> Option<u64> {
    let mut line = Line::new(content.trim_ascii());
    line.number().filter(|_| line.is_at_end())
}

/// The sums of `rbytes` and `wbytes` over all devices of `io.stat`: lines of a device and `key=value` pairs.
#[must_use]
pub fn transferred(content: &[u8]) -> (u64, u64) {
    let (mut read, mut written) = (0_u64, 0_u64);
    for line in lines(content) {
        let mut line = Line::new(line);
        while !line.is_at_end() {
            if line.take(b"rbytes=") {
                read = read.saturating_add(line.number().unwrap_or(0));
            } else if line.take(b"wbytes=") {
                written = written.saturating_add(line.number().unwrap_or(0));
            }
            // What is left of this word, and the blanks after it.
            line.run(|byte| byte != b' ');
            line.blanks();
        }
    }
    (read, written)
}

/// The share of the last 10 s in which something waited, in hundredths of a per cent: `avg10` of the line `some` of a `*.pressure`.
#[must_use]
pub fn waited(content: &[u8]) -> Option<u32> {
    lines(content).find_map(|line| {
        let mut line = Line::new(line);
        if !(line.take(b"some") && line.blanks() && line.take(b"avg10=")) {
            return None;
        }
        let whole = u32::try_from(line.number()?).ok()?;
        let decimals = if line.take(b".") { line.run(|byte| byte.is_ascii_digit()) } else { b"00" };
        let [tens, ones] = decimals else { return None };
        whole.checked_mul(100)?.checked_add(u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
    })
}

/// The ticks a process has spent outside and in the kernel (`man 5 proc_pid_stat`: `utime`, `stime`), and its threads.
#[must_use]
pub fn process(stat: &[u8]) -> Option<(u64, u64, u64)> {
    // The name may hold anything; what follows its last parenthesis does not.
    let after = stat.iter().rposition(|&byte| byte == b')').and_then(|at| stat.get(at + 1..))?;
    let mut fields = after.trim_ascii().split(|&byte| byte == b' ');
    let mut field = |skipped| fields.nth(skipped).and_then(single);
    // From the third field, the state, on: utime is the 14th, stime the 15th, num_threads the 20th.
    let (user, system) = (field(11)?, field(0)?);
    Some((user, system, field(4)?))
}

/// The value in bytes of a line such as `VmRSS:     1234 kB` (`man 5 proc_pid_status`).
#[must_use]
pub fn status(content: &[u8], key: &str) -> Option<u64> {
    lines(content).find_map(|line| {
        let mut line = Line::new(line);
        if !(line.take(key.as_bytes()) && line.take(b":") && line.blanks()) {
            return None;
        }
        line.number().filter(|_| line.blanks() && line.take(b"kB") && line.is_at_end())?.checked_mul(1024)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_values() {
        let events = b"low 0\nhigh 2\nmax 17\noom 3\noom_kill 4\noom_group_kill 0\n";
        assert_eq!((keyed(events, "oom_kill"), keyed(events, "oom"), keyed(events, "kill")), (Some(4), Some(3), None));
        for bad in [&b"oom_kill"[..], b"oom_kill x", b"oom_kill 4 5", b"oom_kill4", b"", b"\xff"] {
            assert_eq!(keyed(bad, "oom_kill"), None, "{bad:?}");
        }
    }

    #[test]
    fn a_number_alone() {
        assert_eq!((single(b"4096\n"), single(b"0")), (Some(4096), Some(0)));
        assert_eq!((single(b"max\n"), single(b""), single(b"1 2")), (None, None, None));
    }

    #[test]
    fn devices_are_added_up() {
        let stat =
            b"8:16 rbytes=1459200 wbytes=314773504 rios=192 wios=353 dbytes=0 dios=0\n8:0 rbytes=100 wbytes=1\n253:0\n";
        assert_eq!(transferred(stat), (1_459_300, 314_773_505));
        assert_eq!(transferred(b""), (0, 0));
        assert_eq!(transferred(b"8:0 rbytes= wbytes=x xrbytes=5"), (0, 0));
    }

    #[test]
    fn pressure_is_a_share_of_ten_seconds() {
        let text =
            b"some avg10=12.34 avg60=0.00 avg300=0.00 total=9\nfull avg10=99.99 avg60=0.00 avg300=0.00 total=0\n";
        assert_eq!((waited(text), waited(b"some avg10=100.00 x")), (Some(1234), Some(10_000)));
        for bad in [&b""[..], b"full avg10=1.00", b"some avg60=1.00", b"some avg10=1.0", b"some avg10=.50"] {
            assert_eq!(waited(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_process_tells_its_ticks_whatever_its_name() {
        let stat = b"7 (a) S 1) R 1 7 7 0 -1 4194560 5 0 0 0 120 34 0 0 20 0 3 0 100 1000 200\n";
        assert_eq!(process(stat), Some((120, 34, 3)));
        assert_eq!((process(b"7 (sh) R 1"), process(b"")), (None, None));
        let status_text = b"Name:\tsh\nVmHWM:\t    2048 kB\nVmRSS:\t    1024 kB\nThreads:\t1\n";
        assert_eq!((status(status_text, "VmRSS"), status(status_text, "VmSwap")), (Some(1 << 20), None));
        assert_eq!(keyed(b"rchar: 1\nread_bytes: 4096\n", "read_bytes:"), Some(4096));
    }
}
