//! Who may do what on the bus of a lunix machine: the table `policy.txt`, read for code generation and tests.

/// The table as it is written.
pub const TEXT: &str = include_str!("../policy.txt");

/// What travels on a subject.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Published by the owner.
    Events,
    /// Answered by the owner.
    Request,
    /// Taken by the owner, which does not answer.
    Command,
    /// Stays within everybody's own account.
    Private,
}

/// Who publishes, answers or takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// Nobody but root.
    Nobody,
    /// Every daemon.
    Each,
    /// The daemon of this name, which is the name of its user, too.
    Daemon(&'static str),
}

/// Those the table speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Column {
    /// User 0.
    Root,
    /// An ordinary user in the group `session`.
    Session,
    /// Any other ordinary user.
    User,
    /// What being in the group `adm` adds to either.
    Adm,
    /// Whoever is not known.
    Anonymous,
    /// A link to another machine's bus.
    Leaf,
    /// A web page.
    Websocket,
}

impl Column {
    /// All of them, as in the table.
    pub const ALL: [Self; 7] =
        [Self::Root, Self::Session, Self::User, Self::Adm, Self::Anonymous, Self::Leaf, Self::Websocket];

    /// The heading.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Session => "session",
            Self::User => "user",
            Self::Adm => "adm",
            Self::Anonymous => "anonymous",
            Self::Leaf => "leaf",
            Self::Websocket => "websocket",
        }
    }
}

/// One line of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Pattern of the subjects.
    pub subject: &'static str,
    /// What travels there.
    pub kind: Kind,
    /// Who publishes, answers or takes it.
    pub owner: Owner,
    granted: [bool; Column::ALL.len()],
}

impl Row {
    /// Whether those of the column may read, ask or send; for what is private, whether they have it in their account.
    #[must_use]
    pub fn grants(&self, column: Column) -> bool {
        Column::ALL.into_iter().zip(self.granted).any(|(known, granted)| known == column && granted)
    }

    /// The row for the user in any of these columns.
    #[must_use]
    pub fn grants_any(&self, columns: &[Column]) -> bool {
        columns.iter().any(|&column| self.grants(column))
    }
}

/// The rows of the table.
///
/// # Errors
/// The line that cannot be read.
pub fn rows() -> Result<Vec<Row>, &'static str> {
    let lines = TEXT.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty());
    lines.map(|line| row(line).ok_or(line)).collect()
}

fn row(line: &'static str) -> Option<Row> {
    let mut words = line.split_ascii_whitespace();
    let subject = words.next()?;
    let kind = match words.next()? {
        "events" => Kind::Events,
        "request" => Kind::Request,
        "command" => Kind::Command,
        "private" => Kind::Private,
        _ => return None,
    };
    let owner = match words.next()? {
        "-" if kind == Kind::Private => Owner::Nobody,
        "none" if kind != Kind::Private => Owner::Nobody,
        "each" if kind != Kind::Private => Owner::Each,
        "-" | "none" | "each" => return None,
        name => Owner::Daemon(name),
    };
    let yes = if kind == Kind::Private { "own" } else { "yes" };
    let mut granted = [false; Column::ALL.len()];
    for cell in &mut granted {
        *cell = match words.next()? {
            "-" => false,
            word if word == yes => true,
            _ => return None,
        };
    }
    words.next().is_none().then_some(Row { subject, kind, owner, granted })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_read_and_root_may_do_everything_shared() {
        let rows = rows().unwrap();
        assert!(rows.len() >= 20);
        assert!(rows.iter().all(|row| row.grants(Column::Root)));
        let list = rows.iter().find(|row| row.subject == "hardware.list").unwrap();
        assert_eq!((list.kind, list.owner), (Kind::Request, Owner::Daemon("natsdev")));
        assert!(list.grants_any(&[Column::Adm, Column::User]) && !list.grants(Column::Websocket));
        let heading = TEXT.lines().rfind(|line| line.starts_with("# subject")).unwrap();
        let names: Vec<&str> = heading.split_ascii_whitespace().skip(4).collect();
        assert_eq!(names, Column::ALL.map(Column::name));
    }

    #[test]
    fn rows_good_and_bad() {
        let good = "a.> events natsx yes - - - - - -";
        assert!(row(good).is_some());
        for bad in [
            "",
            "a.>",
            "a.> event natsx yes - - - - - -",
            "a.> events - yes - - - - - -",
            "a.> private natsx- own - - - - - - -",
            "a.> private - yes - - - - - -",
            "a.> events natsx yes - - - - -",
            "a.> events natsx maybe - - - - - -",
        ] {
            assert_eq!(row(bad), None, "{bad}");
        }
    }

    #[test]
    fn what_is_read_never_shows_what_is_asked() {
        let rows = rows().unwrap();
        for events in rows.iter().filter(|row| row.kind == Kind::Events) {
            // Nor is anything read twice.
            for other in rows.iter().filter(|row| row.subject != events.subject) {
                assert!(!overlap(events.subject, other.subject), "{} {}", events.subject, other.subject);
            }
        }
        assert!(overlap("a.*", "*.b") && overlap("a.>", "a.b.c") && !overlap("a.>", "a") && !overlap("a.*", "a.b.c"));
    }

    fn overlap(one: &str, other: &str) -> bool {
        let (mut one, mut other) = (one.split('.'), other.split('.'));
        loop {
            match (one.next(), other.next()) {
                (None, None) => return true,
                (Some(">"), Some(_)) | (Some(_), Some(">")) => return true,
                (Some(left), Some(right)) if left == right || left == "*" || right == "*" => {}
                (Some(_) | None, Some(_) | None) => return false,
            }
        }
    }
}
