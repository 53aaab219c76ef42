//! The recipe of every client that must not miss anything: subscribe, list, drop what is older, list again on reconnect or gap.

use crate::player::{Hardware, Player};
use crate::scenario::path_with;
use crate::server::{Kind, Server};
use crate::soon;
use lunix_tests::ensure;
use lunix_tests::language::Language;
use testkit::process::Process;
use testkit::{Result, TempDir};

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
    now.publish(&mut bus, "add", "sdb")?;
    told(&mut example, language, &[('+', "sdb")])?;
    now.publish(&mut bus, "remove", "sdb")?;

    // A gap: sda went and nobody heard it.
    let now = player.becomes(11, &["sdb", "sdc"]);
    now.publish(&mut bus, "add", "sdc")?;
    told(&mut example, language, &[('-', "sda"), ('+', "sdc")])?;

    // The bus goes away, and a stick comes meanwhile.
    server.kill();
    player.becomes(12, &["sdb", "sdc", "sdd"]);
    server.again()?;
    told(&mut example, language, &[('+', "sdd")])?;
    let printed = example.printed();
    ensure(!printed.contains("- /dev/sdb1"), || format!("an older event was taken:\n{printed}"))
}
