//! How much memory the server may hold for its clients when nobody says so.

use std::fs;
use std::path::{Path, PathBuf};

/// Never less than this, or a message of the default size could not pass.
const LEAST: usize = 4 << 20;

/// One eighth of the machine's memory, or of the control group's limit if that is less.
pub(super) fn ceiling() -> usize {
    let machine = fs::read_to_string("/proc/meminfo").ok().and_then(|text| mem_total(&text));
    let groups = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let total = machine.into_iter().chain(group_limit(Path::new("/sys/fs/cgroup"), &groups)).min();
    (total.unwrap_or(64 << 20) / 8).max(LEAST)
}

/// MemTotal in bytes.
fn mem_total(text: &str) -> Option<usize> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<usize>().ok()?.checked_mul(1024)
}

/// The least limit of our control group and of those it is in (`man 7 cgroups`). `groups`: the text of `/proc/self/cgroup`. A path that is
/// not there, as seen from inside a container, is skipped; the root of what is visible is always looked at.
fn group_limit(root: &Path, groups: &str) -> Option<usize> {
    groups
        .lines()
        .filter_map(|line| group_of(root, line))
        .flat_map(|(folder, file)| limits_up(root, folder, file))
        .min()
}

/// The folder and the limit's file of one line: version 2, or version 1's memory controller.
fn group_of(root: &Path, line: &str) -> Option<(PathBuf, &'static str)> {
    let (_, rest) = line.split_once(':')?;
    let (controllers, path) = rest.split_once(':')?;
    let path = path.trim_start_matches('/');
    if controllers.is_empty() {
        return Some((root.join(path), "memory.max"));
    }
    let is_memory = controllers.split(',').any(|controller| controller == "memory");
    is_memory.then(|| (root.join("memory").join(path), "memory.limit_in_bytes"))
}

fn limits_up(root: &Path, folder: PathBuf, file: &'static str) -> impl Iterator<Item = usize> {
    let folders: Vec<PathBuf> =
        folder.ancestors().take_while(|folder| folder.starts_with(root)).map(Path::to_path_buf).collect();
    // "max" is no number, and no limit.
    folders.into_iter().filter_map(move |folder| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machine_s_memory_is_read() {
        assert_eq!(mem_total("MemFree: 1 kB\nMemTotal:       65536 kB\n"), Some(64 << 20));
        assert_eq!(mem_total("MemTotal: many\n"), None);
        assert!(ceiling() >= LEAST);
    }

    #[test]
    fn the_least_limit_on_the_way_up_counts() {
        let root = testkit::TempDir::new("cgroup").unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("a/memory.max", "1000000\n");
        write("a/b/memory.max", "max\n");
        write("a/b/c/memory.max", "2000000\n");
        write("memory/x/memory.limit_in_bytes", "3000000\n");
        let limit = |groups: &str| group_limit(root.path(), groups);
        assert_eq!(limit("0::/a/b/c\n"), Some(1_000_000));
        assert_eq!(limit("0::/nowhere/else\n"), None);
        assert_eq!(limit("5:cpu:/a\n4:memory,hugetlb:/x/y\n0::/\n"), Some(3_000_000));
        assert_eq!(limit(""), None);
    }
}
