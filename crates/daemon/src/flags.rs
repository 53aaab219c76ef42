//! One table of flags per program: the parser, `--help`, the manual's OPTIONS and the completions all read it.

use crate::exit::{self, Fatal};
use lexopt::{Arg, ValueExt};
use std::ffi::OsString;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Long name without the dashes.
    pub long: &'static str,
    /// One-letter form, if it has one.
    pub short: Option<char>,
    /// Name of its value in the help, in capitals; `None` for a switch.
    pub value: Option<&'static str>,
    /// One sentence, lower case, no full stop.
    pub help: &'static str,
}

/// What a program is called and takes.
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
    Flag { long: "version", short: Some('V'), value: None, help: "print the version and exit" },
    Flag { long: "help", short: Some('h'), value: None, help: "print this help and exit" },
];

/// The flags that were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given(Vec<(&'static str, Option<String>)>);

impl Given {
    /// True when the flag was given.
    #[must_use]
    pub fn has(&self, long: &str) -> bool {
        self.0.iter().any(|(name, _)| *name == long)
    }

    /// The flag's value, the last one when it was given several times.
    #[must_use]
    pub fn value(&self, long: &str) -> Option<&str> {
        self.0.iter().rev().find(|(name, _)| *name == long)?.1.as_deref()
    }
}

impl Program {
    /// All rows: the program's own, then the common ones.
    pub fn rows(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().chain(COMMON)
    }

    /// Reads the command line, without the program's name.
    ///
    /// # Errors
    /// A [`Fatal`] of code 64 that names the word and what was expected.
    pub fn parse(&self, words: impl IntoIterator<Item = OsString>) -> Result<Given, Fatal> {
        let usage = |text: String| Fatal::new(exit::USAGE, format!("{text} (try {} --help)", self.name));
        let mut parser = lexopt::Parser::from_args(words);
        let mut given = Given::default();
        while let Some(word) = parser.next().map_err(|error| usage(error.to_string()))? {
            let row = match &word {
                Arg::Long(name) => self.rows().find(|row| row.long == *name),
                Arg::Short(letter) => self.rows().find(|row| row.short == Some(*letter)),
                Arg::Value(_) => None,
            };
            let row = row.ok_or_else(|| usage(word.unexpected().to_string()))?;
            let value = match row.value {
                Some(name) => {
                    let read = parser.value().and_then(|value| value.string());
                    Some(read.map_err(|_| usage(format!("--{} needs a value: {name}", row.long)))?)
                }
                None => None,
            };
            given.0.push((row.long, value));
        }
        Ok(given)
    }

    /// The text of `--help`.
    #[must_use]
    pub fn help(&self) -> String {
        let mut text = format!("{}: {}\n\nUsage: {} [options]\n\n", self.name, self.summary, self.name);
        for row in self.rows() {
            let short = row.short.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
            let long = row.value.map_or(row.long.to_owned(), |value| format!("{} {value}", row.long));
            text.push_str(&format!("  {short}--{long:<18} {}\n", row.help));
        }
        text
    }

    /// The rows as the OPTIONS section of a manual page in scdoc's language.
    #[must_use]
    pub fn scdoc_options(&self) -> String {
        let mut text = String::new();
        for row in self.rows() {
            let value = row.value.map_or(String::new(), |value| format!(" _{value}_"));
            let short = row.short.map_or(String::new(), |letter| format!("*-{letter}*, "));
            text.push_str(&format!("{short}*--{}*{value}\n\t{}.\n\n", row.long, row.help));
        }
        text
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

    fn parse(words: &[&str]) -> Result<Given, String> {
        PROGRAM.parse(words.iter().map(OsString::from)).map_err(|fatal| fatal.reason)
    }

    #[test]
    fn flags_of_both_tables_are_read() {
        let given = parse(&["--observe", "-c", "a.toml", "--ready-fd=3", "--config=b.toml"]).unwrap();
        assert!(given.has("observe") && !given.has("help"));
        assert_eq!((given.value("config"), given.value("ready-fd")), (Some("b.toml"), Some("3")));
    }

    #[test]
    fn wrong_words_are_named() {
        assert_eq!(parse(&["--colour"]).unwrap_err(), "invalid option '--colour' (try natsx --help)");
        assert_eq!(parse(&["-c"]).unwrap_err(), "--config needs a value: FILE (try natsx --help)");
        assert_eq!(parse(&["now"]).unwrap_err(), "unexpected argument \"now\" (try natsx --help)");
        assert!(parse(&["--observe=1"]).is_err());
    }

    #[test]
    fn help_and_manual_name_every_flag() {
        for row in PROGRAM.rows() {
            assert!(PROGRAM.help().contains(&format!("--{}", row.long)));
            assert!(PROGRAM.scdoc_options().contains(&format!("*--{}*", row.long)));
        }
    }
}
