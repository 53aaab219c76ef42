//! What must be on the machine before a command can start: everything missing is listed at once, with the command that installs it.
//!
//! Run by root on Debian (as in CI) the command is run; at a terminal it is run after a yes; otherwise it is printed and the
//! command stops.

use crate::failure::{Context, Failure, Result, expect_success};
use crate::project;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Something that must be there, and what for.
#[derive(Clone, Debug)]
pub struct Need {
    kind: Kind,
    why: &'static str,
}

#[derive(Clone, Debug)]
enum Kind {
    /// A Debian package, and the program that shows that it is there.
    Apt { package: &'static str, program: &'static str },
    /// A Debian package without a program, and a file that shows that it is there.
    AptFile { package: &'static str, file: &'static str },
    /// A compilation target of the stable toolchain.
    RustTarget(&'static str),
    /// The nightly toolchain with the standard library's source.
    Nightly,
    /// A Debian package that brings a Python module.
    AptPython { package: &'static str, module: &'static str },
    /// A package of npm's registry.
    Npm(&'static str),
    /// A package of PyPI.
    Pip(&'static str),
}

impl Need {
    /// A Debian package whose program has the package's name.
    pub const fn apt(package: &'static str, why: &'static str) -> Self {
        Self::apt_program(package, package, why)
    }

    /// A Debian package that shows by a Python module.
    pub const fn apt_python(package: &'static str, module: &'static str, why: &'static str) -> Self {
        Self { kind: Kind::AptPython { package, module }, why }
    }

    /// A Debian package with a program of another name.
    pub const fn apt_program(package: &'static str, program: &'static str, why: &'static str) -> Self {
        Self { kind: Kind::Apt { package, program }, why }
    }

    /// A Debian package that shows by a file.
    pub const fn apt_file(package: &'static str, file: &'static str, why: &'static str) -> Self {
        Self { kind: Kind::AptFile { package, file }, why }
    }

    /// A compilation target.
    pub const fn rust_target(target: &'static str, why: &'static str) -> Self {
        Self { kind: Kind::RustTarget(target), why }
    }

    /// The nightly toolchain with `rust-src`.
    pub const fn nightly(why: &'static str) -> Self {
        Self { kind: Kind::Nightly, why }
    }

    /// A package of npm, installed into `target/clients/npm`.
    pub const fn npm(spec: &'static str, why: &'static str) -> Self {
        Self { kind: Kind::Npm(spec), why }
    }

    /// A package of PyPI, installed into the virtual environment `target/clients/python`.
    pub const fn pip(spec: &'static str, why: &'static str) -> Self {
        Self { kind: Kind::Pip(spec), why }
    }

    fn is_met(&self) -> bool {
        match &self.kind {
            Kind::Apt { program, .. } => testkit::disk::find_tool(program).is_absolute(),
            Kind::AptFile { file, .. } => Path::new(file).exists(),
            Kind::RustTarget(target) => {
                sysroot(None).is_some_and(|root| root.join("lib/rustlib").join(target).is_dir())
            }
            Kind::Nightly => {
                sysroot(Some("+nightly")).is_some_and(|root| root.join("lib/rustlib/src/rust/library/std").is_dir())
            }
            Kind::AptPython { module, .. } => has_python_module(module),
            Kind::Npm(spec) => stamp(&npm_folder(), spec).is_file(),
            Kind::Pip(spec) => stamp(&python_folder(), spec).is_file(),
        }
    }

    const fn debian_package(&self) -> Option<&'static str> {
        match self.kind {
            Kind::Apt { package, .. } | Kind::AptFile { package, .. } | Kind::AptPython { package, .. } => {
                Some(package)
            }
            Kind::RustTarget(_) | Kind::Nightly | Kind::Npm(_) | Kind::Pip(_) => None,
        }
    }

    fn label(&self) -> String {
        match &self.kind {
            Kind::Apt { package, .. } | Kind::AptFile { package, .. } | Kind::AptPython { package, .. } => {
                format!("Debian package {package}")
            }
            Kind::RustTarget(target) => format!("Rust target {target}"),
            Kind::Nightly => "Rust nightly with rust-src".to_owned(),
            Kind::Npm(spec) => format!("npm package {spec}"),
            Kind::Pip(spec) => format!("Python package {spec}"),
        }
    }
}

/// Where the npm packages live; `node_modules` is below it.
pub fn npm_folder() -> PathBuf {
    project::target().join("clients/npm")
}

/// The virtual environment of the Python clients.
pub fn python_folder() -> PathBuf {
    project::target().join("clients/python")
}

/// True when nothing is missing.
pub fn is_met(needs: &[Need]) -> bool {
    needs.iter().all(Need::is_met)
}

/// Makes sure that all `needs` are met, or says what to do.
///
/// # Errors
/// When something is missing and may not or cannot be installed from here.
pub fn satisfy(needs: &[Need]) -> Result<()> {
    let missing: Vec<&Need> = needs.iter().filter(|need| !need.is_met()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    eprintln!("missing:");
    for need in &missing {
        eprintln!("  {} ({})", need.label(), need.why);
    }
    let (system, own): (Vec<&Need>, Vec<&Need>) = missing.into_iter().partition(|need| is_system(need));
    install_system(&system)?;
    own.into_iter().try_for_each(install_own)
}

/// Whether installing it changes the machine, not only the target folder.
const fn is_system(need: &Need) -> bool {
    !matches!(need.kind, Kind::Npm(_) | Kind::Pip(_))
}

fn install_system(missing: &[&Need]) -> Result<()> {
    let commands = commands(missing);
    if commands.is_empty() {
        return Ok(());
    }
    let text: Vec<String> = commands.iter().map(|words| words.join(" ")).collect();
    if !may_install(&text)? {
        let who = if is_root() || has_sudo() { "" } else { " as root" };
        return Err(Failure::new(format!(
            "install what is missing{who}, then run this again:\n    {}",
            text.join("\n    ")
        )));
    }
    for words in &commands {
        let (program, arguments) = words.split_first().ok_or_else(|| Failure::new("no command"))?;
        eprintln!("+ {}", words.join(" "));
        let status = Command::new(program).args(arguments).env("DEBIAN_FRONTEND", "noninteractive").status();
        expect_success(&words.join(" "), status.context(program)?)?;
    }
    Ok(())
}

/// The commands that install what is missing from the system.
fn commands(missing: &[&Need]) -> Vec<Vec<String>> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let mut packages: Vec<&str> = missing.iter().filter_map(|need| need.debian_package()).collect();
    packages.sort_unstable();
    packages.dedup();
    let mut commands = Vec::new();
    if !packages.is_empty() {
        let sudo = if is_root() || !has_sudo() { "" } else { "sudo " };
        commands.push(words(&format!("{sudo}apt-get update")));
        commands.push(words(&format!("{sudo}apt-get install --yes --no-install-recommends {}", packages.join(" "))));
    }
    for need in missing {
        match need.kind {
            Kind::RustTarget(target) => commands.push(words(&format!("rustup target add {target}"))),
            Kind::Nightly => commands.push(words("rustup toolchain install nightly --profile minimal --component rust-src --target x86_64-unknown-linux-musl")),
            Kind::Apt { .. } | Kind::AptFile { .. } | Kind::AptPython { .. } | Kind::Npm(_) | Kind::Pip(_) => {}
        }
    }
    commands
}

fn may_install(commands: &[String]) -> Result<bool> {
    if is_root() && Path::new("/etc/debian_version").exists() {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() || !(is_root() || has_sudo()) {
        return Ok(false);
    }
    eprint!("run now?\n    {}\n[y/N] ", commands.join("\n    "));
    std::io::stderr().flush().context("terminal")?;
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("terminal")?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Installs into the target folder; that needs nobody's leave.
fn install_own(need: &Need) -> Result<()> {
    match need.kind {
        Kind::Npm(spec) => {
            let folder = npm_folder();
            project::make_folder(&folder)?;
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"]).arg(&folder).arg(spec);
            run(npm, &format!("install {spec}"))?;
            std::fs::write(stamp(&folder, spec), "").at(&folder)
        }
        Kind::Pip(spec) => {
            let folder = python_folder();
            let python = folder.join("bin/python3");
            if !python.is_file() {
                let mut venv = Command::new("python3");
                venv.args(["-m", "venv"]).arg(&folder);
                run(venv, "make a Python environment")?;
            }
            let mut pip = Command::new(python);
            pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", spec]);
            run(pip, &format!("install {spec}"))?;
            std::fs::write(stamp(&folder, spec), "").at(&folder)
        }
        Kind::Apt { .. } | Kind::AptFile { .. } | Kind::AptPython { .. } | Kind::RustTarget(_) | Kind::Nightly => {
            Ok(())
        }
    }
}

fn run(mut command: Command, what: &str) -> Result<()> {
    let step = crate::progress::Step::new(what);
    let output = command.stdin(Stdio::null()).output().context(what)?;
    drop(step);
    if output.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "{what} failed:\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )))
}

/// The file that says that `spec` has been installed in `folder`.
fn stamp(folder: &Path, spec: &str) -> PathBuf {
    folder.join(format!(".installed-{}", spec.replace(['/', '@', '='], "_")))
}

fn has_python_module(module: &str) -> bool {
    let mut python = Command::new("python3");
    python.args(["-c", &format!("import {module}")]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    python.status().is_ok_and(|status| status.success())
}

fn sysroot(toolchain: Option<&str>) -> Option<PathBuf> {
    let mut rustc = Command::new("rustc");
    if toolchain.is_some() {
        rustc.env_remove("RUSTUP_TOOLCHAIN");
    }
    let output = rustc.args(toolchain).args(["--print", "sysroot"]).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim().to_owned()))
}

fn has_sudo() -> bool {
    testkit::disk::find_tool("sudo").is_absolute()
}

/// Whether we are root, by the owner of our own entry in /proc.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0)
}
