//! `/etc/lunix/natsdev.toml`.

use crate::machine::{Ownership, Rule, Rules};
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// The configuration; every key may be absent.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Publish every event of the kernel verbatim as `hardware.raw.<subsystem>.<action>`.
    pub raw: bool,
    /// Load modules for what appears.
    pub modules: bool,
    /// Only look and publish; leave nodes and modules alone. Also `--observe`.
    pub observe: bool,
    /// Most devices that are followed, 64 to 65 536. About 500 bytes of memory each.
    pub devices_max: usize,
    /// The file that keeps numbers and things over a restart. Also `--state`.
    pub state: Option<PathBuf>,
    /// Owners and modes of nodes; the first that matches counts, before the built-in table.
    pub node: Vec<NodeRule>,
}

/// One row of `[[node]]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeRule {
    /// Pattern for the subsystem, as `tty`; any when absent.
    #[serde(default = "any")]
    pub subsystem: String,
    /// Pattern for the name below /dev, as `ttyUSB*`.
    pub name: String,
    /// User who owns the node: a name of /etc/passwd or a number; root when absent.
    #[serde(default = "root")]
    pub owner: String,
    /// Its group: a name of /etc/group or a number; root when absent.
    #[serde(default = "root")]
    pub group: String,
    /// Permissions in octal, as `"0660"`.
    pub mode: String,
}

fn any() -> String {
    "*".to_owned()
}

fn root() -> String {
    "root".to_owned()
}

impl Default for Config {
    fn default() -> Self {
        Self { raw: true, modules: true, observe: false, devices_max: 4096, state: None, node: Vec::new() }
    }
}

impl Config {
    /// Checks the bounds and that every name is known on this machine.
    ///
    /// # Errors
    /// A sentence that names the key and what was expected.
    pub fn check(&self) -> Result<(), String> {
        if !(64..=65_536).contains(&self.devices_max) {
            return Err(format!("devices_max = {}: expected 64 to 65536", self.devices_max));
        }
        self.rules().map(drop)
    }

    /// The rules with every name looked up.
    ///
    /// # Errors
    /// A sentence that names the rule and what is wrong with it.
    pub fn rules(&self) -> Result<Rules, String> {
        let users = Names::read(Path::new("/etc/passwd"));
        let groups = Names::read(Path::new("/etc/group"));
        let own: Result<Vec<Rule>, String> = self.node.iter().map(|rule| rule.resolve(&users, &groups)).collect();
        Ok(Rules::new(own?, |name| groups.get(name)))
    }

    /// Where the state is kept: as configured, else `/run/lunix/natsdev.state`; when only looking, nowhere by default.
    #[must_use]
    pub fn state_path(&self) -> Option<PathBuf> {
        let usual = || (!self.observe).then(|| PathBuf::from("/run/lunix/natsdev.state"));
        self.state.clone().or_else(usual)
    }
}

impl NodeRule {
    fn resolve(&self, users: &Names, groups: &Names) -> Result<Rule, String> {
        let unknown = |what, name: &str| format!("node rule for {}: no {what} {name} on this machine", self.name);
        let mode = u32::from_str_radix(&self.mode, 8).ok().filter(|mode| *mode <= 0o7777);
        let ownership = Ownership {
            uid: users.get(&self.owner).ok_or_else(|| unknown("user", &self.owner))?,
            gid: groups.get(&self.group).ok_or_else(|| unknown("group", &self.group))?,
            mode: mode.ok_or_else(|| {
                format!("node rule for {}: mode = \"{}\": expected octal, as \"0660\"", self.name, self.mode)
            })?,
        };
        Ok(Rule { subsystem: self.subsystem.clone(), name: self.name.clone(), ownership })
    }
}

/// Names and numbers of /etc/passwd or /etc/group.
#[derive(Debug)]
pub struct Names(Vec<(String, u32)>);

impl Names {
    /// Reads a file of `name:x:number:...` lines; one that cannot be read knows root only.
    #[must_use]
    pub fn read(path: &Path) -> Self {
        Self::parse(&std::fs::read_to_string(path).unwrap_or_default())
    }

    fn parse(text: &str) -> Self {
        let pair = |line: &str| {
            let mut fields = line.split(':');
            let name = fields.next()?.to_owned();
            Some((name, fields.nth(1)?.parse().ok()?))
        };
        Self(text.lines().filter_map(pair).collect())
    }

    /// The number of a name, or the number itself.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<u32> {
        let known = self.0.iter().find(|(known, _)| known == name).map(|(_, number)| *number);
        let implied = || if name == "root" { Some(0) } else { name.parse().ok() };
        known.or_else(implied)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(owner: &str, group: &str, mode: &str) -> Result<Rule, String> {
        let names = Names::parse("root:x:0:\ndisk:x:6:ann,bob\nbroken\n");
        let (owner, group, mode) = (owner.into(), group.into(), mode.into());
        NodeRule { subsystem: any(), name: "sd*".into(), owner, group, mode }.resolve(&names, &names)
    }

    #[test]
    fn names_and_numbers_are_looked_up() {
        assert_eq!(rule("root", "disk", "0660").unwrap().ownership, Ownership { uid: 0, gid: 6, mode: 0o660 });
        assert_eq!(rule("1000", "42", "600").unwrap().ownership, Ownership { uid: 1000, gid: 42, mode: 0o600 });
    }

    #[test]
    fn errors_name_the_rule_and_the_word() {
        assert_eq!(rule("eve", "disk", "0660").unwrap_err(), "node rule for sd*: no user eve on this machine");
        assert_eq!(rule("root", "nobody", "0660").unwrap_err(), "node rule for sd*: no group nobody on this machine");
        assert!(rule("root", "disk", "rw").unwrap_err().ends_with("mode = \"rw\": expected octal, as \"0660\""));
        let few = Config { devices_max: 3, ..Config::default() };
        assert_eq!(few.check().unwrap_err(), "devices_max = 3: expected 64 to 65536");
        assert_eq!(Config::default().check(), Ok(()));
    }

    #[test]
    fn only_looking_keeps_no_state_unless_told() {
        let observe = Config { observe: true, ..Config::default() };
        assert_eq!(observe.state_path(), None);
        assert_eq!(Config::default().state_path(), Some("/run/lunix/natsdev.state".into()));
    }
}
