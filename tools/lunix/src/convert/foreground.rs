//! Programs that put themselves into the background, and how each is kept from it.

use super::command::Command;
use super::text::{Piece, Text};

/// What changes in the command line.
enum Change {
    /// These words are added.
    Add(&'static [&'static str]),
    /// The first is replaced by the second wherever it is part of a word; where it is not, the words are added.
    Replace(&'static str, &'static str, &'static [&'static str]),
}

use Change::{Add, Replace};

const PROGRAMS: &[(&[&str], Change)] = &[
    (&["nginx"], Replace("daemon on;", "daemon off;", &["-g", "daemon off;"])),
    (&["postfix"], Replace("start", "start-fg", &["start-fg"])),
    (&["chronyd", "ntpd", "rsyslogd", "proftpd", "keepalived"], Add(&["-n"])),
    (&["dnsmasq"], Add(&["-k"])),
    (&["gpsd"], Add(&["-N"])),
    (&["lighttpd", "sshd", "exim"], Add(&["-D"])),
    (&["smbd", "nmbd", "winbindd", "rpc.statd", "rpc.mountd", "rpc.idmapd"], Add(&["-F"])),
    (&["named", "rpcbind", "cron", "crond", "atd", "snmpd", "collectd", "dhcpd", "freeradius"], Add(&["-f"])),
    (&["squid"], Add(&["--foreground"])),
    (&["monit"], Add(&["-I"])),
    (&["privoxy"], Add(&["--no-daemon"])),
    (&["tinyproxy"], Add(&["-d"])),
    (&["xinetd"], Add(&["-dontfork"])),
];

/// Changes the command so that it stays in the foreground; the words that do it, or `None` for a program that is not known.
pub(crate) fn keep(command: &mut Command) -> Option<String> {
    let path = command.words.first().and_then(Text::plain)?;
    // A script of the older kind has the name of its program.
    let program = command.program();
    let (_, change) = PROGRAMS.iter().find(|(names, _)| names.contains(&program.as_str()))?;
    if path.starts_with("/etc/") {
        return None;
    }
    let added = match change {
        Add(words) => *words,
        Replace(from, to, words) => {
            if replace(command, from, to) {
                return Some((*to).to_owned());
            }
            *words
        }
    };
    command.words.extend(added.iter().map(|word| Text::literal(*word)));
    Some(added.join(" "))
}

fn replace(command: &mut Command, from: &str, to: &str) -> bool {
    let mut found = false;
    for piece in command.words.iter_mut().skip(1).flat_map(|word| word.0.iter_mut()) {
        if let Piece::Literal(text) = piece
            && text.contains(from)
        {
            *text = text.replace(from, to);
            found = true;
        }
    }
    found
}
