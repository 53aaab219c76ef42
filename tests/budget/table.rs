//! The table of budgets in SPECIFICATION.md.

use std::collections::BTreeMap;
use testkit::{Error, Result};

/// How the table's first line begins.
const HEADING: &str = "| program |";

/// Budgets by program and column.
pub(crate) struct Table(BTreeMap<String, BTreeMap<String, u64>>);

impl Table {
    /// Reads the document.
    pub(crate) fn read() -> Result<Self> {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../SPECIFICATION.md");
        Self::parse(&std::fs::read_to_string(path).map_err(Error::io(format!("read {path}")))?)
    }

    /// Every cell below the heading is a number, with spaces between thousands, or `–` where nothing is promised.
    fn parse(text: &str) -> Result<Self> {
        let mut lines =
            text.lines().skip_while(|line| !line.starts_with(HEADING)).take_while(|line| line.starts_with('|'));
        let heading = lines.next().ok_or_else(|| Error::unexpected(format!("no table that begins with {HEADING}")))?;
        let columns: Vec<&str> = cells(heading).skip(1).collect();
        let mut rows = BTreeMap::new();
        for line in lines.skip(1) {
            let program = cells(line).next().unwrap_or_default();
            let mut row = BTreeMap::new();
            for (column, cell) in columns.iter().zip(cells(line).skip(1)).filter(|(_, cell)| *cell != "–") {
                let digits: String = cell.chars().filter(|c| *c != ' ').collect();
                let number = digits.parse().map_err(|_| Error::unexpected(format!("{program}, {column}: {cell:?}")))?;
                row.insert((*column).to_owned(), number);
            }
            rows.insert(program.trim_matches('`').to_owned(), row);
        }
        Ok(Self(rows))
    }

    /// The programs.
    pub(crate) fn programs(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Fails when `value` is above the program's budget, or there is none to compare with.
    pub(crate) fn holds(&self, program: &str, column: &str, value: u64) -> Result<()> {
        eprintln!("    {program}: {column}: {value}");
        match self.0.get(program).and_then(|row| row.get(column)) {
            Some(limit) if value <= *limit => Ok(()),
            Some(limit) => {
                Err(Error::unexpected(format!("{program}: {column}: {value}, promised are at most {limit}")))
            }
            None => Err(Error::unexpected(format!("SPECIFICATION.md promises nothing for {program}, {column}"))),
        }
    }
}

fn cells(line: &str) -> impl Iterator<Item = &str> {
    line.trim().trim_matches('|').split('|').map(str::trim)
}

/// All the errors as one.
pub(crate) fn all(results: impl IntoIterator<Item = Result<()>>) -> Result<()> {
    let errors: Vec<String> = results.into_iter().filter_map(|one| Some(one.err()?.to_string())).collect();
    if errors.is_empty() { Ok(()) } else { Err(Error::unexpected(errors.join("\n"))) }
}
