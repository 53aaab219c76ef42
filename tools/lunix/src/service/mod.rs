//! `lunix service …`, `poweroff`, `reboot`, `halt`: the control socket of lunix-init, or natsinit on the bus.

mod log;
mod show;
pub(crate) mod source;

pub(crate) use show::{age, bytes, remark, seconds, table};

use crate::dependencies::{self, Row};
use crate::line;
use crate::output::{Lines, Stop};
use init_control::{Client, Error, Reply, Request};
use program::{Fatal, Given, exit};
use source::Source;
use std::path::Path;
use std::time::Duration;

/// How long lunix-init may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Lines of output that a status shows.
const LINES: usize = 10;

/// The socket that was given or is usual.
pub(crate) fn socket(given: &Given) -> &Path {
    Path::new(given.value("control").unwrap_or(init_control::SOCKET))
}

/// Connects to lunix-init.
pub(crate) fn open(path: &Path) -> Result<Client, Fatal> {
    Client::connect(path, PATIENCE).map_err(|error| match &error {
        Error::Socket(cause) => {
            let refused = cause.kind() == std::io::ErrorKind::PermissionDenied;
            let code = if refused { exit::NOT_PERMITTED } else { exit::UNAVAILABLE };
            Fatal::new(code, format!("lunix-init is not to be reached at {}: {cause}", path.display()))
        }
        Error::Syntax | Error::Field(..) | Error::UnknownRequest | Error::Space | Error::Closed => failed(&error),
    })
}

/// One of the commands below `service`.
pub(crate) fn run(given: &Given, verb: &str, lines: &mut Lines) -> Result<(), Stop> {
    let name = given.argument(0).unwrap_or_default();
    let tell = |request: &Request<'_>, argument: &str| -> Result<(), Stop> {
        Ok(Source::open(given)?.command(request, Some(name), argument)?)
    };
    match verb {
        "list" => list(given, lines),
        "status" => status(given, name, lines),
        "log" => log::run(given, lines),
        "start" => tell(&Request::Start { name }, ""),
        "stop" => tell(&Request::Stop { name }, ""),
        "restart" => tell(&Request::Restart { name }, ""),
        "reload" => tell(&Request::Reload { name }, ""),
        "once" => tell(&Request::Once { name }, ""),
        "signal" => {
            let signal = given.argument(1).unwrap_or_default();
            tell(&Request::Signal { name, signal }, signal)
        }
        "why" => why(given, name, lines),
        "tree" => lines.text(&dependencies::tree(&rows(given)?)),
        // The table has no other verb, and the parser takes none.
        other => Err(Fatal::new(exit::USAGE, format!("unknown command service {other}")).into()),
    }
}

/// One of `poweroff`, `reboot`, `halt`.
pub(crate) fn end(given: &Given, verb: &str) -> Result<(), Stop> {
    match verb {
        "poweroff" => command(given, &Request::Poweroff),
        "reboot" => command(given, &Request::Reboot),
        _ => command(given, &Request::Halt),
    }
}

fn command(given: &Given, request: &Request<'_>) -> Result<(), Stop> {
    Ok(Source::open(given)?.command(request, None, "")?)
}

/// Asks, and hands every row to `each`; a refusal is an error with the code that lunix-init gives.
pub(crate) fn ask(client: &mut Client, request: &Request<'_>, mut each: impl FnMut(&Reply<'_>)) -> Result<(), Fatal> {
    let mut refusal = None;
    let asked = client.ask(request, |reply| {
        if let Reply::Refused { code, reason } = reply {
            refusal = Some(Fatal::new(*code, format!("lunix-init refuses: {reason}")));
        } else {
            each(reply);
        }
    });
    asked.map_err(|error| failed(&error))?;
    refusal.map_or(Ok(()), Err)
}

fn failed(error: &Error) -> Fatal {
    let code = match error {
        Error::Socket(cause) if cause.kind() == std::io::ErrorKind::WouldBlock => {
            return Fatal::new(exit::TRY_AGAIN, "lunix-init does not answer in time");
        }
        Error::Socket(_) => exit::SYSTEM,
        Error::Closed => exit::UNAVAILABLE,
        Error::Syntax | Error::Field(..) | Error::UnknownRequest | Error::Space => exit::DATA,
    };
    Fatal::new(code, error.to_string())
}

/// All services, for questions about what they depend on.
fn rows(given: &Given) -> Result<Vec<Row>, Fatal> {
    Ok(Source::open(given)?.services()?.iter().map(Row::of).collect())
}

fn why(given: &Given, name: &str, lines: &mut Lines) -> Result<(), Stop> {
    let sentences = dependencies::why(&rows(given)?, name);
    if sentences.is_empty() {
        return Err(Fatal::new(exit::UNAVAILABLE, format!("there is no service {name}")).into());
    }
    let text: String = sentences.iter().map(|sentence| format!("{}\n", line::escaped(sentence.as_bytes()))).collect();
    lines.text(&text)
}

fn list(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let mut source = Source::open(given)?;
    let mut services = source.services()?;
    services.sort_by(|one, other| one.name.cmp(&other.name));
    // Without numbers there are no columns for them.
    let usage = source.usage(None).unwrap_or_default();
    lines.text(&table(&show::list(&services, &usage)))
}

fn status(given: &Given, name: &str, lines: &mut Lines) -> Result<(), Stop> {
    let mut source = Source::open(given)?;
    // That there is no such service is for the other side to say.
    source.service(name)?;
    let services = source.services()?;
    let usage = source.usage(Some(name)).unwrap_or_default();
    // Who may not read them sees everything else.
    let log = source.log(Some(name), Some(LINES)).unwrap_or_default();
    let text = show::status(name, &services, usage.first(), &log.lines);
    lines.text(&text.ok_or_else(|| Fatal::new(exit::UNAVAILABLE, format!("there is no service {name}")))?)
}
