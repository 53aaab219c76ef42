//! The lines that every script of a service begins with: surroundings, conditions, directories.

use super::draft::Draft;
use super::text::{Piece, Text, is_variable, quoted};
use super::words;

/// What a script says before its commands: options of the shell, working directory, variables. Writes `env/`, too.
pub(crate) fn prelude(draft: &mut Draft<'_>) -> Vec<String> {
    let mut lines = vec!["set -ef".to_owned()];
    lines.extend(directory(draft));
    lines.extend(home(draft));
    lines.extend(environment(draft));
    lines.extend(environment_files(draft));
    lines
}

fn directory(draft: &mut Draft<'_>) -> Option<String> {
    let Some(entry) = draft.last("WorkingDirectory") else { return Some("cd /".to_owned()) };
    let (may_fail, path) = entry.value.strip_prefix('-').map_or((false, entry.value.as_str()), |path| (true, path));
    let word = match (path, &draft.user) {
        ("~", Some(user)) if is_account(user) => format!("~{user}"),
        ("~", _) => "~root".to_owned(),
        (path, _) => draft.text(entry, path)?.shell(),
    };
    Some(if may_fail { format!("cd {word} || cd /") } else { format!("cd {word}") })
}

fn is_account(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter))
}

/// The variables of the user, which lunix-init does not set.
fn home(draft: &Draft<'_>) -> Option<String> {
    let user = draft.user.as_deref().filter(|user| is_account(user))?;
    Some(format!("HOME=~{user} USER={user} LOGNAME={user}; export HOME USER LOGNAME"))
}

fn environment(draft: &mut Draft<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in draft.list("Environment") {
        let words = match words::split(&entry.value) {
            Ok(words) => words,
            Err(why) => {
                draft.lost(entry, why);
                continue;
            }
        };
        for word in words {
            let pair = word.text.split_once('=').filter(|(name, _)| is_variable(name));
            let Some((name, value)) = pair else {
                draft.lost(entry, format!("expected NAME=VALUE, found {}", word.text));
                continue;
            };
            if let Some(text) = draft.text(entry, value) {
                lines.extend(variable(draft, name, &text));
            }
        }
    }
    for (entry, word) in draft.unit.words("Service", "UnsetEnvironment") {
        let name = word.split('=').next().unwrap_or_default();
        if is_variable(name) {
            draft.tree.small(&format!("env/{name}"), "");
        } else {
            draft.lost(entry, format!("{word} is no variable"));
        }
    }
    lines
}

/// A variable as a file of `env/`, or as a line of the script where a file cannot hold it.
fn variable(draft: &mut Draft<'_>, name: &str, value: &Text) -> Option<String> {
    let is_user = ["HOME", "USER", "LOGNAME"].contains(&name);
    match value.plain().filter(|plain| !is_user && !plain.contains('\n') && plain.trim_end() == plain) {
        Some(plain) if plain.is_empty() => {
            draft
                .tree
                .files
                .insert(format!("env/{name}"), super::tree::File { content: b"\n".to_vec(), is_executable: false });
            None
        }
        Some(plain) => {
            draft.tree.small(&format!("env/{name}"), &plain);
            None
        }
        None => Some(format!("export {name}={}", value.shell())),
    }
}

fn environment_files(draft: &mut Draft<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for entry in draft.list("EnvironmentFile") {
        let (may_fail, path) = entry.value.strip_prefix('-').map_or((false, entry.value.as_str()), |path| (true, path));
        let Some(path) = draft.text(entry, path) else { continue };
        let word = path.shell();
        if path.plain().is_some_and(|plain| plain.contains(['*', '?', '['])) {
            draft.lost(entry, "patterns of files are not converted");
            continue;
        }
        lines.push(if may_fail {
            format!("if [ -r {word} ]; then set -a; . {word}; set +a; fi")
        } else {
            format!("set -a; . {word}; set +a")
        });
        draft.note(entry, "the file is read by sh, so `$`, backquotes and backslashes in it have their meaning there");
    }
    lines
}

