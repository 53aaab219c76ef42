//! Recording: every input of the machine as a line of a trace, so that a bug report becomes a test.

use reactor::Instant;
use serde::Serialize;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

/// Writes `> +SECONDS {input}` lines; seconds count from the line before. Fields that a type marks with `#[serde(skip)]` are left
/// out.
#[derive(Debug)]
pub(crate) struct Recorder {
    file: Option<File>,
    last: Option<Instant>,
}

impl Recorder {
    /// Records nothing.
    pub(crate) fn off() -> Self {
        Self { file: None, last: None }
    }

    /// Records to a new file, only for the owner to read.
    pub(crate) fn to(path: &Path) -> io::Result<Self> {
        use std::os::unix::fs::OpenOptionsExt;
        let file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path)?;
        Ok(Self { file: Some(file), last: None })
    }

    /// Writes one input. A disk that takes no more ends the recording, with the reason as the error.
    pub(crate) fn write(&mut self, now: Instant, input: &impl Serialize) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let since: Duration = now - self.last.replace(now).unwrap_or(now);
        let written = serde_json::to_string(input)
            .map_err(io::Error::other)
            .and_then(|json| writeln!(file, "> +{}.{:06} {json}", since.as_secs(), since.subsec_micros()));
        if written.is_err() {
            self.file = None;
        }
        written
    }
}
