//! What /proc says of a process (`man 5 proc_pid_stat`): whether it is the one that is meant, and not one that got its number later.

use rustix::time::ClockId;

/// A process as /proc tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: i32,
    /// It has ended and waits to be buried.
    pub is_dead: bool,
    /// Its parent.
    pub parent: i32,
    /// The leader of its session.
    pub session: i32,
    /// When it was started: tenths of a second of CLOCK_BOOTTIME.
    pub started_ds: u32,
}

/// Tenths of a second since boot, suspended time included.
#[must_use]
pub fn now_ds() -> u32 {
    let now = rustix::time::clock_gettime(ClockId::Boottime);
    u32::try_from(now.tv_sec * 10 + now.tv_nsec / 100_000_000).unwrap_or(u32::MAX)
}

/// `None` when there is no such process, or no /proc.
#[must_use]
pub fn process(pid: i32) -> Option<Process> {
    parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The name in parentheses may hold anything; after the last one come state, parent, group, session and, as the twentieth, the time of start in
/// hundredths of a second (USER_HZ).
fn parse(stat: &str) -> Option<Process> {
    let pid = stat.split(' ').next()?.parse().ok()?;
    let mut fields = stat.rsplit(')').next()?.split_ascii_whitespace();
    let is_dead = matches!(fields.next()?, "Z" | "X");
    let (parent, session) = (fields.next()?.parse().ok()?, fields.nth(1)?.parse().ok()?);
    let ticks: u64 = fields.nth(15)?.parse().ok()?;
    Some(Process { pid, is_dead, parent, session, started_ds: u32::try_from(ticks / 10).ok()? })
}

/// All processes whose parent we are.
#[must_use]
pub fn children() -> Vec<Process> {
    let own = i32::try_from(std::process::id()).unwrap_or(1);
    all().into_iter().filter(|one| one.parent == own).collect()
}

/// All processes.
#[must_use]
pub fn all() -> Vec<Process> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter_map(process).collect()
}

/// True when standard output or standard error of the process is the pipe with this inode.
#[must_use]
pub fn writes_to(pid: i32, inode: u64) -> bool {
    let pipe = format!("pipe:[{inode}]");
    let leads = |fd: i32| std::fs::read_link(format!("/proc/{pid}/fd/{fd}")).is_ok_and(|to| to.as_os_str() == &*pipe);
    leads(2) || leads(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_proc_is_read_whatever_the_name() {
        let line = "42 (a) b) c) S 1 42 41 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 98765 10 20 18446744073709551615 1";
        let expected = Process { pid: 42, is_dead: false, parent: 1, session: 41, started_ds: 9876 };
        assert_eq!(parse(line), Some(expected));
        assert!(parse(&line.replace(" S ", " Z ")).unwrap().is_dead);
        assert_eq!((parse(""), parse("1 (x"), parse("1 (x) S 1")), (None, None, None));
    }

    #[test]
    fn a_child_is_found_and_was_started_before_now() {
        let before = now_ds();
        let mut child = std::process::Command::new("sleep").arg("100").spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let found = children().into_iter().find(|one| one.pid == pid).unwrap();
        assert!(before <= found.started_ds + 1 && found.started_ds <= now_ds(), "{before} {found:?}");
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(process(pid), None);
    }

    #[test]
    fn whose_output_it_is_shows_in_proc() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let mut child = std::process::Command::new("sleep").arg("100").stderr(writer).spawn().unwrap();
        let pid = i32::try_from(child.id()).unwrap();
        let inode = rustix::fs::fstat(&reader).unwrap().st_ino;
        assert!(writes_to(pid, inode) && !writes_to(pid, inode + 1));
        child.kill().unwrap();
        child.wait().unwrap();
    }
}
