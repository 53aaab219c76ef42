//! `/etc/lunix/natsnet.toml`.

use serde::Deserialize;

/// The configuration; every key may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long being online or offline must hold before it is told, in milliseconds, 0 to 60 000.
    pub settle_ms: u64,
    /// Whether neighbours are followed. On a busy network they come and go all the time.
    pub neighbours: bool,
    /// Most links, addresses and neighbours that are followed, together, 64 to 1 048 576. About 300 bytes of memory each.
    pub things_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { settle_ms: 500, neighbours: false, things_max: 16_384 }
    }
}

impl Config {
    /// Checks the bounds.
    ///
    /// # Errors
    /// A sentence that names the key and what was expected.
    pub fn check(&self) -> Result<(), String> {
        match (self.settle_ms, self.things_max) {
            (60_001.., _) => Err(format!("settle_ms = {}: expected 0 to 60000", self.settle_ms)),
            (_, 64..=1_048_576) => Ok(()),
            (_, other) => Err(format!("things_max = {other}: expected 64 to 1048576")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_and_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let few = Config { things_max: 3, ..Config::default() };
        assert_eq!(few.check().unwrap_err(), "things_max = 3: expected 64 to 1048576");
        let late = Config { settle_ms: 70_000, ..Config::default() };
        assert_eq!(late.check().unwrap_err(), "settle_ms = 70000: expected 0 to 60000");
    }
}
