//! The log line: `natsdev: warn: uevent dropped: buffer full (lost=3)` on standard error. No time (the log service adds it), no
//! colour, nothing secret.

use std::fmt;
use std::io::Write;
use std::sync::OnceLock;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Someone must act.
    Error,
    /// Something was lost or refused.
    Warn,
    /// The state changed.
    Info,
    /// For developers; not in release builds.
    Debug,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        })
    }
}

/// Writes one line, unless `LUNIX_LOG` (`error`, `warn`, `info`, `debug`; default `info`) asks for less.
pub fn line(program: &str, level: Level, text: impl fmt::Display) {
    static LIMIT: OnceLock<Level> = OnceLock::new();
    if level == Level::Debug && !cfg!(debug_assertions) {
        return;
    }
    if level <= *LIMIT.get_or_init(limit) {
        // One write, so that lines of several processes do not mix. A log nobody can read is no reason to stop.
        let whole = format!("{program}: {level}: {text}\n");
        drop(std::io::stderr().write_all(whole.as_bytes()));
    }
}

fn limit() -> Level {
    match std::env::var("LUNIX_LOG").as_deref() {
        Ok("error") => Level::Error,
        Ok("warn") => Level::Warn,
        Ok("debug") => Level::Debug,
        Ok(_) | Err(_) => Level::Info,
    }
}
