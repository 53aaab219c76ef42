//! `/lib/modules/<release>`: who provides an alias, who needs whom, what is built in.

use crate::error::Error;
use crate::glob::matches;
use crate::index::Index;
use crate::name::{normalised, of_path};
use crate::policy::Policy;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};

/// The modules of one kernel.
#[derive(Debug)]
pub struct Tree {
    folder: PathBuf,
    alias: Option<Index>,
    dependencies: Option<Index>,
    builtin: Option<Index>,
    builtin_alias: Option<Index>,
    /// `modules.softdep`, read like a file of modprobe.d.
    pub(crate) soft: Policy,
}

/// One line of modules.dep: the file and those it needs, nearest first, relative to the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Module {
    pub(crate) path: String,
    pub(crate) needs: Vec<String>,
}

impl Tree {
    /// Opens a module folder, e.g. `/lib/modules/6.1.0-56-amd64`. Files that are missing mean that there is nothing of that kind.
    ///
    /// # Errors
    /// The folder or an index in it cannot be read.
    pub fn open(folder: &Path) -> Result<Self, Error> {
        std::fs::metadata(folder).map_err(Error::read(folder))?;
        let index = |name: &str| Index::open(&folder.join(name));
        let mut soft = Policy::default();
        let path = folder.join("modules.softdep");
        if let Some(text) = optional(std::fs::read_to_string(&path)).map_err(Error::read(&path))? {
            soft.add_file(&text, "modules.softdep");
        }
        Ok(Self {
            folder: folder.to_owned(),
            alias: index("modules.alias.bin")?,
            dependencies: index("modules.dep.bin")?,
            builtin: index("modules.builtin.bin")?,
            builtin_alias: index("modules.builtin.alias.bin")?,
            soft,
        })
    }

    /// Names of the modules for an alias (or of the module of that name), in depmod's order; empty when nothing provides it or it
    /// is built in. Blacklisted modules are left out.
    ///
    /// # Errors
    /// The folder's files cannot be read.
    pub fn resolve(&mut self, alias: &str, policy: &Policy) -> Result<Vec<String>, Error> {
        let alias = normalised(alias);
        let mut names = policy.alias_targets(&alias);
        if names.is_empty() && self.module(&alias)?.is_some() {
            return Ok(if policy.is_forbidden(&alias) { Vec::new() } else { vec![alias] });
        }
        if names.is_empty() {
            names = self.providers(&alias)?;
        }
        let mut seen = std::collections::BTreeSet::new();
        names.retain(|name| seen.insert(name.clone()) && !policy.is_blacklisted(name));
        Ok(names)
    }

    /// True when the kernel has it built in.
    ///
    /// # Errors
    /// The folder's files cannot be read.
    pub fn is_builtin(&mut self, name: &str) -> Result<bool, Error> {
        if let Some(index) = &mut self.builtin {
            return Ok(!index.get(name)?.is_empty());
        }
        let found = self.line("modules.builtin", |line| (of_path(line) == name).then_some(()))?;
        Ok(found.is_some())
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn module(&mut self, name: &str) -> Result<Option<Module>, Error> {
        if let Some(index) = &mut self.dependencies {
            return Ok(index.get(name)?.first().and_then(|line| Module::parse(line)));
        }
        self.line("modules.dep", |line| Module::parse(line).filter(|module| of_path(&module.path) == name))
    }

    fn providers(&mut self, alias: &str) -> Result<Vec<String>, Error> {
        let found = match &mut self.alias {
            Some(index) => index.search(alias)?,
            None => self.scan_aliases(alias)?,
        };
        if !found.is_empty() {
            return Ok(found);
        }
        // What is built in needs no loading; looking it up only proves that the alias is served.
        if let Some(index) = &mut self.builtin_alias {
            index.search(alias)?;
        }
        Ok(Vec::new())
    }

    fn scan_aliases(&self, alias: &str) -> Result<Vec<String>, Error> {
        let mut found = Vec::new();
        self.line("modules.alias", |line| {
            let mut words = line.split_ascii_whitespace();
            if let (Some("alias"), Some(pattern), Some(name)) = (words.next(), words.next(), words.next())
                && matches(&normalised(pattern), alias)
            {
                found.push(normalised(name));
            }
            None::<()>
        })?;
        Ok(found)
    }

    /// Reads a text file line by line until `each` is satisfied.
    fn line<T>(&self, name: &str, mut each: impl FnMut(&str) -> Option<T>) -> Result<Option<T>, Error> {
        let path = self.folder.join(name);
        let Some(file) = optional(File::open(&path)).map_err(Error::read(&path))? else { return Ok(None) };
        for line in BufReader::new(file).lines() {
            if let Some(found) = each(&line.map_err(Error::read(&path))?) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

impl Module {
    fn parse(line: &str) -> Option<Self> {
        let (path, needs) = line.split_once(':')?;
        Some(Self { path: path.to_owned(), needs: needs.split_ascii_whitespace().map(str::to_owned).collect() })
    }
}

fn optional<T>(result: std::io::Result<T>) -> std::io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
