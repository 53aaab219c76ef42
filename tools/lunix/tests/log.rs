//! `lunix log` with a real natslog.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::{Bed, Ended, lunix, soon};
use std::os::unix::net::UnixDatagram;
use testkit::process::{Process, binary};

/// A bus with natslog, whose socket is `log` in the folder; `None`, with a note, where it is not built.
fn start(test: &str, bed: &Bed) -> Option<Process> {
    let Ok(program) = binary("natslog") else {
        testkit::skip::note(test, "natslog is not built");
        return None;
    };
    let config = bed.folder.join("natslog.toml");
    let socket = bed.folder.join("log").display().to_string();
    std::fs::write(&config, format!("unix = [\"dgram:{socket}\"]\nkmsg = \"\"\nlines_per_s = 0\n")).unwrap();
    let words = ["--url", &bed.url, "--config", config.to_str().unwrap(), "--ready-fd", "3"];
    let mut natslog = Process::spawn_notifying("natslog", program, &words, &[]).unwrap();
    natslog.ready(soon()).unwrap();
    Some(natslog)
}

fn send(bed: &Bed, text: &str) {
    UnixDatagram::unbound().unwrap().send_to(text.as_bytes(), bed.folder.join("log")).unwrap();
}

/// What `lunix log` prints, without the times.
fn printed(bed: &Bed, words: &[&str]) -> Vec<String> {
    let ended = Ended::from(lunix(&[&["log", "--url", &bed.url], words].concat()).output().unwrap());
    assert_eq!(ended.code, Some(0), "{}", ended.err);
    ended.out.lines().map(|line| line.split_once(' ').unwrap().1.to_owned()).collect()
}

#[test]
fn the_newest_lines_are_printed_filtered_and_counted() {
    let name = "the_newest_lines_are_printed_filtered_and_counted";
    let Some(bed) = Bed::start(name) else { return };
    let Some(_natslog) = start(name, &bed) else { return };
    for text in ["<14>a: one", "<11>b: two\nlines", "<14>b: three"] {
        send(&bed, text);
    }
    // Commands of the bus come after what was sent before, once it is read.
    let deadline = soon();
    while printed(&bed, &[]).len() < 3 {
        assert!(deadline.left().is_some(), "three lines");
    }
    let (uid, pid) = (rustix::process::getuid().as_raw(), std::process::id());
    let line =
        |severity: &str, text: &str| format!("user-{uid} {severity} {}", text.replace(':', &format!("[{pid}]:")));
    assert_eq!(printed(&bed, &["-n", "2"]), [line("err", "b: two\\nlines"), line("info", "b: three")]);
    assert_eq!(printed(&bed, &["--program", "b", "--severity", "info", "--count", "1"]), [line("info", "b: three")]);
    assert_eq!(printed(&bed, &["-p", "warning"]), [line("err", "b: two\\nlines")]);
    // Page by page.
    assert_eq!(printed(&bed, &["--since", "0", "-n", "1"]).len(), 3);
    bed.run(&["log", "--severity", "bad"]).refuses(64, "expected one of emerg");
    bed.run(&["log", "--count", "0"]).refuses(64, "expected 1 to 1000");
}

#[test]
fn following_goes_on_without_a_hole_over_an_absence_of_the_bus() {
    let name = "following_goes_on_without_a_hole_over_an_absence_of_the_bus";
    let Some(mut bed) = Bed::start(name) else { return };
    let Some(mut natslog) = start(name, &bed) else { return };
    send(&bed, "<13>before");
    let mut log = bed.spawn(&["log", "--follow"]);
    log.line(soon(), "before").unwrap();
    send(&bed, "<13>live");
    log.line(soon(), "live").unwrap();
    bed.down();
    natslog.line(soon(), "is away").unwrap();
    for number in 0..50 {
        send(&bed, &format!("<13>meanwhile {number}"));
    }
    bed.up();
    log.line(soon(), "meanwhile 49").unwrap();
    let text = log.printed();
    let numbers: Vec<&str> = text.lines().filter_map(|line| line.split("meanwhile ").nth(1)).collect();
    assert_eq!(numbers, (0..50).map(|number| number.to_string()).collect::<Vec<_>>());
}
