//! A unit with its drop-ins, as one list of assignments.

use super::name::Name;
use super::syntax::{Item, Reader, What};
use std::rc::Rc;

/// One assignment and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) file: Rc<str>,
    pub(crate) line: u32,
    pub(crate) section: Rc<str>,
    pub(crate) key: String,
    pub(crate) value: String,
}

/// A unit.
#[derive(Clone, Debug)]
pub(crate) struct Unit {
    pub(crate) name: Name,
    pub(crate) entries: Vec<Entry>,
    /// Its own file, for what is said of the whole unit.
    pub(crate) file: Rc<str>,
}

/// What a remark is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Level {
    /// It works in another way here; there is nothing to do.
    Note,
    /// It is not converted.
    Lost,
}

/// Something to be said about a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Remark {
    pub(crate) file: Rc<str>,
    pub(crate) line: u32,
    pub(crate) level: Level,
    pub(crate) key: String,
    pub(crate) text: String,
}

impl Remark {
    pub(crate) fn new(entry: &Entry, level: Level, text: impl Into<String>) -> Self {
        Self { file: entry.file.clone(), line: entry.line, level, key: entry.key.clone(), text: text.into() }
    }

    /// `FILE:LINE: warn: KEY: TEXT`.
    pub(crate) fn shown(&self) -> String {
        let level = match self.level {
            Level::Note => "note",
            Level::Lost => "warn",
        };
        let key = if self.key.is_empty() { String::new() } else { format!("{}: ", self.key) };
        format!("{}:{}: {level}: {key}{}", self.file, self.line, self.text)
    }
}

impl Unit {
    pub(crate) fn new(name: Name, file: &str) -> Self {
        Self { name, entries: Vec::new(), file: file.into() }
    }

    /// Adds what a file says, after what is there.
    pub(crate) fn read(&mut self, file: &str, content: &[u8], remarks: &mut Vec<Remark>) {
        let file: Rc<str> = file.into();
        let mut section: Rc<str> = "".into();
        let mut reader = Reader::default();
        let mut rest = content;
        loop {
            let item = if rest.is_empty() {
                let Some(last) = reader.finish() else { return };
                last
            } else {
                let (used, item) = reader.feed(rest);
                rest = rest.get(used..).unwrap_or_default();
                let Some(item) = item else { continue };
                item
            };
            self.take(item, &file, &mut section, remarks);
        }
    }

    fn take(&mut self, item: Item<'_>, file: &Rc<str>, section: &mut Rc<str>, remarks: &mut Vec<Remark>) {
        let mut wrong = |why: &str| {
            let (file, key) = (file.clone(), String::new());
            remarks.push(Remark { file, line: item.line, level: Level::Lost, key, text: why.to_owned() });
        };
        match item.what {
            What::Section(name) => *section = name.into(),
            What::Wrong(why) => wrong(why),
            What::Assignment { .. } if section.is_empty() => wrong("an assignment before any section"),
            What::Assignment { key, value } => self.entries.push(Entry {
                file: file.clone(),
                line: item.line,
                section: section.clone(),
                key: key.to_owned(),
                value: value.to_owned(),
            }),
        }
    }

    /// The last assignment of a key, unless it is empty.
    pub(crate) fn last(&self, section: &str, key: &str) -> Option<&Entry> {
        self.all(section, key).pop().filter(|entry| !entry.value.is_empty())
    }

    /// All assignments of a key.
    pub(crate) fn all(&self, section: &str, key: &str) -> Vec<&Entry> {
        self.entries.iter().filter(|entry| &*entry.section == section && entry.key == key).collect()
    }

    /// The assignments of a key that is a list: those after the last empty one.
    pub(crate) fn list(&self, section: &str, key: &str) -> Vec<&Entry> {
        let mut list = Vec::new();
        for entry in self.all(section, key) {
            if entry.value.is_empty() { list.clear() } else { list.push(entry) }
        }
        list
    }

    /// The words of all assignments of a list, with the assignment each stands in.
    pub(crate) fn words(&self, section: &str, key: &str) -> Vec<(&Entry, String)> {
        let mut all = Vec::new();
        for entry in self.list(section, key) {
            let words = super::words::split(&entry.value).unwrap_or_default();
            all.extend(words.into_iter().map(|word| (entry, word.text)));
        }
        all
    }

    /// A boolean.
    pub(crate) fn is_on(&self, section: &str, key: &str) -> bool {
        self.last(section, key).is_some_and(|entry| is_true(&entry.value))
    }
}

/// How systemd writes yes.
pub(crate) fn is_true(word: &str) -> bool {
    ["1", "yes", "y", "true", "t", "on"].iter().any(|one| one.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_assignment_begins_a_list_anew() {
        let (mut unit, mut remarks) = (Unit::new(Name::parse("a.service"), "a.service"), Vec::new());
        unit.read("a.service", b"A=1\n[Service]\nExecStart=/a\nUser=x\nnonsense\n", &mut remarks);
        unit.read(
            "a.service.d/b.conf",
            b"[Service]\nExecStart=\nExecStart=/b\nExecStart=/c 'd e'\nUser=",
            &mut remarks,
        );
        let list: Vec<&str> = unit.list("Service", "ExecStart").iter().map(|entry| entry.value.as_str()).collect();
        assert_eq!(list, ["/b", "/c 'd e'"]);
        let words: Vec<String> = unit.words("Service", "ExecStart").into_iter().map(|(_, word)| word).collect();
        assert_eq!(words, ["/b", "/c", "d e"]);
        assert!(unit.last("Service", "User").is_none() && unit.last("Unit", "ExecStart").is_none());
        let shown: Vec<String> = remarks.iter().map(Remark::shown).collect();
        assert_eq!(
            shown,
            ["a.service:1: warn: an assignment before any section", "a.service:5: warn: expected KEY=VALUE"]
        );
    }
}
