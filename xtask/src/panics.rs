//! No panic path in PID 1: the program as it ships is taken apart, and every call into the panic machinery that stems from our own code must be
//! on a list, with the reason why it cannot come to it.
//!
//! Which code a call stems from, the line tables tell: of the functions that were inlined at that place, those of the standard library that only
//! hand a panic to their caller (`unwrap`, indexing, formatting of numbers) are passed over, and the first that is left is the one. What collections
//! and dependencies assert of themselves is theirs. Memory that is not to be had is no panic: it takes the way of a crash, and so would one.

use crate::failure::{Context, Failure, Result, expect_success};
use crate::need::{self, Need};
use crate::project::{self, TARGET};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Calls that are known, a line each: where (a part of the path of any function that was inlined there, or of the name of the one it is in), what is
/// called, why that cannot be.
const LIST: &str = include_str!("panics.list");

const NEEDS: &[Need] = &[
    Need::rust_target(TARGET, "static programs"),
    Need::apt_program("binutils", "objdump", "taking programs apart"),
    Need::apt_program("binutils", "addr2line", "taking programs apart"),
];

/// Functions that end in a panic, by the beginning of their names.
const PANICS: [&str; 10] = [
    "core::panicking::panic",
    "core::panicking::assert",
    "core::panicking::unreachable",
    "core::option::expect_failed",
    "core::option::unwrap_failed",
    "core::result::unwrap_failed",
    "core::slice::index::slice_",
    "core::str::slice_error_fail",
    "core::cell::panic",
    "std::panicking::begin_panic",
];
/// And by a part of them.
const PANICS_WITHIN: [&str; 2] = ["len_mismatch_fail", "::assert_failed"];
/// What is called where something is dropped during a panic.
const IN_A_PANIC: &str = "core::panicking::panic_in_cleanup";

/// Files of the standard library, by the beginning of their paths in it, whose functions panic on behalf of their callers.
const ON_BEHALF: [&str; 18] = [
    "core/src/option.rs",
    "core/src/result.rs",
    "core/src/cell",
    "core/src/time.rs",
    "core/src/ops/",
    "core/src/str/",
    "core/src/array/",
    "core/src/num/",
    "core/src/slice/mod.rs",
    "core/src/slice/index.rs",
    "core/src/slice/iter",
    "core/src/iter/",
    "core/src/panic",
    "alloc/src/vec/",
    "alloc/src/string.rs",
    "alloc/src/str.rs",
    "alloc/src/slice.rs",
    "alloc/src/raw_vec",
];

/// A call into the panic machinery.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Call {
    address: u64,
    /// The function it is in.
    within: String,
    /// What it calls.
    callee: String,
    /// File and line of each function that was inlined there, the innermost first.
    frames: Vec<String>,
}

/// Checks lunix-init as it ships.
pub fn check() -> Result<()> {
    need::satisfy(NEEDS)?;
    let folder = project::target().join("panics");
    let mut cargo = project::cargo();
    cargo.args(["build", "--release", "--target", TARGET, "--package", "lunix-init", "--bin", "lunix-init"]);
    cargo.arg("--target-dir").arg(&folder).env("CARGO_PROFILE_RELEASE_STRIP", "false");
    cargo.env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only");
    // Names in full; and calls that are alike stay apart, because what is merged stems from nowhere.
    cargo.env("RUSTFLAGS", "-Csymbol-mangling-version=v0 -Cllvm-args=-enable-tail-merge=0");
    expect_success("cargo build", cargo.status().context("cargo build")?)?;
    let program = folder.join(TARGET).join("release/lunix-init");
    let ours = [project::root().join("daemons/"), project::root().join("crates/")];
    let ours: Vec<String> = ours.iter().map(|path| path.display().to_string()).collect();
    judge(&calls(&program)?, &ours, LIST)
}

