//! `/etc/lunix/natstoast.toml`.

use serde::Deserialize;
use std::path::PathBuf;

/// The configuration; every key may be absent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The terminal or file that toasts are written to; standard output when absent.
    pub output: Option<PathBuf>,
}
