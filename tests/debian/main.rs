//! A Debian userland under lunix-init, on a real kernel: its login, its sshd and its cron, untouched. One boot serves all checks, in this order.
#![forbid(unsafe_code)]

mod ssh;

use lunix_tests::ensure;
use serde_json::Value;
use ssh::Ssh;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use testkit::suite::Suite;
use testkit::vm::{Prepared, Special, Vm};
use testkit::{Deadline, Error, Result, TempDir};

/// What `cargo xtask test debian` made.
struct Machine {
    prepared: Prepared,
    disk: PathBuf,
    data: PathBuf,
    key: PathBuf,
}

impl Machine {
    fn from_environment() -> Result<Self> {
        let path = std::env::var_os("LUNIX_DEBIAN").map(PathBuf::from);
        let path = path.ok_or_else(|| Error::unexpected("LUNIX_DEBIAN is not set: run `cargo xtask test debian`"))?;
        let text = std::fs::read_to_string(&path).map_err(Error::io("read LUNIX_DEBIAN"))?;
        let object: Value = serde_json::from_str(&text).map_err(|error| Error::unexpected(error.to_string()))?;
        let field = |name: &str| object.get(name).and_then(Value::as_str).map(PathBuf::from);
        let missing = || Error::unexpected(format!("{}: a field is missing", path.display()));
        Ok(Self {
            prepared: Prepared::read(&path)?,
            disk: field("disk").ok_or_else(missing)?,
            data: field("data").ok_or_else(missing)?,
            key: field("key").ok_or_else(missing)?,
        })
    }

    fn boot(&self, folder: &Path, port: u16) -> Result<Vm> {
        let drive = |image: &Path| ["-drive".to_owned(), format!("file={},format=raw,if=virtio", image.display())];
        let special = Special {
            append: "net.ifnames=0 lunix.rescue=shell".to_owned(),
            forwards: vec![(port, 22)],
            arguments: [drive(&self.disk), drive(&self.data)].concat(),
            ..Special::default()
        };
        Vm::boot_with(&self.prepared, folder, 512, special)
    }
}

/// For what takes a moment in the guest, under emulation and on a busy machine.
fn soon() -> Deadline {
    Deadline::seconds(90)
}

fn main() -> ExitCode {
    let mut suite = Suite::from_arguments();
    if let Ok(reason) = std::env::var("LUNIX_DEBIAN_MISSING") {
        suite.skip("debian::a_debian_userland_boots_and_ends_in_order", &reason);
        return suite.finish();
    }
    let started = TempDir::new("debian").and_then(|folder| {
        let machine = Machine::from_environment()?;
        let port = testkit::qemu::free_port()?;
        let vm = machine.boot(folder.path(), port)?;
        Ok((folder, Ssh::new(&machine.key, port), machine, vm))
    });
    let (_folder, ssh, machine, mut vm) = match started {
        Ok(started) => started,
        Err(error) => {
            suite.check("start", || Err(error));
            return suite.finish();
        }
    };
    let boots =
        suite.check("boot::the_console_ends_at_a_login_prompt", || vm.prompt(Deadline::seconds(240), "debian login:"));
    if boots {
        suite.check("login::root_logs_in_on_the_console_with_a_password", || log_in(&machine, &mut vm));
        suite.check("ssh::the_host_logs_in_by_ssh_and_every_service_is_up", || services(&ssh));
        suite.check("boot::file_systems_name_modules_and_settings_are_as_the_files_say", || set_up(&ssh));
        suite.check("cron::a_job_runs_as_root", || cron(&ssh));
        suite.check("ssh::sshd_comes_back_after_kill_9", || killed(&ssh));
        suite.check("kexec::the_kernel_that_was_loaded_starts_after_an_orderly_end", || kexec(&ssh, &mut vm));
        suite.check("power::the_end_leaves_both_file_systems_clean", || end(&ssh, &machine, &mut vm));
    } else {
        eprintln!("the console:\n{}", vm.console());
    }
    suite.finish()
}

fn log_in(machine: &Machine, vm: &mut Vm) -> Result<()> {
    vm.type_line("root")?;
    vm.prompt(soon(), "Password:")?;
    vm.type_line(&machine.prepared.password)?;
    vm.prompt(soon(), "root@debian")?;
    vm.type_line("echo I am $(id -u) on $(tty); exit")?;
    vm.line(soon(), "I am 0 on /dev/ttyS0").map(drop)?;
    vm.prompt(soon(), "debian login:")
}

