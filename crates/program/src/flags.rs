//! One table per program: its flags, arguments and subcommands; and the parser that reads it.

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
    /// Name of its value in the help, in capitals; `None` for a switch. `FILE`, `PATH` and `DIR` are completed as such.
    pub value: Option<&'static str>,
    /// One sentence, lower case, no full stop.
    pub help: &'static str,
}

/// How often an argument is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Times {
    /// Exactly once.
    Once,
    /// Once or not at all.
    Maybe,
    /// Once or more; only the last argument of a command.
    Some,
}

/// A word without dashes that a command takes.
#[derive(Clone, Copy, Debug)]
pub struct Argument {
    /// Its name in the help, in capitals.
    pub name: &'static str,
    /// How often it is given.
    pub times: Times,
    /// One sentence, lower case, no full stop.
    pub help: &'static str,
    /// The words it may be; empty: any.
    pub words: &'static [&'static str],
}

/// A program or a subcommand of one.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// What it is called; of a program also the word that log lines begin with.
    pub name: &'static str,
    /// What it does, in a few words.
    pub summary: &'static str,
    /// Its own flags.
    pub flags: &'static [Flag],
    /// Flags it has in common with others, shown after its own. Subcommands have those of the program too.
    pub common: &'static [Flag],
    /// The words it takes, in order.
    pub arguments: &'static [Argument],
    /// Its subcommands; a command that has some takes no arguments.
    pub commands: &'static [Command],
}

/// The flag that answers with the help; it makes missing arguments no error.
pub const HELP: Flag = Flag { long: "help", short: Some('h'), value: None, help: "print this help and exit" };

/// The flag that answers with the version; it makes missing arguments no error.
pub const VERSION: Flag = Flag { long: "version", short: Some('V'), value: None, help: "print the version and exit" };

/// What the command line says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Given {
    flags: Vec<(&'static str, Option<String>)>,
    commands: Vec<&'static str>,
    arguments: Vec<String>,
}

impl Given {
    /// True when the flag was given.
    #[must_use]
    pub fn has(&self, long: &str) -> bool {
        self.flags.iter().any(|(name, _)| *name == long)
    }

    /// The flag's value, the last one when it was given several times.
    #[must_use]
    pub fn value(&self, long: &str) -> Option<&str> {
        self.values(long).last()
    }

    /// All values of a flag, in order.
    pub fn values(&self, long: &str) -> impl Iterator<Item = &str> {
        self.flags.iter().filter(move |(name, _)| *name == long).filter_map(|(_, value)| value.as_deref())
    }

    /// The subcommand and its subcommands: `["service", "list"]`.
    #[must_use]
    pub fn commands(&self) -> &[&'static str] {
        &self.commands
    }

    /// The arguments in order.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.arguments
    }

    /// The argument at `index`, from 0.
    #[must_use]
    pub fn argument(&self, index: usize) -> Option<&str> {
        self.arguments.get(index).map(String::as_str)
    }
}

/// The commands that were named so far, outermost first.
pub(crate) struct Path(pub(crate) Vec<Command>);

impl Path {
    /// As it is typed: `lunix service list`.
    pub(crate) fn name(&self) -> String {
        self.0.iter().map(|command| command.name).collect::<Vec<_>>().join(" ")
    }

    /// Every flag that may stand here: those of the innermost command, then what the commands around it have in common.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &'static Flag> {
        let own = self.0.last().map_or(&[][..], |command| command.flags);
        own.iter().chain(self.0.iter().rev().flat_map(|command| command.common))
    }

    fn usage(&self, text: impl std::fmt::Display) -> Fatal {
        Fatal::new(exit::USAGE, format!("{text} (try {} --help)", self.name()))
    }
}

impl Command {
    /// A command without name, flags, arguments and subcommands: fill in what it has.
    pub const NEW: Self = Self { name: "", summary: "", flags: &[], common: &[], arguments: &[], commands: &[] };

    /// All rows: the command's own, then the common ones.
    pub fn rows(&self) -> impl Iterator<Item = &'static Flag> {
        self.flags.iter().chain(self.common)
    }

    /// Reads the command line, without the program's name.
    ///
    /// # Errors
    /// A [`Fatal`] of code 64 that names the word and what was expected.
    pub fn parse(&self, words: impl IntoIterator<Item = OsString>) -> Result<Given, Fatal> {
        let mut parser = lexopt::Parser::from_args(words);
        let mut path = Path(vec![*self]);
        let mut given = Given::default();
        while let Some(word) = parser.next().map_err(|error| path.usage(error))? {
            let row = match &word {
                Arg::Long(name) => path.rows().find(|row| row.long == *name),
                Arg::Short(letter) => path.rows().find(|row| row.short == Some(*letter)),
                Arg::Value(text) => {
                    let text = text.clone();
                    take_word(&mut path, &mut given, text)?;
                    continue;
                }
            };
            let row = row.ok_or_else(|| path.usage(word.unexpected()))?;
            let value = match row.value {
                Some(name) => {
                    let read = parser.value().and_then(|value| value.string());
                    Some(read.map_err(|_| path.usage(format_args!("--{} needs a value: {name}", row.long)))?)
                }
                None => None,
            };
            given.flags.push((row.long, value));
        }
        complete(&path, &given)?;
        Ok(given)
    }
}

