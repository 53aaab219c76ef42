//! Configuration in several folders: of files of one name the first folder's counts, and all of them are read in the order of their names
//! (`man 5 sysctl.d`, CONFIGURATION DIRECTORIES AND PRECEDENCE).

use crate::Job;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The folders, the one that counts most first.
const PLACES: [&str; 5] = ["/etc", "/run", "/usr/local/lib", "/usr/lib", "/lib"];
/// Most files read.
const FILES_MAX: usize = 1024;

/// The files `*.conf` of the folders `name`, in order. A link to /dev/null, or an empty file, hides those of its name.
#[must_use]
pub fn files(job: &Job, name: &str) -> Vec<PathBuf> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    for place in PLACES {
        let folder = job.path(&format!("{place}/{name}"));
        // A folder that is not there has no files.
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let file = entry.file_name().to_string_lossy().into_owned();
            if file.ends_with(".conf") && found.len() < FILES_MAX {
                found.entry(file).or_insert_with(|| entry.path());
            }
        }
    }
    found.into_values().filter(|path| !is_hidden(path)).collect()
}

fn is_hidden(path: &Path) -> bool {
    std::fs::read_link(path).is_ok_and(|target| target == Path::new("/dev/null"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::TempDir;

    #[test]
    fn the_first_folder_counts_and_names_order() {
        let root = TempDir::new("folders").unwrap();
        for (path, text) in [
            ("etc/x.d/20.conf", "etc"),
            ("usr/lib/x.d/20.conf", "usr"),
            ("usr/lib/x.d/10.conf", "usr"),
            ("run/x.d/30.conf", "run"),
            ("run/x.d/README", "no"),
            ("usr/lib/x.d/40.conf", "hidden"),
        ] {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        std::os::unix::fs::symlink("/dev/null", root.join("etc/x.d/40.conf")).unwrap();
        let mut job = Job::new();
        job.set_root(root.path().to_str());
        let shown: Vec<String> = files(&job, "x.d")
            .iter()
            .map(|path| path.strip_prefix(root.path()).unwrap().display().to_string())
            .collect();
        assert_eq!(shown, ["usr/lib/x.d/10.conf", "etc/x.d/20.conf", "run/x.d/30.conf"]);
        assert!(files(&job, "y.d").is_empty());
    }
}
