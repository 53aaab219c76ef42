//! The words of the kernel's command line that are meant for PID 1 (`man 7 bootparam`).
//!
//! The kernel hands the words it does not know to PID 1 as arguments, but those with a dot it takes for parameters of modules and keeps; these
//! are read from /proc/cmdline. Words that nobody knows do no harm.

use std::time::Duration;

/// How far the machine boots before a person is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// All the way.
    #[default]
    Whole,
    /// What the bundle `boot` holds, then a shell, then the rest.
    Single,
    /// Nothing but the kernel's own file systems, then a shell, then the rest.
    Emergency,
}

impl Mode {
    /// The mode that a word asks for, as other inits understand it.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "single" | "rescue" | "s" | "S" | "1" => Some(Self::Single),
            "emergency" => Some(Self::Emergency),
            _ => None,
        }
    }
}

/// Who is let in when the boot fails, or a person asked for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shell {
    /// Who knows root's password: `sulogin`.
    #[default]
    Login,
    /// Anybody at the console: `/bin/sh`, for machines without passwords.
    Open,
}

impl Shell {
    /// The shell of that word.
    #[must_use]
    pub fn of(word: &str) -> Option<Self> {
        match word {
            "sulogin" => Some(Self::Login),
            "shell" => Some(Self::Open),
            _ => None,
        }
    }
}

/// What the command line says; `None` where it says nothing that can be understood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// `lunix.watchdog=SECONDS`; 0 is off.
    pub watchdog: Option<u16>,
    /// `lunix.rescue=sulogin` or `shell`.
    pub shell: Option<Shell>,
    /// `lunix.stop-limit-ms=N`.
    pub stop_limit: Option<Duration>,
}

/// Reads the command line of the kernel. The last of several words of one name counts.
#[must_use]
pub fn parse(line: &str) -> Words {
    let mut words = Words::default();
    for (name, value) in line.split_ascii_whitespace().filter_map(|word| word.split_once('=')) {
        match name {
            "lunix.watchdog" => words.watchdog = value.parse().ok().or(words.watchdog),
            "lunix.rescue" => words.shell = Shell::of(value).or(words.shell),
            "lunix.stop-limit-ms" => {
                words.stop_limit = value.parse().ok().map(Duration::from_millis).or(words.stop_limit);
            }
            _ => {}
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_count_and_others_do_no_harm() {
        let words = parse("quiet lunix.watchdog=30 root=/dev/sda lunix.rescue=shell lunix.watchdog=60 lunix.x=1 =\n");
        let expected = Words { watchdog: Some(60), shell: Some(Shell::Open), stop_limit: None };
        assert_eq!(words, expected);
        assert_eq!(parse("lunix.watchdog=x lunix.rescue=yes lunix.stop-limit-ms=-1 lunix.watchdog"), Words::default());
        assert_eq!(parse("lunix.stop-limit-ms=1500").stop_limit, Some(Duration::from_millis(1500)));
    }

    #[test]
    fn the_words_of_other_inits_are_understood() {
        assert_eq!(Mode::of("single"), Some(Mode::Single));
        assert_eq!(Mode::of("emergency"), Some(Mode::Emergency));
        assert_eq!(Mode::of("splash"), None);
    }
}
