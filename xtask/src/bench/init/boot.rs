//! Twenty services from the execution of an init, and the memory that it takes beside them, in a machine that counts instructions:
//! four nanoseconds each, so that no load of this machine shows in the numbers.

use super::super::table::ratio;
use super::program;
use super::stage::name;
use crate::cpio::Archive;
use crate::failure::{Context, Failure, Result};
use crate::need::{self, Need};
use crate::{image, kernel, project};
use std::path::{Path, PathBuf};
use std::process::Command;
use testkit::Deadline;
use testkit::process::Process;

const SERVICES: u32 = 20;
/// What each service says to the kernel's log, and the line that comes at last.
const UP: &str = "lunix-bench: up\n";
const RESULT: &str = "lunix-bench result";

const NEEDS: &[Need] = &[
    Need::apt_program("qemu-system-x86", "qemu-system-x86_64", "the virtual machine"),
    Need::apt_program("libc-bin", "ldd", "the libraries of the other inits"),
];

/// Everything an init gets, prepared before it is executed: what is mounted takes none of its time.
const START: &str = "#!/bin/busybox sh
export PATH=/bin
mount -t devtmpfs dev /dev; mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t tmpfs run /run
mkdir -p /run/lunix /run/service
report &
sleep 1
awk '/MemAvailable/ {print \"lunix-bench: before \" $2}' /proc/meminfo > /dev/kmsg
echo 'lunix-bench: exec' > /dev/kmsg
";

