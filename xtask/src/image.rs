//! The root of the virtual machine: `image/root` (and `image/test` for tests), busybox, the programs of the workspace, modules.

use crate::build::Built;
use crate::cpio::Archive;
use crate::debian;
use crate::failure::{Context, Failure, Result, expect_success};
use crate::kernel::{self, Kernel};
use crate::project;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What an image is made of.
pub struct Plan<'a> {
    pub built: &'a Built,
    pub kernel: &'a Kernel,
    /// A busybox other than Debian's.
    pub busybox: Option<&'a Path>,
    /// Whether a root shell answers on ttyS1.
    pub has_test_shell: bool,
    pub password: &'a str,
}

/// The bus user of a virtual machine; its password is made anew for every run.
pub const BUS_USER: &str = "lunix";

/// The folders of the root, with their modes.
const FOLDERS: &[(&str, u32)] = &[
    (".", 0o755),
    ("bin", 0o755),
    ("dev", 0o755),
    ("etc", 0o755),
    ("etc/lunix", 0o755),
    ("lib", 0o755),
    ("mnt", 0o755),
    ("myplace", 0o755),
    ("proc", 0o755),
    ("root", 0o700),
    ("run", 0o755),
    ("sys", 0o755),
    ("tmp", 0o1777),
    ("usr", 0o755),
    ("var", 0o755),
];

/// The users of the bus who have a password.
const BUS_USERS: &str = "etc/lunix/bus-users.conf";

/// Applets that lunix has its own program for, or that would be mistaken for it.
const APPLETS_LEFT_OUT: &[&str] = &["busybox", "init", "linuxrc", "lunix"];

/// Writes the archive to `path`; returns a sentence for each thing that was left out.
pub fn write(plan: &Plan<'_>, path: &Path) -> Result<Vec<String>> {
    let mut remarks = Vec::new();
    let mut archive = Archive::default();
    for (folder, mode) in FOLDERS {
        archive.folder(folder, *mode);
    }
    for link in ["sbin", "usr/bin", "usr/sbin"] {
        archive.link(link, if link == "sbin" { "bin" } else { "../bin" });
    }
    archive.link("var/run", "../run");
    // The kernel opens it for the first process before anything is mounted.
    archive.device("dev/console", 0o600, 5, 1);
    busybox(&mut archive, plan.busybox)?;
    programs(&mut archive, plan.built)?;
    static_files(&mut archive, plan, &mut remarks)?;
    archive.file(BUS_USERS, 0o600, bus_users(plan.password).as_bytes());
    modules(&mut archive, plan.kernel)?;
    std::fs::write(path, archive.finish()).at(path)?;
    Ok(remarks)
}

/// Adds busybox, Debian's unless another is given, and its applets.
pub fn busybox(archive: &mut Archive, given: Option<&Path>) -> Result<()> {
    let path = match given {
        Some(path) => path.to_owned(),
        None => {
            let folder = debian::unpack(&debian::find("busybox-static")?, &["*bin/busybox"], &[])?;
            let candidates = ["bin/busybox", "usr/bin/busybox"].map(|path| folder.join(path));
            candidates
                .into_iter()
                .find(|path| path.is_file())
                .ok_or_else(|| Failure::new("busybox-static has no busybox"))?
        }
    };
    archive.file("bin/busybox", 0o755, &std::fs::read(&path).at(&path)?);
    let output = Command::new(&path).arg("--list").stderr(Stdio::inherit()).output().at(&path)?;
    expect_success("busybox --list", output.status)?;
    for applet in String::from_utf8_lossy(&output.stdout).lines().filter(|applet| !APPLETS_LEFT_OUT.contains(applet)) {
        archive.link(&format!("bin/{applet}"), "busybox");
    }
    Ok(())
}

