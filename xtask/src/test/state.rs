//! A long run can be taken up again: stages that passed on this very tree are not repeated.

use super::count::Count;
use crate::failure::{Context, Result, expect_success};
use crate::project;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::process::Command;

const SPECIFICATION: &str = "SPECIFICATION.md";
const BEGIN: &str = "<!-- begin full run -->";
const END: &str = "<!-- end full run -->";

/// What passed, on which tree. Only a full run keeps it.
pub struct State {
    tree: Option<String>,
    stages: Value,
}

impl State {
    pub fn load(is_full: bool) -> Result<Self> {
        if !is_full {
            return Ok(Self { tree: None, stages: json!({}) });
        }
        let tree = tree_hash()?;
        let text = std::fs::read_to_string(path()).unwrap_or_default();
        let before: Value = serde_json::from_str(&text).unwrap_or_default();
        let same = before.get("tree").and_then(Value::as_str) == Some(tree.as_str());
        let stages = before.get("stages").filter(|_| same).cloned().unwrap_or_else(|| json!({}));
        Ok(Self { tree: Some(tree), stages })
    }

    /// The count of a stage that passed on this tree.
    pub fn passed(&self, stage: &str) -> Option<Count> {
        let result = self.stages.get(stage)?;
        let skipped = result.get("skipped")?.as_array()?.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        Some(Count { passed: result.get("passed")?.as_u64()?, failed: 0, skipped })
    }

    /// Keeps the count of a stage that passed.
    pub fn save(&mut self, stage: &str, count: &Count) -> Result<()> {
        let (Some(tree), Some(stages)) = (&self.tree, self.stages.as_object_mut()) else { return Ok(()) };
        if count.failed > 0 {
            return Ok(());
        }
        stages.insert(stage.to_owned(), json!({"passed": count.passed, "skipped": count.skipped}));
        std::fs::write(path(), format!("{}\n", json!({"tree": tree, "stages": stages}))).at(&path())
    }
}

fn path() -> PathBuf {
    project::target().join("test-state.json")
}

/// The hash that git would give the working tree as it is, but for the file that the result is written to.
fn tree_hash() -> Result<String> {
    let index = project::target().join("test-index");
    let git = |arguments: &[&str]| -> Result<String> {
        let output =
            Command::new("git").args(arguments).env("GIT_INDEX_FILE", &index).current_dir(project::root()).output();
        let output = output.context("git")?;
        expect_success(&format!("git {}", arguments.join(" ")), output.status)?;
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    git(&["read-tree", "HEAD"])?;
    git(&["add", "--all"])?;
    git(&["rm", "--cached", "--quiet", "--ignore-unmatch", SPECIFICATION])?;
    git(&["write-tree"])
}

/// Puts the result between the markers in SPECIFICATION.md.
pub fn write_to_specification(rows: &[String]) -> Result<()> {
    let path = project::root().join(SPECIFICATION);
    if !Path::new(&path).is_file() {
        eprintln!("no {SPECIFICATION} to write the result to");
        return Ok(());
    }
    let text = std::fs::read_to_string(&path).at(&path)?;
    let (Some((before, rest)), true) = (text.split_once(BEGIN), text.contains(END)) else {
        eprintln!("{SPECIFICATION} has no {BEGIN} and {END} to write the result between");
        return Ok(());
    };
    let after = rest.split_once(END).map_or("", |(_, after)| after);
    let table = format!("| stage | what it proves | last full run |\n|---|---|---|\n{}\n", rows.join("\n"));
    std::fs::write(&path, format!("{before}{BEGIN}\n{table}{END}{after}")).at(&path)
}
