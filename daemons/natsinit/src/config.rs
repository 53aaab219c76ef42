//! `/etc/lunix/natsinit.toml`.

use crate::trust::Trust;
use serde::Deserialize;
use std::path::PathBuf;

/// The configuration; every key may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The control socket of lunix-init, where it has not handed one down. The flag `--control` goes before it.
    pub control: PathBuf,
    /// Whom on the bus commands are taken from, and who is told what services write.
    pub trust: Trust,
}

impl Default for Config {
    fn default() -> Self {
        Self { control: PathBuf::from(init_control::SOCKET), trust: Trust::Nobody }
    }
}
