//! `sysctl`: settings of the kernel (`man 5 sysctl.d`).

pub mod line;
pub mod pattern;

use crate::{Job, folders};
use line::Setting;
use program::{Fatal, exit};
use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// A setting with the file that it stands in.
struct Placed {
    file: PathBuf,
    setting: Setting,
    path: String,
}

/// Applies sysctl.d and /etc/sysctl.conf, in that order.
///
/// # Errors
/// When nobody takes what `--check` prints.
pub fn run(job: &Job) -> Result<u8, Fatal> {
    let mut worst = exit::OK;
    let mut all: Vec<Placed> = Vec::new();
    for file in folders::files(job, "sysctl.d").into_iter().chain([job.path("/etc/sysctl.conf")]) {
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => {
                job.error(format_args!("cannot read {}: {error}", file.display()));
                worst = exit::SYSTEM;
                continue;
            }
        };
        for one in line::read(&text) {
            let placed = one.and_then(|setting| {
                let path = pattern::path(&setting.key).ok_or((setting.line, "expected the name of a setting"))?;
                Ok(Placed { file: file.clone(), path, setting })
            });
            match placed {
                Ok(placed) => all.push(placed),
                Err((line, sentence)) => {
                    job.error(format_args!("{}:{line}: {sentence}", file.display()));
                    worst = worst.max(exit::CONFIG);
                }
            }
        }
    }
    let base = job.path("/proc/sys");
    let explicit: BTreeSet<&str> =
        all.iter().filter(|one| !pattern::is_pattern(&one.path)).map(|one| one.path.as_str()).collect();
    for one in &all {
        let Some(value) = &one.setting.value else { continue };
        let keys = if pattern::is_pattern(&one.path) {
            pattern::expand(&base, &one.path).into_iter().filter(|key| !explicit.contains(key.as_str())).collect()
        } else {
            vec![one.path.clone()]
        };
        for key in keys {
            if job.check {
                job.print(format_args!("{key} = {}", String::from_utf8_lossy(value)))?;
            } else if !write(job, &base.join(&key), value, one) {
                worst = worst.max(exit::SYSTEM);
            }
        }
    }
    Ok(worst)
}

/// Writes one setting; false when that failed and matters.
fn write(job: &Job, path: &Path, value: &[u8], one: &Placed) -> bool {
    // Never made: what is not there is no setting of this kernel.
    let file = std::fs::OpenOptions::new().write(true).open(path);
    let result = file.and_then(|mut file| io::Write::write_all(&mut file, &[value, b"\n"].concat()));
    let Err(error) = result else { return true };
    let sentence = format!("{}:{}: cannot set {}: {error}", one.file.display(), one.setting.line, one.setting.key);
    if one.setting.may_fail || error.kind() == io::ErrorKind::NotFound {
        job.warn(format_args!("{sentence}"));
        return true;
    }
    job.error(format_args!("{sentence}"));
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use testkit::TempDir;

    fn tree(files: &[(&str, &str)]) -> (TempDir, Job) {
        let root = TempDir::new("sysctl").unwrap();
        for (path, text) in files {
            let path = root.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut job = Job::new();
        job.set_root(root.path().to_str());
        (root, job)
    }

    #[test]
    fn later_files_and_named_keys_win() {
        let (root, job) = tree(&[
            (
                "usr/lib/sysctl.d/10-a.conf",
                "net.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\nkernel.x=1\nvm.no=1\n",
            ),
            ("etc/sysctl.d/20-b.conf", "net/ipv4/conf/eth0.1/rp_filter=9\nkernel.x = 3\n-kernel.gone=5\n"),
            ("etc/sysctl.conf", "kernel.y=from the end\n"),
            ("proc/sys/net/ipv4/conf/all/rp_filter", "0"),
            ("proc/sys/net/ipv4/conf/eth0/rp_filter", "0"),
            ("proc/sys/net/ipv4/conf/eth0.1/rp_filter", "0"),
            ("proc/sys/kernel/x", "0"),
            ("proc/sys/kernel/y", ""),
        ]);
        assert_eq!(run(&job).unwrap(), exit::OK);
        let read = |path: &str| std::fs::read_to_string(root.join("proc/sys").join(path)).unwrap();
        assert_eq!(read("net/ipv4/conf/all/rp_filter"), "0");
        assert_eq!(read("net/ipv4/conf/eth0/rp_filter"), "2\n");
        assert_eq!(read("net/ipv4/conf/eth0.1/rp_filter"), "9\n");
        assert_eq!((read("kernel/x"), read("kernel/y")), ("3\n".to_owned(), "from the end\n".to_owned()));
        assert!(!root.join("proc/sys/vm/no").exists());
    }

    #[test]
    fn what_is_wrong_does_not_keep_the_rest_from_being_set() {
        let (root, job) = tree(&[
            ("etc/sysctl.conf", "nonsense\n../../etc/x=1\nkernel.x=1\nkernel.folder=1\n"),
            ("proc/sys/kernel/x", ""),
            ("proc/sys/kernel/folder/y", ""),
        ]);
        assert_eq!(run(&job).unwrap(), exit::CONFIG);
        assert_eq!(std::fs::read_to_string(root.join("proc/sys/kernel/x")).unwrap(), "1\n");
        let (_root, job) = tree(&[("etc/sysctl.conf", "kernel.folder=1\n"), ("proc/sys/kernel/folder/y", "")]);
        assert_eq!(run(&job).unwrap(), exit::SYSTEM);
    }
}
