//! `sv` of runit.

use crate::getopt::{Found, Options, text};
use crate::place::{folder_of, name_of};
use crate::supervisor::{Snapshot, Waiter, command, look};
use crate::{Failure, Outcome};
use init_control::{Error, Request};
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const USAGE: &str = "usage: sv [-v] [-w sec] command service ...";
/// How long sv waits when nothing else is said.
const WAIT: Duration = Duration::from_secs(7);
/// How often a program `check` is asked again, as sv does.
const CHECK_AGAIN: Duration = Duration::from_millis(420);

/// What is to become of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Nothing is waited for.
    None,
    /// Only shown.
    Shown,
    /// It runs, and its `check` says so.
    Up,
    /// It is down.
    Down,
    /// Its process is another one than before.
    Another,
    /// It is as it should be: up when wanted, down otherwise.
    Settled,
}

/// One of sv's commands: what is asked for in turn, what is waited for, whether what does not end is killed.
struct Verb {
    asks: &'static [Ask],
    goal: Goal,
    kills: bool,
}

#[derive(Clone, Copy)]
enum Ask {
    Start,
    Stop,
    Once,
    Signal(&'static str),
    Restart,
}

/// The meaning of a word; `None` for one that sv does not know.
fn verb(word: &str) -> Option<Verb> {
    use Ask::{Once, Signal, Start, Stop};
    let plain = |asks| Some(Verb { asks, goal: Goal::None, kills: false });
    let waits = |asks, goal| Some(Verb { asks, goal, kills: false });
    let kills = |asks, goal| Some(Verb { asks, goal, kills: true });
    match word {
        "status" | "s" => waits(&[], Goal::Shown),
        "up" | "u" => plain(&[Start]),
        "down" | "d" | "exit" | "e" | "x" => plain(&[Stop]),
        "once" | "o" => plain(&[Once]),
        "pause" | "p" => plain(&[Signal("STOP")]),
        "cont" | "c" => plain(&[Signal("CONT")]),
        "hup" | "h" => plain(&[Signal("HUP")]),
        "alarm" | "a" => plain(&[Signal("ALRM")]),
        "interrupt" | "i" => plain(&[Signal("INT")]),
        "quit" | "q" => plain(&[Signal("QUIT")]),
        "1" => plain(&[Signal("USR1")]),
        "2" => plain(&[Signal("USR2")]),
        "term" | "t" => plain(&[Signal("TERM")]),
        "kill" | "k" => plain(&[Signal("KILL")]),
        "start" => waits(&[Start], Goal::Up),
        "stop" | "shutdown" => waits(&[Stop], Goal::Down),
        "reload" => waits(&[Signal("HUP")], Goal::Settled),
        "restart" => waits(&[Ask::Restart], Goal::Another),
        "try-restart" => waits(&[Signal("TERM"), Signal("CONT")], Goal::Settled),
        "check" => waits(&[], Goal::Settled),
        "force-stop" | "force-shutdown" => kills(&[Stop], Goal::Down),
        "force-reload" => kills(&[Signal("TERM"), Signal("CONT")], Goal::Settled),
        "force-restart" => kills(&[Ask::Restart], Goal::Another),
        _ => None,
    }
}

/// Runs `sv`; exits with the number of services for which it failed.
///
/// # Errors
/// 100 for wrong usage.
pub fn run(arguments: &[OsString]) -> Outcome {
    let usage = || Failure::new(100, USAGE);
    let mut options = Options::new(arguments, b"w");
    let (mut verbose, mut wait) = (false, seconds(std::env::var("SVWAIT").ok().as_deref()).unwrap_or(WAIT));
    for option in options.by_ref() {
        match option {
            Found::Letter(b'v', None) => verbose = true,
            Found::Letter(b'V', None) => return Ok(0),
            Found::Letter(b'w', Some(value)) => wait = seconds(Some(&text(&value))).ok_or_else(usage)?,
            Found::Letter(..) | Found::Incomplete(_) => return Err(usage()),
        }
    }
    let Some((word, services)) = options.rest().split_first() else { return Err(usage()) };
    // As with the original, a word it does not know counts by its first letter.
    let word = text(word);
    let verb = verb(&word).or_else(|| verb(word.get(..1)?)).filter(|_| !services.is_empty()).ok_or_else(usage)?;
    // With -v the plain commands are waited for, too.
    let goal = match verb.asks {
        [Ask::Start | Ask::Once] if verbose && verb.goal == Goal::None => Goal::Up,
        [Ask::Stop] if verbose && verb.goal == Goal::None => Goal::Down,
        _ if verbose && verb.goal == Goal::None => Goal::Settled,
        _ => verb.goal,
    };
    let deadline = Instant::now() + wait;
    // All are asked first, so that they come and go together; then each is waited for.
    let begun: Vec<Result<Begun, String>> = services.iter().map(|word| begin(&text(word), &verb)).collect();
    let mut failed = 0_u8;
    for (word, begun) in services.iter().zip(begun) {
        let word = text(word);
        let (line, good) = match begun.and_then(|begun| finish(&word, begun, goal, deadline, verb.kills)) {
            Ok(outcome) => outcome,
            Err(sentence) => (format!("fail: {word}: {sentence}"), false),
        };
        failed = failed.saturating_add(u8::from(!good)).min(99);
        if !line.is_empty() {
            // Whoever does not read has the exit code.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    }
    Ok(failed)
}

fn seconds(text: Option<&str>) -> Option<Duration> {
    text?.parse().ok().map(Duration::from_secs)
}

/// A service that was asked for something.
struct Begun {
    name: String,
    waiter: Waiter,
    before: Option<i32>,
}

fn begin(word: &str, verb: &Verb) -> Result<Begun, String> {
    let name = name_of(word);
    let waiter = Waiter::open().map_err(|error| told(&error))?;
    let before = known(&name)?;
    for ask in verb.asks {
        let request = match *ask {
            Ask::Start => Request::Start { name: &name },
            Ask::Stop => Request::Stop { name: &name },
            Ask::Once => Request::Once { name: &name },
            Ask::Signal(_) if before.pid.is_none() => continue,
            Ask::Signal(signal) => Request::Signal { name: &name, signal },
            Ask::Restart if before.is_up() => Request::Restart { name: &name },
            Ask::Restart => Request::Start { name: &name },
        };
        let answer = command(&request).map_err(|error| told(&error))?;
        // The process may have ended by the signal before.
        if !matches!(request, Request::Signal { .. }) {
            answer?;
        }
    }
    Ok(Begun { name, waiter, before: before.pid })
}

fn told(error: &Error) -> String {
    match error {
        Error::Socket(_) | Error::Closed => "lunix-init not running".to_owned(),
        Error::Syntax | Error::Field(..) | Error::UnknownRequest | Error::Space => error.to_string(),
    }
}

fn known(name: &str) -> Result<Snapshot, String> {
    let missing = || "unable to change to service directory: file does not exist".to_owned();
    look(name).map_err(|error| told(&error))?.ok_or_else(missing)
}

/// The line for a service, and whether it is as it should be.
fn finish(word: &str, begun: Begun, goal: Goal, deadline: Instant, kills: bool) -> Result<(String, bool), String> {
    let Begun { name, mut waiter, before } = begun;
    match goal {
        Goal::None => return Ok((String::new(), true)),
        Goal::Shown => return Ok((shown(word, &known(&name)?, &name), true)),
        Goal::Up | Goal::Down | Goal::Another | Goal::Settled => {}
    }
    loop {
        let now = known(&name)?;
        let reached = match goal {
            Goal::Up => now.is_up() && is_checked(word),
            Goal::Down => now.is_fully_down(),
            Goal::Another => now.is_up() && now.pid != before && is_checked(word),
            Goal::Settled if now.wanted => now.is_up() && is_checked(word),
            Goal::Settled => now.is_fully_down(),
            Goal::None | Goal::Shown => true,
        };
        if reached {
            return Ok((format!("ok: {}", line(word, &now)), true));
        }
        if Instant::now() >= deadline {
            if kills {
                // That it is gone meanwhile is what was wanted.
                let _ = command(&Request::Signal { name: &name, signal: "KILL" }).map_err(|error| told(&error))?;
            }
            return Ok((format!("{}: {}", if kills { "kill" } else { "timeout" }, line(word, &now)), false));
        }
        // A check says nothing by itself when it has changed its mind.
        let check_again =
            if now.is_up() && goal != Goal::Down { deadline.min(Instant::now() + CHECK_AGAIN) } else { deadline };
        waiter.wait(Some(check_again)).map_err(|error| told(&error))?;
    }
}

/// True when there is no program `check`, or it succeeds.
fn is_checked(word: &str) -> bool {
    let Some(folder) = folder_of(word) else { return true };
    if !folder.join("check").exists() {
        return true;
    }
    let status = Command::new("./check").current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A service and its logger, as `sv status` shows them.
fn shown(word: &str, now: &Snapshot, name: &str) -> String {
    let mut text = line(word, now);
    if let Ok(Some(log)) = look(&format!("{name}/log")) {
        let _ = write!(text, "; {}", line("log", &log));
    }
    text
}

fn line(word: &str, now: &Snapshot) -> String {
    let state = if now.is_up() {
        "run"
    } else if now.is_finishing() {
        "finish"
    } else {
        "down"
    };
    let mut text = format!("{state}: {word}: ");
    if let Some(pid) = now.pid {
        let _ = write!(text, "(pid {pid}) ");
    }
    let _ = write!(text, "{}s", now.seconds);
    let stopping = matches!(now.state, init_control::ServiceState::Stopping | init_control::ServiceState::Killing);
    let remarks = [
        (now.is_up() && !now.normally_up, ", normally down"),
        (!now.is_up() && now.normally_up, ", normally up"),
        (now.is_paused(), ", paused"),
        (!now.is_up() && now.wanted, ", want up"),
        (now.is_up() && !now.wanted, ", want down"),
        (stopping, ", got TERM"),
    ];
    text.extend(remarks.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words));
    text
}
