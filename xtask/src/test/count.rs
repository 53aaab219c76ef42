//! Counting what the test runners report.

use std::fmt;

/// How many tests passed, failed, and were skipped for which reasons.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Count {
    pub passed: u64,
    pub failed: u64,
    /// `NAME: REASON` of each.
    pub skipped: Vec<String>,
}

impl Count {
    /// Adds what a line `test result: ok. 3 passed; 0 failed; …` says; other lines say nothing.
    pub fn add_result_line(&mut self, line: &str) {
        let Some(rest) = line.trim().strip_prefix("test result: ") else { return };
        for part in rest.split([';', '.']) {
            match part.trim().split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse::<u64>().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse::<u64>().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Adds the lines of the skip log: `NAME<TAB>REASON<TAB>passed|ignored`, the last word saying what the runner took it for.
    pub fn add_skips(&mut self, log: &str) {
        for line in log.lines() {
            let mut fields = line.split('\t');
            let (name, reason) = (fields.next().unwrap_or_default(), fields.next().unwrap_or_default());
            if fields.next() == Some("passed") {
                self.passed = self.passed.saturating_sub(1);
            }
            self.skipped.push(format!("{name}: {reason}"));
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped.extend_from_slice(&other.skipped);
    }

    /// The reasons, each with how many tests it concerns and the first of them.
    pub fn reasons(&self) -> Vec<String> {
        let mut groups: Vec<(&str, &str, u32)> = Vec::new();
        for (name, reason) in self.skipped.iter().filter_map(|entry| entry.split_once(": ")) {
            match groups.iter_mut().find(|(_, known, _)| *known == reason) {
                Some((_, _, count)) => *count += 1,
                None => groups.push((name, reason, 1)),
            }
        }
        let more = |count: u32| if count > 1 { format!(" and {} more", count - 1) } else { String::new() };
        groups.iter().map(|(name, reason, count)| format!("{name}{}: {reason}", more(*count))).collect()
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} passed, {} failed, {} skipped", self.passed, self.failed, self.skipped.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn result_lines_and_skips_add_up() {
        let mut count = Count::default();
        count.add_result_line(
            "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s",
        );
        count.add_result_line("test result: FAILED. 1 passed; 2 failed; 0 ignored");
        count.add_result_line("test a ... ok");
        count.add_skips("one\tno namespaces\tpassed\ntwo\tno keyboard\tignored\n");
        assert_eq!(count.to_string(), "3 passed, 2 failed, 2 skipped");
        count.add_skips("three\tno keyboard\tignored\n");
        assert_eq!(count.reasons(), ["one: no namespaces", "two and 1 more: no keyboard"]);
    }
}
