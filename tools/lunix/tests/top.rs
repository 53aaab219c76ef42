//! `lunix top` on a terminal of the test's own, against a real lunix-init.
#![expect(clippy::unwrap_used, reason = "a test")]
#![allow(dead_code, reason = "each test file uses a part of the common ones")]

mod common;

use common::init::Init;
use common::soon;
use rustix::process::{Pid, Signal, kill_process};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, Winsize, tcgetattr, tcsetwinsize};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

/// A terminal with a program on it.
struct Terminal {
    keyboard: File,
    /// The other side, open so that it stays when the program ends.
    side: File,
    /// Everything that was written to the screen since it was last cleared here.
    written: Arc<Mutex<String>>,
    child: Child,
}

impl Terminal {
    fn start(rows: u16, columns: u16, arguments: &[&str]) -> Self {
        let keyboard = File::from(openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap());
        grantpt(&keyboard).unwrap();
        unlockpt(&keyboard).unwrap();
        let path = ptsname(&keyboard, Vec::new()).unwrap().into_string().unwrap();
        let side = File::options().read(true).write(true).open(path).unwrap();
        resize(&keyboard, rows, columns);
        let of_child = || Stdio::from(side.try_clone().unwrap());
        let mut command = Command::new(env!("CARGO_BIN_EXE_lunix"));
        let child = command.args(arguments).stdin(of_child()).stdout(of_child()).spawn().unwrap();
        let written = Arc::new(Mutex::new(String::new()));
        let (mut screen, into) = (keyboard.try_clone().unwrap(), Arc::clone(&written));
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(length @ 1..) = screen.read(&mut buffer) {
                into.lock().unwrap().push_str(&String::from_utf8_lossy(buffer.get(..length).unwrap_or_default()));
            }
        });
        Self { keyboard, side, written, child }
    }

    /// The last complete screen, as lines without their codes.
    fn screen(&self) -> Vec<String> {
        let written = self.written.lock().unwrap().clone();
        let Some((complete, _)) = written.rsplit_once("\x1b[J") else { return Vec::new() };
        let last = complete.rsplit_once("\x1b[H").map_or(complete, |(_, last)| last);
        let plain = ["\x1b[K", "\x1b[7m", "\x1b[0m"].iter().fold(last.to_owned(), |text, code| text.replace(code, ""));
        plain.split('\n').map(|line| line.trim_end_matches('\r').to_owned()).collect()
    }

    /// Waits until the screen is as asked.
    fn until(&self, what: &str, is: impl Fn(&[String]) -> bool) -> Vec<String> {
        let end = soon();
        loop {
            let screen = self.screen();
            if is(&screen) {
                return screen;
            }
            assert!(end.left().is_some(), "{what}: {screen:#?}");
            std::thread::yield_now();
        }
    }

    fn press(&mut self, keys: &str) {
        self.keyboard.write_all(keys.as_bytes()).unwrap();
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap(), signal).unwrap();
    }

    fn is_raw(&self) -> bool {
        !tcgetattr(&self.side).unwrap().local_modes.contains(LocalModes::ICANON)
    }

    /// Waits for the end, and that the terminal is given back.
    fn ends(mut self, code: i32) {
        assert_eq!(self.child.wait().unwrap().code(), Some(code));
        assert!(!self.is_raw());
        let end = soon();
        while !self.written.lock().unwrap().trim_end().ends_with("\x1b[?25h") {
            assert!(end.left().is_some(), "the cursor stays hidden");
            std::thread::yield_now();
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // One that a failed test leaves; usually it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn resize(terminal: &File, rows: u16, columns: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

fn line<'a>(screen: &'a [String], name: &str) -> &'a str {
    screen.iter().find(|line| line.starts_with(name)).map_or("", String::as_str)
}

#[test]
fn it_shows_what_happens_when_it_happens_and_gives_the_terminal_back() {
    let Some(init) = Init::start("it_shows_what_happens_when_it_happens") else { return };
    let control = init.control();
    // So long an interval that nothing but events can be the cause of what is seen.
    let mut top = Terminal::start(24, 80, &["top", "--interval", "60m", "--control", &control]);
    let screen = top.until("the service", |screen| line(screen, "talker").contains(" ready "));
    assert!(top.is_raw());
    assert!(screen.len() == 24 && screen.iter().all(|line| line.chars().count() < 80), "{screen:#?}");
    assert!(screen.first().unwrap().starts_with("1 services: 1 up, 0 down, 0 broken"), "{screen:#?}");
    assert!(screen.get(1).unwrap().starts_with("NAME     STATE     SINCE  CPU%"), "{screen:#?}");
    assert_eq!(init.run(&["service", "stop", "talker"]).code, Some(0));
    top.until("its end", |screen| line(screen, "talker").contains(" down "));
    top.press("s");
    top.until("another order", |screen| screen.first().is_some_and(|line| line.ends_with("by cpu")));
    resize(&top.keyboard, 10, 40);
    top.signal(Signal::WINCH);
    let small = top.until("a smaller screen", |screen| screen.len() == 10);
    assert!(small.iter().all(|line| line.chars().count() < 40), "{small:#?}");
    top.press("q");
    top.ends(0);
}

#[test]
fn a_signal_ends_it_in_order_and_a_lost_lunix_init_is_told() {
    let Some(mut init) = Init::start("a_signal_ends_it_in_order") else { return };
    let top = Terminal::start(24, 80, &["top", "--interval", "100ms", "--control", &init.control()]);
    top.until("the service", |screen| line(screen, "talker").contains(" ready "));
    init.end();
    top.until("the loss", |screen| screen.last().is_some_and(|line| line.starts_with("lunix-init does not answer")));
    top.signal(Signal::TERM);
    top.ends(0);
}

#[test]
fn without_a_terminal_there_is_one_table() {
    let Some(init) = Init::start("without_a_terminal_there_is_one_table") else { return };
    let table = init.run(&["top", "--once", "--sort", "memory"]);
    assert!(table.out.starts_with("NAME     STATE") && table.out.contains("\ntalker   ready "), "{table:?}");
    init.run(&["top"]).refuses(64, "this is not a terminal: --once prints one table");
    init.run(&["top", "--sort", "weight"]).refuses(64, "--sort 'weight': expected name, cpu");
    init.run(&["top", "--interval", "soon"]).refuses(64, "--interval 'soon': expected a time");
}
