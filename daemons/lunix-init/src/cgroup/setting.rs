//! The files of `cgroup/` in a service directory: which there may be, and what may stand in them.
//!
//! They have the names of the kernel's own files (`Documentation/admin-guide/cgroup-v2.rst`) and hold what would be written there. Whether a value makes
//! sense on this machine is the kernel's to say; here it is checked that it can be one.

use super::scan::{Line, lines};

/// What a file may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `max`, or bytes, with K, M, G or T for powers of 1024.
    Bytes,
    /// `max` or a number.
    Limit,
    /// A number within bounds.
    Number(u64, u64),
    /// A number from -20 to 19.
    Nice,
    /// `max` or a number of microseconds, and the period.
    Bandwidth,
    /// `max` or a percentage with up to two decimals.
    Share,
    /// Numbers and ranges of them, separated by commas; nothing.
    Set,
    /// member, root or isolated.
    Partition,
    /// A line for each device: `MAJOR:MINOR` and what it may do.
    Devices,
    /// A weight for all, and a line for each device that has another.
    Weights,
    /// A line for each device: `MAJOR:MINOR target=MICROSECONDS`.
    Targets,
}

/// The files there may be.
const FILES: [(&str, Form); 24] = [
    ("cgroup.max.depth", Form::Limit),
    ("cgroup.max.descendants", Form::Limit),
    ("cpu.idle", Form::Number(0, 1)),
    ("cpu.max", Form::Bandwidth),
    ("cpu.max.burst", Form::Limit),
    ("cpu.uclamp.max", Form::Share),
    ("cpu.uclamp.min", Form::Share),
    ("cpu.weight", Form::Number(1, 10_000)),
    ("cpu.weight.nice", Form::Nice),
    ("cpuset.cpus", Form::Set),
    ("cpuset.cpus.partition", Form::Partition),
    ("cpuset.mems", Form::Set),
    ("io.latency", Form::Targets),
    ("io.max", Form::Devices),
    ("io.weight", Form::Weights),
    ("memory.high", Form::Bytes),
    ("memory.low", Form::Bytes),
    ("memory.max", Form::Bytes),
    ("memory.min", Form::Bytes),
    ("memory.oom.group", Form::Number(0, 1)),
    ("memory.swap.high", Form::Bytes),
    ("memory.swap.max", Form::Bytes),
    ("memory.zswap.max", Form::Bytes),
    ("pids.max", Form::Limit),
];

/// Checks the content of the file `name`.
///
/// # Errors
/// What was expected.
pub fn check(name: &str, content: &[u8]) -> Result<(), &'static str> {
    let Some(form) = form_of(name) else {
        return Err("a file of cgroup v2 that sets something, such as memory.max, cpu.weight or pids.max");
    };
    let mut count = 0;
    for line in lines(content) {
        count += 1;
        if !form.matches(Line::new(line)) {
            return Err(form.expected());
        }
    }
    let enough = count > 0 || form == Form::Set;
    if enough && (count < 2 || form.has_lines()) { Ok(()) } else { Err(form.expected()) }
}

/// The controller a file belongs to; `None` for what every cgroup has.
#[must_use]
pub fn controller_of(name: &str) -> Option<&str> {
    name.split('.').next().filter(|controller| *controller != "cgroup")
}

fn form_of(name: &str) -> Option<Form> {
    let is_huge = || {
        let mut line = Line::new(name.as_bytes());
        line.take(b"hugetlb.")
            && line.number().is_some()
            && (line.take(b"KB") || line.take(b"MB") || line.take(b"GB"))
            && line.take(b".max")
            && line.is_at_end()
    };
    let known = FILES.iter().find(|(one, _)| *one == name).map(|&(_, form)| form);
    known.or_else(|| is_huge().then_some(Form::Bytes))
}

impl Form {
    const fn expected(self) -> &'static str {
        match self {
            Self::Bytes => "max or a number of bytes, such as 64M",
            Self::Limit => "max or a number",
            Self::Number(_, 1) => "0 or 1",
            Self::Number(..) => "a number from 1 to 10000",
            Self::Nice => "a number from -20 to 19",
            Self::Bandwidth => "max or microseconds, and the period, such as 50000 100000",
            Self::Share => "max or a percentage, such as 12.5",
            Self::Set => "numbers and ranges, such as 0-3,6",
            Self::Partition => "member, root or isolated",
            Self::Devices => "lines such as 8:0 rbps=1048576 wiops=max",
            Self::Weights => "a weight from 1 to 10000, or lines such as 8:0 50",
            Self::Targets => "lines such as 8:0 target=10000",
        }
    }

    const fn has_lines(self) -> bool {
        matches!(self, Self::Devices | Self::Weights | Self::Targets)
    }

    fn matches(self, mut line: Line<'_>) -> bool {
        let line = &mut line;
        let fits = match self {
            Self::Bytes => line.take(b"max") || is_bytes(line),
            Self::Limit => is_limit(line),
            Self::Number(least, most) => is_within(line, least, most),
            Self::Nice => {
                let most = if line.take(b"-") { 20 } else { 19 };
                is_within(line, 0, most)
            }
            Self::Bandwidth => is_limit(line) && (line.is_at_end() || (line.blanks() && is_within(line, 1, u64::MAX))),
            Self::Share => line.take(b"max") || is_share(line),
            Self::Set => is_set(line),
            Self::Partition => line.take(b"member") || line.take(b"root") || line.take(b"isolated"),
            Self::Devices => is_device(line) && has_limits(line),
            Self::Weights => is_weight(line),
            Self::Targets => is_device(line) && line.blanks() && line.take(b"target=") && line.number().is_some(),
        };
        fits && line.is_at_end()
    }
}

