//! `lunix service convert`: units of systemd as service directories.
//!
//! | step | file |
//! |---|---|
//! | find units and drop-ins | `load` |
//! | text → sections and assignments | [`syntax`] |
//! | value → words, specifiers, commands | [`words`], `specifier`, `command` |
//! | what becomes of each key | `keys` |
//! | unit → service directory | `service`, `process`, `script`, `restart`, `sockets` |
//! | order and start | `relations` |
//!
//! Nothing is passed over in silence: what does not come along is told with its file and line.

mod command;
mod draft;
mod foreground;
mod keys;
mod load;
mod measure;
mod name;
mod process;
mod relations;
mod restart;
mod script;
mod service;
mod sockets;
mod specifier;
pub mod syntax;
mod text;
mod tree;
mod unit;
pub mod words;
mod write;

use crate::output::{Lines, Stop};
use draft::Draft;
use name::Name;
use program::{Fatal, Given, Level as ProgramLevel, exit, log};
use relations::Known;
use std::io::Write as _;
use std::path::Path;
use tree::Tree;
use unit::{Level, Remark, Unit};

/// Exit code of `--strict` when something does not come along.
const INCOMPLETE: u8 = 1;

/// Converts the units that are named: shows the directories, or writes them where `--output` says.
pub(crate) fn run(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let root = Path::new(given.value("root").unwrap_or("/"));
    let mut remarks = Vec::new();
    let (units, missing) = load_all(given.arguments(), root, &mut remarks);
    let output = given.value("output").map(Path::new);
    let known = output.map(present).unwrap_or_default();
    let trees = convert(&units, known, &mut remarks);
    tell(&remarks);
    for tree in &trees {
        match output {
            Some(folder) => lines.line(write::write(folder, tree)?.display().to_string().as_bytes())?,
            None => lines.text(&tree.shown())?,
        }
    }
    let lost = remarks.iter().filter(|remark| remark.level == Level::Lost).count();
    if let Some(fatal) = missing {
        return Err(fatal.into());
    }
    if trees.is_empty() {
        return Err(Fatal::new(exit::DATA, "none of these units can be converted").into());
    }
    if given.has("strict") && lost > 0 {
        return Err(Fatal::new(INCOMPLETE, format!("not converted (lines={lost})")).into());
    }
    Ok(())
}

/// The units, and the sockets that services among them name; and what is wrong with the last of those that cannot be loaded.
fn load_all(words: &[String], root: &Path, remarks: &mut Vec<Remark>) -> (Vec<Unit>, Option<Fatal>) {
    let (mut units, mut folders): (Vec<Unit>, Vec<String>) = (Vec::new(), Vec::new());
    let mut missing: Option<Fatal> = None;
    for word in words {
        match load::load(word, root, remarks) {
            Ok(unit) if units.iter().any(|other| other.name == unit.name) => {}
            Ok(unit) => {
                units.push(unit);
                folders.push(word.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/")));
            }
            Err(fatal) => {
                if let Some(earlier) = missing.replace(fatal) {
                    log::line("lunix", ProgramLevel::Error, earlier);
                }
            }
        }
    }
    let mut more: Vec<String> = Vec::new();
    for (unit, folder) in units.iter().zip(&folders) {
        let required = unit.words("Unit", "Requires").into_iter().chain(unit.words("Service", "Sockets"));
        more.extend(required.filter(|(_, word)| word.ends_with(".socket")).map(|(_, word)| format!("{folder}{word}")));
        if unit.name.suffix == "socket" {
            more.push(format!("{folder}{}", sockets::service_of(unit)));
        }
    }
    for word in more {
        let name = Name::parse(word.rsplit('/').next().unwrap_or_default());
        if units.iter().any(|unit| unit.name == name) {
            continue;
        }
        // One that is not there is told where it is asked for.
        if let Ok(unit) = load::load(&word, root, remarks) {
            units.push(unit);
        }
    }
    (units, missing)
}

/// The services that are in the output folder already.
fn present(folder: &Path) -> Known {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let services = entries.filter(|entry| entry.path().is_dir()).filter_map(|entry| {
        let name = entry.file_name().into_string().ok().filter(|name| !name.starts_with('.'))?;
        Some((name, !entry.path().join("down").is_file() || entry.path().join("up").exists()))
    });
    services.collect()
}

/// The service directories of the units; `known` are the services beside them.
fn convert(units: &[Unit], mut known: Known, remarks: &mut Vec<Remark>) -> Vec<Tree> {
    let mut drafts: Vec<Draft<'_>> = Vec::new();
    for unit in units.iter().filter(|unit| unit.name.suffix == "service") {
        let mut draft = service::convert(unit);
        let is_own = |socket: &&Unit| socket.name.suffix == "socket" && sockets::service_of(socket) == unit.name.full();
        let own: Vec<&Unit> = units.iter().filter(is_own).collect();
        if !draft.tree.files.is_empty() {
            own.iter().for_each(|socket| sockets::add(&mut draft, socket));
            relations::install(&mut draft, units, &own);
        }
        drafts.push(draft);
    }
    let is_service = |draft: &&Draft<'_>| !draft.tree.files.is_empty() && !draft.unit.name.is_template();
    for draft in drafts.iter().filter(is_service) {
        let is_oneshot = draft.tree.has("up");
        known.insert(draft.tree.name.clone(), is_oneshot || !draft.tree.has("down"));
    }
    relations::depend(&mut drafts, &known, units);
    let mut trees = Vec::new();
    for mut draft in drafts {
        if !draft.tree.files.is_empty() {
            trees.extend(service::setup(&mut draft));
            trees.push(draft.tree);
        }
        remarks.append(&mut draft.remarks);
    }
    remarks.extend(units.iter().filter_map(|unit| foreign(unit, units)));
    trees
}

/// What is said of a unit that is no service.
fn foreign(unit: &Unit, units: &[Unit]) -> Option<Remark> {
    let text = match unit.name.suffix.as_str() {
        "service" => return None,
        "socket" => {
            let service = sockets::service_of(unit);
            if units.iter().any(|other| other.name.full() == service) {
                return None;
            }
            format!("its service {service} is not here")
        }
        "timer" => "there are no timers: use cron, or a service that waits".to_owned(),
        "path" => "there are no path units: a service can wait by inotify".to_owned(),
        "target" => "a target is a bundle here: `type` with bundle, and `contents.d/`".to_owned(),
        "mount" | "automount" | "swap" => "file systems and swap belong into /etc/fstab".to_owned(),
        other => format!("there is no counterpart of a {other}"),
    };
    Some(Remark { file: unit.file.clone(), line: 1, level: Level::Lost, key: String::new(), text })
}

/// Remarks in the order of files and lines, on standard error.
fn tell(remarks: &[Remark]) {
    let mut sorted: Vec<&Remark> = remarks.iter().collect();
    sorted.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    sorted.dedup();
    let text: String =
        sorted.iter().map(|remark| format!("{}\n", crate::line::plain(remark.shown().as_bytes()))).collect();
    // Nobody who reads it is no reason to stop.
    drop(std::io::stderr().write_all(text.as_bytes()));
}
