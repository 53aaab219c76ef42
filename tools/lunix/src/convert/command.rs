//! `ExecStart=` and its like: commands with their prefixes (`man 5 systemd.service`, "Command lines").

use super::name::Name;
use super::specifier::expand;
use super::text::{Piece, Text, is_variable};
use super::unit::{Entry, Level, Remark};
use super::words;

/// One command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// `-`: its failure does not count.
    pub(crate) may_fail: bool,
    /// `+`, `!` or `!!`: it is not executed as the user of the service.
    pub(crate) is_privileged: bool,
    /// The program and its arguments.
    pub(crate) words: Vec<Text>,
}

impl Command {
    /// As a line of a shell script.
    pub(crate) fn shell(&self) -> String {
        self.words.iter().map(Text::shell).collect::<Vec<_>>().join(" ")
    }

    /// The last part of the program's path.
    pub(crate) fn program(&self) -> String {
        let path = self.words.first().and_then(Text::plain).unwrap_or_default();
        path.rsplit('/').next().unwrap_or_default().to_owned()
    }

    /// The words after the program, as far as they are known now.
    pub(crate) fn arguments(&self) -> Vec<Option<String>> {
        self.words.iter().skip(1).map(Text::plain).collect()
    }

    /// The signal that it sends to the service, when that is all it does.
    pub(crate) fn signal(&self) -> Option<String> {
        let is_target = |word: &Text| {
            matches!(word.0.as_slice(), [Piece::Words(name)] if name == "MAINPID")
                || word.0 == [Piece::Shell("${MAINPID-}".into())]
        };
        let target = self.words.last().filter(|word| is_target(word));
        let known: Vec<String> = self.arguments().into_iter().flatten().collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        match (self.program().as_str(), known.as_slice(), target) {
            ("kill", [], Some(_)) => Some("TERM".into()),
            ("kill", ["-s", name] | ["-n", name], Some(_)) => Some(bare(name)),
            ("kill", [option], Some(_)) => option.strip_prefix('-').map(bare),
            ("start-stop-daemon", words, _) if words.contains(&"--stop") || words.contains(&"-K") => {
                let after = |names: [&str; 2]| {
                    let at = words.iter().position(|word| names.contains(word))?;
                    words.get(at.saturating_add(1))?.split('/').next().map(bare)
                };
                after(["--retry", "-R"])
                    .filter(|first| first.parse::<u32>().is_err())
                    .or_else(|| after(["--signal", "-s"]))
                    .or(Some("TERM".into()))
            }
            _ => None,
        }
    }
}

fn bare(name: &str) -> String {
    let upper = name.to_ascii_uppercase();
    upper.strip_prefix("SIG").map_or(upper.clone(), str::to_owned)
}

/// The commands of all assignments of a key.
pub(crate) fn commands(entries: &[&Entry], unit: &Name, remarks: &mut Vec<Remark>) -> Vec<(Entry, Command)> {
    let mut all = Vec::new();
    for entry in entries {
        match parse(&entry.value, unit) {
            Ok((found, odd)) => {
                remarks.extend(odd.into_iter().map(|text| Remark::new(entry, Level::Note, text)));
                all.extend(found.into_iter().map(|command| ((*entry).clone(), command)));
            }
            Err(why) => remarks.push(Remark::new(entry, Level::Lost, why)),
        }
    }
    all
}

/// The commands of a line, and what is to be said about them.
fn parse(value: &str, unit: &Name) -> Result<(Vec<Command>, Vec<String>), String> {
    let words = words::split(value)?;
    let (mut all, mut odd) = (Vec::new(), Vec::new());
    if words.iter().any(|word| word.has_odd_escape) {
        odd.push("a backslash before a letter that is no escape stays as it is".to_owned());
    }
    for part in words.split(|word| word.is_separator).filter(|part| !part.is_empty()) {
        all.push(command(part, unit, &mut odd)?);
    }
    Ok((all, odd))
}

fn command(part: &[words::Word], unit: &Name, odd: &mut Vec<String>) -> Result<Command, String> {
    let mut command = Command::default();
    let (mut expands, mut has_name) = (true, false);
    let first = part.first().map(|word| word.text.as_str()).unwrap_or_default();
    let program = first.trim_start_matches(['-', '@', ':', '+', '!', '|']);
    for prefix in first.chars().take(first.len().saturating_sub(program.len())) {
        match prefix {
            '-' => command.may_fail = true,
            '@' => has_name = true,
            ':' => expands = false,
            '+' | '!' => command.is_privileged = true,
            _ => return Err("the prefix | (a shell) has no counterpart".to_owned()),
        }
    }
    if program.is_empty() {
        return Err("expected a program".to_owned());
    }
    command.words.push(expand(program, unit)?);
    let skipped = if has_name {
        odd.push("a shell cannot give a program another name, so argv[0] is its path".to_owned());
        2
    } else {
        1
    };
    for word in part.iter().skip(skipped) {
        let text = expand(&word.text, unit)?;
        command.words.push(if expands { with_variables(text) } else { text });
    }
    Ok(command)
}

