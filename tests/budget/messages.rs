//! A message costs the bus no memory.

use crate::Flavour;
use crate::status::Status;
use lunix_tests::ensure;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use testkit::server::Server;
use testkit::suite::Suite;
use testkit::{Error, Result};

/// Messages before the first look: buffers have grown to what this load wants.
const WARM: usize = 100_000;
/// Messages between the looks.
const COUNTED: usize = 1_000_000;
/// Messages that are under way together.
const BATCH: usize = 1000;

const PUBLISHED: &[u8] = b"PUB load 16\r\n0123456789abcdef\r\n";
const RECEIVED: usize = b"MSG load 1 16\r\n0123456789abcdef\r\n".len();

pub(crate) fn run(suite: &mut Suite, flavour: &Flavour) {
    suite.check(&format!("messages::a_million_take_no_memory_{}", flavour.name), || million(flavour));
}

fn million(flavour: &Flavour) -> Result<()> {
    let server = Server::start_from(&flavour.folder)?;
    let path = server.url();
    let path = path.trim_start_matches("unix://");
    let (mut publisher, mut subscriber) = (connect(path, b"")?, connect(path, b"SUB load 1\r\n")?);
    pass(&mut publisher, &mut subscriber, WARM)?;
    let memory = || -> Result<[u64; 2]> {
        let status = Status::of(server.pid())?;
        Ok([status.get("VmData")?, status.get("RssAnon")?])
    };
    let before = memory()?;
    pass(&mut publisher, &mut subscriber, COUNTED)?;
    let after = memory()?;
    eprintln!("    VmData and RssAnon {before:?} KiB, {COUNTED} messages later {after:?} KiB");
    ensure(after == before, || format!("{COUNTED} messages changed its memory from {before:?} to {after:?} KiB"))
}

/// A connection that the server has accepted, with `commands` given.
fn connect(path: &str, commands: &[u8]) -> Result<UnixStream> {
    let failed = || Error::io(format!("speak with {path}"));
    let mut stream = UnixStream::connect(path).map_err(failed())?;
    let hello = [b"CONNECT {\"verbose\":false}\r\n", commands, b"PING\r\n"].concat();
    stream.write_all(&hello).map_err(failed())?;
    let mut seen = Vec::new();
    while !seen.ends_with(b"PONG\r\n") {
        let mut buffer = [0; 4096];
        let count = stream.read(&mut buffer).map_err(failed())?;
        ensure(count > 0, || format!("{path} closed the connection"))?;
        seen.extend_from_slice(buffer.get(..count).unwrap_or_default());
    }
    Ok(stream)
}

fn pass(publisher: &mut UnixStream, subscriber: &mut UnixStream, messages: usize) -> Result<()> {
    let (batch, mut received) = (PUBLISHED.repeat(BATCH), vec![0; RECEIVED * BATCH]);
    for _ in 0..messages / BATCH {
        publisher.write_all(&batch).map_err(Error::io("publish"))?;
        subscriber.read_exact(&mut received).map_err(Error::io("receive"))?;
    }
    Ok(())
}
