//! The links by which a path is reached: each of them may be swapped.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// As many links as the kernel follows.
const LINKS_MAX: usize = 40;
/// Most names of a path, links within links included.
const NAMES_MAX: usize = 256;

/// The directories that hold the links by which `path` is reached, and the name that matters in each, so that the swap of any of them is seen.
/// The last is that of the thing itself; where something is missing, the place where it should appear.
#[must_use]
pub fn steps_to(path: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut steps = Vec::new();
    let mut at = if path.is_absolute() { PathBuf::from("/") } else { PathBuf::from(".") };
    // What is still to be walked, the next name last.
    let mut ahead: Vec<OsString> = names_of(path);
    let mut links = 0;
    for _ in 0..NAMES_MAX {
        let Some(name) = ahead.pop() else { return steps };
        let next = at.join(&name);
        match std::fs::read_link(&next) {
            Ok(target) if links < LINKS_MAX => {
                links += 1;
                steps.push((at.clone(), name.as_bytes().to_vec()));
                if target.is_absolute() {
                    at = PathBuf::from("/");
                }
                ahead.extend(names_of(&target));
            }
            Ok(_) => return steps,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                steps.push((at, name.as_bytes().to_vec()));
                return steps;
            }
            Err(_) => {
                if ahead.is_empty() {
                    steps.push((at.clone(), name.as_bytes().to_vec()));
                }
                at = if name == OsStr::new("..") { parent_of(&at) } else { next };
            }
        }
    }
    steps
}

/// The names of a path, the first of them last.
fn names_of(path: &Path) -> Vec<OsString> {
    let names = path.components().filter_map(|component| match component {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    let mut names: Vec<OsString> = names.collect();
    names.reverse();
    names
}

/// No component of `at` is a link, but a path relative to the working directory may have to leave it.
fn parent_of(at: &Path) -> PathBuf {
    match at.parent() {
        Some(parent) if at.file_name().is_some() && parent != Path::new("") => parent.to_path_buf(),
        Some(_) if at.file_name().is_some() => PathBuf::from("."),
        Some(_) | None if at.has_root() => PathBuf::from("/"),
        Some(_) | None => at.join(".."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_link_of_the_path_is_a_step_also_in_its_middle() {
        let home = std::env::temp_dir().join(format!("lunix-init-chain-{}", std::process::id()));
        std::fs::create_dir_all(home.join("store/gen1/services")).unwrap();
        std::fs::create_dir_all(home.join("etc")).unwrap();
        symlink("../profile/services", home.join("etc/services")).unwrap();
        symlink(home.join("system-1"), home.join("profile")).unwrap();
        symlink("store/gen1", home.join("system-1")).unwrap();
        let steps = steps_to(&home.join("etc/services"));
        let missing = steps_to(&home.join("profile/no/such"));
        symlink("turn", home.join("turn")).unwrap();
        let turning = steps_to(&home.join("turn"));
        std::fs::remove_dir_all(&home).unwrap();
        let named = |parent: &str, name: &str| (home.join(parent), name.as_bytes().to_vec());
        let links = [named("etc", "services"), named("", "profile"), named("", "system-1")];
        let shown: Vec<(PathBuf, Vec<u8>)> = links.into_iter().chain([named("store/gen1", "services")]).collect();
        assert_eq!(steps, shown);
        assert_eq!(missing.last(), Some(&named("store/gen1", "no")));
        assert_eq!(turning.len(), LINKS_MAX);
        assert_eq!(steps_to(Path::new("services"))[0].0, Path::new("."));
    }
}
