//! The file `pressure` of a service directory: when to tell that it waits too long (`Documentation/accounting/psi.rst`).

use super::scan::{Line, lines};
use std::fmt;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resource {
    /// Processors.
    Cpu,
    /// Memory.
    Memory,
    /// Block devices.
    Io,
}

impl Resource {
    /// Its word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Memory => "memory",
            Self::Io => "io",
        }
    }

    /// The file of a cgroup that tells of it.
    #[must_use]
    pub const fn file(self) -> &'static str {
        match self {
            Self::Cpu => "cpu.pressure",
            Self::Memory => "memory.pressure",
            Self::Io => "io.pressure",
        }
    }
}

/// One line of the file: so much waiting within so much time is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trigger {
    /// What is waited for.
    pub resource: Resource,
    /// All processes of it wait at once; otherwise one of them is enough.
    pub full: bool,
    /// The waiting.
    pub stall_ms: u64,
    /// The time.
    pub window_ms: u64,
}

impl Trigger {
    /// What is written to the kernel's file.
    #[must_use]
    pub fn request(&self) -> String {
        let share = if self.full { "full" } else { "some" };
        format!("{share} {} {}", self.stall_ms * 1000, self.window_ms * 1000)
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (resource, share) = (self.resource.word(), if self.full { "full" } else { "some" });
        write!(f, "{resource} {share} {} ms in {} ms", self.stall_ms, self.window_ms)
    }
}

/// Most lines.
const TRIGGERS_MAX: usize = 8;
const EXPECTED: &str =
    "at most 8 lines such as memory some 150 1000: what, some or full, milliseconds of waiting, of 500 to 10000 ms";

/// The lines of a `pressure`.
///
/// # Errors
/// What was expected.
pub fn parse(content: &[u8]) -> Result<Vec<Trigger>, &'static str> {
    let all = lines(content).map(|line| trigger(Line::new(line))).collect::<Option<Vec<Trigger>>>();
    all.filter(|all| (1..=TRIGGERS_MAX).contains(&all.len())).ok_or(EXPECTED)
}

fn trigger(mut line: Line<'_>) -> Option<Trigger> {
    let resource = match line.run(|byte| byte.is_ascii_lowercase()) {
        b"cpu" => Resource::Cpu,
        b"memory" => Resource::Memory,
        b"io" => Resource::Io,
        _ => return None,
    };
    let full = match (line.blanks(), line.run(|byte| byte.is_ascii_lowercase())) {
        (true, b"some") => false,
        (true, b"full") => true,
        (true | false, _) => return None,
    };
    let stall_ms = if line.blanks() { line.number()? } else { return None };
    let window_ms = if line.blanks() { line.number()? } else { return None };
    // The kernel's bounds.
    let fits = (500..=10_000).contains(&window_ms) && (1..=window_ms).contains(&stall_ms) && line.is_at_end();
    fits.then_some(Trigger { resource, full, stall_ms, window_ms })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trigger_per_line() {
        let all = parse(b"memory some 150 1000\n\nio  full\t1 500\ncpu some 10000 10000").unwrap();
        let told: Vec<String> = all.iter().map(Trigger::to_string).collect();
        assert_eq!(told, ["memory some 150 ms in 1000 ms", "io full 1 ms in 500 ms", "cpu some 10000 ms in 10000 ms"]);
        assert_eq!((all[0].request().as_str(), all[1].resource.file()), ("some 150000 1000000", "io.pressure"));
    }

    #[test]
    fn what_the_kernel_would_refuse_is_refused() {
        let bad = [
            "",
            "\n",
            "memory",
            "memory some",
            "memory some 150",
            "memory some 150 499",
            "memory some 150 10001",
            "memory some 0 1000",
            "memory some 1001 1000",
            "memory most 1 1000",
            "disk some 1 1000",
            "memorysome 1 1000",
            "memory some 1 1000 1",
            "memory some x 1000",
            "memory some -1 1000",
        ];
        for text in bad {
            assert_eq!(parse(text.as_bytes()), Err(EXPECTED), "{text:?}");
        }
        assert!(parse(&b"io some 1 500\n".repeat(9)).is_err());
    }
}
