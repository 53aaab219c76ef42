//! `lunix service …`, `poweroff`, `reboot`, `halt`: the control socket of lunix-init.

use crate::dependencies::{self, Row};
use crate::line;
use crate::output::{Lines, Stop};
use init_control::{Client, Error, Reply, Request, Service};
use program::{Fatal, Given, exit};
use std::path::Path;
use std::time::Duration;

/// How long lunix-init may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);

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

/// One of `list`, `start`, `stop`, `restart`, `reload`, `log`.
pub(crate) fn run(given: &Given, verb: &str, lines: &mut Lines) -> Result<(), Stop> {
    let name = given.argument(0).unwrap_or_default();
    match verb {
        "list" => list(given, lines),
        "log" => log(given, lines),
        "start" => command(given, &Request::Start { name }),
        "stop" => command(given, &Request::Stop { name }),
        "restart" => command(given, &Request::Restart { name }),
        "why" => why(given, name, lines),
        "tree" => lines.text(&dependencies::tree(&rows(given)?)),
        "reload" => command(given, &Request::Reload { name }),
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
    Ok(ask(&mut open(socket(given))?, request, |_| {})?)
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
    let mut rows = Vec::new();
    ask(&mut open(socket(given))?, &Request::List, |reply| {
        if let Reply::Service(service) = reply {
            rows.push(Row::of(service));
        }
    })?;
    Ok(rows)
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
    let mut rows = vec![["NAME", "STATE", "SINCE", "PID", "RESTARTS", "REMARK"].map(str::to_owned).to_vec()];
    ask(&mut open(socket(given))?, &Request::List, |reply| {
        if let Reply::Service(service) = reply {
            rows.push(row(service));
        }
    })?;
    if let Some((_, services)) = rows.split_first_mut() {
        services.sort();
    }
    lines.text(&table(&rows))
}

fn row(service: &Service<'_>) -> Vec<String> {
    vec![
        service.name.to_owned(),
        service.state.to_string(),
        age(service.since_ms),
        service.pid.map_or("-".to_owned(), |pid| pid.to_string()),
        service.restarts.to_string(),
        remark(service),
    ]
}

/// What is worth saying about a service beside its state.
pub(crate) fn remark(service: &Service<'_>) -> String {
    let chosen =
        service.chosen.map(|up| if up { "started by the operator" } else { "stopped by the operator" }.to_owned());
    let ended = service.ended.map(|ended| format!("last {ended}"));
    let reason = Some(line::escaped(service.reason.to_string().as_bytes())).filter(|reason| !reason.is_empty());
    [chosen, reason, ended].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// `5s`, `3m`, `2h`, `9d`.
fn age(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7199 => format!("{}m", seconds / 60),
        seconds @ 7200..=172_799 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

fn log(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let prefix = given.argument(0).map(|name| format!("{name}: "));
    let (mut text, mut lost) = (Vec::new(), 0);
    ask(&mut open(socket(given))?, &Request::Log { name: None, follow: false }, |reply| match reply {
        Reply::Line(line) => {
            let line = line.to_string();
            if prefix.as_ref().is_none_or(|prefix| line.starts_with(prefix)) {
                text.push(line::escaped(line.as_bytes()));
            }
        }
        Reply::End { dropped, .. } => lost = *dropped,
        Reply::Ok
        | Reply::Refused { .. }
        | Reply::Service(_)
        | Reply::Usage(_)
        | Reply::Event(_)
        | Reply::Lost(_)
        | Reply::Unknown => {}
    })?;
    if lost > 0 {
        program::log::line("lunix", program::Level::Info, format_args!("older lines are gone (lost={lost})"));
    }
    text.iter().try_for_each(|line| lines.line(line.as_bytes()))
}

/// Rows as columns of equal width, two blanks apart; the last one is as long as it is.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(packet: &[u8]) -> Vec<String> {
        let Reply::Service(service) = Reply::decode(packet).unwrap() else { panic!("no service") };
        row(&service)
    }

    #[test]
    fn services_are_rows() {
        let ready = b"service name=sshd state=ready type=longrun wanted=up pid=7 since_ms=150000 restarts=2 signal=9";
        assert_eq!(service(ready), ["sshd", "ready", "2m", "7", "2", "last killed by signal 9"]);
        let down = b"service name=ntp state=down type=longrun wanted=down override=stopped since_ms=0 restarts=0";
        assert_eq!(service(down), ["ntp", "down", "0s", "-", "0", "stopped by the operator"]);
        let broken = b"service name=x state=broken type=longrun wanted=up since_ms=1 restarts=0 reason=\"no run\\x0a\"";
        assert_eq!(service(broken).last().unwrap(), "no run\\n");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [vec!["NAME".into(), "B".into()], vec!["a".into(), String::new()], vec!["a long one".into(), "c".into()]];
        assert_eq!(table(&rows), "NAME        B\na\na long one  c\n");
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn ages_are_short() {
        let ages = [0, 119_999, 120_000, 7_200_000, 172_800_000].map(age);
        assert_eq!(ages, ["0s", "119s", "2m", "2h", "2d"]);
    }
}
