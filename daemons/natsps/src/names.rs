//! What a process is called.

use serde::{Deserialize, Serialize};

/// Programs that run scripts, without version numbers.
const INTERPRETERS: &[&str] = &[
    "ash", "bash", "dash", "fish", "guile", "ksh", "lua", "luajit", "node", "nodejs", "perl", "php", "pypy", "python",
    "Rscript", "ruby", "sh", "tclsh", "wish", "zsh",
];

/// Bytes of the kernel's name, which is cut after them.
const COMM_MAX: usize = 15;

/// Where the names of a process come from, as `/proc` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sources {
    /// `/proc/<pid>/comm`.
    pub comm: String,
    /// Target of `/proc/<pid>/exe`, where it may be read.
    pub executable: Option<String>,
    /// The first arguments of `/proc/<pid>/cmdline`, enough to find a script.
    pub arguments: Vec<String>,
}

impl Sources {
    /// The one name people use: the script's file name, else the name under which a multi-call program was called, else the
    /// executable's, else `comm`.
    #[must_use]
    pub fn name(&self) -> &str {
        if let Some(script) = self.script() {
            return unwrapped(base(script));
        }
        let called = self.called();
        match self.executable.as_deref().map(base) {
            Some(executable) if executable == called || !is_comm_of(&self.comm, called) => unwrapped(executable),
            Some(_) => unwrapped(called),
            None if is_comm_of(&self.comm, called) => unwrapped(called),
            None => unwrapped(&self.comm),
        }
    }

    /// The script that an interpreter runs, as its command line names it.
    #[must_use]
    pub fn script(&self) -> Option<&str> {
        let executable = self.executable.as_deref().map_or_else(|| self.called(), base);
        // A script started by its first line leaves its own name in `comm`, whatever the interpreter is.
        let mut rest = self.arguments.iter().skip(1).map(String::as_str);
        let by_first_line = |argument: &&str| is_comm_of(&self.comm, base(argument)) && base(argument) != executable;
        if !is_comm_of(&self.comm, self.called())
            && let Some(script) = rest.clone().find(by_first_line)
        {
            return Some(script);
        }
        let first = rest.next()?;
        ((is_interpreter(executable) || is_interpreter(self.called())) && !first.starts_with('-') && !first.is_empty())
            .then_some(first)
    }

    /// True when `name` is one of the names of this process.
    #[must_use]
    pub fn answers_to(&self, name: &str) -> bool {
        let paths = [self.executable.as_deref(), self.arguments.first().map(String::as_str), self.script()];
        let mut names = paths.into_iter().flatten().chain([self.comm.as_str()]);
        names.any(|path| path == name || base(path) == name || unwrapped(base(path)) == name)
    }

    /// The file name in `argv[0]`, without the dash of a login shell.
    fn called(&self) -> &str {
        let first = self.arguments.first().map_or("", String::as_str);
        base(first.strip_prefix('-').unwrap_or(first))
    }
}

/// The last part of a path.
fn base(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Nix wraps programs as `.name-wrapped`; people call them `name`.
fn unwrapped(name: &str) -> &str {
    name.strip_prefix('.')
        .and_then(|name| name.strip_suffix("-wrapped"))
        .filter(|name| !name.is_empty())
        .unwrap_or(name)
}

fn is_interpreter(name: &str) -> bool {
    let plain = unwrapped(name).trim_end_matches(|c: char| c.is_ascii_digit() || c == '.' || c == '-');
    INTERPRETERS.contains(&plain)
}

/// True when the kernel would call a program of that name `comm`.
fn is_comm_of(comm: &str, name: &str) -> bool {
    !name.is_empty() && (comm == name || (comm.len() == COMM_MAX && name.starts_with(comm)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(comm: &str, executable: &str, arguments: &[&str]) -> Sources {
        let executable = (!executable.is_empty()).then(|| executable.to_owned());
        Sources { comm: comm.into(), executable, arguments: arguments.iter().map(|word| (*word).to_owned()).collect() }
    }

    #[test]
    fn the_name_is_what_people_call_it() {
        // comm, executable, arguments, name
        let table: &[(&str, &str, &[&str], &str)] = &[
            ("sshd", "/usr/sbin/sshd", &["/usr/sbin/sshd", "-D"], "sshd"),
            ("calibre", "/usr/bin/python3.11", &["/usr/bin/python3", "/usr/bin/calibre"], "calibre"),
            ("python3", "/usr/bin/python3.11", &["python3", "/opt/calibre", "x"], "calibre"),
            ("python3", "/usr/bin/python3.11", &["python3", "-m", "http.server"], "python3"),
            ("python3", "/usr/bin/python3.11", &["python3"], "python3"),
            ("getty", "/bin/busybox", &["/sbin/getty", "ttyS0"], "getty"),
            ("sh", "/bin/busybox", &["-sh"], "sh"),
            ("sh", "/bin/busybox", &["sh", "/etc/run"], "run"),
            (
                "systemd-resolve",
                "/lib/systemd/systemd-resolved",
                &["/lib/systemd/systemd-resolved"],
                "systemd-resolved",
            ),
            (".calibre-wrappe", "/nix/store/x/bin/.calibre-wrapped", &["calibre"], "calibre"),
            ("Web Content", "/usr/lib/firefox/firefox", &["/usr/lib/firefox/firefox", "-contentproc"], "firefox"),
            ("natsps", "", &["/bin/natsps"], "natsps"),
            ("postgres", "", &["postgres: writer"], "postgres"),
            ("sleep", "", &[], "sleep"),
            ("my-tool", "/usr/bin/env-like", &["env-like", "-x", "./my-tool"], "my-tool"),
        ];
        for (comm, executable, arguments, name) in table {
            assert_eq!(sources(comm, executable, arguments).name(), *name, "{comm} {executable} {arguments:?}");
        }
    }

    #[test]
    fn it_answers_to_all_its_names_and_no_other() {
        let calibre =
            sources("calibre-paralle", "/usr/bin/python3.11", &["/usr/bin/python3", "/usr/bin/calibre-parallel"]);
        for name in ["calibre-paralle", "python3.11", "python3", "/usr/bin/python3", "calibre-parallel"] {
            assert!(calibre.answers_to(name), "{name}");
        }
        for name in ["calibre", "python", "bin", ""] {
            assert!(!calibre.answers_to(name), "{name}");
        }
        assert!(sources("x", "/nix/store/y/.calibre-wrapped", &[]).answers_to("calibre"));
    }
}
