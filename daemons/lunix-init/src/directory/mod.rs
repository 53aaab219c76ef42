//! Reading the service directory. Nothing is ever written there.

pub mod chain;
pub mod companion;
mod define;
pub mod fingerprint;
pub mod folder;
pub mod parse;
mod pipeline;
pub mod place;
pub mod privilege;
pub mod sockets;

use crate::service::{Definition, Definitions, Found};
use folder::Folder;
use rustix::fs::FileType;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::io;
use std::path::PathBuf;
use std::rc::Rc;

/// Most bytes of a small file.
pub const FILE_MAX: usize = 4096;
/// Most bytes of a service's name.
pub const NAME_MAX: usize = 64;
/// What a directory holds that describes instances of a template.
const INSTANCES: &str = "instances";
/// Files other supervisors know and lunix-init does not: reported by name, never passed over silently.
const UNSUPPORTED: [&str; 4] = ["control", "flag-newpidns", "instance", "lock-fd"];

/// What is about to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading<'a> {
    /// An entry of the directory: what it leads to, when it is a link, is what is read.
    Entry(&'a str),
    /// A folder, by its path below the directory, whose content counts.
    Folder(&'a str),
}

/// What is known before the reading.
#[derive(Clone, Copy)]
pub struct Known<'a> {
    /// The stores, whose paths never change what they hold.
    pub stores: &'a [PathBuf],
    /// A service that was read already, by name and place.
    pub earlier: &'a dyn Fn(&str, &str) -> Option<Found>,
    /// Told before anything is read, so that no change after it goes unseen.
    pub watch: &'a dyn Fn(Reading<'_>),
}

/// The folders within a service in which changes are looked for at once; what lies deeper is seen with the next change elsewhere.
const WITHIN: [&str; 6] = ["cgroup", "env", "dependencies.d", "contents.d", INSTANCES, "data"];

impl Known<'_> {
    /// Has a folder of a service watched, with those in it that count, and then looks what is in it.
    fn about_to_read(&self, path: &str, folder: &Folder) {
        (self.watch)(Reading::Folder(path));
        // What cannot be listed is told by whoever reads it.
        let _ = folder.remember_names();
        for within in WITHIN.into_iter().filter(|name| folder.has(name)) {
            (self.watch)(Reading::Folder(&format!("{path}/{within}")));
        }
    }

    /// Nothing is known.
    #[must_use]
    pub fn nothing() -> Self {
        Self { stores: &[], earlier: &|_, _| None, watch: &|_| {} }
    }
}

