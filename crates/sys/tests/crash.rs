//! A program that crashes executes itself again: this very test does, in processes of its own.
//!
//! The one test below is the parent when it is started as usual, and a program that crashes, or one that came back, when CRASH says so.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::ffi::{CString, OsString};
use std::io::Write;
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use sys::crash::{self, Plan};

const TIMES_AT: u64 = 64;

#[test]
fn whatever_ends_it_the_program_comes_back() {
    if let Ok(case) = std::env::var("CRASH") {
        return child(&case);
    }
    let own = std::env::current_exe().unwrap();
    for (case, signal) in [
        ("overflow", libc::SIGSEGV),
        ("null", libc::SIGSEGV),
        ("beyond the end", libc::SIGBUS),
        ("abort", libc::SIGABRT),
        ("double panic", libc::SIGABRT),
        ("raise 4", libc::SIGILL),
        ("raise 5", libc::SIGTRAP),
        ("raise 7", libc::SIGBUS),
        ("raise 8", libc::SIGFPE),
        ("deleted", libc::SIGSEGV),
    ] {
        let (output, text) = run(&own, case);
        let expected = format!("came back after {signal:02}, crashes 1, a file is open");
        assert!(output.status.success() && text.contains(&expected), "{case}: {output:?}");
    }
    // When it cannot be executed, others are, with the same arguments; and then shells, without.
    let (_, text) = run(&own, "another program");
    assert!(text.contains("first second 11"), "{text}");
    let (_, text) = run(&own, "no program");
    assert!(text.contains(&format!("shell in {}", std::env::temp_dir().display())), "{text}");
    // It ends as any program where there is nothing else.
    let (output, _) = run(&own, "nothing at all");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&output.status), Some(libc::SIGSEGV), "{output:?}");
    // It does not go round for ever.
    let (_, text) = run(&own, "storm");
    assert_eq!(text.matches("came back").count(), crash::TIMES - 1, "{text}");
    assert!(text.contains("shell in "), "{text}");
}

fn run(own: &Path, case: &str) -> (Output, String) {
    let copy = std::env::temp_dir().join(format!("sys-crash-{}-{}", std::process::id(), case.len()));
    std::fs::copy(own, &copy).unwrap();
    let mut command = Command::new(&copy);
    command.args(["whatever_ends_it", "--nocapture", "--test-threads=1", "--"]);
    let output = command.env("CRASH", case).current_dir(std::env::temp_dir()).output().unwrap();
    let _ = std::fs::remove_file(copy);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output, text)
}

fn own_path() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn child(case: &str) {
    let (case, is_back) = case.strip_prefix("back: ").map_or((case, false), |case| (case, true));
    if is_back {
        let file = std::env::var("STATE").unwrap().parse().unwrap();
        let state = sys::descriptor::inherited(file).unwrap();
        let times = crash::times(std::os::fd::AsFd::as_fd(&state), TIMES_AT);
        let signal = std::env::args().next_back().unwrap();
        let open = rustix::fs::fstat(&state).is_ok_and(|stat| stat.st_size == 4096);
        let word = if open { "a file is open" } else { "the file is lost" };
        println!("came back after {signal}, crashes {}, {word}", crash::recent(times));
        if case != "storm" {
            return;
        }
        arm(case, state);
    } else {
        let state = rustix::fs::memfd_create("state", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
        rustix::fs::ftruncate(&state, 4096).unwrap();
        arm(case, state);
    }
    std::io::stdout().flush().unwrap();
    crash_by(case);
    panic!("{case} did not end it");
}

fn arm(case: &str, state: OwnedFd) {
    let own = own_path();
    let path = match case {
        "another program" | "no program" | "nothing at all" => Path::new("/dev/null"),
        _ => own.as_path(),
    };
    let program = std::fs::File::open(path).unwrap().into();
    let word = |text: &str| CString::new(text).unwrap();
    let mut arguments: Vec<CString> =
        std::env::args_os().take(5).map(|word| CString::new(OsString::into_vec(word)).unwrap()).collect();
    if case == "another program" {
        arguments = ["sh", "-c", "echo first second $0"].map(word).to_vec();
    }
    let others = if case == "another program" { vec![word("/bin/sh")] } else { Vec::new() };
    let shell = own.with_extension("sh");
    let mut shells = Vec::new();
    if matches!(case, "no program" | "storm") {
        std::fs::write(&shell, "#!/bin/sh\nrm -f \"$0\"\necho shell in $PWD\n").unwrap();
        std::fs::set_permissions(&shell, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        shells.push(word(&shell.display().to_string()));
    }
    let environment = [format!("CRASH=back: {case}"), format!("STATE={}", state.as_raw_fd()), "PATH=/bin".to_owned()];
    let environment = environment.iter().map(|text| word(text)).collect();
    let kept = state.try_clone().unwrap();
    // The next program finds it under this number.
    std::mem::forget(state);
    crash::keep_up_to(100);
    crash::arm(Plan { program, arguments, environment, times: Some((kept, TIMES_AT)), others, shells }).unwrap();
    if case == "deleted" {
        std::fs::remove_file(own).unwrap();
    }
}

fn crash_by(case: &str) {
    match case {
        "overflow" => println!("{}", deeper(0)),
        "null" => {
            // SAFETY: none: this is the mistake under test; the kernel answers it by a signal.
            unsafe { std::ptr::null_mut::<u8>().with_addr(8).write_volatile(1) };
        }
        "beyond the end" => {
            let file = rustix::fs::memfd_create("empty", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
            // SAFETY: a new mapping of a file without content, whose reading is answered by a signal: what is under test.
            unsafe {
                let (read, shared) = (libc::PROT_READ, libc::MAP_SHARED);
                let page = libc::mmap(std::ptr::null_mut(), 4096, read, shared, file.as_raw_fd(), 0);
                page.cast::<u8>().read_volatile();
            }
        }
        "abort" => std::process::abort(),
        "double panic" => {
            struct Worse;
            impl Drop for Worse {
                fn drop(&mut self) {
                    panic!("once more");
                }
            }
            let _worse = Worse;
            panic!("once");
        }
        _ => {
            let number = case.strip_prefix("raise ").and_then(|number| number.parse().ok()).unwrap_or(libc::SIGSEGV);
            sys::signal::raise(number).unwrap();
        }
    }
}

#[expect(unconditional_recursion, reason = "what is under test")]
fn deeper(depth: u64) -> u64 {
    let room = std::hint::black_box([depth; 512]);
    deeper(depth + 1) + room.iter().sum::<u64>()
}
