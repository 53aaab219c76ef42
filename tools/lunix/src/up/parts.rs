//! What runs in host mode: each part as a service directory.

use std::path::{Path, PathBuf};

/// Where the parts find each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The private folder.
    pub folder: PathBuf,
    /// This program, which ties every part to its supervisor.
    pub lunix: PathBuf,
    /// The port of our own bus; `None` when another bus is used.
    pub port: Option<u16>,
    /// The bus's address for the daemons.
    pub url: String,
}

impl Place {
    /// The control socket of lunix-init.
    #[must_use]
    pub fn control(&self) -> PathBuf {
        self.folder.join("init.sock")
    }

    /// The service directory.
    #[must_use]
    pub fn services(&self) -> PathBuf {
        self.folder.join("services")
    }
}

/// The socket of our own bus.
#[must_use]
pub fn bus_socket(folder: &Path) -> PathBuf {
    folder.join("bus.sock")
}

/// One program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// Name of program and service.
    pub name: &'static str,
    arguments: Vec<String>,
}

/// The bus, where it is our own, and the daemons.
#[must_use]
pub fn parts(place: &Place) -> Vec<Part> {
    let mut parts = Vec::new();
    if let Some(port) = place.port {
        let (port, socket) = (port.to_string(), bus_socket(&place.folder).display().to_string());
        let words = ["-a", "127.0.0.1", "-p", &port, "--unix", &socket, "--ready-fd", "3"];
        parts.push(Part { name: "lunix-bus", arguments: words.map(str::to_owned).to_vec() });
    }
    let control = place.control().display().to_string();
    let daemons: [(&str, &[&str]); 5] = [
        ("natsinit", &["--control", &control]),
        ("natsdev", &["--observe"]),
        ("natsnet", &[]),
        ("natsps", &[]),
        ("natstoast", &[]),
    ];
    for (name, words) in daemons {
        // The machine's own configuration is of no concern here.
        let common = ["--config", "/dev/null", "--ready-fd", "3"];
        let arguments = words.iter().chain(&common).map(|word| (*word).to_owned()).collect();
        parts.push(Part { name, arguments });
    }
    parts
}

/// The files of a part's service directory: path below it, content, and whether it is executed.
#[must_use]
pub fn files(part: &Part, program: &Path, place: &Place) -> Vec<(&'static str, String, bool)> {
    let words = [place.lunix.display().to_string(), "tied".to_owned(), "--parent".to_owned()];
    let command = [program.display().to_string()].into_iter().chain(part.arguments.iter().cloned());
    // The shell becomes the program, so its parent is lunix-init all the way.
    let script = format!(
        "#!/bin/sh\nexec {} \"$PPID\" -- {} 2>&1\n",
        words.map(|word| quoted(&word)).join(" "),
        command.map(|word| quoted(&word)).collect::<Vec<_>>().join(" ")
    );
    let mut files = vec![
        ("run", script, true),
        ("notification-fd", "3\n".to_owned(), false),
        ("permanent-exits", "64 77 78\n".to_owned(), false),
    ];
    if part.name != "lunix-bus" {
        files.push(("env/NATS_URL", format!("{}\n", place.url), false));
        if place.port.is_some() {
            files.push(("dependencies.d/lunix-bus", String::new(), false));
        }
    }
    files
}

/// A word of the shell's language.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(port: Option<u16>) -> Place {
        let url = "unix:///tmp/it's/bus.sock".to_owned();
        Place { folder: "/tmp/it's".into(), lunix: "/bin/lunix".into(), port, url }
    }

    #[test]
    fn our_own_bus_comes_first_and_the_daemons_wait_for_it() {
        let place = place(Some(20_001));
        let parts = parts(&place);
        let names: Vec<&str> = parts.iter().map(|part| part.name).collect();
        assert_eq!(names, ["lunix-bus", "natsinit", "natsdev", "natsnet", "natsps", "natstoast"]);
        let bus = files(&parts[0], Path::new("/bin/lunix-bus"), &place);
        assert_eq!(
            bus[0].1,
            "#!/bin/sh\nexec '/bin/lunix' 'tied' '--parent' \"$PPID\" -- '/bin/lunix-bus' '-a' '127.0.0.1' '-p' '20001' '--unix' '/tmp/it'\\''s/bus.sock' '--ready-fd' '3' 2>&1\n"
        );
        assert!(!bus.iter().any(|(path, ..)| path.starts_with("env/")));
        let dev = files(&parts[2], Path::new("/bin/natsdev"), &place);
        assert!(
            dev[0].1.contains("'/bin/natsdev' '--observe' '--config' '/dev/null' '--ready-fd' '3'"),
            "{}",
            dev[0].1
        );
        assert!(dev.contains(&("env/NATS_URL", "unix:///tmp/it's/bus.sock\n".to_owned(), false)));
        assert!(dev.contains(&("dependencies.d/lunix-bus", String::new(), false)));
    }

    #[test]
    fn with_another_bus_nobody_waits() {
        let place = place(None);
        let parts = parts(&place);
        assert!(parts.iter().all(|part| part.name != "lunix-bus"));
        assert!(!files(&parts[0], Path::new("/x"), &place).iter().any(|(path, ..)| path.starts_with("dependencies.d")));
    }

    #[test]
    fn a_quoted_word_is_one_word_of_the_shell() {
        let word = "it's $HOME; `x` \"y\" \\ *\n";
        let output = std::process::Command::new("sh").args(["-c", &format!("printf %s {}", quoted(word))]).output();
        assert_eq!(output.unwrap().stdout, word.as_bytes());
    }
}
