//! The rules of the house that no other tool checks: sizes of files and functions, where `unsafe` may be.

use crate::failure::{Context, Failure, Result};
use crate::project;
use std::process::Command;

const FILE_LINES_WARN: usize = 400;
const FILE_LINES_MAX: usize = 700;
const FUNCTION_LINES_MAX: usize = 70;

/// The one folder with `unsafe` code (a PAM module will be the second).
const UNSAFE_ALLOWED: &[&str] = &["crates/sys/"];

/// Checks every file that git tracks.
pub fn check() -> Result<()> {
    let mut bad = Vec::new();
    for path in files()? {
        let full = project::root().join(&path);
        // Pictures and test data are no text.
        let Ok(text) = std::fs::read_to_string(&full) else { continue };
        if path.ends_with(".rs") {
            rust(&path, &text, &mut bad);
        }
    }
    if bad.is_empty() { Ok(()) } else { Err(Failure::new(bad.join("\n"))) }
}

/// The files that git tracks or would, relative to the root.
pub fn files() -> Result<Vec<String>> {
    let arguments = ["ls-files", "--cached", "--others", "--exclude-standard"];
    let output = Command::new("git").args(arguments).current_dir(project::root()).output().context("git ls-files")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(text.lines().filter(|path| project::root().join(path).is_file()).map(str::to_owned).collect())
}

fn rust(path: &str, text: &str, bad: &mut Vec<String>) {
    let lines = text.lines().count();
    if lines > FILE_LINES_MAX {
        bad.push(format!("{path}: {lines} lines; {FILE_LINES_MAX} is the most: it holds more than one idea"));
    } else if lines > FILE_LINES_WARN {
        eprintln!("warning: {path}: {lines} lines");
    }
    for (number, name, length) in functions(text).filter(|(_, _, length)| *length > FUNCTION_LINES_MAX) {
        bad.push(format!("{path}:{number}: {name} has {length} lines; {FUNCTION_LINES_MAX} is the most"));
    }
    if UNSAFE_ALLOWED.iter().any(|folder| path.starts_with(folder)) {
        return;
    }
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        if ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern"].iter().any(|word| code.contains(word))
            && !code.contains('"')
        {
            bad.push(format!("{path}:{}: unsafe belongs in crates/sys alone", number + 1));
        }
    }
    let is_crate_root = path.ends_with("src/lib.rs") || path.ends_with("src/main.rs");
    if is_crate_root && !text.contains("#![forbid(unsafe_code)]") && !path.starts_with("fuzz/") {
        bad.push(format!("{path}: lacks #![forbid(unsafe_code)]"));
    }
}

/// Marks a function that is one table, written out in full so that it can be checked by eye.
const TABLE: &str = "#[allow(clippy::too_many_lines, reason = \"a table\")]";

/// Line, name and length of each function with a body, but for tables. rustfmt puts the closing brace in the column of the `fn` line, which is all
/// that this relies on.
fn functions(text: &str) -> impl Iterator<Item = (usize, &str, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let Some(name) = function_name(line) else { continue };
        if index.checked_sub(1).and_then(|before| lines.get(before)).is_some_and(|before| before.trim() == TABLE) {
            continue;
        }
        let indent = line.len() - line.trim_start().len();
        let end = lines.iter().skip(index).position(|line| {
            line.len() - line.trim_start().len() == indent && (line.trim_start() == "}" || line.ends_with(';'))
        });
        let is_short = line.ends_with('}') || line.ends_with(';');
        found.push((index + 1, name, if is_short { 1 } else { end.unwrap_or(0) + 1 }));
    }
    found.into_iter()
}

fn function_name(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let (before, after) = code.strip_prefix("fn ").map(|after| ("", after)).or_else(|| code.split_once(" fn "))?;
    let qualifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern", "\"C\""];
    before
        .split(' ')
        .all(|word| word.is_empty() || qualifiers.contains(&word))
        .then(|| after.split(['(', '<']).next())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_measured_from_its_name_to_its_brace() {
        let text = "pub fn one() {\n    a();\n}\nimpl X {\n    const fn two(\n        b: u8,\n    ) -> u8 {\n        b\n    }\n    fn three();\n}\n";
        let found: Vec<_> = functions(text).collect();
        assert_eq!(found, [(1, "one", 3), (5, "two", 5), (10, "three", 1)]);
    }
}