/// Tests for conditions. Where one fails a longrun exits 78 and stays down, a oneshot is done.
pub(crate) fn conditions(draft: &mut Draft<'_>, is_oneshot: bool) -> Vec<String> {
    let mut lines = Vec::new();
    let unit = draft.unit;
    for entry in &unit.entries {
        let kind = entry.key.strip_prefix("Condition").or_else(|| entry.key.strip_prefix("Assert"));
        let Some(test) = kind.and_then(test) else { continue };
        if &*entry.section != "Unit" || entry.value.is_empty() {
            continue;
        }
        let (is_not, path) = entry.value.strip_prefix('!').map_or((false, entry.value.as_str()), |path| (true, path));
        if path.starts_with('|') {
            draft.lost(entry, "conditions of which one is enough are not converted");
            continue;
        }
        let Some(path) = draft.text(entry, path.trim_start()) else { continue };
        let test = test.replace("PATH", &path.shell());
        let code = if is_oneshot && !entry.key.starts_with("Assert") { 0 } else { 78 };
        let says = quoted(&format!("{}={} does not hold", entry.key, entry.value));
        lines.push(format!("if {}{test}; then echo {says} >&2; exit {code}; fi", if is_not { "" } else { "! " }));
    }
    lines
}

/// The command that tests a path.
fn test(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "PathExists" => "[ -e PATH ]",
        "PathIsDirectory" => "[ -d PATH ]",
        "PathIsSymbolicLink" => "[ -L PATH ]",
        "PathIsReadWrite" => "[ -w PATH ]",
        "PathIsMountPoint" => "mountpoint -q PATH",
        "FileNotEmpty" => "[ -s PATH ]",
        "FileIsExecutable" => "[ -x PATH ]",
        "DirectoryNotEmpty" => "[ -n \"$(ls -A PATH 2>/dev/null)\" ]",
        _ => return None,
    })
}

/// Makes the directories that the unit wants: lines for root. Names them in `env/`, too.
pub(crate) fn directories(draft: &mut Draft<'_>) -> Vec<String> {
    const KINDS: [(&str, &str, &str, &str); 5] = [
        ("RuntimeDirectory", "RuntimeDirectoryMode", "/run", "RUNTIME_DIRECTORY"),
        ("StateDirectory", "StateDirectoryMode", "/var/lib", "STATE_DIRECTORY"),
        ("CacheDirectory", "CacheDirectoryMode", "/var/cache", "CACHE_DIRECTORY"),
        ("LogsDirectory", "LogsDirectoryMode", "/var/log", "LOGS_DIRECTORY"),
        ("ConfigurationDirectory", "ConfigurationDirectoryMode", "/etc", "CONFIGURATION_DIRECTORY"),
    ];
    let mut lines = Vec::new();
    for (key, mode_key, base, variable_name) in KINDS {
        let mode = draft.last(mode_key).map_or("0755", |entry| entry.value.as_str());
        let mut all = Vec::new();
        for (entry, word) in draft.unit.words("Service", key) {
            if word.contains(':') {
                draft.lost(entry, "a link beside a directory is not made");
            }
            let name = word.split(':').next().unwrap_or_default();
            let Some(path) = draft.text(entry, &format!("{base}/{name}")) else { continue };
            lines.push(directory_lines(draft, &path.shell(), mode, base != "/etc"));
            all.push(path);
        }
        let mut joined = Text::default();
        for (at, path) in all.into_iter().enumerate() {
            if at > 0 {
                joined.push_letter(':');
            }
            joined.0.extend(path.0);
        }
        if !joined.0.is_empty() {
            let line = variable(draft, variable_name, &Text(merged(joined.0)));
            lines.extend(line);
        }
    }
    lines
}

/// Literals that stand beside each other as one.
fn merged(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut text = Text::default();
    for piece in pieces {
        match piece {
            Piece::Literal(literal) => text.push_text(&literal),
            piece @ (Piece::Shell(_) | Piece::Words(_)) => text.0.push(piece),
        }
    }
    text.0
}

fn directory_lines(draft: &Draft<'_>, path: &str, mode: &str, changes_owner: bool) -> String {
    let owner = draft.owner.as_deref();
    let chown =
        owner.filter(|_| changes_owner).map_or(String::new(), |owner| format!(" && chown {} {path}", quoted(owner)));
    format!("mkdir -p {path}{chown} && chmod {} {path}", quoted(mode))
}
