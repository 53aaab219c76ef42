//! The command line of an event daemon: its own flags and those that all of them have.

pub use program::flags::*;

use program::Fatal;
use std::ffi::OsString;

/// What an event daemon is called and takes.
#[derive(Clone, Copy, Debug)]
pub struct Program {
    /// Name of the binary, and the word that log lines begin with.
    pub name: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Its flags beside the common ones.
    pub flags: &'static [Flag],
}

/// The flags every event daemon has.
pub const COMMON: &[Flag] = &[
    Flag { long: "config", short: Some('c'), value: Some("FILE"), help: "read the configuration from FILE" },
    Flag { long: "url", short: None, value: Some("URL"), help: "address of the bus: nats://host:port or unix:///path" },
    Flag { long: "ready-fd", short: None, value: Some("N"), help: "write a newline to descriptor N when ready" },
    Flag { long: "record", short: None, value: Some("FILE"), help: "write every input to FILE as a trace" },
    Flag { long: "check-config", short: None, value: None, help: "check the configuration and exit" },
    VERSION,
    HELP,
];

impl Program {
    /// The table of the whole command line.
    #[must_use]
    pub const fn command(&self) -> Command {
        Command { name: self.name, summary: self.summary, flags: self.flags, common: COMMON, ..Command::NEW }
    }

    /// All rows: the program's own, then the common ones.
    pub fn rows(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().chain(COMMON)
    }

    /// Reads the command line, without the program's name.
    ///
    /// # Errors
    /// A [`Fatal`] of code 64 that names the word and what was expected.
    pub fn parse(&self, words: impl IntoIterator<Item = OsString>) -> Result<Given, Fatal> {
        self.command().parse(words)
    }

    /// The text of `--help`.
    #[must_use]
    pub fn help(&self) -> String {
        self.command().help()
    }

    /// The rows as the OPTIONS section of a manual page in scdoc's language.
    #[must_use]
    pub fn scdoc_options(&self) -> String {
        self.command().scdoc_options()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROGRAM: Program = Program {
        name: "natsx",
        summary: "an example",
        flags: &[Flag { long: "observe", short: None, value: None, help: "only look" }],
    };

    #[test]
    fn flags_of_both_tables_are_read() {
        let words = ["--observe", "-c", "a.toml", "--ready-fd=3"].map(OsString::from);
        let given = PROGRAM.parse(words).unwrap();
        assert!(given.has("observe"));
        assert_eq!((given.value("config"), given.value("ready-fd")), (Some("a.toml"), Some("3")));
        let refused = PROGRAM.parse(["now".into()]).unwrap_err();
        assert_eq!(refused.reason, "unexpected argument \"now\" (try natsx --help)");
    }

    #[test]
    fn help_and_manual_name_every_flag() {
        for row in PROGRAM.rows() {
            assert!(PROGRAM.help().contains(&format!("--{}", row.long)));
            assert!(PROGRAM.scdoc_options().contains(&format!("*--{}*", row.long)));
        }
    }
}
