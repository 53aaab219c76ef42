//! What a thousand clients cost the bus, and what is left when they are gone.

use crate::Flavour;
use crate::status::{Status, until_quiet};
use lunix_tests::ensure;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use testkit::bus::Bus;
use testkit::server::Server;
use testkit::suite::Suite;
use testkit::{Deadline, Error, Result};

const CLIENTS: u64 = 1000;

/// Memory of one client with one subscription, in bytes.
const BYTES_PER_CLIENT_MAX: u64 = 1024;

/// What the tables that have grown with the clients may keep, in KiB.
const LEFT_KIB_MAX: u64 = 64;

pub(crate) fn run(suite: &mut Suite, flavour: &Flavour) {
    suite.check(&format!("clients::a_thousand_idle_ones_cost_a_kibibyte_each_{}", flavour.name), || thousand(flavour));
}

fn thousand(flavour: &Flavour) -> Result<()> {
    allow_descriptors()?;
    let server = Server::start_from(&flavour.folder)?;
    let resident = || -> Result<u64> {
        until_quiet(server.pid(), Deadline::seconds(30))?;
        Status::of(server.pid())?.get("VmRSS")
    };
    drop(client(&server, 0)?);
    let idle = resident()?;
    let clients: Result<Vec<Bus>> = (0..CLIENTS).map(|number| client(&server, number)).collect();
    let clients = clients?;
    let full = resident()?;
    drop(clients);
    let left = resident()?;
    eprintln!("    idle {idle} KiB, with {CLIENTS} clients {full} KiB, after they left {left} KiB");
    let each = full.saturating_sub(idle) * 1024 / CLIENTS;
    ensure(each <= BYTES_PER_CLIENT_MAX, || format!("{each} bytes for each idle client"))?;
    let most = idle + LEFT_KIB_MAX;
    ensure(left <= most, || format!("{left} KiB after they left, at most {most} are promised"))
}

fn client(server: &Server, number: u64) -> Result<Bus> {
    let mut bus = server.client()?;
    bus.subscribe(&format!("idle.{number}"))?;
    Ok(bus)
}

/// This process holds the other end of every connection.
fn allow_descriptors() -> Result<()> {
    let maximum = getrlimit(Resource::Nofile).maximum;
    setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum })
        .map_err(|error| Error::Io("raise the limit of open files".to_owned(), error.into()))
}
