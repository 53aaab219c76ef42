//! What the fourth field of fstab means: a list of words between commas, with text in double quotes taken as it is (`man 8 mount`).

use rustix::mount::{MountFlags, MountPropagationFlags};

/// The options of an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// What the kernel knows by itself.
    pub flags: Flags,
    /// What the file system is told, with commas.
    pub rest: String,
    /// It is not mounted at boot.
    pub noauto: bool,
    /// The boot goes on without it.
    pub nofail: bool,
    /// It needs the network.
    pub netdev: bool,
    /// It shows a directory in another place.
    pub bind: Option<Bind>,
    /// Who sees what is mounted within.
    pub propagation: Option<Propagation>,
    /// Of swap space: what is higher is filled first.
    pub priority: Option<u16>,
    /// Of swap space: what is free is told to the disk.
    pub discard: bool,
}

/// What the kernel knows by itself, as set bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flags(pub MountFlags);

impl Default for Flags {
    fn default() -> Self {
        Self(MountFlags::empty())
    }
}

/// How a directory is shown in another place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bind {
    /// Without what is mounted in it.
    Plain,
    /// With that.
    Recursive,
}

/// Who sees what is mounted within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Propagation(pub MountPropagationFlags);

/// What a word does.
#[derive(Clone, Copy)]
enum Word {
    On(MountFlags),
    Off(MountFlags),
    /// An ordinary user may mount it, with these unless others follow.
    User(MountFlags),
    Bind(Bind),
    Spread(MountPropagationFlags),
    Noauto,
    Auto,
    Nofail,
    Fail,
    Netdev,
    Nothing,
    Refused(&'static str),
}

const RECURSIVE: MountPropagationFlags = MountPropagationFlags::REC;
const USER: MountFlags = MountFlags::NOEXEC.union(MountFlags::NOSUID).union(MountFlags::NODEV);
const OWNER: MountFlags = MountFlags::NOSUID.union(MountFlags::NODEV);
const DEFAULTS: MountFlags = MountFlags::RDONLY
    .union(MountFlags::NOSUID)
    .union(MountFlags::NODEV)
    .union(MountFlags::NOEXEC)
    .union(MountFlags::SYNCHRONOUS);

const WORDS: &[(&str, Word)] = &[
    ("defaults", Word::Off(DEFAULTS)),
    ("ro", Word::On(MountFlags::RDONLY)),
    ("rw", Word::Off(MountFlags::RDONLY)),
    ("nosuid", Word::On(MountFlags::NOSUID)),
    ("suid", Word::Off(MountFlags::NOSUID)),
    ("nodev", Word::On(MountFlags::NODEV)),
    ("dev", Word::Off(MountFlags::NODEV)),
    ("noexec", Word::On(MountFlags::NOEXEC)),
    ("exec", Word::Off(MountFlags::NOEXEC)),
    ("sync", Word::On(MountFlags::SYNCHRONOUS)),
    ("async", Word::Off(MountFlags::SYNCHRONOUS)),
    ("dirsync", Word::On(MountFlags::DIRSYNC)),
    ("noatime", Word::On(MountFlags::NOATIME)),
    ("atime", Word::Off(MountFlags::NOATIME)),
    ("nodiratime", Word::On(MountFlags::NODIRATIME)),
    ("diratime", Word::Off(MountFlags::NODIRATIME)),
    ("relatime", Word::On(MountFlags::RELATIME)),
    ("norelatime", Word::Off(MountFlags::RELATIME)),
    ("strictatime", Word::On(MountFlags::STRICTATIME)),
    ("nostrictatime", Word::Off(MountFlags::STRICTATIME)),
    ("lazytime", Word::On(MountFlags::LAZYTIME)),
    ("nolazytime", Word::Off(MountFlags::LAZYTIME)),
    ("silent", Word::On(MountFlags::SILENT)),
    ("loud", Word::Off(MountFlags::SILENT)),
    ("mand", Word::On(MountFlags::PERMIT_MANDATORY_FILE_LOCKING)),
    ("nomand", Word::Off(MountFlags::PERMIT_MANDATORY_FILE_LOCKING)),
    ("bind", Word::Bind(Bind::Plain)),
    ("rbind", Word::Bind(Bind::Recursive)),
    ("shared", Word::Spread(MountPropagationFlags::SHARED)),
    ("private", Word::Spread(MountPropagationFlags::PRIVATE)),
    ("slave", Word::Spread(MountPropagationFlags::DOWNSTREAM)),
    ("unbindable", Word::Spread(MountPropagationFlags::UNBINDABLE)),
    ("rshared", Word::Spread(MountPropagationFlags::SHARED.union(RECURSIVE))),
    ("rprivate", Word::Spread(MountPropagationFlags::PRIVATE.union(RECURSIVE))),
    ("rslave", Word::Spread(MountPropagationFlags::DOWNSTREAM.union(RECURSIVE))),
    ("runbindable", Word::Spread(MountPropagationFlags::UNBINDABLE.union(RECURSIVE))),
    ("noauto", Word::Noauto),
    ("auto", Word::Auto),
    ("nofail", Word::Nofail),
    ("fail", Word::Fail),
    ("_netdev", Word::Netdev),
    ("user", Word::User(USER)),
    ("users", Word::User(USER)),
    ("owner", Word::User(OWNER)),
    ("group", Word::User(OWNER)),
    ("nouser", Word::Nothing),
    ("nousers", Word::Nothing),
    ("noowner", Word::Nothing),
    ("nogroup", Word::Nothing),
    ("sw", Word::Nothing),
    ("loop", Word::Refused("loop disks are not set up here: let a service do that with losetup")),
    ("remount", Word::Refused("expected no remount in a table")),
    ("move", Word::Refused("expected no move in a table")),
];

impl Options {
    /// Reads the field.
    ///
    /// # Errors
    /// What was expected, in words.
    pub fn parse(field: &str) -> Result<Self, String> {
        let mut options = Self::default();
        for word in words(field).filter(|word| !word.is_empty()) {
            options.take(word)?;
        }
        Ok(options)
    }

