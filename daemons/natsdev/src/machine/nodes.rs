//! Owner, group and mode of device nodes: a table in Debian's spirit, and the administrator's rules before it.

use modules::matches;
use serde::{Deserialize, Serialize};

/// What a node gets. Numbers, since names were looked up when the rules were read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ownership {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Permission bits.
    pub mode: u32,
}

/// One row: the first that matches counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Pattern for the subsystem; `*` for any.
    pub subsystem: String,
    /// Pattern for the name below /dev.
    pub name: String,
    /// What matching nodes get.
    pub ownership: Ownership,
}

/// The rules in force.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules(Vec<Rule>);

/// Subsystem, name, group, mode. The owner is always root.
const BUILT_IN: &[(&str, &str, &str, u32)] = &[
    ("tty", "tty", "tty", 0o666),
    ("tty", "ptmx", "tty", 0o666),
    ("tty", "tty[0-9]*", "tty", 0o620),
    ("tty", "tty[A-Z]*", "dialout", 0o660),
    ("tty", "rfcomm[0-9]*", "dialout", 0o660),
    ("vc", "vcs*", "tty", 0o620),
    ("mem", "mem", "kmem", 0o640),
    ("mem", "kmem", "kmem", 0o640),
    ("mem", "port", "kmem", 0o640),
    ("input", "input/js*", "input", 0o664),
    ("input", "input/*", "input", 0o660),
    ("usb", "bus/usb/*", "root", 0o664),
    ("usbmisc", "usb/lp*", "lp", 0o660),
    ("block", "sr[0-9]*", "cdrom", 0o660),
    ("block", "fd[0-9]*", "floppy", 0o660),
    ("block", "*", "disk", 0o660),
    ("bsg", "*", "disk", 0o660),
    ("scsi_generic", "sg*", "disk", 0o660),
    ("misc", "loop-control", "disk", 0o660),
    ("misc", "kvm", "kvm", 0o660),
    ("misc", "vhost-*", "kvm", 0o660),
    ("misc", "net/tun", "root", 0o666),
    ("misc", "fuse", "root", 0o666),
    ("misc", "rfkill", "netdev", 0o664),
    ("tpm", "tpm[0-9]*", "tss", 0o660),
    ("tpmrm", "tpmrm*", "tss", 0o660),
    ("sound", "snd/*", "audio", 0o660),
    ("drm", "dri/render*", "render", 0o660),
    ("drm", "dri/*", "video", 0o660),
    ("graphics", "fb*", "video", 0o660),
    ("video4linux", "*", "video", 0o660),
    ("media", "*", "video", 0o660),
    ("cec", "*", "video", 0o660),
    ("dvb", "dvb/*", "video", 0o660),
    ("ppp", "ppp", "dip", 0o660),
    ("gpio", "gpiochip*", "gpio", 0o660),
    ("i2c-dev", "i2c-*", "i2c", 0o660),
    ("spidev", "spidev*", "spi", 0o660),
];

impl Rules {
    /// The administrator's rules first, then the built-in table. A group of the table that this machine has not (`group` answers
    /// `None`) is root, with the group's permissions taken away, so that nothing is more open than intended.
    #[must_use]
    pub fn new(own: Vec<Rule>, group: impl Fn(&str) -> Option<u32>) -> Self {
        let built_in = BUILT_IN.iter().map(|&(subsystem, name, group_name, mode)| {
            let ownership = match group(group_name) {
                Some(gid) => Ownership { uid: 0, gid, mode },
                None => Ownership { uid: 0, gid: 0, mode: mode & !0o070 },
            };
            Rule { subsystem: subsystem.into(), name: name.into(), ownership }
        });
        Self(own.into_iter().chain(built_in).collect())
    }

    /// What a node gets; `None` leaves it as the kernel made it.
    #[must_use]
    pub fn ownership(&self, subsystem: &str, name: &str) -> Option<Ownership> {
        let rule = self.0.iter().find(|rule| matches(&rule.subsystem, subsystem) && matches(&rule.name, name))?;
        Some(rule.ownership)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_matching_row_counts_and_unknown_groups_open_nothing() {
        let own = Rule {
            subsystem: "tty".into(),
            name: "ttyUSB*".into(),
            ownership: Ownership { uid: 7, gid: 8, mode: 0o600 },
        };
        let rules = Rules::new(vec![own], |name| (name == "disk").then_some(6));
        let of = |subsystem, name| rules.ownership(subsystem, name).map(|o| (o.uid, o.gid, o.mode));
        assert_eq!(of("tty", "ttyUSB0"), Some((7, 8, 0o600)));
        assert_eq!(of("tty", "ttyS0"), Some((0, 0, 0o600)));
        assert_eq!(of("tty", "tty"), Some((0, 0, 0o606)));
        assert_eq!(of("block", "sda1"), Some((0, 6, 0o660)));
        assert_eq!(of("rtc", "rtc0"), None);
    }
}
