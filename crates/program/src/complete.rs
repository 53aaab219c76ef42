//! Completions for shells, made from the table.

use crate::flags::{Command, Flag, Path};

/// A shell with programmable completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// GNU bash.
    Bash,
    /// zsh.
    Zsh,
    /// fish.
    Fish,
}

impl Shell {
    /// The names of [`Shell::from_name`].
    pub const NAMES: &'static [&'static str] = &["bash", "zsh", "fish"];

    /// The shell of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "bash" => Some(Self::Bash),
            "zsh" => Some(Self::Zsh),
            "fish" => Some(Self::Fish),
            _ => None,
        }
    }
}

impl Command {
    /// A script that teaches the shell this program's subcommands, flags and fixed words; values that are files are completed as
    /// such.
    #[must_use]
    pub fn completions(&self, shell: Shell) -> String {
        let mut nodes = Vec::new();
        walk(&mut nodes, vec![*self]);
        match shell {
            Shell::Bash => bash(self.name, &nodes),
            Shell::Zsh => zsh(self.name, &nodes),
            Shell::Fish => fish(self.name, &nodes),
        }
    }
}

/// Every command with the way to it.
fn walk(nodes: &mut Vec<Path>, way: Vec<Command>) {
    let inner = way.last().map_or(&[][..], |command| command.commands);
    nodes.push(Path(way.clone()));
    for command in inner {
        walk(nodes, way.iter().chain([command]).copied().collect());
    }
}

fn is_file(flag: &Flag) -> bool {
    matches!(flag.value, Some("FILE" | "PATH" | "DIR"))
}

/// What can be typed at a command: words with their explanations.
fn words(node: &Path) -> Vec<(&'static str, &'static str)> {
    let Some(command) = node.0.last() else { return Vec::new() };
    let commands = command.commands.iter().map(|inner| (inner.name, inner.summary));
    let fixed = command.arguments.iter().flat_map(|row| row.words.iter().map(|word| (*word, row.help)));
    commands.chain(fixed).collect()
}

/// `"lunix sub --get"` for each flag with a value, as a pattern of `case`; `files` chooses those whose value is a file.
fn value_pattern(nodes: &[Path], files: bool) -> String {
    let mut patterns = Vec::new();
    for node in nodes {
        for row in node.rows().filter(|row| row.value.is_some() && is_file(row) == files) {
            patterns.push(format!("\"{} --{}\"", node.name(), row.long));
            patterns.extend(row.short.map(|letter| format!("\"{} -{letter}\"", node.name())));
        }
    }
    if patterns.is_empty() { "\"\"".to_owned() } else { patterns.join("|") }
}

fn command_pattern(nodes: &[Path]) -> String {
    let names: Vec<String> = nodes.iter().skip(1).map(|node| format!("\"{}\"", node.name())).collect();
    if names.is_empty() { "\"\"".to_owned() } else { names.join("|") }
}

fn bash(name: &str, nodes: &[Path]) -> String {
    let mut text = format!(
        "_{name}() {{\n    local at={name} words= i current=${{COMP_WORDS[COMP_CWORD]}}\n    COMPREPLY=()\n    \
         for ((i = 1; i < COMP_CWORD; i++)); do\n        case \"$at ${{COMP_WORDS[i]}}\" in\n            \
         {commands}) at=\"$at ${{COMP_WORDS[i]}}\" ;;\n        esac\n    done\n    \
         case \"$at ${{COMP_WORDS[COMP_CWORD-1]}}\" in\n        {files}) COMPREPLY=($(compgen -f -- \"$current\")); return ;;\n        \
         {others}) return ;;\n    esac\n    case \"$at\" in\n",
        commands = command_pattern(nodes),
        files = value_pattern(nodes, true),
        others = value_pattern(nodes, false),
    );
    for node in nodes {
        let plain = words(node).into_iter().map(|(word, _)| word.to_owned());
        let flags = node.rows().map(|row| format!("--{}", row.long));
        let all: Vec<String> = plain.chain(flags).collect();
        text.push_str(&format!("        \"{}\") words=\"{}\" ;;\n", node.name(), all.join(" ")));
    }
    text.push_str(&format!(
        "    esac\n    COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n}}\ncomplete -F _{name} {name}\n"
    ));
    text
}

