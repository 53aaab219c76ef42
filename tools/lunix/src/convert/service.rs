//! A `.service` unit as a service directory.

use super::command::{Command, commands};
use super::draft::Draft;
use super::keys::{Fate, fate};
use super::text::quoted;
use super::tree::Tree;
use super::unit::{Entry, Level, Unit, is_true};
use super::{foreground, measure, process, restart, script};

/// How long systemd waits for the end of a service that says nothing about it.
const STOP_DEFAULT_MS: u64 = 90_000;

const NO_BUS_NAME: &str = "its name on D-Bus is not waited for: it is ready as soon as it runs";

type Commands = Vec<(Entry, Command)>;

/// The directory, with what is to be said of the unit.
pub(crate) fn convert(unit: &Unit) -> Draft<'_> {
    let mut draft = Draft::new(unit);
    fates(&mut draft);
    let starts = read(&mut draft, "ExecStart");
    if starts.is_empty() && !draft.is_oneshot() {
        draft.say(Level::Lost, "it has no ExecStart=, so there is nothing to run");
        return draft;
    }
    let is_privileged = starts.first().is_some_and(|(_, command)| command.is_privileged);
    process::convert(&mut draft, is_privileged);
    let mut lines = description(&draft);
    lines.extend(script::prelude(&mut draft));
    lines.extend(settings(&mut draft));
    let is_oneshot = draft.is_oneshot();
    lines.extend(script::conditions(&mut draft, is_oneshot));
    prepare(&mut draft, &mut lines);
    lines.extend(before(&mut draft));
    if is_oneshot {
        oneshot(&mut draft, lines, &starts);
    } else {
        longrun(&mut draft, lines, starts);
    }
    limits_of_time(&mut draft, is_oneshot);
    small_files(&mut draft);
    draft
}

/// Says what does not come along.
pub(crate) fn fates(draft: &mut Draft<'_>) {
    let unit = draft.unit;
    for entry in &unit.entries {
        match fate(&entry.section, &entry.key) {
            Fate::Read | Fate::Nothing => {}
            Fate::Note(text) => draft.note(entry, text),
            // Nothing was asked for.
            Fate::Lost(_) if is_off(&entry.value) => {}
            Fate::Lost(text) => draft.lost(entry, text),
        }
    }
}

fn is_off(value: &str) -> bool {
    ["", "no", "false", "off", "0", "n", "f"].contains(&value)
}

fn read(draft: &mut Draft<'_>, key: &'static str) -> Commands {
    let entries = draft.list(key);
    commands(&entries, &draft.unit.name, &mut draft.remarks)
}

fn description(draft: &Draft<'_>) -> Vec<String> {
    draft.unit.last("Unit", "Description").map(|entry| format!("# {}", entry.value)).into_iter().collect()
}

/// What a process inherits and only its parent can set.
fn settings(draft: &mut Draft<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(entry) = draft.last("UMask") {
        lines.push(format!("umask {}", quoted(&entry.value)));
    }
    if draft.unit.is_on("Service", "IgnoreSIGPIPE") {
        lines.push("trap '' PIPE".to_owned());
    }
    if let Some(entry) = draft.last("OOMScoreAdjust") {
        match entry.value.parse::<i32>().ok().filter(|score| (-1000..=1000).contains(score)) {
            Some(score) => draft.tree.small("oom-score-adj", &score.to_string()),
            None => draft.lost(entry, "expected a number from -1000 to 1000"),
        }
    }
    lines
}

/// Directories and privileged commands: in the script itself where that is root's, else in a oneshot of their own.
fn prepare(draft: &mut Draft<'_>, lines: &mut Vec<String>) {
    let directories = script::directories(draft);
    if draft.user.is_none() {
        return lines.extend(directories);
    }
    draft.setup.extend(directories);
}

