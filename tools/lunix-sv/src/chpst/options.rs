//! The command lines of chpst and the programs it can be called as.

use super::account::Account;
use crate::Failure;
use crate::getopt::{Found, Options, text};
use rustix::process::Resource;
use std::ffi::OsString;
use std::path::PathBuf;

const USAGE: &str = "usage: chpst [-vVP012] [-u user[:group]] [-U user[:group]] [-b argv0] [-e dir] [-/ root] [-C dir] [-n nice] [-l|-L lock] [-m n] [-d n] [-o n] [-p n] [-f n] [-c n] [-r n] [-t n] [-s n] [-a n] prog";

/// One thing to change; done in the order of [`Plan::changes`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Lead a new session.
    Session,
    /// Set the environment by the files of a directory.
    Environment(PathBuf),
    /// Hold a lock on a file; without waiting when told so.
    Lock {
        /// The file.
        path: PathBuf,
        /// Wait until it is free.
        waits: bool,
    },
    /// Make this the root directory.
    Root(PathBuf),
    /// Make this the working directory.
    Directory(PathBuf),
    /// Add this to the nice value.
    Nice(i32),
    /// Limit a resource to so much, at most to what is allowed.
    Limit(Resource, u64),
    /// Set UID and GID in the environment.
    Names(Account),
    /// Become somebody else.
    Become(Account),
    /// Close descriptor 0, 1 or 2.
    Close(u8),
}

impl Change {
    /// Changes are made from the lowest to the highest, as chpst does, whatever the order of the options.
    const fn rank(&self) -> u8 {
        match self {
            Self::Session => 0,
            Self::Environment(_) => 1,
            Self::Lock { .. } => 2,
            Self::Root(_) => 3,
            Self::Directory(_) => 4,
            Self::Nice(_) => 5,
            Self::Limit(..) => 6,
            Self::Names(_) => 7,
            Self::Become(_) => 8,
            Self::Close(_) => 9,
        }
    }
}

/// What to change, and what to execute then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In the order in which they are made.
    pub changes: Vec<Change>,
    /// The zeroth argument, when that is not the program.
    pub zeroth: Option<OsString>,
    /// The program and its arguments, at least one word.
    pub program: Vec<OsString>,
    /// `setlock -x`: when the lock is taken, end with success.
    pub forgives_lock: bool,
}

/// Reads the command line of the program of this name; `None` when there is nothing to execute.
pub(super) fn parse(name: &str, arguments: &[OsString]) -> Result<Option<Plan>, Failure> {
    let first = |change: &dyn Fn(&OsString) -> Result<Change, Failure>| {
        let (word, program) = arguments.split_first().ok_or_else(usage)?;
        plan(vec![change(word)?], None, program)
    };
    match name {
        "envdir" => first(&|word| Ok(Change::Environment(word.into()))),
        "envuidgid" => first(&|word| Account::parse(&text(word)).map(Change::Names)),
        "setuidgid" => first(&|word| Account::parse(&text(word)).map(Change::Become)),
        "pgrphack" => plan(vec![Change::Session], None, arguments),
        "setlock" => setlock(arguments),
        _ => chpst(arguments),
    }
}

fn usage() -> Failure {
    Failure::new(100, USAGE)
}

fn plan(mut changes: Vec<Change>, zeroth: Option<OsString>, program: &[OsString]) -> Result<Option<Plan>, Failure> {
    if program.is_empty() {
        return Err(usage());
    }
    changes.sort_by_key(Change::rank);
    Ok(Some(Plan { changes, zeroth, program: program.to_vec(), forgives_lock: false }))
}

fn setlock(arguments: &[OsString]) -> Result<Option<Plan>, Failure> {
    let mut options = Options::new(arguments, b"");
    let (mut waits, mut forgives) = (true, false);
    for option in options.by_ref() {
        match option {
            Found::Letter(b'n', None) => waits = false,
            Found::Letter(b'N', None) => waits = true,
            Found::Letter(b'x', None) => forgives = true,
            Found::Letter(b'X', None) => forgives = false,
            Found::Letter(..) | Found::Incomplete(_) => return Err(usage()),
        }
    }
    let (path, program) = options.rest().split_first().ok_or_else(usage)?;
    let planned = plan(vec![Change::Lock { path: path.into(), waits }], None, program)?;
    Ok(planned.map(|plan| Plan { forgives_lock: forgives, ..plan }))
}