fn zsh(name: &str, nodes: &[Path]) -> String {
    let mut text = format!(
        "#compdef {name}\n_{name}() {{\n    local at={name} i\n    local -a rows\n    for ((i = 2; i < CURRENT; i++)); do\n        \
         case \"$at $words[i]\" in\n            {commands}) at=\"$at $words[i]\" ;;\n        esac\n    done\n    \
         case \"$at $words[CURRENT-1]\" in\n        {files}) _files; return ;;\n        {others}) return ;;\n    esac\n    \
         case \"$at\" in\n",
        commands = command_pattern(nodes),
        files = value_pattern(nodes, true),
        others = value_pattern(nodes, false),
    );
    for node in nodes {
        let plain = words(node).into_iter().map(|(word, help)| zsh_row(word, help));
        let flags = node.rows().map(|row| zsh_row(&format!("--{}", row.long), row.help));
        let all: Vec<String> = plain.chain(flags).collect();
        text.push_str(&format!("        \"{}\") rows=({}) ;;\n", node.name(), all.join(" ")));
    }
    text.push_str(&format!("    esac\n    _describe word rows\n}}\n_{name} \"$@\"\n"));
    text
}

fn zsh_row(word: &str, help: &str) -> String {
    quoted(&format!("{word}:{}", help.replace(':', "\\:")), "'\\''")
}

fn fish(name: &str, nodes: &[Path]) -> String {
    let commands: Vec<String> = nodes.iter().skip(1).map(|node| format!("\"{}\"", node.name())).collect();
    let mut text = format!(
        "function __{name}_at\n    set -l at {name}\n    for word in (commandline -opc)[2..-1]\n        \
         if contains -- \"$at $word\" {}\n            set at \"$at $word\"\n        end\n    end\n    \
         test \"$at\" = \"$argv[1]\"\nend\ncomplete -c {name} -f\n",
        commands.join(" ")
    );
    for node in nodes {
        let here = format!("complete -c {name} -n '__{name}_at \"{}\"'", node.name());
        for (word, help) in words(node) {
            text.push_str(&format!("{here} -a {word} -d {}\n", fish_quoted(help)));
        }
        for row in node.rows() {
            let short = row.short.map_or(String::new(), |letter| format!(" -s {letter}"));
            let value = match row.value {
                Some(_) if is_file(row) => " -r -F",
                Some(_) => " -x",
                None => "",
            };
            text.push_str(&format!("{here}{short} -l {}{value} -d {}\n", row.long, fish_quoted(row.help)));
        }
    }
    text
}

fn fish_quoted(text: &str) -> String {
    quoted(text, "\\'")
}

/// In single quotes; `quote` stands for a single quote within.
fn quoted(text: &str, quote: &str) -> String {
    format!("'{}'", text.replace('\'', quote))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::help::tests::EXAMPLE;

    /// What bash offers at the end of a command line.
    fn bash_offers(line: &[&str]) -> Vec<String> {
        let script = format!(
            "{}\nCOMP_WORDS=(\"$@\")\nCOMP_CWORD=$(($# - 1))\n_natsx\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
            EXAMPLE.completions(Shell::Bash)
        );
        let output = std::process::Command::new("bash").args(["-c", &script, "bash"]).args(line).output().unwrap();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn bash_offers_what_the_table_has() {
        assert_eq!(bash_offers(&["natsx", ""]), ["say", "box", "--config", "--version", "--help"]);
        assert_eq!(bash_offers(&["natsx", "--config", "x", "b"]), ["box"]);
        assert_eq!(bash_offers(&["natsx", "say", "--t"]), ["--twice"]);
        assert_eq!(bash_offers(&["natsx", "box", "open", "l"]), ["left"]);
        assert_eq!(bash_offers(&["natsx", "say", "box", "o"]), Vec::<String>::new());
        assert_eq!(bash_offers(&["natsx", "-c", "/proc/versio"]), ["/proc/version"]);
    }

    #[test]
    fn the_other_shells_get_every_word() {
        let (zsh, fish) = (EXAMPLE.completions(Shell::Zsh), EXAMPLE.completions(Shell::Fish));
        for row in ["'say:says it'", "\"natsx box open\") rows=('left:which side'", "\"natsx say --config\""] {
            assert!(zsh.contains(row), "{row} in {zsh}");
        }
        for row in ["-a say -d 'says it'", "__natsx_at \"natsx say\"' -s c -l config -r -F -d", "-a left"] {
            assert!(fish.contains(row), "{row} in {fish}");
        }
    }

    #[test]
    fn shells_are_found_by_name() {
        assert!(Shell::NAMES.iter().all(|name| Shell::from_name(name).is_some()));
        assert_eq!(Shell::from_name("csh"), None);
    }
}
