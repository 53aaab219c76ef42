//! What each example must do, whatever it is written in.

use crate::player::{Hardware, Player};
use crate::server::{Kind, Server};
use crate::soon;
use lunix_tests::ensure;
use lunix_tests::language::Language;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use testkit::{Deadline, Error, Result, TempDir};

const STICK: &[u8] = br#"{"epoch":"a","seq":1,"devpath":"/devices/usb1/1-1","filesystem":"/dev/sdz1"}"#;
const KEYBOARD: &[u8] = br#"{"epoch":"a","seq":2,"devpath":"/devices/usb1/1-2"}"#;

/// The PATH with `lunix` on it, and before all else `first`.
pub(crate) fn path_with(first: Option<&Path>) -> String {
    let programs = std::env::var("LUNIX_BIN_DIR").unwrap_or_default();
    let rest = std::env::var("PATH").unwrap_or_default();
    let first = first.map(|folder| format!("{}:", folder.display())).unwrap_or_default();
    format!("{first}{programs}:{rest}")
}

pub(crate) fn toast(kind: Kind, language: Language) -> Result<()> {
    let (server, folder) = (Server::start(kind)?, TempDir::new("toast")?);
    let mut bus = server.connect()?;
    bus.subscribe("toast.in")?;
    let _example = language.start("toast", &folder, &[("NATS_URL", &server.url()), ("PATH", &path_with(None))])?;
    bus.publish_when_heard("hardware.usb.add", STICK, soon())?;
    let toast = bus.next(soon())?;
    // The client of 2020 with `json: true` makes a JSON string of it, which toasts may be too.
    let text = toast.json().as_str().map_or_else(|| toast.text(), str::to_owned);
    ensure(text == "a USB stick was plugged in!", || format!("a toast of {text}"))?;
    // The first examples, word for word, know no difference between a stick and a keyboard.
    let toasts_keyboards = language == Language::JavaScriptOfNats1;
    bus.publish("hardware.usb.add", KEYBOARD)?;
    bus.publish("hardware.usb.add", STICK)?;
    for _ in 0..if toasts_keyboards { 2 } else { 1 } {
        bus.next(soon())?;
    }
    let more = bus.drain()?;
    ensure(more.is_empty(), || format!("too many toasts: {more:?}"))
}

pub(crate) fn automount(kind: Kind, language: Language) -> Result<()> {
    let (server, folder) = (Server::start(kind)?, TempDir::new("mount")?);
    let programs = TempDir::new("bin")?;
    for name in ["mount", "umount"] {
        let program = programs.join(name);
        let written = std::fs::write(&program, format!("#!/bin/sh\necho {name} \"$@\" >&2\n"))
            .and_then(|()| std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)));
        written.map_err(Error::io(format!("write {}", program.display())))?;
    }
    let mut bus = server.connect()?;
    let environment = [("NATS_URL", &*server.url()), ("PLACE", "/place"), ("PATH", &path_with(Some(programs.path())))];
    let mut example = language.start("automount", &folder, &environment)?;
    let player = Player::start(server.url(), Hardware { seq: 0, sticks: Vec::new() });
    let is = |wanted: &'static str| move |line: &str| line == wanted;
    // The subscription to removals is there last, and a removal of nothing does no harm.
    player.becomes(1, &[]).publish_keyboard(&mut bus, "remove")?;
    let mut seq = 1;
    for _ in 0..2 {
        player.becomes(seq + 1, &[]).publish_keyboard(&mut bus, "add")?;
        player.becomes(seq + 2, &["sdz"]).publish(&mut bus, "add", "sdz")?;
        example.line_where(soon(), "the mount", is("mount /dev/sdz1 /place"))?;
        player.becomes(seq + 3, &["sdz"]).publish_keyboard(&mut bus, "remove")?;
        seq += 4;
        let mut tries = 0..10;
        // The shell runs a program for each subscription; the one for removals may not be there yet at the first try.
        while let Err(error) = {
            player.becomes(seq, &[]).publish(&mut bus, "remove", "sdz")?;
            example.line_where(Deadline::seconds(2), "the umount", is("umount /place"))
        } {
            tries.next().ok_or(error)?;
            seq += 1;
        }
    }
    let printed = example.printed();
    ensure(printed.matches("mount /dev/sdz1").count() == 2, || format!("not mounted twice:\n{printed}"))
}

pub(crate) fn heat(kind: Kind, language: Language) -> Result<()> {
    let (server, folder) = (Server::start(kind)?, TempDir::new("heat")?);
    let environment = [("NATS_URL", &*server.url()), ("PATH", &path_with(None))];
    let mut cold = language.start("heat", &folder, &environment)?;
    cold.exit(soon())?;
    ensure(!cold.printed().contains("HEAT"), || format!("heat without calibre: {}", cold.printed()))?;
    let mut bus = server.connect()?;
    bus.subscribe("ps.calibre")?;
    let mut hot = language.start("heat", &folder, &environment)?;
    let question = bus.next(soon())?;
    bus.publish(&question.reply, b"4711")?;
    hot.line(soon(), "HEAT! calibre runs as 4711")?;
    hot.exit(soon()).map(drop)
}