fn is_bytes(line: &mut Line<'_>) -> bool {
    let counted = line.number().is_some();
    let _ = line.take(b"K") || line.take(b"M") || line.take(b"G") || line.take(b"T");
    counted
}

fn is_limit(line: &mut Line<'_>) -> bool {
    line.take(b"max") || line.number().is_some()
}

fn is_within(line: &mut Line<'_>, least: u64, most: u64) -> bool {
    line.number().is_some_and(|number| (least..=most).contains(&number))
}

fn is_share(line: &mut Line<'_>) -> bool {
    let Some(whole) = line.number() else { return false };
    let decimals = if line.take(b".") { line.run(|byte| byte.is_ascii_digit()) } else { b"0" };
    let is_whole = decimals.iter().all(|&digit| digit == b'0');
    (1..=2).contains(&decimals.len()) && (whole < 100 || (whole == 100 && is_whole))
}

fn is_set(line: &mut Line<'_>) -> bool {
    loop {
        let Some(first) = line.number() else { return false };
        if line.take(b"-") && line.number().is_none_or(|last| last < first) {
            return false;
        }
        if !line.take(b",") {
            return true;
        }
    }
}

fn is_device(line: &mut Line<'_>) -> bool {
    line.number().is_some() && line.take(b":") && line.number().is_some()
}

fn has_limits(line: &mut Line<'_>) -> bool {
    let mut count = 0;
    while line.blanks() {
        let known = [&b"rbps="[..], b"wbps=", b"riops=", b"wiops="].into_iter().any(|key| line.take(key));
        if !known || !is_limit(line) {
            return false;
        }
        count += 1;
    }
    count > 0
}

fn is_weight(line: &mut Line<'_>) -> bool {
    if line.take(b"default") {
        return line.blanks() && is_within(line, 1, 10_000);
    }
    let Some(number) = line.number() else { return false };
    if !line.take(b":") {
        return (1..=10_000).contains(&number);
    }
    line.number().is_some() && line.blanks() && (line.take(b"default") || is_within(line, 1, 10_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [(&str, &[&str]); 15] = [
        ("memory.max", &["max", "0", "64M\n", " 1048576 \n", "1T"]),
        ("hugetlb.2MB.max", &["max", "2M"]),
        ("pids.max", &["max", "100"]),
        ("cpu.weight", &["1", "10000"]),
        ("cpu.weight.nice", &["-20", "0", "19"]),
        ("cpu.idle", &["0", "1"]),
        ("cpu.max", &["max", "50000", "50000 100000", "max 100000"]),
        ("cpu.uclamp.min", &["max", "0", "12.5", "99.99", "100", "100.00"]),
        ("cpuset.cpus", &["0", "0-3", "0-1,3,5-7", "", "\n"]),
        ("cpuset.cpus.partition", &["member", "root", "isolated"]),
        ("io.max", &["8:0 rbps=1 wbps=max", "8:0 riops=5\n8:16 wiops=7\n"]),
        ("io.weight", &["100", "default 100", "8:0 50\n8:16 default"]),
        ("io.latency", &["8:0 target=10000"]),
        ("memory.oom.group", &["1"]),
        ("cgroup.max.depth", &["max", "3"]),
    ];

    const BAD: [(&str, &[&str]); 14] = [
        ("memory.max", &["", "maximum", "-1", "64 M", "64MB", "1.5G", "1\n2", "99999999999999999999", "\u{ff}"]),
        ("hugetlb.2MB.max", &["", "x"]),
        ("pids.max", &["", "1K", "many"]),
        ("cpu.weight", &["0", "10001", "max", ""]),
        ("cpu.weight.nice", &["-21", "20", "+1", "-"]),
        ("cpu.idle", &["2", "yes"]),
        ("cpu.max", &["", "50000 0", "50000 100000 1", "50000,100000", "100000 max"]),
        ("cpu.uclamp.min", &["101", "100.01", "1.234", "1.", ".5"]),
        ("cpuset.cpus", &["0-", "3-1", "0,,1", "a", ",0", "0,"]),
        ("cpuset.cpus.partition", &["", "rooted", "members"]),
        ("io.max", &["", "8:0", "8 rbps=1", "8:0 rbps=x", "8:0 speed=1", "8:0 rbps=1 ,"]),
        ("io.weight", &["0", "default", "8:0", "8:0 0", "8:0 10 10"]),
        ("io.latency", &["8:0", "8:0 target=", "target=1"]),
        ("memory.oom.group", &["max"]),
    ];

    #[test]
    fn what_the_kernel_would_take_is_taken() {
        for (file, values) in GOOD {
            for value in values {
                assert_eq!(check(file, value.as_bytes()), Ok(()), "{file}: {value:?}");
            }
        }
    }

    #[test]
    fn what_cannot_be_a_value_is_refused_and_every_file_says_what_it_expects() {
        for (file, values) in BAD {
            for value in values {
                assert!(check(file, value.as_bytes()).is_err(), "{file}: {value:?}");
            }
        }
        assert_eq!(check("cpu.weight", b"0"), Err("a number from 1 to 10000"));
        assert_eq!(check("cpu.idle", b"2"), Err("0 or 1"));
    }

    #[test]
    fn files_that_set_nothing_of_a_service_are_refused() {
        for file in [
            "cgroup.procs",
            "cgroup.subtree_control",
            "memory.current",
            "memory.maximum",
            "",
            "hugetlb.2MB.min",
            "hugetlb.MB.max",
        ] {
            assert!(check(file, b"1").is_err(), "{file}");
        }
        assert_eq!((controller_of("memory.max"), controller_of("cgroup.max.depth")), (Some("memory"), None));
    }
}