/// `$NAME` as a whole word is cut into words, `${NAME}` is not, `$$` is a dollar; anything else stays.
fn with_variables(text: Text) -> Text {
    if let [Piece::Literal(literal)] = text.0.as_slice()
        && let Some(name) = literal.strip_prefix('$').filter(|name| is_variable(name))
    {
        return Text(vec![Piece::Words(name.to_owned())]);
    }
    let mut whole = Text::default();
    for piece in text.0 {
        match piece {
            Piece::Literal(literal) => push_with_variables(&mut whole, &literal),
            piece @ (Piece::Shell(_) | Piece::Words(_)) => whole.0.push(piece),
        }
    }
    whole
}

fn push_with_variables(whole: &mut Text, literal: &str) {
    let mut rest = literal;
    while let Some((before, after)) = rest.split_once('$') {
        whole.push_text(before);
        let braced = after.strip_prefix('{').and_then(|inner| inner.split_once('}'));
        match braced.filter(|(name, _)| is_variable(name)) {
            Some((name, after)) => {
                whole.0.push(Piece::Shell(format!("${{{name}-}}")));
                rest = after;
            }
            None => {
                whole.push_letter('$');
                rest = after.strip_prefix('$').unwrap_or(after);
            }
        }
    }
    whole.push_text(rest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shells(value: &str) -> Vec<String> {
        let (all, _) = parse(value, &Name::parse("web@.service")).unwrap();
        all.iter().map(Command::shell).collect()
    }

    #[test]
    fn commands_become_lines_of_a_shell() {
        let table: &[(&str, &[&str])] = &[
            ("/bin/a -x 'y z'", &["/bin/a -x 'y z'"]),
            ("-/bin/a ; +/bin/b", &["/bin/a", "/bin/b"]),
            ("@/bin/a other x", &["/bin/a x"]),
            (
                "/bin/a $OPTS ${ONE} x${TWO}y $$HOME $HOMEx.y 50$",
                &["/bin/a $OPTS \"${ONE-}\" x\"${TWO-}\"y '$HOME' '$HOMEx.y' '50$'"],
            ),
            (":/bin/a $OPTS ${ONE}", &["/bin/a '$OPTS' '${ONE}'"]),
            ("/bin/a %i %% ''", &["/bin/a \"$INSTANCE\" % ''"]),
            ("/bin/sh -c 'a \\; b; c'", &["/bin/sh -c 'a ; b; c'"]),
        ];
        for (value, expected) in table {
            assert_eq!(shells(value), *expected, "{value}");
        }
        for bad in ["- x", "|/bin/a", "/bin/a '", "/bin/a %d"] {
            assert!(parse(bad, &Name::parse("web@.service")).is_err(), "{bad}");
        }
    }

    #[test]
    fn prefixes_are_kept() {
        let (all, odd) = parse("-!!/bin/a; @/bin/b c", &Name::parse("a.service")).unwrap();
        assert!(all.len() == 1 && all[0].may_fail && all[0].is_privileged, "{all:?}");
        assert!(odd.is_empty());
        assert_eq!(parse("@/bin/b c", &Name::parse("a.service")).unwrap().1.len(), 1);
    }

    #[test]
    fn commands_that_only_send_a_signal() {
        let table = [
            ("/bin/kill -HUP $MAINPID", Some("HUP")),
            ("/bin/kill -s SIGQUIT ${MAINPID}", Some("QUIT")),
            ("kill $MAINPID", Some("TERM")),
            ("/bin/kill -HUP 1", None),
            ("-/sbin/start-stop-daemon --quiet --stop --retry QUIT/5 --pidfile /run/nginx.pid", Some("QUIT")),
            ("/sbin/start-stop-daemon --stop --retry 5 --signal INT", Some("INT")),
            ("/usr/bin/web stop", None),
        ];
        for (value, expected) in table {
            let (all, _) = parse(value, &Name::parse("a.service")).unwrap();
            assert_eq!(all[0].signal().as_deref(), expected, "{value}");
        }
    }
}