fn services(ssh: &Ssh) -> Result<()> {
    let list = ssh.until("lunix service list", soon())?;
    for (name, state) in
        [("sshd", "ready"), ("cron", "ready"), ("getty-ttyS0", "ready"), ("boot", "done"), ("network", "done")]
    {
        let is_so = list.lines().any(|line| line.split_whitespace().take(2).eq([name, state]));
        ensure(is_so, || format!("{name} is not {state}:\n{list}"))?;
    }
    let first = ssh.run("cat /proc/1/comm; readlink /proc/1/exe")?;
    ensure(first.contains("lunix-init"), || first.clone())
}

fn set_up(ssh: &Ssh) -> Result<()> {
    let mounts = ssh.run("cat /proc/mounts")?;
    for part in [
        " / ext4 rw,",
        " /srv ext4 rw,noatime",
        " /mnt ext4 ro,",
        " /tmp tmpfs rw,nosuid,nodev",
        " /sys/fs/cgroup cgroup2 ",
    ] {
        ensure(mounts.contains(part), || format!("no {part:?} in\n{mounts}"))?;
    }
    let text = ssh.run("hostname; cat /proc/sys/kernel/sysrq; ls /sys/module | grep -x virtio_net; ls /var/lib/lunix; cat /sys/class/net/lo/operstate")?;
    for part in ["debian\n7\n", "virtio_net\n", "seed.credit\n", "unknown"] {
        ensure(text.contains(part), || format!("no {part:?} in\n{text}"))?;
    }
    Ok(())
}

/// Cron looks at its tables at the beginning of each minute.
fn cron(ssh: &Ssh) -> Result<()> {
    let log = ssh.until("grep . /srv/cron.log", Deadline::seconds(180))?;
    ensure(log.contains("cron runs as root"), || log.clone())
}

fn killed(ssh: &Ssh) -> Result<()> {
    let before = ssh.run("pgrep -o -x sshd")?;
    // The connection may end before the answer.
    let _ = ssh.run(&format!("kill -9 {}", before.trim()));
    let wait = format!(
        "new=$(pgrep -o -x sshd) && [ $new != {} ] && lunix service list | grep -E '^sshd +ready'",
        before.trim()
    );
    ssh.until(&wait, soon()).map(drop)
}

fn kexec(ssh: &Ssh, vm: &mut Vm) -> Result<()> {
    let before = ssh.run("cat /proc/sys/kernel/random/boot_id")?;
    // Not before one is loaded.
    let ask = "perl -MSocket -e 'socket(S,1,5,0); connect(S,sockaddr_un(\"/run/lunix/init.sock\")) or die; send(S,\"kexec\",0); recv(S,$b,999,0); print $b'";
    let refused = ssh.run(ask)?;
    ensure(refused.contains("no kernel is loaded"), || refused.clone())?;
    ssh.run("kexec -l /boot/vmlinuz --initrd=/boot/initrd --reuse-cmdline")?;
    // The connection may end before the answer.
    let _ = ssh.run(ask);
    vm.line(soon(), "lunix-init: info: goodbye")?;
    vm.prompt(Deadline::seconds(300), "debian login:")?;
    let after = ssh.until("cat /proc/sys/kernel/random/boot_id", soon())?;
    ensure(before != after, || "it is the same boot".to_owned())
}

fn end(ssh: &Ssh, machine: &Machine, vm: &mut Vm) -> Result<()> {
    ssh.run("echo written last >/srv/last; echo here, too >/root/last")?;
    let _ = ssh.run("kill -USR2 1");
    let status = vm.off(Deadline::seconds(120))?;
    let console = vm.console();
    ensure(status.success(), || format!("qemu ended with {status}:\n{console}"))?;
    let last = console.rsplit("debian login:").next().unwrap_or_default();
    ensure(!last.contains("busy") && !last.contains("cannot"), || format!("something was not given up:\n{last}"))?;
    for image in [&machine.disk, &machine.data] {
        let tool = testkit::disk::find_tool("dumpe2fs");
        let output = Command::new(tool).arg("-h").arg(image).output().map_err(Error::io("dumpe2fs"))?;
        let header = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_clean = header.contains("Filesystem state:         clean\n") && !header.contains("needs_recovery");
        ensure(is_clean, || format!("{} is not clean:\n{header}", image.display()))?;
        let check = Command::new(testkit::disk::find_tool("e2fsck")).args(["-f", "-n"]).arg(image).output();
        let check = check.map_err(Error::io("e2fsck"))?;
        ensure(check.status.success(), || String::from_utf8_lossy(&check.stdout).into_owned())?;
    }
    Ok(())
}
