//! The definitions in `services/`, used by the inits that they are for, in namespaces of their own.

use std::path::Path;
use std::process::{Command, Stdio};
use testkit::process::{Process, binary};
use testkit::{Deadline, Error, Result, TempDir};

/// What must be there, and the package that brings it.
pub(crate) struct Tool(pub(crate) &'static str, pub(crate) &'static str);

const PREPARE: &str = include_str!("inits/prepare.sh");

/// Why the scenario cannot run here.
pub(crate) fn missing(tools: &[Tool]) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("only root can make a machine of namespaces".to_owned());
    }
    let layers = "mount -t tmpfs tmpfs /run && mkdir /run/a /run/b && mount -t overlay o -o lowerdir=/etc,upperdir=/run/a,workdir=/run/b /etc";
    let mut probe = Command::new("unshare");
    probe.args(["--mount", "--net", "--pid", "--fork", "sh", "-c", layers]).stderr(Stdio::null());
    if !probe.status().is_ok_and(|status| status.success()) {
        return Some("no namespaces or no overlay file system here".to_owned());
    }
    let lacks = |tool: &&Tool| !testkit::disk::find_tool(tool.0).is_absolute();
    tools.iter().find(lacks).map(|Tool(program, package)| format!("no {program}: install the Debian package {package}"))
}

/// Starts a script in namespaces of its own, after [`PREPARE`]; the folder holds the scripts.
///
/// # Errors
/// When the programs are not built, or something cannot be written.
pub(crate) fn machine(test: &str, script: &str) -> Result<(Process, TempDir)> {
    let bus = binary("lunix-bus")?;
    let programs = bus.parent().unwrap_or(Path::new("/"));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let scripts = TempDir::new("inits")?;
    let path = scripts.join(test);
    let written =
        std::fs::write(&path, script).and_then(|()| std::fs::write(scripts.join(&format!("{test}.prepare")), PREPARE));
    written.map_err(Error::io("write a script"))?;
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh"]);
    command.arg(path).arg(programs).arg(root.join("services")).arg(root.join("image/root/etc/lunix"));
    command.env_remove("NATS_URL").env_remove("NOTIFY_SOCKET");
    Ok((Process::spawn(test, &mut command)?, scripts))
}

/// Runs a script; its last line must be `passed`.
#[expect(clippy::unwrap_used, reason = "a test")]
fn scenario(test: &str, script: &str, tools: &[Tool]) {
    if let Some(why) = missing(tools) {
        return testkit::skip::note(test, &why);
    }
    let (mut process, _scripts) = machine(test, script).unwrap();
    let status = process.exit(Deadline::seconds(120)).unwrap();
    let printed = process.printed();
    assert!(status.success() && printed.lines().last() == Some("passed"), "{status}\n{printed}");
}

#[test]
fn runit() {
    let tools = [Tool("runsvdir", "runit"), Tool("chpst", "runit"), Tool("setpriv", "util-linux")];
    scenario("runit", include_str!("inits/runit.sh"), &tools);
}

#[test]
fn s6() {
    scenario("s6", include_str!("inits/s6.sh"), &[Tool("s6-svscan", "s6"), Tool("s6-setuidgid", "s6")]);
}

#[test]
fn s6_rc() {
    scenario("s6-rc", include_str!("inits/s6-rc.sh"), &[Tool("s6-setuidgid", "s6")]);
}

#[test]
fn openrc() {
    scenario("openrc", include_str!("inits/openrc.sh"), &[Tool("openrc-run", "openrc"), Tool("rc-service", "openrc")]);
}

#[test]
fn systemd() {
    scenario("systemd", include_str!("inits/systemd.sh"), &[Tool("systemd-analyze", "systemd")]);
}