/// Takes a word without dashes: a subcommand's name or an argument.
fn take_word(path: &mut Path, given: &mut Given, word: OsString) -> Result<(), Fatal> {
    let Some(command) = path.0.last().copied() else { return Ok(()) };
    let text = word.into_string().map_err(|word| path.usage(format_args!("{} is not UTF-8", word.display())))?;
    if !command.commands.is_empty() {
        let names = || command.commands.iter().map(|command| command.name).collect::<Vec<_>>().join(", ");
        let found = command.commands.iter().find(|command| command.name == text);
        let found = found.ok_or_else(|| path.usage(format_args!("unknown command '{text}': expected {}", names())))?;
        path.0.push(*found);
        given.commands.push(found.name);
        return Ok(());
    }
    let many = command.arguments.last().filter(|argument| argument.times == Times::Some);
    let argument = command.arguments.get(given.arguments.len()).or(many);
    let argument = argument.ok_or_else(|| path.usage(format_args!("unexpected argument {text:?}")))?;
    if !argument.words.is_empty() && !argument.words.contains(&text.as_str()) {
        let words = argument.words.join(", ");
        return Err(path.usage(format_args!("{} '{text}': expected {words}", argument.name)));
    }
    given.arguments.push(text);
    Ok(())
}

/// Checks that nothing is missing.
fn complete(path: &Path, given: &Given) -> Result<(), Fatal> {
    let Some(command) = path.0.last() else { return Ok(()) };
    if given.has(HELP.long) || given.has(VERSION.long) {
        return Ok(());
    }
    if !command.commands.is_empty() {
        return Err(path.usage(format_args!("{} needs a command", path.name())));
    }
    match command.arguments.get(given.arguments.len()) {
        Some(argument) if argument.times != Times::Maybe && given.arguments.len() < command.arguments.len() => {
            Err(path.usage(format_args!("{} needs {}", path.name(), argument.name)))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help::tests::EXAMPLE;

    fn parse(words: &[&str]) -> Result<Given, String> {
        EXAMPLE.parse(words.iter().map(OsString::from)).map_err(|fatal| {
            assert_eq!(fatal.code, exit::USAGE);
            fatal.reason
        })
    }

    #[test]
    fn flags_of_the_command_and_of_those_around_it_are_read() {
        let given = parse(&["-c", "a.toml", "say", "--twice", "--config=b.toml", "a.b", "-", "--", "--loud"]).unwrap();
        assert_eq!(given.commands(), ["say"]);
        assert!(given.has("twice") && !given.has("help"));
        assert_eq!(given.value("config"), Some("b.toml"));
        assert_eq!(given.values("config").collect::<Vec<_>>(), ["a.toml", "b.toml"]);
        assert_eq!(given.arguments(), ["a.b", "-", "--loud"]);
        assert_eq!(parse(&["box", "open", "left"]).unwrap().commands(), ["box", "open"]);
        assert_eq!(parse(&["box", "open"]).unwrap().argument(0), None);
    }

    #[test]
    fn help_and_version_need_nothing_else() {
        for words in [&["--help"][..], &["say", "-h"], &["box", "--help"], &["-V"]] {
            assert!(parse(words).is_ok(), "{words:?}");
        }
    }

    #[test]
    fn wrong_words_are_named() {
        let table: &[(&[&str], &str)] = &[
            (&["--colour"], "invalid option '--colour' (try natsx --help)"),
            (&["-c"], "--config needs a value: FILE (try natsx --help)"),
            (&["say", "-c"], "--config needs a value: FILE (try natsx say --help)"),
            (&["now"], "unknown command 'now': expected say, box (try natsx --help)"),
            (&[], "natsx needs a command (try natsx --help)"),
            (&["box"], "natsx box needs a command (try natsx box --help)"),
            (&["say"], "natsx say needs SUBJECT (try natsx say --help)"),
            (&["box", "open", "up"], "SIDE 'up': expected left, right (try natsx box open --help)"),
            (&["box", "open", "left", "right"], "unexpected argument \"right\" (try natsx box open --help)"),
            (&["--twice"], "invalid option '--twice' (try natsx --help)"),
            (&["say", "--twice=1"], "unexpected argument for option '--twice': \"1\" (try natsx say --help)"),
        ];
        for (words, sentence) in table {
            assert_eq!(parse(words).unwrap_err(), *sentence, "{words:?}");
        }
    }
}
