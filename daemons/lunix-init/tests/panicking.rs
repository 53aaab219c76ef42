//! A panic, one within another, and a stack that runs over take the way of every crash: the state is there afterwards.
//!
//! lunix-init itself has nothing that could be made to panic from outside, so this test does it in its place: it begins as lunix-init does and crashes.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout, reason = "a test")]

use lunix_init::console::Console;
use lunix_init::options::{self, Options, Wish};
use lunix_init::survival::file::Place;
use lunix_init::survival::record::{HELD, HeldRecord};
use lunix_init::survival::takeover::begin;
use std::ffi::OsString;
use std::process::Command;

#[test]
fn the_state_is_there_after_a_mistake_of_our_own() {
    if let Ok(case) = std::env::var("MISTAKE") {
        return child(&case);
    }
    for (case, signal) in [("panic", 6), ("double panic", 6), ("overflow", 11), ("index", 6), ("abort", 6)] {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["the_state_is_there", "--nocapture", "--test-threads=1", "--"]);
        let output = command.env("MISTAKE", case).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout);
        let expected = format!("back from Some({signal}) with kept by the panicking one");
        assert!(output.status.success() && text.contains(&expected), "{case}: {output:?}");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(errors.contains("and goes on (crashes_in_60_s=1)"), "{case}: {errors}");
        assert_eq!(
            errors.contains("lunix-init: error: panicked at"),
            signal == 6 && case != "abort",
            "{case}: {errors}"
        );
    }
}

fn child(case: &str) {
    let words = std::env::args_os().skip_while(|word| word != "--").skip(1);
    let mut begun = begin(&as_options(words), false, &mut Console::default());
    if let Some(inherited) = begun.inherited {
        let (_, record) = inherited.kept.held.first().unwrap();
        println!("back from {:?} with {}", inherited.crashed, record.name);
        return;
    }
    let file = begun.file.as_mut().unwrap();
    let record = HeldRecord { id: 1, fd: 1000, listens: None, name: "kept by the panicking one".into() };
    file.write(Place::Held(0), HELD, &record.encode().unwrap()).unwrap();
    match case {
        "overflow" => println!("{}", deeper(0)),
        "abort" => std::process::abort(),
        "index" => println!("{}", [1_u8][std::hint::black_box(1)]),
        "panic" => panic!("a mistake"),
        _ => {
            let _worse = Worse;
            panic!("a mistake");
        }
    }
}

fn as_options(words: impl Iterator<Item = OsString>) -> Options {
    match options::parse(words, false) {
        Ok(Wish::Run(options)) => options,
        other => panic!("{other:?}"),
    }
}

struct Worse;

impl Drop for Worse {
    fn drop(&mut self) {
        panic!("a worse one");
    }
}

#[expect(unconditional_recursion, reason = "what is under test")]
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 512]);
    deeper(depth + 1) + room.iter().sum::<u64>()
}
