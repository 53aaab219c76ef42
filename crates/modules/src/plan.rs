//! From an alias to files in load order.

use crate::error::Error;
use crate::name::of_path;
use crate::policy::{Policy, SoftDependency};
use crate::tree::{Module, Tree};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// Modules in one plan; the longest chain in a distribution's kernel has about 40.
const STEPS_MAX: usize = 256;

/// One module to load.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The kernel's name of the module.
    pub name: String,
    /// Its file, absolute when the tree's folder is.
    pub path: PathBuf,
    /// Parameters, as the kernel takes them.
    pub options: String,
}

struct Planner<'a> {
    tree: &'a mut Tree,
    policy: &'a Policy,
    seen: BTreeSet<String>,
    steps: Vec<Step>,
}

impl Tree {
    /// The files to load for an alias or module name, in this order: what a module needs comes before it, soft dependencies around
    /// it. Empty when nothing provides the alias, all of it is built in, or all of it is blacklisted.
    ///
    /// # Errors
    /// The folder's files cannot be read, or contradict each other ([`Error::Unknown`]), or a module would have to be loaded by a
    /// command ([`Error::Install`]).
    pub fn plan(&mut self, alias: &str, policy: &Policy) -> Result<Vec<Step>, Error> {
        let names = self.resolve(alias, policy)?;
        let mut planner = Planner { tree: self, policy, seen: BTreeSet::new(), steps: Vec::new() };
        for name in &names {
            planner.add(name, true)?;
        }
        Ok(planner.steps)
    }
}

impl Planner<'_> {
    /// A module with everything before and behind it. One that is only wished for may be missing.
    fn add(&mut self, name: &str, required: bool) -> Result<(), Error> {
        if self.steps.len() >= STEPS_MAX || !self.seen.insert(name.to_owned()) {
            return Ok(());
        }
        let Some(module) = self.tree.module(name)? else {
            return if !required || self.tree.is_builtin(name)? {
                Ok(())
            } else {
                Err(Error::Unknown(name.to_owned()))
            };
        };
        // modules.dep lists the whole closure, nearest first, so the last has no needs of its own.
        for path in module.needs.iter().rev() {
            let needed = of_path(path);
            if self.seen.insert(needed.clone()) {
                self.surrounded(&needed, path)?;
            }
        }
        let Module { path, .. } = module;
        self.surrounded(name, &path)
    }

    fn surrounded(&mut self, name: &str, path: &str) -> Result<(), Error> {
        let soft = self.soft_dependency(name);
        for before in &soft.before {
            self.wished(before)?;
        }
        if self.policy.has_install_command(name) {
            return Err(Error::Install(name.to_owned()));
        }
        self.steps.push(Step {
            name: name.to_owned(),
            path: self.tree.folder().join(path),
            options: self.policy.options(name).to_owned(),
        });
        for after in &soft.after {
            self.wished(after)?;
        }
        Ok(())
    }

    /// Soft dependencies may be aliases; what is not there is left out.
    fn wished(&mut self, alias: &str) -> Result<(), Error> {
        for name in self.tree.resolve(alias, self.policy)? {
            self.add(&name, false)?;
        }
        Ok(())
    }

    fn soft_dependency(&self, name: &str) -> SoftDependency {
        self.policy.soft.get(name).or_else(|| self.tree.soft.soft.get(name)).cloned().unwrap_or_default()
    }
}
