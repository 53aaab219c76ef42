//! lunix-bus.conf(5) names every key that the configuration code accepts, and no other.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn sources(folder: &Path, into: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("tests.rs") {
            into.push(path);
        }
    }
}

fn is_key(word: &str) -> bool {
    word.starts_with(|letter: char| letter.is_ascii_lowercase())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// The words in quotes that a match arm of the configuration code compares with.
fn accepted() -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = vec![root.join("config.rs")];
    sources(&root.join("config"), &mut files);
    let mut keys = BTreeSet::new();
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        let mut pattern = String::new();
        for line in text.lines().map(str::trim) {
            // A pattern may stand on several lines; each of them begins with a quote or a bar.
            if !line.starts_with(['"', '|', '(']) {
                continue;
            }
            pattern.push_str(line);
            if let Some((words, _)) = pattern.split_once("=>") {
                let is_refused = line.contains("unsupported(");
                keys.extend(
                    words.split('"').skip(1).step_by(2).filter(|word| !is_refused && is_key(word)).map(str::to_owned),
                );
                pattern.clear();
            }
        }
    }
    keys
}

fn manual() -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("lunix-bus.conf.5.scd")).unwrap()
}

/// The words between asterisks.
fn bold(line: &str) -> impl Iterator<Item = String> {
    line.split('*').skip(1).step_by(2).filter(|word| is_key(word)).map(str::to_owned)
}

#[test]
fn every_key_the_code_accepts_is_in_the_manual() {
    let told: BTreeSet<String> = manual().lines().flat_map(bold).collect();
    let accepted = accepted();
    assert!(accepted.len() > 40, "keys are found at all: {accepted:?}");
    let missing: Vec<&String> = accepted.difference(&told).collect();
    assert!(missing.is_empty(), "not in lunix-bus.conf(5): {missing:?}");
}

#[test]
fn the_manual_explains_no_key_that_is_not_accepted() {
    let text = manual();
    let (_, entries) = text.split_once("\n# LISTENING\n").unwrap();
    let heads = entries.lines().map(str::trim_start).filter(|line| line.starts_with('*'));
    let explained: BTreeSet<String> = heads.flat_map(bold).collect();
    let accepted = accepted();
    let unknown: Vec<&String> = explained.difference(&accepted).collect();
    assert!(unknown.is_empty(), "in lunix-bus.conf(5), but nothing accepts it: {unknown:?}");
}
