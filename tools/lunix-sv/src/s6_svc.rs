//! `s6-svc`: commands a service.

use crate::getopt::{Found, Options, text};
use crate::place::name_of;
use crate::s6_svwait::{Event, wait_for};
use crate::supervisor::{Waiter, command, look};
use crate::{Failure, Outcome};
use init_control::Request;
use std::ffi::OsString;
use std::time::{Duration, Instant};

const USAGE: &str =
    "usage: s6-svc [ -wu | -wU | -wd | -wD | -wr | -wR ] [ -T timeout ] [ -abqhkti12pcyroduDUxOQ ] servicedir";

/// What a letter asks for, in turn; `None` for a letter that s6-svc does not know.
fn requests(letter: u8, name: &str) -> Option<Vec<Request<'_>>> {
    let signal = |signal| Some(vec![Request::Signal { name, signal }]);
    match letter {
        b'a' => signal("ALRM"),
        b'b' => signal("ABRT"),
        b'q' => signal("QUIT"),
        b'h' => signal("HUP"),
        b'k' => signal("KILL"),
        b't' => signal("TERM"),
        b'i' => signal("INT"),
        b'1' => signal("USR1"),
        b'2' => signal("USR2"),
        b'p' => signal("STOP"),
        b'c' => signal("CONT"),
        b'y' => signal("WINCH"),
        b'r' => Some(vec![Request::Restart { name }]),
        b'o' | b'O' => Some(vec![Request::Once { name }]),
        b'u' | b'U' => Some(vec![Request::Start { name }]),
        // There is no supervisor of its own that could end, and no file to write down.
        b'd' | b'D' | b'x' | b'X' => Some(vec![Request::Stop { name }]),
        b'Q' => Some(vec![Request::Once { name }]),
        _ => None,
    }
}

/// Runs `s6-svc`.
///
/// # Errors
/// 100 for wrong usage and when there is no such service, 99 when the time is up, 1 when the service is broken.
pub fn run(arguments: &[OsString]) -> Outcome {
    let usage = || Failure::new(100, USAGE);
    let mut options = Options::new(arguments, b"wT");
    let (mut letters, mut event, mut limit) = (Vec::new(), None, None);
    for option in options.by_ref() {
        match option {
            Found::Letter(b'w', Some(word)) => event = Some(Event::of(&text(&word)).ok_or_else(usage)?),
            Found::Letter(b'T', Some(word)) => {
                let millis: u64 = text(&word).parse().map_err(|_| usage())?;
                limit = (millis > 0).then(|| Duration::from_millis(millis));
            }
            Found::Letter(letter, None) if requests(letter, "").is_some() => letters.push(letter),
            Found::Letter(..) | Found::Incomplete(_) => return Err(usage()),
        }
    }
    let [word] = options.rest() else { return Err(usage()) };
    let (word, name) = (text(word), name_of(&text(word)));
    let fatal = |code, why: &str| Failure::new(code, format!("fatal: unable to control {word}: {why}"));
    let mut waiter = Waiter::open().map_err(|error| fatal(111, &error.to_string()))?;
    let before = look(&name).map_err(|error| fatal(111, &error.to_string()))?;
    let before = before.ok_or_else(|| fatal(111, "No such file or directory"))?;
    for request in letters.iter().filter_map(|&letter| requests(letter, &name)).flatten() {
        let only_for_processes = matches!(request, Request::Signal { .. });
        if only_for_processes && before.pid.is_none() {
            continue;
        }
        let answer = command(&request).map_err(|error| fatal(111, &error.to_string()))?;
        answer.map_err(|sentence| fatal(111, &sentence))?;
    }
    let Some(event) = event else { return Ok(0) };
    let deadline = limit.map(|limit| Instant::now() + limit);
    wait_for(&[(name, before)], event, false, deadline, &mut waiter)
}
