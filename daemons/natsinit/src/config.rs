//! `/etc/lunix/natsinit.toml`.

use serde::Deserialize;
use std::path::PathBuf;

/// The configuration; every key may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The control socket of lunix-init. The flag `--control` goes before it.
    pub control: PathBuf,
}

impl Default for Config {
    fn default() -> Self {
        Self { control: PathBuf::from(init_control::SOCKET) }
    }
}