/// `ExecCondition=` and `ExecStartPre=`.
fn before(draft: &mut Draft<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    for (entry, command) in read(draft, "ExecCondition") {
        draft.note(&entry, "where it fails the service exits 78");
        lines.push(format!("{} || exit 78", command.shell()));
    }
    let all_privileged = draft.unit.is_on("Service", "PermissionsStartOnly");
    for (entry, command) in read(draft, "ExecStartPre") {
        if draft.user.is_some() && (command.is_privileged || all_privileged) {
            draft.note(&entry, format!("as root only once, by the service {}", draft.setup_name()));
            draft.setup.push(line(&command));
        } else {
            lines.push(line(&command));
        }
    }
    lines
}

/// A command as a line of a script that ends at the first failure.
fn line(command: &Command) -> String {
    if command.may_fail { format!("{} || :", command.shell()) } else { command.shell() }
}

fn oneshot(draft: &mut Draft<'_>, mut lines: Vec<String>, starts: &Commands) {
    draft.tree.small("type", "oneshot");
    lines.extend(starts.iter().map(|(_, command)| line(command)));
    lines.extend(read(draft, "ExecStartPost").iter().map(|(_, command)| line(command)));
    let mut ends: Vec<String> = read(draft, "ExecStop").iter().map(|(_, command)| line(command)).collect();
    ends.extend(read(draft, "ExecStopPost").iter().map(|(_, command)| line(command)));
    if !ends.is_empty() && !draft.unit.is_on("Service", "RemainAfterExit") {
        lines.append(&mut ends);
    }
    draft.tree.script("up", &lines);
    if !ends.is_empty() {
        let prelude = script::prelude(&mut Draft::new(draft.unit));
        draft.tree.script("down", &[prelude, ends].concat());
    }
    if let Some(entry) = draft.last("SuccessExitStatus") {
        draft.lost(entry, "a oneshot is done when it exits 0");
    }
    if let Some(entry) = draft.last("Restart").filter(|entry| entry.value != "no") {
        draft.lost(entry, "a oneshot that fails waits for the operator");
    }
}

fn longrun(draft: &mut Draft<'_>, mut lines: Vec<String>, mut starts: Commands) {
    if let Some((entry, _)) = starts.get(1) {
        draft.lost(entry, "only a oneshot has several programs; this one is not executed");
    }
    let Some((entry, command)) = starts.first_mut() else { return };
    if draft.type_is(&["forking"]) {
        stay_in_foreground(draft, entry, command);
    }
    lines.extend(after(draft));
    let nice = draft.last("Nice").map_or(String::new(), |entry| format!("nice -n {} ", quoted(&entry.value)));
    lines.push(format!("exec {nice}{}{}", command.shell(), redirections(draft)));
    draft.tree.script("run", &lines);
    readiness(draft);
    ending(draft);
    reloading(draft);
    let mut permanent = restart::permanent(draft);
    if lines.iter().any(|line| line.contains("exit 78")) {
        permanent.insert(78);
    }
    if !permanent.is_empty() {
        let codes: Vec<String> = permanent.iter().map(u8::to_string).collect();
        draft.tree.small("permanent-exits", &codes.join(" "));
    }
}

fn stay_in_foreground(draft: &mut Draft<'_>, entry: &Entry, command: &mut Command) {
    match foreground::keep(command) {
        Some(words) => draft.note(entry, format!("Type=forking: kept in the foreground by {words}")),
        None => {
            draft.lost(
                entry,
                "Type=forking: give it the option that keeps it in the foreground, in `run`, then remove `down`",
            );
            draft.tree.small("down", "");
        }
    }
}

/// `ExecStartPost=`: beside the program of a service that is ready at once.
fn after(draft: &mut Draft<'_>) -> Vec<String> {
    let mut lines = Vec::new();
    let announces = draft.type_is(&["notify", "notify-reload", "dbus", "forking"]);
    for (entry, command) in read(draft, "ExecStartPost") {
        if announces {
            draft.lost(&entry, "nothing is executed when a service is ready; make a oneshot that depends on it");
        } else {
            lines.push(format!("{} &", command.shell()));
        }
    }
    lines
}

