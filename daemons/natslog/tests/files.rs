//! Files with a budget, read by other programs.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::{Stage, configuration, soon};
use rustix::process::Signal;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

fn settings(stage_folder: &str, more: &str) -> String {
    format!("[files]\ndirectory = \"{stage_folder}\"\n{more}\n")
}

/// A natslog with files.
fn start(more: &str) -> (Stage, PathBuf) {
    let mut stage = Stage::start("");
    let directory = stage.folder.join("kept");
    let config = configuration(stage.folder.path(), &settings(directory.to_str().unwrap(), more));
    stage.natslog.end(soon()).unwrap();
    stage.natslog = stage.server.daemon("natslog", &["--config", config.to_str().unwrap()]).unwrap();
    (stage, directory)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The text of all files, the oldest first, as `zcat -f` has it.
fn text(directory: &Path) -> String {
    let files = names(directory).into_iter().map(|name| directory.join(name));
    let output = Command::new("zcat").arg("-f").args(files).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn numbers(text: &str) -> Vec<u32> {
    text.lines().map(|line| line.rsplit_once(": ").unwrap().1.trim_start_matches('x').parse().unwrap()).collect()
}

#[test]
fn a_line_is_in_a_file_after_a_while_and_all_of_them_at_the_end() {
    let (mut stage, directory) = start("compress = false\nflush_after_s = 1");
    stage.send("<13>app: 1");
    let deadline = soon();
    while !names(&directory)
        .first()
        .is_some_and(|name| std::fs::read_to_string(directory.join(name)).unwrap().ends_with("1\n"))
    {
        assert!(deadline.left().is_some(), "no line in a file");
    }
    let path = directory.join("lunix-00000001.log");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o640);
    let line = std::fs::read_to_string(&path).unwrap();
    let expected = format!("user-{} user.notice app[{}]: 1\n", rustix::process::getuid().as_raw(), std::process::id());
    assert!(line.ends_with(&expected), "{line}");
    stage.send("<13>app: 2");
    stage.line("2");
    stage.natslog.signal(Signal::TERM).unwrap();
    assert!(stage.natslog.exit(soon()).unwrap().success());
    assert_eq!(numbers(&text(&directory)), [1, 2]);
}

#[test]
fn compressed_files_are_read_by_zcat_and_stay_within_their_budget() {
    let (mut stage, directory) = start("bytes_max = 65536");
    let mut rng = testkit::rng::Rng::printed("files");
    for number in 0..3000 {
        // Text that does not compress well.
        let noise: String = (0..60).map(|_| format!("{:x}", rng.below(16))).collect();
        stage.send(&format!("<13>{noise}: {number}"));
    }
    stage.line("2999");
    stage.natslog.signal(Signal::TERM).unwrap();
    assert!(stage.natslog.exit(soon()).unwrap().success());
    let sizes = names(&directory).into_iter().map(|name| std::fs::metadata(directory.join(name)).unwrap().len());
    assert!(sizes.sum::<u64>() <= 65_536);
    let kept = numbers(&text(&directory));
    let first = *kept.first().unwrap();
    assert_eq!(kept, (first..3000).collect::<Vec<_>>());
    assert!(first > 0 && kept.len() > 400, "{}", kept.len());
}

#[test]
fn what_was_written_before_a_kill_is_whole_and_the_next_start_goes_on() {
    let (mut stage, directory) = start("flush_after_s = 1");
    stage.send("<13>app: 1");
    let deadline = soon();
    while names(&directory).is_empty() || text(&directory).is_empty() {
        assert!(deadline.left().is_some(), "no line in a file");
    }
    stage.natslog.signal(Signal::KILL).unwrap();
    stage.natslog.exit(soon()).unwrap();
    let config = stage.folder.join("natslog.toml");
    stage.natslog = stage.server.daemon("natslog", &["--config", config.to_str().unwrap()]).unwrap();
    stage.send("<13>app: 2");
    stage.line("2");
    stage.natslog.signal(Signal::TERM).unwrap();
    assert!(stage.natslog.exit(soon()).unwrap().success());
    assert_eq!(names(&directory), ["lunix-00000001.log.gz", "lunix-00000002.log.gz"]);
    assert_eq!(numbers(&text(&directory)), [1, 2]);
}
