//! Which service an argument means.

use std::path::{Path, PathBuf};

/// Where runit looks for services, and where lunix-init has them.
const FOLDERS: [&str; 3] = ["/var/service", "/service", "/etc/lunix/services"];

/// The name of the service that a path to its directory stands for: its last part, with the part before when that is a `log`.
#[must_use]
pub fn name_of(argument: &str) -> String {
    let path = Path::new(argument);
    let absolute = if argument.starts_with('.') { std::fs::canonicalize(path).ok() } else { None };
    let path = absolute.as_deref().unwrap_or(path);
    let part = |path: &Path| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let (last, before) = (part(path), path.parent().map(part).unwrap_or_default());
    if last == "log" && !before.is_empty() { format!("{before}/{last}") } else { last }
}

/// The directory of a service, for the program `check` in it: by its path, below SVDIR, or where services usually are.
#[must_use]
pub fn folder_of(argument: &str) -> Option<PathBuf> {
    if argument.contains('/') && Path::new(argument).is_dir() {
        return Some(argument.into());
    }
    let own = std::env::var_os("SVDIR").map(PathBuf::from);
    let folders = own.into_iter().chain(FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(argument)).find(|folder| folder.is_dir())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stands_for_a_name() {
        assert_eq!((name_of("a"), name_of("/x/a//"), name_of("a/log")), ("a".into(), "a".into(), "a/log".into()));
        assert_eq!((name_of("log"), name_of("")), ("log".into(), String::new()));
        assert_eq!(name_of("/run/service/getty@tty1"), "getty@tty1");
    }
}