fn redirections(draft: &mut Draft<'_>) -> String {
    let mut all = String::new();
    let output = draft.last("StandardOutput");
    for (key, arrow) in [("StandardOutput", ">"), ("StandardError", "2>")] {
        let Some(entry) = draft.last(key) else { continue };
        let (kind, path) = entry.value.split_once(':').unwrap_or((&entry.value, ""));
        match kind {
            "null" => all.push_str(&format!(" {arrow}/dev/null")),
            "file" | "append" => all.push_str(&format!(" {arrow}>{}", quoted(path))),
            "truncate" => all.push_str(&format!(" {arrow}{}", quoted(path))),
            "inherit" | "journal" | "syslog" | "kmsg" | "journal+console" | "syslog+console" | "kmsg+console" => {}
            _ => draft.lost(entry, "lunix-init opens no terminals and hands no sockets as output"),
        }
    }
    let is_redirected = !all.is_empty() && output.is_some();
    if is_redirected && draft.last("StandardError").is_none_or(|entry| entry.value == "inherit") {
        all.push_str(" 2>&1");
    }
    if let Some(entry) = draft.last("StandardInput").filter(|entry| entry.value != "null") {
        draft.lost(entry, "standard input is /dev/null");
    }
    all
}

fn readiness(draft: &mut Draft<'_>) {
    let announces = draft.type_is(&["notify", "notify-reload"]);
    if announces {
        draft.tree.small("notify-socket", "");
    }
    if let Some(entry) = draft.last("Type") {
        match entry.value.as_str() {
            "simple" | "exec" | "idle" | "notify" | "notify-reload" | "forking" => {}
            "dbus" => draft.lost(entry, NO_BUS_NAME),
            _ => draft.lost(entry, "expected simple, exec, forking, oneshot, dbus, notify, notify-reload or idle"),
        }
    } else if let Some(entry) = draft.last("BusName") {
        draft.lost(entry, NO_BUS_NAME);
    }
    let Some(entry) = draft.last("WatchdogSec") else { return };
    match measure::milliseconds(&entry.value) {
        Some(Some(limit)) if announces && limit > 0 => draft.tree.small("watchdog", &limit.to_string()),
        Some(Some(0) | None) => {}
        Some(Some(_)) => draft.lost(entry, "a watchdog goes with Type=notify"),
        None => draft.lost(entry, "expected a time"),
    }
}

fn ending(draft: &mut Draft<'_>) {
    let stops = read(draft, "ExecStop");
    let mut sent = draft.last("KillSignal").map(|entry| (entry.clone(), entry.value.clone()));
    match stops.as_slice() {
        [] => {}
        [(entry, command)] if command.signal().is_some() => {
            sent = command.signal().map(|signal| (entry.clone(), signal));
        }
        [(entry, _), ..] => draft.lost(entry, "a service is told to end by its signal (`down-signal`) alone"),
    }
    if let Some((entry, signal)) = sent {
        let bare = signal.trim_start_matches("SIG");
        match sys::signal::number_of(bare) {
            None => draft.lost(&entry, format!("{signal} is no signal that lunix-init knows")),
            Some(sys::signal::TERM) => {}
            Some(_) => draft.tree.small("down-signal", bare),
        }
    }
    match draft.last("KillMode") {
        Some(entry) if entry.value == "process" => draft.tree.small("flag-keep-children", ""),
        Some(entry) if entry.value == "none" => draft.lost(entry, "a service that is stopped is stopped"),
        Some(_) | None => {}
    }
    let posts = read(draft, "ExecStopPost");
    if !posts.is_empty() {
        let mut lines = vec!["# $1: exit code, or 256 when the signal $2 ended it".to_owned()];
        lines.extend(script::prelude(draft));
        lines.push(
            "if [ \"$1\" = 256 ]; then EXIT_CODE=killed EXIT_STATUS=$2; else EXIT_CODE=exited EXIT_STATUS=$1; fi"
                .to_owned(),
        );
        lines.push("export EXIT_CODE EXIT_STATUS".to_owned());
        lines.extend(posts.iter().map(|(_, command)| format!("{} || :", command.shell())));
        draft.tree.script("finish", &lines);
    }
}

