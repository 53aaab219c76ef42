//! A test that cannot run here says so, and the summary counts it.

use std::io::Write;

/// Notes that the running test is skipped and why: on standard error, and as a line `NAME<TAB>REASON<TAB>passed` in the file named
/// by `LUNIX_SKIP_LOG`, from which `cargo xtask test` takes its closing count (the standard runner counts a test that returns as
/// passed). The test then returns.
///
/// ```no_run
/// // In a test: if !have_namespaces() { testkit::skip::note("uevents_arrive", "user namespaces are off here"); return; }
/// testkit::skip::note("doc", "an example");
/// ```
pub fn note(test: &str, reason: &str) {
    log(test, reason, "passed");
}

/// Writes the line; `counted_as` is how the runner's own count has it.
pub(crate) fn log(test: &str, reason: &str, counted_as: &str) {
    eprintln!("skipped {test}: {reason}");
    let Some(path) = std::env::var_os("LUNIX_SKIP_LOG") else { return };
    let line = format!("{test}\t{reason}\t{counted_as}\n");
    let written = std::fs::OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .and_then(|mut file| file.write_all(line.as_bytes()));
    if let Err(error) = written {
        eprintln!("{}: {error}", path.display());
    }
}
