//! A lunix-init with services of the test's own, and what to ask of it.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, reason = "each test uses what it needs")]

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use testkit::process::{Process, binary};
use testkit::{Deadline, TempDir};

pub fn soon() -> Deadline {
    Deadline::seconds(20)
}

/// Writes a service's files; those that begin with `#!` are executable. The directory appears as a whole.
pub fn service(folder: &TempDir, name: &str, files: &[(&str, &str)]) {
    let draft = folder.join("draft");
    std::fs::create_dir_all(&draft).unwrap();
    for (file, content) in files {
        let path = draft.join(file);
        std::fs::write(&path, content).unwrap();
        let mode = if content.starts_with("#!") { 0o755 } else { 0o644 };
        std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
    }
    std::fs::create_dir_all(folder.join("services")).unwrap();
    std::fs::rename(draft, folder.join("services").join(name)).unwrap();
}

pub fn init(folder: &TempDir) -> Process {
    let (services, control) = (folder.join("services"), folder.join("init.sock"));
    let arguments =
        ["--services", services.to_str().unwrap(), "--control", control.to_str().unwrap(), "--ready-fd", "3"];
    let mut init = Process::spawn_notifying("lunix-init", binary("lunix-init").unwrap(), &arguments, &[]).unwrap();
    init.ready(soon()).unwrap();
    init
}

/// natsinit as a service of lunix-init: its companion, with this configuration.
pub fn companion(folder: &TempDir, url: &str, words: &str, configuration: &str) {
    let config = folder.join("natsinit.toml");
    std::fs::write(&config, configuration).unwrap();
    let program = binary("natsinit").unwrap();
    let run = run(&program, url, &config);
    service(folder, "natsinit", &[("run", &run), ("companion", words), ("notification-fd", "4\n")]);
}

fn run(program: &Path, url: &str, config: &Path) -> String {
    format!(
        "#!/bin/sh\nexport LUNIX_LOG=info\nexec {} --url {url} --config {} --ready-fd 4\n",
        program.display(),
        config.display()
    )
}
