//! The helper that loads modules. Of its capabilities it keeps CAP_SYS_MODULE alone.

use super::serve;
use modules::{Error, Outcome, Policy, Tree};
use rustix::thread::{CapabilitySet, CapabilitySets};
use serde::{Deserialize, Serialize};
use std::io;
use std::path::{Path, PathBuf};

/// An alias to load modules for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// The alias.
    pub alias: String,
}

/// What was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Modules that are in the kernel now and were not before.
    pub loaded: Vec<String>,
    /// What went wrong, each a sentence.
    pub errors: Vec<String>,
}

pub(super) fn run() -> io::Result<()> {
    rustix::thread::set_no_new_privs(true)?;
    if rustix::process::geteuid().is_root() {
        let keep = CapabilitySet::SYS_MODULE;
        let sets = CapabilitySets { effective: keep, permitted: keep, inheritable: CapabilitySet::empty() };
        rustix::thread::set_capabilities(None, sets)?;
    }
    let mut loader = Loader::open();
    serve(|job: Job| match &mut loader {
        Ok(loader) => loader.load(&job.alias),
        // Said once; an answer without sentences afterwards.
        Err(why) => Answer { loaded: Vec::new(), errors: std::mem::take(why).into_iter().collect() },
    })
}

struct Loader {
    tree: Tree,
    policy: Policy,
}

impl Loader {
    fn open() -> Result<Self, Option<String>> {
        let said = |error: Error| Some(format!("no modules are loaded: {error}"));
        let command_line = std::fs::read_to_string("/proc/cmdline").unwrap_or_default();
        let policy = Policy::read(Path::new("/"), &command_line).map_err(said)?;
        Ok(Self { tree: Tree::open(&folder()).map_err(said)?, policy })
    }

    fn load(&mut self, alias: &str) -> Answer {
        let mut answer = Answer::default();
        let steps = match self.tree.plan(alias, &self.policy) {
            Ok(steps) => steps,
            Err(error) => {
                answer.errors.push(error.to_string());
                return answer;
            }
        };
        for step in steps {
            match step.load() {
                Ok(Outcome::Loaded) => answer.loaded.push(step.name),
                Ok(Outcome::Present) => {}
                // The module looked for its device and found none: usual, and nobody's fault.
                Err(Error::Kernel(_, error))
                    if error.raw_os_error() == Some(rustix::io::Errno::NODEV.raw_os_error()) => {}
                Err(error) => answer.errors.push(error.to_string()),
            }
        }
        answer
    }
}

fn folder() -> PathBuf {
    Path::new("/lib/modules").join(rustix::system::uname().release().to_string_lossy().as_ref())
}