/// Fails with the calls that stem from `ours` and are not on the list, and with lines of the list that name none.
fn judge(calls: &[Call], ours: &[String], list: &str) -> Result<()> {
    let known: Vec<[&str; 2]> = list.lines().filter_map(known_call).collect();
    let found: Vec<&Call> = calls.iter().filter(|call| stems_from(call, ours).is_some()).collect();
    let names = |[place, callee]: &[&str; 2], call: &Call| {
        call.callee.contains(callee) && call.frames.iter().chain([&call.within]).any(|frame| frame.contains(place))
    };
    let mut bad: Vec<String> = Vec::new();
    for call in &found {
        if !known.iter().any(|one| names(one, call)) {
            let place = stems_from(call, ours).unwrap_or_default();
            bad.push(format!("{place}: calls {} (in {})", call.callee, call.within));
        }
    }
    for one in &known {
        if !found.iter().any(|call| names(one, call)) {
            bad.push(format!("panics.list: nothing calls {} at {} any more", one[1], one[0]));
        }
    }
    println!("{} calls into the panic machinery, {} of them of our own code", calls.len(), found.len());
    if bad.is_empty() { Ok(()) } else { Err(Failure::new(bad.join("\n"))) }
}

/// `place | callee | reason`; `#` begins a comment.
fn known_call(line: &str) -> Option<[&str; 2]> {
    let mut fields = line.split('|').map(str::trim);
    let (place, callee, reason) = (fields.next()?, fields.next()?, fields.next()?);
    (!place.starts_with('#') && !reason.is_empty()).then_some([place, callee])
}

/// The place in our code that a call stems from, if it does.
fn stems_from<'c>(call: &'c Call, ours: &[String]) -> Option<&'c str> {
    let is_behalf = |frame: &str| {
        let path = frame.split_once("/library/").map_or("", |(_, path)| path);
        ON_BEHALF.iter().any(|begin| path.starts_with(begin))
    };
    let first = call.frames.iter().find(|frame| !is_behalf(frame))?;
    ours.iter().any(|begin| first.starts_with(begin.as_str())).then_some(first)
}

/// All calls into the panic machinery in a program with symbols and line tables.
fn calls(program: &Path) -> Result<Vec<Call>> {
    let arguments = ["--disassemble", "--demangle", "--no-show-raw-insn"];
    let output = Command::new("objdump").args(arguments).arg(program).output().context("objdump")?;
    expect_success("objdump", output.status)?;
    let mut calls = find_calls(&String::from_utf8_lossy(&output.stdout));
    if calls.is_empty() {
        return Err(Failure::new(format!("{}: no panic machinery to be seen", program.display())));
    }
    let mut child = Command::new("addr2line")
        .args(["--addresses", "--inlines", "--exe"])
        .arg(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("addr2line")?;
    let questions: String = calls.iter().map(|call| format!("{:#x}\n", call.address)).collect();
    let mut input = child.stdin.take().ok_or_else(|| Failure::new("addr2line: no input"))?;
    let writer = std::thread::spawn(move || input.write_all(questions.as_bytes()));
    let output = child.wait_with_output().context("addr2line")?;
    expect_success("addr2line", output.status)?;
    drop(writer.join());
    add_frames(&mut calls, &String::from_utf8_lossy(&output.stdout));
    Ok(calls)
}

/// The calls in what objdump prints.
fn find_calls(text: &str) -> Vec<Call> {
    let mut calls = Vec::new();
    let mut within = "";
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(">:").and_then(|line| line.split_once(" <")).map(|(_, name)| name) {
            within = name;
            continue;
        }
        // `  1234:\tcall   5678 <name>`, or a jump in its place.
        let Some((address, instruction)) = line.trim_start().split_once(":\t") else { continue };
        let Some((operation, target)) = instruction.split_once(' ') else { continue };
        let is_call = operation == "call" || operation.starts_with('j');
        let target = target.trim().split_once(" <").and_then(|(_, name)| name.strip_suffix('>'));
        let (Some(callee), true, Ok(address)) = (target, is_call, u64::from_str_radix(address, 16)) else { continue };
        // A jump within the function itself has an offset; a function of the machinery calls others of it.
        if is_panic(callee) && !is_panic(within) {
            calls.push(Call { address, within: within.to_owned(), callee: callee.to_owned(), frames: Vec::new() });
        }
    }
    calls
}