/// Waits until all run, and then until all is calm, and says in one line what there is to say.
const REPORT: &str = "#!/bin/busybox sh
n=0; sleep 3
until [ $(dmesg | grep -c 'lunix-bench: up') -ge 20 ] || [ $n -ge 60 ]; do n=$((n+1)); sleep 1; done
sleep 4
after=$(awk '/MemAvailable/ {print $2}' /proc/meminfo)
pss=$(awk '/^Pss:/ {print $2}' /proc/1/smaps_rollup)
n=0; for p in /proc/[0-9]*; do [ -s $p/cmdline ] || continue; [ \"$(readlink $p/exe)\" = /bin/service ] || n=$((n+1)); done
dmesg | awk -F'[][ ]+' -v after=$after -v pss=$pss -v others=$n '
    $4 == \"before\" {before = $5} $4 == \"exec\" {begun = $2} $4 == \"up\" {last = $2; up++}
    END {print \"lunix-bench result\", up, (last - begun) * 1000, before - after, pss, others}' > /dev/console
poweroff -f
";

/// An init in the machine.
struct Subject {
    name: &'static str,
    /// The line that executes it.
    exec: &'static str,
    /// Programs of this machine that it takes, with their libraries.
    programs: Vec<(&'static str, PathBuf)>,
    /// Further files.
    files: Vec<(&'static str, u32, String)>,
}

/// What came of it.
struct Outcome {
    up_ms: f64,
    taken_kib: f64,
    pss_kib: f64,
    processes: f64,
}

/// Boots a machine for each init and prints the table.
pub fn compare(ours: &Path) -> Result<()> {
    need::satisfy(&[NEEDS, kernel::NEEDS].concat())?;
    let kernel = kernel::find(None)?;
    let folder = project::vm().join("bench-init");
    project::make_folder(&folder)?;
    let mut rows = Vec::new();
    for subject in subjects(ours) {
        eprintln!("boot of {} …", subject.name);
        rows.push((subject.name, boot(&subject, &kernel.image, &folder)?));
    }
    println!(
        "\n| init, 4 ns per instruction | 20 services up ms | ours / it | memory taken KiB | over the null init KiB | PSS of PID 1 KiB | processes beside services |"
    );
    println!("|---|---:|---:|---:|---:|---:|---:|");
    let (Some(null), Some(our)) = (rows.first(), rows.last()) else { return Ok(()) };
    for (name, row) in &rows {
        let against = if *name == our.0 { String::new() } else { ratio(our.1.up_ms, row.up_ms) };
        let over = row.taken_kib - null.1.taken_kib;
        println!(
            "| {name} | {:.1} | {against} | {:.0} | {over:+.0} | {:.0} | {:.0} |",
            row.up_ms, row.taken_kib, row.pss_kib, row.processes
        );
    }
    Ok(())
}

fn subjects(ours: &Path) -> Vec<Subject> {
    let host = |names: &[&'static str]| names.iter().map(|name| (*name, testkit::disk::find_tool(name))).collect();
    let plain = |name, exec| Subject { name, exec, programs: Vec::new(), files: Vec::new() };
    let inittab: String =
        (0..SERVICES).map(|number| format!("::respawn:/services/{}/run\n", name_of(number))).collect();
    let stages = [("etc/runit/1", 0o755, "#!/bin/busybox sh\n".to_owned()), ("etc/runit/2", 0o755, RUNIT.to_owned())];
    let mut all = vec![plain("null", "exec /bin/null")];
    all.push(Subject {
        files: vec![("etc/inittab", 0o644, inittab)],
        ..plain("busybox init", "exec /bin/busybox init")
    });
    all.push(Subject {
        programs: host(&["runit", "runsvdir", "runsv"]),
        files: stages.to_vec(),
        ..plain("runit", "exec /bin/runit")
    });
    all.push(Subject {
        programs: vec![("lunix-init", ours.to_owned())],
        ..plain("lunix-init", "exec /bin/lunix-init --services /services")
    });
    all
}

/// The second stage of runit.
const RUNIT: &str = "#!/bin/busybox sh\nexec runsvdir /services\n";

fn name_of(number: u32) -> String {
    usize::try_from(number).map_or_else(|_| String::new(), name)
}

fn boot(subject: &Subject, kernel: &Path, folder: &Path) -> Result<Outcome> {
    let root = folder.join("root.cpio");
    std::fs::write(&root, archive(subject)?).at(&root)?;
    let mut qemu = Command::new("qemu-system-x86_64");
    qemu.args(["-accel", "tcg", "-icount", "shift=2,sleep=off", "-machine", "q35", "-cpu", "max", "-smp", "1"]);
    qemu.args(["-nodefaults", "-no-reboot", "-display", "none", "-m", "256", "-serial", "stdio"]);
    qemu.arg("-kernel").arg(kernel).arg("-initrd").arg(&root);
    qemu.args(["-append", "console=ttyS0 quiet panic=-1 printk.devkmsg=on log_buf_len=1M"]);
    let mut machine = Process::spawn("qemu", &mut qemu)?;
    let line = machine.line(Deadline::seconds(300), RESULT)?;
    let numbers: Vec<f64> =
        line.split(RESULT).last().unwrap_or_default().split_whitespace().filter_map(|word| word.parse().ok()).collect();
    match numbers[..] {
        [up, up_ms, taken_kib, pss_kib, processes] if up >= f64::from(SERVICES) => {
            Ok(Outcome { up_ms, taken_kib, pss_kib, processes })
        }
        _ => Err(Failure::new(format!("{} does not start {SERVICES} services: {line}", subject.name))),
    }
}

/// The root of the machine.
fn archive(subject: &Subject) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    for folder in ["bin", "dev", "etc", "etc/runit", "lib", "lib64", "proc", "run", "services", "sys", "tmp"] {
        archive.folder(folder, 0o755);
    }
    archive.device("dev/console", 0o600, 5, 1);
    image::busybox(&mut archive, None)?;
    archive.file("init", 0o755, format!("{START}{}\n", subject.exec).as_bytes());
    archive.file("bin/report", 0o755, REPORT.as_bytes());
    archive.file("bin/service", 0o755, &program::writer("/dev/kmsg", UP));
    archive.file("bin/null", 0o755, &program::null_init("/bin/service", SERVICES));
    for number in 0..SERVICES {
        let folder = format!("services/{}", name_of(number));
        archive.folder(&folder, 0o755);
        archive.link(&format!("{folder}/run"), "/bin/service");
    }
    for (path, mode, content) in &subject.files {
        archive.file(path, *mode, content.as_bytes());
    }
    let mut libraries: Vec<PathBuf> = Vec::new();
    for (name, path) in &subject.programs {
        archive.file(&format!("bin/{name}"), 0o755, &std::fs::read(path).at(path)?);
        libraries.extend(libraries_of(path)?);
    }
    libraries.sort();
    libraries.dedup();
    for path in libraries {
        let folder = if path.starts_with("/lib64") { "lib64" } else { "lib" };
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        archive.file(&format!("{folder}/{name}"), 0o755, &std::fs::read(&path).at(&path)?);
    }
    Ok(archive.finish())
}

/// The libraries that a program of this machine takes; none for one that is linked statically.
fn libraries_of(program: &Path) -> Result<Vec<PathBuf>> {
    let output = Command::new("ldd").arg(program).output().context("ldd")?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let path = |line: &str| line.split_whitespace().find(|word| word.starts_with('/')).map(PathBuf::from);
    Ok(text.lines().filter_map(path).collect())
}
