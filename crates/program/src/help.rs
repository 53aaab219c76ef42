//! The texts made from the table: `--help` and the manual's OPTIONS.

use crate::flags::{Argument, Command, Flag, Path, Times};

/// Width of the column before the explanations.
const COLUMN: usize = 26;

impl Command {
    /// The text of `--help` for the command that `commands` names within this program; of the program itself when it is empty.
    #[must_use]
    pub fn help_of(&self, commands: &[&str]) -> String {
        let path = self.path(commands);
        let Some(command) = path.0.last() else { return String::new() };
        let mut text = format!("{}: {}\n\nUsage: {}\n", path.name(), command.summary, usage(&path.name(), command));
        let commands = command.commands.iter().map(|command| (command.name.to_owned(), command.summary));
        section(&mut text, commands.collect());
        let arguments = command.arguments.iter().filter(|argument| !argument.help.is_empty());
        section(&mut text, arguments.map(|argument| (argument.name.to_owned(), argument.help)).collect());
        section(&mut text, path.rows().map(|row| (form(row), row.help)).collect());
        text
    }

    /// The text of `--help` for the program.
    #[must_use]
    pub fn help(&self) -> String {
        self.help_of(&[])
    }

    /// The rows as the OPTIONS section of a manual page in scdoc's language. With subcommands: each with its synopsis, summary and
    /// rows, then the common ones.
    #[must_use]
    pub fn scdoc_options(&self) -> String {
        let mut text = String::new();
        scdoc_command(&mut text, self, "");
        text
    }

    /// The commands on the way to the one that is named.
    pub(crate) fn path(&self, commands: &[&str]) -> Path {
        let mut path = Path(vec![*self]);
        for name in commands {
            let inner = path.0.last().and_then(|command| command.commands.iter().find(|inner| inner.name == *name));
            path.0.extend(inner.copied());
        }
        path
    }
}

fn usage(name: &str, command: &Command) -> String {
    let mut text = format!("{name} [options]");
    if !command.commands.is_empty() {
        text.push_str(" COMMAND");
    }
    for argument in command.arguments {
        text.push(' ');
        text.push_str(&times(argument, argument.name));
    }
    text
}

/// The argument as it stands in a synopsis; `shown` is its name in the language of the text.
fn times(argument: &Argument, shown: &str) -> String {
    match argument.times {
        Times::Once => shown.to_owned(),
        Times::Maybe => format!("[{shown}]"),
        Times::Some => format!("{shown}..."),
    }
}

fn form(row: &Flag) -> String {
    let short = row.short.map_or("    ".to_owned(), |letter| format!("-{letter}, "));
    let value = row.value.map_or(String::new(), |value| format!(" {value}"));
    format!("{short}--{}{value}", row.long)
}

fn section(text: &mut String, rows: Vec<(String, &str)>) {
    if rows.is_empty() {
        return;
    }
    text.push('\n');
    for (form, help) in rows {
        text.push_str(&format!("  {form:<width$} {help}\n", width = COLUMN - 2));
    }
}

fn scdoc_command(text: &mut String, command: &Command, around: &str) {
    for row in command.flags {
        scdoc_row(text, row);
    }
    for inner in command.commands {
        let name = if around.is_empty() { inner.name.to_owned() } else { format!("{around} {}", inner.name) };
        if inner.commands.is_empty() {
            let mut synopsis = format!("*{name}*");
            for row in inner.flags {
                synopsis.push_str(&format!(" [{}]", scdoc_form(row)));
            }
            for argument in inner.arguments {
                synopsis.push_str(&format!(" {}", scdoc_escape(&times(argument, &format!("_{}_", argument.name)))));
            }
            text.push_str(&format!("## {}\n\n{synopsis}\n\n", name.to_uppercase()));
            text.push_str(&format!("{}.\n\n", scdoc_text(inner.summary)));
            for argument in inner.arguments.iter().filter(|argument| !argument.help.is_empty()) {
                text.push_str(&format!("_{}_\n\t{}.\n\n", argument.name, scdoc_text(argument.help)));
            }
        }
        scdoc_command(text, inner, &name);
    }
    if !command.common.is_empty() && !command.commands.is_empty() {
        text.push_str("## ALL COMMANDS\n\n");
    }
    for row in command.common {
        scdoc_row(text, row);
    }
}