fn is_panic(name: &str) -> bool {
    let is_one = PANICS.iter().any(|begin| name.starts_with(begin));
    (is_one || PANICS_WITHIN.iter().any(|part| name.contains(part))) && !name.starts_with(IN_A_PANIC)
}

/// Adds what addr2line prints: an address, then a line for each function.
fn add_frames(calls: &mut [Call], text: &str) {
    let mut current = None;
    for line in text.lines() {
        let address = line.strip_prefix("0x").and_then(|digits| u64::from_str_radix(digits, 16).ok());
        if let Some(address) = address {
            current = calls.iter().position(|call| call.address == address);
        } else if let Some(call) = current.and_then(|index| calls.get_mut(index)) {
            let place = line.split(" (discriminator").next().unwrap_or(line);
            call.frames.push(place.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles a program as lunix-init is compiled, and looks for calls that stem from it.
    fn found_in(name: &str, source: &str) -> Option<Vec<String>> {
        if !["objdump", "addr2line"].iter().all(|tool| Command::new(tool).arg("--version").output().is_ok()) {
            testkit::skip::note("panics", "binutils is not here");
            return None;
        }
        let folder = testkit::TempDir::new("panics").ok()?;
        let (file, program) = (folder.join(&format!("{name}.rs")), folder.join(name));
        std::fs::write(&file, source).ok()?;
        let flags = ["--edition=2024", "-Copt-level=s", "-Cpanic=abort", "-Cdebuginfo=line-tables-only"];
        let names = ["-Csymbol-mangling-version=v0", "-Cllvm-args=-enable-tail-merge=0"];
        let status = Command::new("rustc").args(flags).args(names).arg("-o").arg(&program).arg(&file).status();
        assert!(status.is_ok_and(|status| status.success()), "rustc");
        let ours = [folder.path().display().to_string()];
        let calls = calls(&program).ok()?;
        let found = calls.iter().filter_map(|call| Some(format!("{} {}", stems_from(call, &ours)?, call.callee)));
        let found: Vec<String> = found.collect();
        assert_eq!(judge(&calls, &ours, "").is_err(), !found.is_empty());
        let own = calls.iter().filter(|call| stems_from(call, &ours).is_some());
        let known: String = own.map(|call| format!("{name}.rs | {} | a test\n", call.callee)).collect();
        assert!(judge(&calls, &ours, &known).is_ok(), "a list of all calls lets them pass");
        assert!(judge(&calls, &ours, "nowhere | nothing | stale\n").is_err(), "a line that names nothing is told");
        Some(found)
    }

    #[test]
    fn a_program_that_may_panic_is_found_out() {
        let source = r#"
            fn main() {
                let words: Vec<String> = std::env::args().collect();
                let number: usize = words[1].parse().unwrap();
                let rest = &words[number..];
                let quotient = rest.len() / number;
                std::process::exit(i32::try_from(quotient).expect("small"));
            }
        "#;
        let Some(found) = found_in("sample", source) else { return };
        for (line, callee) in [
            (4, "panic_bounds_check"),
            (4, "unwrap_failed"),
            (5, "slice_"),
            (6, "panic_const_div_by_zero"),
            (7, "unwrap_failed"),
        ] {
            let place = format!("sample.rs:{line} ");
            assert!(
                found.iter().any(|one| one.contains(&place) && one.contains(callee)),
                "{line} {callee}: {found:#?}"
            );
        }
    }

    #[test]
    fn one_that_cannot_is_not_for_what_the_library_does_in_it() {
        let source = r#"
            use std::collections::BTreeMap;
            fn main() {
                let words: BTreeMap<String, usize> = std::env::args().zip(0..).collect();
                let last = words.values().max().copied().unwrap_or(0);
                std::process::exit(i32::try_from(last).unwrap_or(1));
            }
        "#;
        if let Some(found) = found_in("sample", source) {
            assert!(found.is_empty(), "{found:#?}");
        }
    }

    #[test]
    fn the_list_gives_reasons() {
        for line in LIST.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
            assert!(known_call(line).is_some(), "place | callee | reason: {line}");
        }
    }
}