/// chpst itself, and softlimit, whose options are a part of these.
fn chpst(arguments: &[OsString]) -> Result<Option<Plan>, Failure> {
    let mut options = Options::new(arguments, b"uUbe/CnlLmdopfcrtsa");
    let (mut changes, mut zeroth) = (Vec::new(), None);
    for option in options.by_ref() {
        match option {
            Found::Letter(b'v', None) => {}
            Found::Letter(b'V', None) => return Ok(None),
            Found::Letter(b'P', None) => changes.push(Change::Session),
            Found::Letter(digit @ b'0'..=b'2', None) => changes.push(Change::Close(digit - b'0')),
            Found::Letter(b'b', Some(word)) => zeroth = Some(word),
            Found::Letter(b'm', Some(word)) => {
                let all = [Resource::Data, Resource::Stack, Resource::Memlock, Resource::As];
                let limit = limit(&word)?;
                changes.extend(all.map(|resource| Change::Limit(resource, limit)));
            }
            Found::Letter(letter, Some(word)) => changes.push(change(letter, word)?),
            Found::Letter(_, None) | Found::Incomplete(_) => return Err(usage()),
        }
    }
    plan(changes, zeroth, options.rest())
}

fn change(letter: u8, word: OsString) -> Result<Change, Failure> {
    let limited = |resource| Ok(Change::Limit(resource, limit(&word)?));
    match letter {
        b'u' => Account::parse(&text(&word)).map(Change::Become),
        b'U' => Account::parse(&text(&word)).map(Change::Names),
        b'e' => Ok(Change::Environment(word.into())),
        b'/' => Ok(Change::Root(word.into())),
        b'C' => Ok(Change::Directory(word.into())),
        b'n' => text(&word).trim_start_matches('+').parse().map(Change::Nice).map_err(|_| usage()),
        b'l' => Ok(Change::Lock { path: word.into(), waits: true }),
        b'L' => Ok(Change::Lock { path: word.into(), waits: false }),
        b'd' => limited(Resource::Data),
        b'o' => limited(Resource::Nofile),
        b'p' => limited(Resource::Nproc),
        b'f' => limited(Resource::Fsize),
        b'c' => limited(Resource::Core),
        b'r' => limited(Resource::Rss),
        b't' => limited(Resource::Cpu),
        b's' => limited(Resource::Stack),
        b'a' => limited(Resource::As),
        _ => Err(usage()),
    }
}

/// A number; `=` is all that is allowed.
fn limit(word: &OsString) -> Result<u64, Failure> {
    let word = text(word);
    if word == "=" { Ok(u64::MAX) } else { word.parse().map_err(|_| usage()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(name: &str, line: &str) -> Result<Option<Plan>, u8> {
        let words: Vec<OsString> = line.split(' ').filter(|word| !word.is_empty()).map(OsString::from).collect();
        parse(name, &words).map_err(|failure| failure.code)
    }

    #[test]
    fn changes_have_an_order_of_their_own() {
        let plan = parsed("chpst", "-0 -u :5:6 -o 10 -e env -P -b name prog -x").unwrap().unwrap();
        let account = Account { uid: 5, gids: vec![6] };
        let expected = [
            Change::Session,
            Change::Environment("env".into()),
            Change::Limit(Resource::Nofile, 10),
            Change::Become(account),
            Change::Close(0),
        ];
        assert_eq!(plan.changes, expected);
        assert_eq!((plan.program, plan.zeroth), (vec!["prog".into(), "-x".into()], Some("name".into())));
    }

    #[test]
    fn other_names_have_other_lines() {
        let plan = parsed("setlock", "-nx file prog").unwrap().unwrap();
        assert_eq!(
            (plan.changes.as_slice(), plan.forgives_lock),
            (&[Change::Lock { path: "file".into(), waits: false }][..], true)
        );
        assert_eq!(parsed("softlimit", "-m = prog").unwrap().unwrap().changes.len(), 4);
        assert_eq!(parsed("envdir", "dir prog").unwrap().unwrap().changes, [Change::Environment("dir".into())]);
        assert!(parsed("chpst", "-V").unwrap().is_none());
    }

    #[test]
    fn wrong_usage_is_100() {
        for line in ["", "-u", "-n x prog", "-Z prog", "-o -1 prog", "-u :1"] {
            assert_eq!(parsed("chpst", line), Err(100), "{line}");
        }
        assert_eq!((parsed("envdir", "dir"), parsed("setuidgid", "")), (Err(100), Err(100)));
        assert_eq!(parsed("setuidgid", "no-such-user prog"), Err(111));
    }
}
