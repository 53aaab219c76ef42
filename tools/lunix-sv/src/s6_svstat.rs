//! `s6-svstat`: shows a service.

use crate::getopt::{Found, Options, text};
use crate::place::name_of;
use crate::supervisor::{Snapshot, look};
use crate::{Failure, Outcome};
use init_control::Ended;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

const USAGE: &str = "usage: s6-svstat [ -uwNrpest | -o up,wantedup,normallyup,ready,paused,pid,exitcode,signal,signum,updownsince,readysince,updownfor,readyfor ] [ -n ] servicedir";

/// Seconds that a TAI64N label counts more than Unix time does: 2^62, and the ten of 1970.
const TAI_OFFSET: u64 = (1 << 62) + 10;

/// Runs `s6-svstat`.
///
/// # Errors
/// 100 for wrong usage, 1 when there is no such service, 111 when lunix-init cannot be asked.
pub fn run(arguments: &[OsString]) -> Outcome {
    let usage = || Failure::new(100, USAGE);
    let mut options = Options::new(arguments, b"o");
    let (mut fields, mut numbers) = (Vec::new(), false);
    for option in options.by_ref() {
        match option {
            Found::Letter(b'n', None) => numbers = true,
            Found::Letter(b'o', Some(list)) => fields.extend(text(&list).split(',').map(str::to_owned)),
            Found::Letter(letter, None) => fields.push(of_letter(letter).ok_or_else(usage)?.to_owned()),
            Found::Letter(..) | Found::Incomplete(_) => return Err(usage()),
        }
    }
    let [word] = options.rest() else { return Err(usage()) };
    let word = text(word);
    let fatal = |code, why: &str| Failure::new(code, format!("fatal: unable to read status for {word}: {why}"));
    let now = look(&name_of(&word)).map_err(|error| fatal(111, &error.to_string()))?;
    let now = now.ok_or_else(|| fatal(1, "s6-supervise not running"))?;
    let line = if fields.is_empty() {
        sentence(&now, numbers)
    } else {
        let values: Option<Vec<String>> = fields.iter().map(|name| field(name, &now)).collect();
        values.ok_or_else(usage)?.join(" ")
    };
    match writeln!(std::io::stdout(), "{line}") {
        Ok(()) => Ok(0),
        Err(error) => Err(Failure::new(111, format!("fatal: unable to write to stdout: {error}"))),
    }
}

fn of_letter(letter: u8) -> Option<&'static str> {
    match letter {
        b'u' => Some("up"),
        b'w' => Some("wantedup"),
        b'N' => Some("normallyup"),
        b'r' => Some("ready"),
        b'p' => Some("pid"),
        b'e' => Some("exitcode"),
        b's' => Some("signal"),
        b't' => Some("updownfor"),
        _ => None,
    }
}

/// How long it has been ready, or fully down, in milliseconds.
fn ready_ms(now: &Snapshot) -> Option<u64> {
    if now.is_up() { now.ready_ms } else { now.is_fully_down().then_some(now.age_ms) }
}

/// One field of `-o`; `None` for one that does not exist.
fn field(name: &str, now: &Snapshot) -> Option<String> {
    let ended = now.ended.filter(|_| !now.is_up());
    let code = match ended {
        Some(Ended::Code(code)) => i32::from(code),
        Some(Ended::Signal(_)) | None => -1,
    };
    let signal = match ended {
        Some(Ended::Signal(signal)) => signal,
        Some(Ended::Code(_)) | None => -1,
    };
    Some(match name {
        "up" => now.is_up().to_string(),
        "wantedup" => now.wanted.to_string(),
        "normallyup" => now.normally_up.to_string(),
        "ready" => (now.is_up() && now.ready_ms.is_some()).to_string(),
        "paused" => now.is_paused().to_string(),
        "pid" => now.pid.filter(|_| now.is_up()).unwrap_or(-1).to_string(),
        "exitcode" => code.to_string(),
        "signal" if signal < 0 => "NA".to_owned(),
        "signal" => name_of_signal(signal),
        "signum" => signal.to_string(),
        "updownsince" => label(now.age_ms),
        "readysince" => label(ready_ms(now).unwrap_or(now.age_ms)),
        "updownfor" => now.seconds.to_string(),
        "readyfor" => (ready_ms(now).unwrap_or(now.age_ms) / 1000).to_string(),
        _ => return None,
    })
}

fn name_of_signal(signal: i32) -> String {
    sys::signal::name_of(signal).map_or_else(|| signal.to_string(), |name| format!("SIG{name}"))
}

/// The moment so many milliseconds ago as a TAI64N label.
fn label(age_ms: u64) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let then = now.saturating_sub(std::time::Duration::from_millis(age_ms));
    format!("@{:016x}{:08x}", then.as_secs().saturating_add(TAI_OFFSET), then.subsec_nanos())
}

/// The line for a person.
fn sentence(now: &Snapshot, numbers: bool) -> String {
    let mut text = match (now.is_up(), now.ended) {
        (true, _) => format!("up (pid {})", now.pid.unwrap_or(-1)),
        (false, Some(Ended::Signal(signal))) if numbers => format!("down (signal {signal})"),
        (false, Some(Ended::Signal(signal))) => format!("down (signal {})", name_of_signal(signal)),
        (false, Some(Ended::Code(code))) => format!("down (exitcode {code})"),
        (false, None) => "down (exitcode 0)".to_owned(),
    };
    let _ = write!(text, " {} seconds", now.seconds);
    let remarks = [
        (now.is_up() && !now.normally_up, ", normally down"),
        (!now.is_up() && now.normally_up, ", normally up"),
        (now.is_paused(), ", paused"),
        (!now.is_up() && now.wanted, ", want up"),
        (now.is_up() && !now.wanted, ", want down"),
    ];
    text.extend(remarks.into_iter().filter(|(holds, _)| *holds).map(|(_, words)| words));
    if let Some(ready_ms) = ready_ms(now) {
        let _ = write!(text, ", ready {} seconds", ready_ms / 1000);
    }
    text
}
