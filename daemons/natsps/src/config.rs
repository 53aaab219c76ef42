//! `/etc/lunix/natsps.toml`.

use serde::Deserialize;

/// The configuration; every key may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Most processes that are followed, 16 to 1 048 576. About 300 bytes of memory each.
    pub processes_max: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self { processes_max: 8192 }
    }
}

impl Config {
    /// Checks the bounds.
    ///
    /// # Errors
    /// A sentence that names the key and what was expected.
    pub fn check(&self) -> Result<(), String> {
        match self.processes_max {
            16..=1_048_576 => Ok(()),
            other => Err(format!("processes_max = {other}: expected 16 to 1048576")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_checked_and_named() {
        assert_eq!(Config::default().check(), Ok(()));
        let few = Config { processes_max: 3 };
        assert_eq!(few.check().unwrap_err(), "processes_max = 3: expected 16 to 1048576");
    }
}
