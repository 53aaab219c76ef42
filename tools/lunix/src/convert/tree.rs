//! A service directory before it is written.

use std::collections::BTreeMap;

/// A file of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) is_executable: bool,
}

/// A service directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    pub(crate) name: String,
    /// By path within the directory.
    pub(crate) files: BTreeMap<String, File>,
}

impl Tree {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), files: BTreeMap::new() }
    }

    /// A file with one line, or an empty one.
    pub(crate) fn small(&mut self, path: &str, text: &str) {
        let content = if text.is_empty() { String::new() } else { format!("{text}\n") };
        self.files.insert(path.to_owned(), File { content: content.into_bytes(), is_executable: false });
    }

    /// A shell script, without its first line.
    pub(crate) fn script(&mut self, path: &str, lines: &[String]) {
        let content = format!("#!/bin/sh\n{}\n", lines.join("\n"));
        self.files.insert(path.to_owned(), File { content: content.into_bytes(), is_executable: true });
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        self.files.contains_key(path)
    }

    pub(crate) fn text(&self, path: &str) -> Option<String> {
        self.files.get(path).map(|file| String::from_utf8_lossy(&file.content).into_owned())
    }

    /// All of it as text, as it is shown where nothing is written.
    pub(crate) fn shown(&self) -> String {
        let mut all = String::new();
        for (path, file) in &self.files {
            let mode = if file.is_executable { " (executable)" } else { "" };
            all.push_str(&format!("== {}/{path}{mode}\n{}", self.name, String::from_utf8_lossy(&file.content)));
        }
        all
    }
}
