//! What one unit becomes, while it is put together.

use super::name::Name;
use super::specifier::expand;
use super::text::Text;
use super::tree::Tree;
use super::unit::{Entry, Level, Remark, Unit};

/// A service directory in the making.
#[derive(Debug)]
pub(crate) struct Draft<'a> {
    pub(crate) unit: &'a Unit,
    pub(crate) tree: Tree,
    pub(crate) remarks: Vec<Remark>,
    /// Lines that root executes once before the service starts as somebody else.
    pub(crate) setup: Vec<String>,
    /// Who its programs are executed as, when that is not root.
    pub(crate) user: Option<String>,
    /// Who its directories belong to, as chown has it.
    pub(crate) owner: Option<String>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(unit: &'a Unit) -> Self {
        let tree = Tree::new(&unit.name.stem());
        Self { unit, tree, remarks: Vec::new(), setup: Vec::new(), user: None, owner: None }
    }

    /// The last assignment of a key of the section Service.
    pub(crate) fn last(&self, key: &str) -> Option<&'a Entry> {
        self.unit.last("Service", key)
    }

    /// All assignments of a list of the section Service.
    pub(crate) fn list(&self, key: &'a str) -> Vec<&'a Entry> {
        self.unit.list("Service", key)
    }

    pub(crate) fn lost(&mut self, entry: &Entry, text: impl Into<String>) {
        self.remarks.push(Remark::new(entry, Level::Lost, text));
    }

    pub(crate) fn note(&mut self, entry: &Entry, text: impl Into<String>) {
        self.remarks.push(Remark::new(entry, Level::Note, text));
    }

    /// Says something of the unit as a whole.
    pub(crate) fn say(&mut self, level: Level, text: impl Into<String>) {
        let (file, key, text) = (self.unit.file.clone(), String::new(), text.into());
        self.remarks.push(Remark { file, line: 1, level, key, text });
    }

    /// A value with its specifiers replaced; what cannot be is told.
    pub(crate) fn text(&mut self, entry: &Entry, value: &str) -> Option<Text> {
        match expand(value, &self.unit.name) {
            Ok(text) => Some(text),
            Err(why) => {
                self.lost(entry, why);
                None
            }
        }
    }

    /// The same for what must be known now.
    pub(crate) fn plain(&mut self, entry: &Entry, value: &str) -> Option<String> {
        let plain = self.text(entry, value)?.plain();
        if plain.is_none() {
            self.lost(entry, "it is known only when the service starts; convert an instance, or write it into `run`");
        }
        plain
    }

    pub(crate) fn is_oneshot(&self) -> bool {
        match self.last("Type") {
            Some(entry) => entry.value == "oneshot",
            None => self.list("ExecStart").is_empty(),
        }
    }

    /// True for one of these types. A service with a name on D-Bus and no type is one of type dbus.
    pub(crate) fn type_is(&self, names: &[&str]) -> bool {
        if self.last("Type").is_none() && self.last("BusName").is_some() {
            return names.contains(&"dbus");
        }

        self.last("Type").is_some_and(|entry| names.contains(&entry.value.as_str()))
    }

    /// The name of the service that prepares the way as root.
    pub(crate) fn setup_name(&self) -> String {
        let name = &self.unit.name;
        Name { prefix: format!("{}-setup", name.prefix), ..name.clone() }.stem()
    }
}
