//! One line of fstab, and the whole table.

use super::options::Options;
use crate::fields::{self, Fault};
use std::path::{Path, PathBuf};

/// Most lines that have fields.
pub const ENTRIES_MAX: usize = 512;

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A node, a directory or a file.
    Path(PathBuf),
    /// A device with this property.
    Tag(Tag, String),
    /// What only the file system understands: `tmpfs`, `server:/export`.
    Name(String),
}

/// By what a device is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The identifier of its file system.
    Uuid,
    /// The label of its file system.
    Label,
    /// The identifier of the partition.
    PartUuid,
    /// The name of the partition.
    PartLabel,
}

impl Tag {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Uuid, Self::Label, Self::PartUuid, Self::PartLabel];

    /// As fstab has it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Uuid => "UUID",
            Self::Label => "LABEL",
            Self::PartUuid => "PARTUUID",
            Self::PartLabel => "PARTLABEL",
        }
    }
}

/// One thing to mount or to swap to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The line it stands on.
    pub line: u32,
    /// What.
    pub source: Source,
    /// Where; `None` for swap space.
    pub target: Option<PathBuf>,
    /// The name of the file system; `auto` and lists are as they stand there.
    pub kind: String,
    /// How.
    pub options: Options,
    /// When its file system is checked: 1 before 2, 0 never.
    pub pass: u8,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The line, from 1.
    pub line: u32,
    /// The field, from 1.
    pub field: u32,
    /// What was expected.
    pub sentence: String,
}

/// Reads the table: what can be mounted, and what is wrong.
#[must_use]
pub fn table(text: &[u8]) -> (Vec<Entry>, Vec<Wrong>) {
    let (mut entries, mut wrong) = (Vec::new(), Vec::new());
    fields::lines(fields::FSTAB, text, |line, found| match found {
        Ok(_) if entries.len() >= ENTRIES_MAX => {
            wrong.push(Wrong { line, field: 1, sentence: format!("expected at most {ENTRIES_MAX} entries") });
        }
        Ok(found) => match entry(line, found) {
            Ok(entry) => entries.push(entry),
            Err((field, sentence)) => wrong.push(Wrong { line, field, sentence }),
        },
        Err((field, fault)) => {
            let sentence = match fault {
                Fault::TooLong => format!("expected at most {} bytes", fields::FIELD_MAX),
                Fault::Nul => "expected no NUL".to_owned(),
            };
            wrong.push(Wrong { line, field, sentence });
        }
    });
    (entries, wrong)
}

fn entry(line: u32, fields: &[Vec<u8>]) -> Result<Entry, (u32, String)> {
    let text = |index: usize| {
        let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
        let field = fields.get(index).map(|field| std::str::from_utf8(field));
        field.transpose().map_err(|_| (number, "expected UTF-8".to_owned()))
    };
    let needed = |index: usize, what: &str| {
        text(index)?
            .ok_or_else(|| (u32::try_from(fields.len()).unwrap_or(u32::MAX), format!("expected {what} after it")))
    };
    let source = source(needed(0, "a source")?).map_err(|sentence| (1, sentence))?;
    let target = needed(1, "a mount point")?;
    let kind = needed(2, "a type")?.to_owned();
    let options = Options::parse(text(3)?.unwrap_or("defaults")).map_err(|sentence| (4, sentence))?;
    number(text(4)?).map_err(|sentence| (5, sentence))?;
    let pass = number(text(5)?).map_err(|sentence| (6, sentence))?;
    if fields.len() > 6 {
        return Err((7, "expected at most six fields".to_owned()));
    }
    let target = match target {
        "none" | "swap" if kind == "swap" => None,
        path if path.starts_with('/') => Some(tidy(path)),
        other if kind == "swap" => return Err((2, format!("expected none, found {other:?}"))),
        other => return Err((2, format!("expected an absolute path, found {other:?}"))),
    };
    let target = target.filter(|_| kind != "swap");
    Ok(Entry { line, source, target, kind, options, pass })
}