/// Reads every service below `base`, in the order of their names. What is no directory is passed over.
///
/// # Errors
/// When `base` itself cannot be listed, or the kernel ran out of something on the way; what is wrong with one service is told in its [`Found`].
pub fn read_all(base: &Folder, known: Known<'_>) -> io::Result<Vec<Found>> {
    let (mut all, mut alike) = (Vec::new(), Definitions::default());
    for entry in base.names()?.iter() {
        let first = all.len();
        let Some(name) = entry.to_str().ok().filter(|name| is_name(name)) else {
            let kind = base.stat(&**entry).ok().flatten().map(|stat| FileType::from_raw_mode(stat.st_mode));
            if kind == Some(FileType::Directory) {
                all.push(unnamed(entry.to_bytes()));
            }
            continue;
        };
        (known.watch)(Reading::Entry(name));
        match base.enter(name) {
            Ok(Some(folder)) if name.ends_with('@') => read_template(name, &folder, known, &mut all),
            Ok(Some(folder)) => read_service(name, name, &folder, known, &mut all),
            Ok(None) => all.push(broken(name, "it is a link that leads nowhere".to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {}
            Err(error) => all.push(broken(name, format!("cannot open it: {error}"))),
        }
        for definition in all.iter_mut().skip(first).filter_map(|found| found.definition.as_mut().ok()) {
            alike.share(definition);
        }
    }
    if let Some(error) = base.take_scarcity() {
        return Err(error);
    }
    pipeline::join(&mut all);
    Ok(all)
}

/// What the small files of one service's directory say, looked at for itself.
///
/// # Errors
/// The sentence that says what is wrong.
pub fn read_alone(folder: &Folder) -> Result<Definition, String> {
    define::define(folder)
}

/// True for what can be the name of a service: it is shown, and travels in records, as it is.
fn is_name(name: &str) -> bool {
    name.len() <= NAME_MAX && !name.chars().any(|letter| letter.is_control() || matches!(letter, '"' | '\\'))
}

/// What has no name that could be used, under one that is its own.
fn unnamed(name: &[u8]) -> Found {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let shown: String = String::from_utf8_lossy(name).escape_default().take(NAME_MAX).collect();
    let sentence =
        format!("{shown}: expected a name of at most {NAME_MAX} printable bytes without quotes and backslashes");
    broken(&format!("?{:016x}", hasher.finish()), sentence)
}

fn broken(name: &str, sentence: String) -> Found {
    Found { name: name.to_owned(), place: None, fingerprint: 0, definition: Err(sentence), remarks: Vec::new() }
}

/// Reads the instances of a template: one for each entry of `instances/`. The template itself is no service.
fn read_template(name: &str, folder: &Folder, known: Known<'_>, all: &mut Vec<Found>) {
    known.about_to_read(name, folder);
    let instances = match folder.enter(INSTANCES) {
        Ok(None) => return,
        Ok(Some(instances)) => instances,
        Err(error) => return all.push(broken(name, format!("{INSTANCES}: expected a directory of names: {error}"))),
    };
    for instance in instances.names().unwrap_or_default().iter() {
        let first = all.len();
        read_service(&format!("{name}{}", instance.to_string_lossy()), name, folder, known, all);
        for one in all.iter_mut().skip(first) {
            let own = one.name.strip_prefix(name).and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
            let place = format!("{name}{}", own.unwrap_or_default());
            if let Ok(definition) = &mut one.definition {
                Rc::make_mut(definition).rare_mut().folder = Some(place);
            }
            let parameters = instances.stat(&**instance).ok().flatten();
            let is_folder = parameters.is_some_and(|stat| FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
            if is_folder && let Ok(Some(inner)) = instances.enter(&instance.to_string_lossy()) {
                let own = fingerprint::of(&inner, &[]).unwrap_or_default();
                one.fingerprint = one.fingerprint.rotate_left(1) ^ own;
            }
        }
    }
}

/// Reads one service from its folder, which lies at `path` below that of all services, and its `log` when it has one.
fn read_service(name: &str, path: &str, folder: &Folder, known: Known<'_>, all: &mut Vec<Found>) {
    if !is_name(name) {
        return all.push(unnamed(name.as_bytes()));
    }
    let place = place::of(folder).filter(|path| place::is_in_store(path, known.stores));
    let place = place.and_then(|path| path.into_os_string().into_string().ok());
    let logger_name = format!("{name}/log");
    let logger_place = place.as_deref().map(|place| format!("{place}/log"));
    // The same path in a store is the same service: there is nothing to read.
    if let Some(same) = place.as_deref().and_then(|place| (known.earlier)(name, place)) {
        let logger = logger_place.as_deref().and_then(|place| (known.earlier)(&logger_name, place));
        let has_logger = |one: &Definition| one.rare().logger.as_deref() == Some(&logger_name);
        if same.definition.as_ref().is_ok_and(|definition| has_logger(definition) == logger.is_some()) {
            all.extend(logger);
            return all.push(same);
        }
    }
    if place.is_none() {
        known.about_to_read(path, folder);
    }
    let mut service = read_one(name, folder, b"log", place);
    match folder.enter("log") {
        Ok(None) => {}
        Err(error) => service.definition = Err(format!("log: expected a directory: {error}")),
        Ok(Some(log)) => {
            if logger_place.is_none() {
                known.about_to_read(&format!("{path}/log"), &log);
            }
            let mut logger = read_one(&logger_name, &log, b"", logger_place);
            if let Ok(definition) = &mut logger.definition {
                Rc::make_mut(definition).rare_mut().is_logger = true;
            }
            if let Ok(definition) = &mut service.definition
                && definition.rare().logger.is_none()
            {
                let definition = Rc::make_mut(definition);
                definition.rare_mut().logger = Some(logger_name.clone());
                definition.after.push(logger_name);
            }
            all.push(logger);
        }
    }
    all.push(service);
}

fn read_one(name: &str, folder: &Folder, without: &[u8], place: Option<String>) -> Found {
    // What cannot be listed is told by the next step.
    let _ = folder.remember_names();
    let (fingerprint, mut definition) = match fingerprint::of(folder, &[without, INSTANCES.as_bytes()]) {
        Ok(fingerprint) => (fingerprint, define::define(folder).map(Rc::new)),
        Err(error) => (0, Err(format!("cannot read it: {error}"))),
    };
    if let (Some((_, instance)), Ok(definition)) = (name.split_once('@'), &mut definition) {
        let instance = instance.split('/').next().unwrap_or_default();
        Rc::make_mut(definition).rare_mut().instance = Some(instance.to_owned());
    }
    let names = folder.names().unwrap_or_default();
    let unsupported = names.iter().filter_map(|entry| entry.to_str().ok()).filter(|entry| UNSUPPORTED.contains(entry));
    let remarks = unsupported.map(|file| format!("{file} is not supported and has no effect")).collect();
    Found { name: name.to_owned(), place, fingerprint, definition, remarks }
}
