//! What services wait for: `lunix service why` and `lunix service tree`.

use init_control::ServiceState;
use interfaces::init::ServiceStatus;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Deeper than any sensible tree; a circle ends here, too.
const DEPTH_MAX: usize = 32;

/// A service as far as this matters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) name: String,
    pub(crate) state: ServiceState,
    pub(crate) wanted: bool,
    pub(crate) by_operator: bool,
    pub(crate) reason: String,
    pub(crate) after: Vec<String>,
}

impl Row {
    pub(crate) fn of(service: &ServiceStatus<'_>) -> Self {
        Self {
            name: service.name.to_string(),
            // One that a later version knows is not up as far as this one can tell.
            state: ServiceState::from_word(&service.state).unwrap_or(ServiceState::Starting),
            wanted: service.wanted,
            by_operator: service.r#override.is_some(),
            reason: service.reason.as_deref().unwrap_or_default().to_owned(),
            after: service.after.iter().map(ToString::to_string).collect(),
        }
    }

    const fn is_up(&self) -> bool {
        matches!(self.state, ServiceState::Ready | ServiceState::Done)
    }

    /// A sentence about this service alone.
    fn sentence(&self) -> String {
        let mut text = format!("{} is {}", self.name, self.state);
        if !self.wanted {
            text.push_str(if self.by_operator {
                ": the operator stopped it"
            } else {
                ": its directory does not ask for it"
            });
        } else if !self.reason.is_empty() && self.state != ServiceState::Waiting {
            let _ = write!(text, ": {}", self.reason);
        }
        text
    }
}

/// Why the service of this name does not run: a sentence about it, and one for each that it waits for in turn.
pub(crate) fn why(rows: &[Row], name: &str) -> Vec<String> {
    let rows: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.name.as_str(), row)).collect();
    let mut sentences = Vec::new();
    let mut next = rows.get(name).copied();
    while let Some(row) = next.filter(|_| sentences.len() < DEPTH_MAX) {
        let mut sentence = row.sentence();
        next = None;
        if row.state == ServiceState::Waiting {
            let missing = row.after.iter().find(|other| rows.get(other.as_str()).is_none_or(|other| !other.is_up()));
            if let Some(missing) = missing {
                let _ = write!(sentence, ": it waits for {missing}");
                next = rows.get(missing.as_str()).copied();
            }
        }
        sentences.push(sentence);
    }
    sentences
}

/// All services that nothing depends on, each with what it depends on below it.
pub(crate) fn tree(rows: &[Row]) -> String {
    let table: BTreeMap<&str, &Row> = rows.iter().map(|row| (row.name.as_str(), row)).collect();
    let mut text = String::new();
    for row in rows.iter().filter(|row| !rows.iter().any(|other| other.after.contains(&row.name))) {
        branch(&table, &row.name, 0, &mut text);
    }
    text
}

fn branch(rows: &BTreeMap<&str, &Row>, name: &str, depth: usize, text: &mut String) {
    if depth >= DEPTH_MAX {
        return;
    }
    let row = rows.get(name);
    let state = row.map_or("missing", |row| row.state.word());
    let _ = writeln!(text, "{:indent$}{name} {state}", "", indent = depth * 2);
    for other in row.into_iter().flat_map(|row| &row.after) {
        branch(rows, other, depth + 1, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, state: ServiceState, reason: &str, after: &[&str]) -> Row {
        let after = after.iter().map(|&name| name.to_owned()).collect();
        Row {
            name: name.into(),
            state,
            wanted: state != ServiceState::Down,
            by_operator: false,
            reason: reason.into(),
            after,
        }
    }

    #[test]
    fn the_chain_ends_at_its_cause() {
        let rows = [
            row("web", ServiceState::Waiting, "waits for db", &["log", "db"]),
            row("db", ServiceState::Waiting, "waits for disk", &["disk"]),
            row("disk", ServiceState::Broken, "up exited 3", &[]),
            row("log", ServiceState::Ready, "", &[]),
            row("off", ServiceState::Down, "", &[]),
        ];
        let expected =
            ["web is waiting: it waits for db", "db is waiting: it waits for disk", "disk is broken: up exited 3"];
        assert_eq!(why(&rows, "web"), expected);
        assert_eq!(why(&rows, "log"), ["log is ready"]);
        assert_eq!(why(&rows, "off"), ["off is down: its directory does not ask for it"]);
        assert!(why(&rows, "none").is_empty());
        assert_eq!(tree(&rows), "web waiting\n  log ready\n  db waiting\n    disk broken\noff down\n");
    }
}
