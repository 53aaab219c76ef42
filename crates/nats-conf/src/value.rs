//! What a configuration file says, and where it says it.

use std::fmt;
use std::rc::Rc;

/// A place in a file; line and column count from one, columns in characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file's name as it was given or included.
    pub file: Rc<str>,
    /// Line.
    pub line: usize,
    /// Column.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// A complaint about a place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where.
    pub place: Place,
    /// What is wrong, without a full stop.
    pub text: String,
}

impl Error {
    /// A complaint about `place`.
    #[must_use]
    pub fn new(place: &Place, text: impl Into<String>) -> Self {
        Self { place: place.clone(), text: text.into() }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.text)
    }
}

impl std::error::Error for Error {}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text, quoted or bare.
    String(String),
    /// A whole number; units are multiplied in.
    Integer(i64),
    /// A number with a point.
    Float(f64),
    /// A truth value.
    Bool(bool),
    /// A list.
    Array(Vec<Item>),
    /// A nested map.
    Map(Map),
}

impl Value {
    /// What the value is, for messages: `a number`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::String(_) => "a string",
            Self::Integer(_) => "a number",
            Self::Float(_) => "a number with a point",
            Self::Bool(_) => "true or false",
            Self::Array(_) => "an array",
            Self::Map(_) => "a map",
        }
    }
}

/// A value and its place.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The value.
    pub value: Value,
    /// Where it begins.
    pub place: Place,
}

/// One key of a map.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// The key as written.
    pub key: String,
    /// Where the key stands.
    pub place: Place,
    /// Its value.
    pub item: Item,
}

/// Keys and values in the order of the file; a key set again keeps its first position and takes the last value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Map {
    entries: Vec<Entry>,
}

impl Map {
    /// The value of `key`, compared without regard to case.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Item> {
        self.entries.iter().find(|entry| entry.key.eq_ignore_ascii_case(key)).map(|entry| &entry.item)
    }

    /// All entries.
    pub fn iter(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter()
    }

    pub(crate) fn set(&mut self, entry: Entry) {
        match self.entries.iter_mut().find(|known| known.key.eq_ignore_ascii_case(&entry.key)) {
            Some(known) => *known = entry,
            None => self.entries.push(entry),
        }
    }
}

/// What a configuration may refer to outside itself.
pub trait Surroundings {
    /// The text of an included file. `path` as written; `from`: the including file's name.
    ///
    /// # Errors
    /// A sentence that says why it cannot be read.
    fn include(&mut self, path: &str, from: &str) -> Result<(String, String), String>;
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;
}

/// Surroundings without files and variables.
#[derive(Clone, Copy, Debug)]
pub struct Nothing;

impl Surroundings for Nothing {
    fn include(&mut self, _path: &str, _from: &str) -> Result<(String, String), String> {
        Err("nothing can be included here".into())
    }
    fn variable(&self, _name: &str) -> Option<String> {
        None
    }
}