fn scdoc_row(text: &mut String, row: &Flag) {
    let short = row.short.map_or(String::new(), |letter| format!("*-{letter}*, "));
    text.push_str(&format!("{short}{}\n\t{}.\n\n", scdoc_form(row), scdoc_text(row.help)));
}

fn scdoc_form(row: &Flag) -> String {
    let value = row.value.map_or(String::new(), |value| format!(" _{value}_"));
    format!("*--{}*{value}", row.long)
}

/// scdoc refuses dots that follow an underlined word directly.
fn scdoc_escape(text: &str) -> String {
    text.replace("_...", "_ ...")
}

/// A sentence with a capital, and what scdoc would take for its own marks escaped.
fn scdoc_text(sentence: &str) -> String {
    let mut text = String::new();
    for (index, c) in sentence.chars().enumerate() {
        if matches!(c, '_' | '*' | '\\' | '#') {
            text.push('\\');
        }
        match index {
            0 => text.extend(c.to_uppercase()),
            _ => text.push(c),
        }
    }
    text
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::flags::{HELP, VERSION};

    pub(crate) const EXAMPLE: Command = Command {
        name: "natsx",
        summary: "an example",
        common: &[
            Flag { long: "config", short: Some('c'), value: Some("FILE"), help: "read the configuration from FILE" },
            VERSION,
            HELP,
        ],
        commands: &[
            Command {
                name: "say",
                summary: "says it",
                flags: &[Flag { long: "twice", short: None, value: None, help: "say it again" }],
                arguments: &[Argument { name: "SUBJECT", times: Times::Some, help: "a * or a_b", words: &[] }],
                ..Command::NEW
            },
            Command {
                name: "box",
                summary: "a box",
                commands: &[Command {
                    name: "open",
                    summary: "opens it",
                    arguments: &[Argument {
                        name: "SIDE",
                        times: Times::Maybe,
                        help: "which side",
                        words: &["left", "right"],
                    }],
                    ..Command::NEW
                }],
                ..Command::NEW
            },
        ],
        ..Command::NEW
    };

    #[test]
    fn help_names_commands_arguments_and_flags() {
        assert_eq!(
            EXAMPLE.help(),
            "natsx: an example\n\nUsage: natsx [options] COMMAND\n\n  say                      says it\n  box                      a box\n\n  -c, --config FILE        read the configuration from FILE\n  -V, --version            print the version and exit\n  -h, --help               print this help and exit\n"
        );
        let say = EXAMPLE.help_of(&["say"]);
        assert!(
            say.contains("Usage: natsx say [options] SUBJECT...\n\n  SUBJECT                  a * or a_b\n"),
            "{say}"
        );
        assert!(say.contains("      --twice              say it again\n  -c, --config FILE"), "{say}");
        assert!(EXAMPLE.help_of(&["box", "open"]).starts_with("natsx box open: opens it"));
    }

    #[test]
    fn the_manual_names_every_command_and_flag() {
        let text = EXAMPLE.scdoc_options();
        for part in [
            "## SAY\n\n*say* [*--twice*] _SUBJECT_ ...\n\nSays it.\n\n_SUBJECT_\n\tA \\* or a\\_b.\n\n*--twice*\n\tSay it again.\n\n",
            "## BOX OPEN\n\n*box open* [_SIDE_]\n\n",
            "## ALL COMMANDS\n\n*-c*, *--config* _FILE_\n\tRead the configuration from FILE.\n\n",
        ] {
            assert!(text.contains(part), "{part}\nin\n{text}");
        }
    }
}
