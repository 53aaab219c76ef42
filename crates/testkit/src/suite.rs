//! Many checks on one thing that is expensive to make, reported one by one in the words of Rust's own test runner.
//!
//! For test targets with `harness = false`: a virtual machine boots once and many checks look at it.

use std::fmt::Display;
use std::process::ExitCode;
use std::time::{Duration, Instant};

/// Runs checks in order and counts them.
#[derive(Debug)]
pub struct Suite {
    filter: Option<String>,
    passed: u32,
    failed: Vec<(String, String)>,
    skipped: u32,
}

impl Suite {
    /// A suite that obeys the command line as the standard runner does: the first word that is no option selects checks whose name
    /// contains it.
    #[must_use]
    pub fn from_arguments() -> Self {
        let filter = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
        Self { filter, passed: 0, failed: Vec::new(), skipped: 0 }
    }

    /// Whether a check of this name is wanted.
    #[must_use]
    pub fn wants(&self, name: &str) -> bool {
        self.filter.as_ref().is_none_or(|filter| name.contains(filter.as_str()))
    }

    /// Runs one check; its error becomes the reason of the failure. Returns whether it passed (or was filtered out).
    pub fn check<E: Display>(&mut self, name: &str, check: impl FnOnce() -> Result<(), E>) -> bool {
        if !self.wants(name) {
            return true;
        }
        let start = Instant::now();
        let result = check();
        let is_passed = result.is_ok();
        self.record(name, result, start.elapsed());
        is_passed
    }

    /// Counts a check that ran elsewhere, and for how long.
    pub fn record<E: Display>(&mut self, name: &str, result: Result<(), E>, time: Duration) {
        let seconds = time.as_secs_f32();
        match result {
            Ok(()) => {
                self.passed += 1;
                eprintln!("test {name} ... ok ({seconds:.1} s)");
            }
            Err(error) => {
                eprintln!("test {name} ... FAILED ({seconds:.1} s)\n    {}", error.to_string().replace('\n', "\n    "));
                self.failed.push((name.to_owned(), error.to_string()));
            }
        }
    }

    /// Notes a check that cannot run here, and why.
    pub fn skip(&mut self, name: &str, reason: &str) {
        if self.wants(name) {
            self.skipped += 1;
            crate::skip::log(name, reason, "ignored");
        }
    }

    /// Prints the closing line and returns the exit code.
    #[must_use]
    #[expect(clippy::print_stdout, reason = "the test runner's closing line is read from standard output")]
    pub fn finish(self) -> ExitCode {
        let result = if self.failed.is_empty() { "ok" } else { "FAILED" };
        for (name, error) in &self.failed {
            eprintln!("\n---- {name} ----\n{error}");
        }
        let (passed, failed) = (self.passed, self.failed.len());
        println!(
            "test result: {result}. {passed} passed; {failed} failed; {} ignored; 0 measured; 0 filtered out",
            self.skipped
        );
        if self.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