fn source(field: &str) -> Result<Source, String> {
    for tag in Tag::ALL {
        if let Some(value) = field.strip_prefix(tag.word()).and_then(|rest| rest.strip_prefix('=')) {
            let value = value.trim_matches('"');
            if value.is_empty() {
                return Err(format!("expected something after {}=", tag.word()));
            }
            return Ok(Source::Tag(tag, value.to_owned()));
        }
    }
    Ok(if field.starts_with('/') { Source::Path(field.into()) } else { Source::Name(field.to_owned()) })
}

/// Without slashes at the end or twice.
fn tidy(path: &str) -> PathBuf {
    Path::new(path).components().collect()
}

fn number(field: Option<&str>) -> Result<u8, String> {
    let text = field.unwrap_or("0");
    text.parse().map_err(|_| format!("expected a number, found {text:?}"))
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{}", path.display()),
            Self::Tag(tag, value) => write!(f, "{}={value}", tag.word()),
            Self::Name(name) => f.write_str(name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read() {
        let text = b"# root\nUUID=12-ab / ext4 errors=remount-ro 0 1\nLABEL=\"my disk\" /home/ xfs defaults,nofail 0 2\n\
            /dev/sda2 none swap sw 0 0\ntmpfs /tmp tmpfs size=10% \n/home/a\\040b /srv none bind\nnas:/x //mnt//nas nfs _netdev\n";
        // A quoted label with a blank is written with an escape; the quotes alone are taken off.
        let (entries, wrong) = table(&text.replace(b"my disk", b"my\\040disk"));
        assert_eq!(wrong, []);
        let shown: Vec<String> = entries
            .iter()
            .map(|one| format!("{} {} {:?} {} {}", one.line, one.source, one.target.as_deref(), one.kind, one.pass))
            .collect();
        let expected = [
            "2 UUID=12-ab Some(\"/\") ext4 1",
            "3 LABEL=my disk Some(\"/home\") xfs 2",
            "4 /dev/sda2 None swap 0",
            "5 tmpfs Some(\"/tmp\") tmpfs 0",
            "6 /home/a b Some(\"/srv\") none 0",
            "7 nas:/x Some(\"/mnt/nas\") nfs 0",
        ];
        assert_eq!(shown, expected);
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_field() {
        for (text, line, field, sentence) in [
            ("a\n", 1, 1, "expected a mount point after it"),
            ("\na /b\n", 2, 2, "expected a type after it"),
            ("a b ext4\n", 1, 2, "expected an absolute path, found \"b\""),
            ("a x swap\n", 1, 2, "expected none, found \"x\""),
            ("UUID= /b ext4\n", 1, 1, "expected something after UUID="),
            ("a /b ext4 loop\n", 1, 4, "loop disks are not set up here: let a service do that with losetup"),
            ("a /b ext4 rw x\n", 1, 5, "expected a number, found \"x\""),
            ("a /b ext4 rw 0 300\n", 1, 6, "expected a number, found \"300\""),
            ("a /b ext4 rw 0 0 y\n", 1, 7, "expected at most six fields"),
            ("a /b\\000\n", 1, 2, "expected no NUL"),
        ] {
            let (entries, wrong) = table(text.as_bytes());
            assert_eq!(
                (entries.len(), wrong),
                (0, vec![Wrong { line, field, sentence: sentence.to_owned() }]),
                "{text}"
            );
        }
        let (entries, wrong) = table(b"a \xff ext4\nb /b ext4\n");
        assert_eq!((entries.len(), wrong.len(), wrong[0].field), (1, 1, 2));
    }

    trait Replace {
        fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8>;
    }

    impl Replace for [u8] {
        fn replace(&self, from: &[u8], to: &[u8]) -> Vec<u8> {
            let at = self.windows(from.len()).position(|window| window == from).unwrap();
            [&self[..at], to, &self[at + from.len()..]].concat()
        }
    }
}
