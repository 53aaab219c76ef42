//! The base system on this machine: a bus, an init with services, and the daemons, each as it runs on a machine of its own.

use crate::Flavour;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use testkit::process::Process;
use testkit::server::Server;
use testkit::{Deadline, Error, Result, TempDir};

/// Services that lunix-init supervises meanwhile.
pub(crate) const SERVICES: u32 = 20;

/// A program and its process id, and what is killed to end it.
type Program = (&'static str, u32, Process);

/// Everything that runs. Ended when dropped: lunix-init in order, with its services, the others by a kill.
pub(crate) struct Machine {
    pub(crate) programs: Vec<Program>,
    pub(crate) server: Server,
    _folder: TempDir,
}

impl Drop for Machine {
    fn drop(&mut self) {
        for (_, _, init) in self.programs.iter_mut().filter(|(name, _, _)| *name == "lunix-init") {
            // Whatever goes wrong here, it is killed next.
            let _ = init.end(Deadline::seconds(10));
        }
    }
}

impl Machine {
    pub(crate) fn start(flavour: &Flavour) -> Result<Self> {
        let folder = TempDir::new("budget")?;
        let server = Server::start_from(&flavour.folder)?;
        let control = folder.join("init.sock").display().to_string();
        let init = init(flavour, &folder, &control)?;
        let natsinit = server.daemon("natsinit", &["--control", &control])?;
        let natsps = natsps(&server, flavour)?;
        let natstoast = server.daemon("natstoast", &[])?;
        let natsdev = server.daemon("natsdev", &["--observe"])?;
        let natsnet = server.daemon("natsnet", &[])?;
        let natslog = natslog(&server, &folder)?;
        let others = [
            ("lunix-init", init),
            ("natsinit", natsinit),
            ("natstoast", natstoast),
            ("natsdev", natsdev),
            ("natsnet", natsnet),
            ("natslog", natslog),
        ];
        let others = others.into_iter().map(|(name, process)| (name, process.pid(), process));
        let programs = others.chain(natsps).collect();
        Ok(Self { programs, server, _folder: folder })
    }

    /// Every program with its process id.
    pub(crate) fn pids(&self) -> impl Iterator<Item = (&'static str, u32)> {
        let others = self.programs.iter().map(|(name, pid, _)| (*name, *pid));
        std::iter::once(("lunix-bus", self.server.pid())).chain(others)
    }
}

fn init(flavour: &Flavour, folder: &TempDir, control: &str) -> Result<Process> {
    let services = folder.join("services");
    for number in 0..SERVICES {
        let directory = services.join(format!("service{number}"));
        write_run(&directory).map_err(Error::io(format!("write {}", directory.display())))?;
    }
    let services = services.display().to_string();
    let arguments = ["--services", &services, "--control", control, "--ready-fd", "3"];
    let mut init = Process::spawn_notifying("lunix-init", flavour.folder.join("lunix-init"), &arguments, &[])?;
    init.ready(Deadline::seconds(20))?;
    Ok(init)
}

/// At a socket of its own, and without the kernel's lines, of which every machine has others.
fn natslog(server: &Server, folder: &TempDir) -> Result<Process> {
    let config = folder.join("natslog.toml");
    let text = format!("unix = [\"dgram:{}\"]\nkmsg = \"\"\n", folder.join("log").display());
    std::fs::write(&config, text).map_err(Error::io("write natslog.toml"))?;
    server.daemon("natslog", &["--config", &config.display().to_string()])
}

fn write_run(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)?;
    let run = directory.join("run");
    std::fs::write(&run, "#!/bin/sh\nexec sleep 1000\n")?;
    std::fs::set_permissions(run, PermissionsExt::from_mode(0o755))
}

/// In namespaces of its own, where it sees no process but itself, and the kernel has no process events for it: on this machine it would
/// otherwise follow every process of everybody. (With its events it is measured in the virtual machine.) `None` where namespaces
/// are off.
fn natsps(server: &Server, flavour: &Flavour) -> Result<Option<Program>> {
    const ALONE: [&str; 3] = ["-rnpf", "--mount-proc", "--kill-child"];
    let allowed = Command::new("unshare").args(ALONE).arg("true").status().is_ok_and(|status| status.success());
    if !allowed {
        testkit::skip::note("natsps_at_rest", "takes user namespaces (unshare -rnpf)");
        return Ok(None);
    }
    let (program, url) = (flavour.folder.join("natsps").display().to_string(), server.url());
    let arguments = [&ALONE[..], &[&program, "--url", &url, "--ready-fd", "3"]].concat();
    let mut unshare = Process::spawn_notifying("natsps", "unshare", &arguments, &[])?;
    unshare.ready(Deadline::seconds(20))?;
    Ok(Some(("natsps", child_of(unshare.pid())?, unshare)))
}

fn child_of(pid: u32) -> Result<u32> {
    let path = format!("/proc/{pid}/task/{pid}/children");
    let children = std::fs::read_to_string(&path).map_err(Error::io(format!("read {path}")))?;
    children.trim().parse().map_err(|_| Error::unexpected(format!("{path}: {children:?} is not one process")))
}
