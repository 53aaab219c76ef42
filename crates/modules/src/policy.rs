//! What the administrator said: `modprobe.d` and the kernel command line.

use crate::error::Error;
use crate::glob::matches;
use crate::name::normalised;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Folders of `modprobe.d`, the strongest first: a file hides those of the same name in later folders.
const FOLDERS: [&str; 5] =
    ["etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d", "usr/lib/modprobe.d", "lib/modprobe.d"];

/// Modules wanted before and after another one, where they exist.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SoftDependency {
    /// Loaded before.
    pub before: Vec<String>,
    /// Loaded after.
    pub after: Vec<String>,
}

/// The administrator's wishes. The default has none.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub(crate) aliases: Vec<(String, String)>,
    pub(crate) soft: BTreeMap<String, SoftDependency>,
    blacklist: BTreeSet<String>,
    forbidden: BTreeSet<String>,
    options: BTreeMap<String, String>,
    install: BTreeSet<String>,
    unknown: Vec<String>,
}

impl Policy {
    /// Reads every `modprobe.d` below `root` (normally `/`) and takes in a kernel command line.
    ///
    /// # Errors
    /// A folder or file exists but cannot be read.
    pub fn read(root: &Path, command_line: &str) -> Result<Self, Error> {
        let mut policy = Self::default();
        for path in files(root)? {
            let text = std::fs::read(&path).map_err(Error::read(&path))?;
            policy.add_file(&String::from_utf8_lossy(&text), &path.display().to_string());
        }
        policy.add_command_line(command_line);
        Ok(policy)
    }

    /// Takes in one file of `modprobe.d` (`man 5 modprobe.d`) or `modules.softdep`. `source` names it in [`Policy::unknown`].
    pub fn add_file(&mut self, text: &str, source: &str) {
        for line in text.replace("\\\n", " ").lines() {
            let mut words = line.split_ascii_whitespace();
            let Some(command) = words.next().filter(|word| !word.starts_with('#')) else { continue };
            let Some(name) = words.next().map(normalised) else { continue };
            let rest: Vec<&str> = words.collect();
            match command {
                "blacklist" => drop(self.blacklist.insert(name)),
                "options" => self.add_options(name, &rest.join(" ")),
                // Of several lines for a module the first counts, as it does for modprobe.
                "softdep" => drop(self.soft.entry(name).or_insert_with(|| soft_dependency(&rest))),
                "alias" => self.aliases.extend(rest.first().map(|target| (name, normalised(target)))),
                "install" => drop(self.install.insert(name)),
                "remove" | "config" => {}
                _ => self.unknown.push(format!("{source}: unknown command {command}")),
            }
        }
    }

    /// Takes in the kernel's command line: `module_blacklist=a,b`, `modprobe.blacklist=a,b`, `module.option=value`.
    pub fn add_command_line(&mut self, line: &str) {
        for word in words_of(line) {
            if word == "--" {
                return;
            }
            let (key, value) = word.split_once('=').unwrap_or((&word, ""));
            let names = || value.split(',').filter(|name| !name.is_empty()).map(normalised);
            match (key, key.split_once('.')) {
                ("module_blacklist", _) => self.forbidden.extend(names()),
                ("modprobe.blacklist", _) => self.blacklist.extend(names()),
                (_, Some((module, _))) if !module.is_empty() => {
                    let option = word.get(module.len() + 1..).unwrap_or_default();
                    self.add_options(normalised(module), option);
                }
                (_, _) => {}
            }
        }
    }

    /// True when a module found by alias must not be loaded. (Named as a dependency it may be, unless the kernel forbids it.)
    #[must_use]
    pub fn is_blacklisted(&self, module: &str) -> bool {
        self.blacklist.contains(module) || self.is_forbidden(module)
    }

    /// True when the kernel itself refuses the module (`module_blacklist=`).
    #[must_use]
    pub fn is_forbidden(&self, module: &str) -> bool {
        self.forbidden.contains(module)
    }

    /// True when `modprobe.d` wants a command run instead of loading.
    #[must_use]
    pub fn has_install_command(&self, module: &str) -> bool {
        self.install.contains(module)
    }

    /// The parameters for a module, in the form the kernel takes; empty when there are none.
    #[must_use]
    pub fn options(&self, module: &str) -> &str {
        self.options.get(module).map_or("", String::as_str)
    }

    /// Lines of configuration that were not understood, as sentences.
    #[must_use]
    pub fn unknown(&self) -> &[String] {
        &self.unknown
    }

    /// Targets of the administrator's own aliases that match.
    pub(crate) fn alias_targets(&self, alias: &str) -> Vec<String> {
        self.aliases.iter().filter(|(pattern, _)| matches(pattern, alias)).map(|(_, target)| target.clone()).collect()
    }

    fn add_options(&mut self, module: String, options: &str) {
        let all = self.options.entry(module).or_default();
        if !all.is_empty() {
            all.push(' ');
        }
        all.push_str(options);
    }
}

/// `pre: a b post: c`; words before the first of the two are none.
fn soft_dependency(words: &[&str]) -> SoftDependency {
    let mut soft = SoftDependency::default();
    let mut list: Option<bool> = None;
    for word in words {
        match (*word, list) {
            ("pre:", _) => list = Some(true),
            ("post:", _) => list = Some(false),
            (name, Some(true)) => soft.before.push(normalised(name)),
            (name, Some(false)) => soft.after.push(normalised(name)),
            (_, None) => {}
        }
    }
    soft
}

/// The words of a command line; double quotes keep spaces together and are dropped.
fn words_of(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            letter if letter.is_ascii_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            letter => word.push(letter),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Every `*.conf`, sorted by name whatever folder it is in.
fn files(root: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files: BTreeMap<std::ffi::OsString, PathBuf> = BTreeMap::new();
    for folder in FOLDERS.map(|folder| root.join(folder)) {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::Read(folder, error)),
        };
        for entry in entries {
            let entry = entry.map_err(Error::read(&folder))?;
            if entry.path().extension().is_some_and(|extension| extension == "conf") {
                files.entry(entry.file_name()).or_insert_with(|| entry.path());
            }
        }
    }
    Ok(files.into_values().collect())
}