fn programs(archive: &mut Archive, built: &Built) -> Result<()> {
    for program in &built.programs {
        let path = built.folder.join(&program.name);
        archive.file(&format!("bin/{}", program.name), 0o755, &std::fs::read(&path).at(&path)?);
    }
    // The kernel runs /init.
    archive.link("init", "bin/lunix-init");
    Ok(())
}

/// Adds `image/root` and for tests `image/test`; services whose program the workspace does not have yet are left out and named.
fn static_files(archive: &mut Archive, plan: &Plan<'_>, remarks: &mut Vec<String>) -> Result<()> {
    let image = project::root().join("image");
    let services = "etc/lunix/services";
    add_except(archive, &image.join("root"), "", services)?;
    archive.folder(services, 0o755);
    let mut sources = vec![image.join("root").join(services)];
    if plan.has_test_shell {
        sources.push(image.join("test").join(services));
    }
    let built: BTreeSet<&str> = plan.built.programs.iter().map(|program| program.name.as_str()).collect();
    for folder in sources {
        for entry in std::fs::read_dir(&folder).at(&folder)? {
            let path = entry.at(&folder)?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if let Some(program) = program_of(&path).filter(|program| !built.contains(program.as_str())) {
                remarks.push(format!("service {name} is left out: the workspace has no {program} yet"));
                continue;
            }
            archive.folder(&format!("{services}/{name}"), 0o755);
            archive.tree(&format!("{services}/{name}/"), &path)?;
        }
    }
    Ok(())
}

/// Adds the tree `source` under `path`, leaving out the folder `except`.
fn add_except(archive: &mut Archive, source: &Path, path: &str, except: &str) -> Result<()> {
    let mut entries: Vec<PathBuf> = std::fs::read_dir(source).at(source)?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for from in entries {
        let name = from.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let to = format!("{path}{name}");
        if to == except || to == BUS_USERS {
            continue;
        }
        if from.is_dir() {
            if !FOLDERS.iter().any(|(folder, _)| *folder == to) {
                archive.folder(&to, 0o755);
            }
            add_except(archive, &from, &format!("{to}/"), except)?;
        } else {
            let mode = if name == "shadow" { 0o600 } else { 0o644 };
            archive.file(&to, mode, &std::fs::read(&from).at(&from)?);
        }
    }
    Ok(())
}

/// The lunix program that a service's `run` or `up` executes, if it is one of ours.
fn program_of(service: &Path) -> Option<String> {
    let run = ["run", "up"].iter().find_map(|name| std::fs::read_to_string(service.join(name)).ok())?;
    let words = run.lines().find_map(|line| line.trim().strip_prefix("exec "))?;
    let program = words.split_ascii_whitespace().next()?;
    (program.starts_with("nats") || program.starts_with("lunix")).then(|| program.to_owned())
}

/// Who comes from the host proves with a password to be its owner: to the bus of a virtual machine, connections through QEMU's forwarded port
/// come from the gateway, whoever made them.
fn bus_users(password: &str) -> String {
    format!(
        "# Made for this virtual machine; the password is new at every run.\n\
         users: [ {{ user: {BUS_USER}, password: \"{password}\" }} ]\n"
    )
}

fn modules(archive: &mut Archive, kernel: &Kernel) -> Result<()> {
    let Some((root, version)) = &kernel.modules else {
        eprintln!("no modules: everything must be built into this kernel");
        return Ok(());
    };
    let selected = kernel::select_modules(root, version, &wanted_modules()?)?;
    archive.folder("lib/modules", 0o755);
    archive.tree("lib/modules/", &selected.join("lib/modules"))
}

/// The names in `image/modules`.
pub fn wanted_modules() -> Result<Vec<String>> {
    let list = project::root().join("image/modules");
    let text = std::fs::read_to_string(&list).at(&list)?;
    let lines = text.lines().map(|line| line.split('#').next().unwrap_or_default());
    Ok(lines.flat_map(str::split_ascii_whitespace).map(str::to_owned).collect())
}
