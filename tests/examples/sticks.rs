//! The recipe of every client that must not miss anything: subscribe, list, drop what is older, list again on reconnect or gap.

use crate::scenario::path_with;
use crate::server::{Kind, Server};
use crate::soon;
use lunix_tests::ensure;
use lunix_tests::language::Language;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use testkit::bus::Bus;
use testkit::process::Process;
use testkit::{Deadline, Error, Result, TempDir};

/// What there is, and how far the daemon has counted.
#[derive(Clone)]
struct Hardware {
    seq: u64,
    sticks: Vec<&'static str>,
}

impl Hardware {
    fn list(&self) -> String {
        let items: Vec<String> = self
            .sticks
            .iter()
            .map(|disk| format!("{{\"subject\":\"hardware.usb.add\",{}}}", self.fields(disk)))
            .collect();
        format!("{{\"epoch\":\"a\",\"seq\":{},\"items\":[{}]}}", self.seq, items.join(","))
    }

    fn fields(&self, disk: &str) -> String {
        let seq = self.seq;
        format!("\"epoch\":\"a\",\"seq\":{seq},\"devpath\":\"/devices/{disk}\",\"filesystem\":\"/dev/{disk}1\"")
    }
}

/// A device daemon that is played: it answers `hardware.list` as long as it lives, whatever happens to the bus.
struct Player {
    hardware: Arc<Mutex<Hardware>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Player {
    fn start(url: String, hardware: Hardware) -> Self {
        let hardware = Arc::new(Mutex::new(hardware));
        let stop = Arc::new(AtomicBool::new(false));
        let (shared, stopped) = (Arc::clone(&hardware), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !stopped.load(Ordering::Relaxed) {
                // It ends when the bus goes; then the next one is waited for.
                let _ = serve(&url, &shared, &stopped);
            }
        });
        Self { hardware, stop, thread: Some(thread) }
    }

    fn becomes(&self, seq: u64, sticks: &[&'static str]) -> Hardware {
        let hardware = Hardware { seq, sticks: sticks.to_vec() };
        *self.hardware.lock().unwrap_or_else(PoisonError::into_inner) = hardware.clone();
        hardware
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.thread.take().map(JoinHandle::join));
    }
}

fn serve(url: &str, hardware: &Mutex<Hardware>, stop: &AtomicBool) -> Result<()> {
    let mut bus = testkit::vm::wait_for_bus(url, Deadline::seconds(1))?;
    bus.subscribe("hardware.list")?;
    while !stop.load(Ordering::Relaxed) {
        match bus.next(Deadline::seconds(1)) {
            Ok(request) => {
                let list = hardware.lock().unwrap_or_else(PoisonError::into_inner).list();
                bus.publish(&request.reply, list.as_bytes())?;
            }
            Err(Error::Timeout(..)) => {}
            Err(error @ (Error::Io(..) | Error::Unexpected(..))) => return Err(error),
        }
    }
    Ok(())
}

fn publish(bus: &mut Bus, hardware: &Hardware, verb: &str, disk: &str) -> Result<()> {
    bus.publish(&format!("hardware.usb.{verb}"), format!("{{{}}}", hardware.fields(disk)).as_bytes())
}

/// Waits until lines have told, in any order, of the sticks that came (`+`) or went (`-`).
fn told(example: &mut Process, language: Language, changes: &[(char, &str)]) -> Result<()> {
    // The command line tool prints the events themselves, and of a list only what is new.
    let is_wanted = |sign: char| language.prints_changes() || sign == '+';
    let mut missing: Vec<String> = changes
        .iter()
        .filter(|(sign, _)| is_wanted(*sign))
        .map(
            |(sign, disk)| {
                if language.prints_changes() { format!("{sign} /dev/{disk}1") } else { format!("/dev/{disk}1") }
            },
        )
        .collect();
    while let Some(next) = missing.first() {
        let is_one = |line: &str| missing.iter().any(|wanted| line.contains(wanted.as_str()));
        let line = example.line_where(soon(), &format!("{next:?}"), is_one)?;
        missing.retain(|wanted| !line.contains(wanted.as_str()));
    }
    Ok(())
}

pub(crate) fn recipe(kind: Kind, language: Language) -> Result<()> {
    let (mut server, folder) = (Server::start(kind)?, TempDir::new("sticks")?);
    let player = Player::start(server.url(), Hardware { seq: 7, sticks: vec!["sda"] });
    let environment = [("NATS_URL", &*server.url()), ("PATH", &path_with(None))];
    let mut example = language.start("sticks", &folder, &environment)?;
    told(&mut example, language, &[('+', "sda")])?;

    // The next in order is taken as it comes; an older one says nothing new.
    let mut bus = server.connect()?;
    let now = player.becomes(8, &["sda", "sdb"]);
    publish(&mut bus, &now, "add", "sdb")?;
    told(&mut example, language, &[('+', "sdb")])?;
    publish(&mut bus, &now, "remove", "sdb")?;

    // A gap: sda went and nobody heard it.
    let now = player.becomes(11, &["sdb", "sdc"]);
    publish(&mut bus, &now, "add", "sdc")?;
    told(&mut example, language, &[('-', "sda"), ('+', "sdc")])?;

    // The bus goes away, and a stick comes meanwhile.
    server.kill();
    player.becomes(12, &["sdb", "sdc", "sdd"]);
    server.again()?;
    told(&mut example, language, &[('+', "sdd")])?;
    let printed = example.printed();
    ensure(!printed.contains("- /dev/sdb1"), || format!("an older event was taken:\n{printed}"))
}