    fn take(&mut self, word: &str) -> Result<(), String> {
        let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value)));
        if name.starts_with("x-") || name.starts_with("X-") || name == "comment" {
            return Ok(());
        }
        let known = WORDS.iter().find(|(known, _)| *known == name).map(|(_, meaning)| *meaning);
        let flags = &mut self.flags.0;
        match known.filter(|_| value.is_none()) {
            Some(Word::On(bits)) => flags.insert(bits),
            Some(Word::Off(bits)) => flags.remove(bits),
            Some(Word::User(bits)) => flags.insert(bits),
            Some(Word::Bind(bind)) => self.bind = Some(bind),
            Some(Word::Spread(bits)) => self.propagation = Some(Propagation(bits)),
            Some(Word::Noauto) => self.noauto = true,
            Some(Word::Auto) => self.noauto = false,
            Some(Word::Nofail) => self.nofail = true,
            Some(Word::Fail) => self.nofail = false,
            Some(Word::Netdev) => self.netdev = true,
            Some(Word::Nothing) => {}
            Some(Word::Refused(why)) => return Err(why.to_owned()),
            None => return self.take_rest(word, name, value),
        }
        Ok(())
    }

    /// What is the file system's own, or that of swap space.
    fn take_rest(&mut self, word: &str, name: &str, value: Option<&str>) -> Result<(), String> {
        match (name, value) {
            ("pri", Some(value)) => {
                let priority = value.parse().ok().filter(|priority| *priority <= 32767);
                self.priority = Some(priority.ok_or_else(|| format!("expected pri=0 to 32767, found {value:?}"))?);
                return Ok(());
            }
            ("discard", _) => self.discard = true,
            _ => {}
        }
        if !self.rest.is_empty() {
            self.rest.push(',');
        }
        self.rest.push_str(word);
        Ok(())
    }
}

/// Cuts at the commas that are not within double quotes.
fn words(field: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    field.split(move |letter| {
        quoted ^= letter == '"';
        letter == ',' && !quoted
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(field: &str) -> Options {
        Options::parse(field).unwrap()
    }

    #[test]
    fn each_word_finds_its_place() {
        let options =
            parse("rw,nosuid,errors=remount-ro,nofail,x-systemd.automount,noauto,comment=\"a,b\",context=\"x,y\"");
        assert_eq!(options.flags.0, MountFlags::NOSUID);
        assert_eq!(options.rest, "errors=remount-ro,context=\"x,y\"");
        assert!(options.nofail && options.noauto && !options.netdev);
        assert_eq!(parse("ro,nosuid,defaults"), Options::default());
        assert_eq!(parse("user,exec").flags.0, OWNER);
        assert_eq!(parse("noauto,auto,,"), Options::default());
        assert_eq!(parse("rbind,ro").bind, Some(Bind::Recursive));
        assert_eq!(parse("rslave").propagation.unwrap().0, MountPropagationFlags::DOWNSTREAM | RECURSIVE);
        assert_eq!((parse("sw,pri=5").priority, parse("discard=once").discard), (Some(5), true));
        assert_eq!(parse("ro=1").rest, "ro=1");
    }

    #[test]
    fn what_cannot_be_says_what_was_expected() {
        for (field, sentence) in [
            ("pri=-1", "expected pri=0 to 32767, found \"-1\""),
            ("pri=40000", "expected pri=0 to 32767, found \"40000\""),
            ("rw,remount", "expected no remount in a table"),
        ] {
            assert_eq!(Options::parse(field).unwrap_err(), sentence);
        }
        assert!(Options::parse("loop").unwrap_err().contains("losetup"));
    }

    #[test]
    fn every_word_of_the_table_is_there_once() {
        for (at, (name, _)) in WORDS.iter().enumerate() {
            assert_eq!(WORDS.iter().position(|(other, _)| other == name), Some(at), "{name}");
        }
    }
}