fn reloading(draft: &mut Draft<'_>) {
    let reloads = read(draft, "ExecReload");
    if let Some(entry) = draft.last("ReloadSignal") {
        draft.tree.small("reload-signal", entry.value.trim_start_matches("SIG"));
    }
    match reloads.as_slice() {
        [] => {}
        [(_, command)] if command.signal().is_some() => {
            if let Some(signal) = command.signal().filter(|signal| signal != "HUP") {
                draft.tree.small("reload-signal", &signal);
            }
        }
        all => {
            let mut lines = script::prelude(draft);
            lines.extend(all.iter().map(|(_, command)| line(command)));
            draft.tree.script("reload", &lines);
        }
    }
}

fn limits_of_time(draft: &mut Draft<'_>, is_oneshot: bool) {
    let general = draft.last("TimeoutSec");
    let stop = draft.last("TimeoutStopSec").or(general);
    let mut limit = Some(STOP_DEFAULT_MS);
    if let Some(entry) = stop {
        match measure::milliseconds(&entry.value) {
            Some(found) => limit = found.filter(|limit| *limit > 0),
            None => draft.lost(entry, "expected a time"),
        }
    }
    if draft.last("SendSIGKILL").is_some_and(|entry| !is_true(&entry.value)) {
        limit = None;
    }
    if let Some(limit) = limit {
        draft.tree.small("timeout-kill", &limit.to_string());
        if draft.tree.has("finish") {
            draft.tree.small("timeout-finish", &limit.to_string());
        }
    }
    let Some(entry) = draft.last("TimeoutStartSec").or(general) else { return };
    match measure::milliseconds(&entry.value) {
        Some(Some(limit)) if is_oneshot && limit > 0 => draft.tree.small("timeout-up", &limit.to_string()),
        Some(Some(limit)) if limit > 0 && draft.tree.has("notify-socket") => {
            draft.lost(entry, "what waits for the service waits until it is ready, without limit");
        }
        Some(_) => {}
        None => draft.lost(entry, "expected a time"),
    }
}

fn small_files(draft: &mut Draft<'_>) {
    if draft.unit.is_on("Unit", "RefuseManualStop") {
        draft.tree.small("critical", "");
    }
    for (key, word) in [("X-ReloadIfChanged", "reload"), ("X-RestartIfChanged", "keep")] {
        for section in ["Unit", "Service"] {
            if draft.unit.last(section, key).is_some_and(|entry| is_true(&entry.value) == (word == "reload")) {
                draft.tree.small("on-change", word);
            }
        }
    }
}

/// The oneshot that root executes before, when there is something for it to do.
pub(crate) fn setup(draft: &mut Draft<'_>) -> Option<Tree> {
    if draft.setup.is_empty() {
        return None;
    }
    if draft.unit.name.is_template() {
        draft.say(
            Level::Lost,
            "directories and commands of root are not converted for a template: convert its instances",
        );
        return None;
    }
    let mut tree = Tree::new(&draft.setup_name());
    tree.small("type", "oneshot");
    let mut lines = vec![format!("# What root does before {} starts.", draft.tree.name)];
    lines.push("set -ef".to_owned());
    lines.append(&mut draft.setup);
    tree.script("up", &lines);
    let variables = draft.tree.files.iter().filter(|(path, _)| path.starts_with("env/"));
    tree.files.extend(variables.map(|(path, file)| (path.clone(), file.clone())));
    draft.tree.small(&format!("dependencies.d/{}", tree.name), "");
    Some(tree)
}
