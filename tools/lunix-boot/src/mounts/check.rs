//! Checking a file system before it is mounted, by the program that its makers wrote.

use super::entry::Entry;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where programs of this kind are.
const FOLDERS: [&str; 4] = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

/// The program `NAME.KIND` of the system, such as `fsck.ext4`.
#[must_use]
pub fn installed(name: &str, kind: &str) -> Option<PathBuf> {
    if kind.is_empty() || kind.contains('/') {
        return None;
    }
    FOLDERS.iter().map(|folder| Path::new(folder).join(format!("{name}.{kind}"))).find(|path| path.is_file())
}

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is good, or is not to be checked.
    Good,
    /// It was repaired.
    Repaired,
    /// It was repaired, and what runs from it must be started anew.
    Reboot,
    /// It may not be mounted: why.
    Bad(String),
}

/// Checks what the entry names, when it is to be checked and there is a program for it. Blocks until that has ended.
#[must_use]
pub fn check(entry: &Entry, kind: &str, node: &Path) -> Outcome {
    if entry.pass == 0 {
        return Outcome::Good;
    }
    let Some(program) = installed("fsck", kind) else { return Outcome::Good };
    match Command::new(&program).arg("-a").arg(node).stdin(std::process::Stdio::null()).status() {
        Ok(status) => judge(&program, status.code()),
        Err(error) => Outcome::Bad(format!("cannot execute {}: {error}", program.display())),
    }
}

/// `man 8 fsck`, EXIT STATUS
fn judge(program: &Path, code: Option<i32>) -> Outcome {
    let program = program.display();
    match code {
        Some(0) => Outcome::Good,
        Some(1) => Outcome::Repaired,
        Some(code) if code & !3 == 0 => Outcome::Reboot,
        Some(code) => Outcome::Bad(format!("{program} exited {code}: it has errors that a person must look at")),
        None => Outcome::Bad(format!("{program} was killed")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_of_fsck_are_understood() {
        let path = Path::new("/sbin/fsck.x");
        assert_eq!(judge(path, Some(0)), Outcome::Good);
        assert_eq!(judge(path, Some(1)), Outcome::Repaired);
        assert_eq!((judge(path, Some(2)), judge(path, Some(3))), (Outcome::Reboot, Outcome::Reboot));
        for code in [4, 5, 8, 12, 16, 32, 128] {
            assert!(matches!(judge(path, Some(code)), Outcome::Bad(_)), "{code}");
        }
        assert!(matches!(judge(path, None), Outcome::Bad(_)));
    }

    #[test]
    fn no_name_leads_out_of_the_folders() {
        assert_eq!(installed("fsck", "../../etc"), None);
        assert_eq!(installed("fsck", ""), None);
        assert_eq!(installed("fsck", "no-such-kind"), None);
    }
}
