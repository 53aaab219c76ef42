//! Plays a scenario on one server and on the other.

use crate::client::Client;
use crate::control::Servers;
use crate::server::Kind;
use std::io::Write;
use testkit::process::Process;
use testkit::{Deadline, Error, Result, TempDir};

/// For a server to start or a program to say its next line, on a busy machine.
pub(crate) fn soon() -> Deadline {
    Deadline::seconds(60)
}

/// Plays it on nats-server first; the client must see the same on ours.
pub(crate) fn on_both(client: Client, scenario: &str) -> Result<()> {
    let theirs = play(client, scenario, Kind::NatsServer)?;
    let ours = play(client, scenario, Kind::LunixBus)?;
    if theirs == ours {
        return Ok(());
    }
    Err(Error::unexpected(format!(
        "on nats-server the client sees\n{}\non ours\n{}",
        theirs.join("\n"),
        ours.join("\n")
    )))
}

/// What the client saw.
fn play(client: Client, scenario: &str, kind: Kind) -> Result<Vec<String>> {
    let mut servers = Servers::new(kind)?;
    let folder = TempDir::new("client")?;
    let mut program = Process::spawn(client.name(), client.command(folder.path())?.arg(scenario))?;
    let seen = follow(&mut program, &mut servers).map_err(|error| {
        Error::unexpected(format!(
            "on {}: {error}\n--- the client ---\n{}{}",
            kind.name(),
            program.printed(),
            servers.logs()
        ))
    })?;
    if seen.is_empty() {
        return Err(Error::unexpected(format!("on {}: the client saw nothing:\n{}", kind.name(), program.printed())));
    }
    Ok(seen)
}

fn follow(program: &mut Process, servers: &mut Servers) -> Result<Vec<String>> {
    let mut seen = Vec::new();
    let mut stdin = program.stdin().ok_or_else(|| Error::unexpected("no standard input"))?;
    let speaks = |line: &str| ["! ", "- "].iter().any(|mark| line.starts_with(mark)) || line == "done";
    loop {
        let line = program.line_where(soon(), "a line", speaks)?;
        if let Some(command) = line.strip_prefix("! ") {
            let answer = servers.obey(command)?;
            writeln!(stdin, "{answer}").map_err(Error::io("answer the client"))?;
        } else if let Some(observation) = line.strip_prefix("- ") {
            seen.push(without_ports(observation));
        } else {
            break;
        }
    }
    let status = program.exit(soon())?;
    if status.success() { Ok(seen) } else { Err(Error::unexpected(format!("it ended with {status}"))) }
}

/// Each run has other ports.
fn without_ports(text: &str) -> String {
    const HOST: &str = "127.0.0.1:";
    let mut parts = text.split(HOST);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + HOST + "PORT" + part.trim_start_matches(|digit: char| digit.is_ascii_digit()))
}
