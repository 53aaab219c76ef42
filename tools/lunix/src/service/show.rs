//! Services as text.

use crate::dependencies::{self, Row};
use crate::line;
use interfaces::init::{OutputLine, ServiceStatus, Usage};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The table of all services; what they use has columns where it is known of any.
pub(crate) fn list(services: &[ServiceStatus<'_>], usage: &[Usage<'_>]) -> Vec<Vec<String>> {
    let usage: BTreeMap<&str, &Usage<'_>> = usage.iter().map(|one| (one.name.as_ref(), one)).collect();
    let is_counted = !usage.is_empty();
    let heading = ["NAME", "STATE", "SINCE", "PID", "RESTARTS", "CPU", "MEMORY", "REMARK"];
    let keep = |column: usize| is_counted || !matches!(column, 5 | 6);
    let cut = |cells: Vec<String>| cells.into_iter().enumerate().filter(|(at, _)| keep(*at)).map(|(_, cell)| cell);
    let mut rows = vec![cut(heading.map(str::to_owned).to_vec()).collect::<Vec<_>>()];
    for service in services {
        let own = usage.get(service.name.as_ref());
        let cells = vec![
            line::escaped(service.name.as_bytes()),
            service.state.to_string(),
            age(service.since_ms),
            service.pid.map_or("-".to_owned(), |pid| pid.to_string()),
            service.restarts.to_string(),
            own.and_then(|usage| usage.cpu_us).map_or("-".to_owned(), seconds),
            own.and_then(|usage| usage.memory_bytes).map_or("-".to_owned(), bytes),
            remark(service),
        ];
        rows.push(cut(cells).collect());
    }
    rows
}

/// What is worth saying about a service beside its state.
pub(crate) fn remark(service: &ServiceStatus<'_>) -> String {
    let reason = service.reason.as_deref().map(|reason| line::escaped(reason.as_bytes()));
    let last = ended(service).map(|ended| format!("last {ended}"));
    [operator(service).map(str::to_owned), reason, last].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

fn operator(service: &ServiceStatus<'_>) -> Option<&'static str> {
    match service.r#override.as_deref() {
        Some("started") => Some("started by the operator"),
        Some(_) => Some("stopped by the operator"),
        None => None,
    }
}

fn ended(service: &ServiceStatus<'_>) -> Option<String> {
    let code = service.exit_code.map(|code| format!("exited {code}"));
    code.or_else(|| service.signal.map(|signal| format!("killed by signal {signal}")))
}

/// Everything about one service: a heading and a line for each thing there is to say.
pub(crate) fn status(
    name: &str,
    services: &[ServiceStatus<'_>],
    usage: Option<&Usage<'_>>,
    log: &[OutputLine<'_>],
) -> Option<String> {
    let service = services.iter().find(|service| service.name == name)?;
    let mut text = format!("{}: {} since {}\n", line::escaped(name.as_bytes()), service.state, age(service.since_ms));
    let mut say = |what: &str, words: String| {
        if !words.is_empty() {
            let _ = writeln!(text, "  {what:<10}{words}");
        }
    };
    let wanted = if service.wanted { "wanted up" } else { "wanted down" };
    let once = service.once.then_some("until it ends");
    let words = [Some(service.kind.as_ref()), Some(wanted), operator(service), once];
    say("type", words.into_iter().flatten().collect::<Vec<_>>().join(", "));
    say("process", process(service));
    say("restarts", restarts(service));
    say("says", escaped(service.status.as_deref()));
    say("reason", escaped(service.reason.as_deref()));
    say("after", names(service.after.iter().map(AsRef::as_ref)));
    let before = services.iter().filter(|other| other.after.iter().any(|one| one == name));
    say("before", names(before.map(|other| other.name.as_ref())));
    if let Some(usage) = usage {
        say("uses", uses(usage));
        say("waits", pressure(usage));
    }
    let rows: Vec<Row> = services.iter().map(Row::of).collect();
    let why = dependencies::why(&rows, name);
    if !matches!(service.state.as_ref(), "ready" | "done") {
        why.iter().for_each(|sentence| say("why", line::escaped(sentence.as_bytes())));
    }
    log.iter().for_each(|one| say("log", line::escaped(one.line.as_bytes())));
    Some(text)
}

fn escaped(text: Option<&str>) -> String {
    line::escaped(text.unwrap_or_default().as_bytes())
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    line::escaped(names.collect::<Vec<_>>().join(", ").as_bytes())
}

fn process(service: &ServiceStatus<'_>) -> String {
    let Some(pid) = service.pid else { return String::new() };
    let up = service.process_ms.map(|ms| format!(", up {}", age(ms)));
    let ready = service.ready_ms.map(|ms| format!(", ready for {}", age(ms)));
    format!("{pid}{}{}", up.unwrap_or_default(), ready.unwrap_or_default())
}

fn restarts(service: &ServiceStatus<'_>) -> String {
    match (service.restarts, ended(service)) {
        (0, None) => String::new(),
        (count, None) => count.to_string(),
        (count, Some(ended)) => format!("{count}, last {ended}"),
    }
}

fn uses(usage: &Usage<'_>) -> String {
    let parts = [
        usage.cpu_us.map(|us| format!("processor {}", seconds(us))),
        usage.memory_bytes.map(|size| format!("memory {}", bytes(size))),
        usage.memory_peak_bytes.map(|size| format!("at most {}", bytes(size))),
        usage.swap_bytes.filter(|&size| size > 0).map(|size| format!("swap {}", bytes(size))),
        usage.pids.map(|count| format!("processes and threads {count}")),
        usage.io_read_bytes.map(|size| format!("read {}", bytes(size))),
        usage.io_write_bytes.map(|size| format!("written {}", bytes(size))),
        usage.process_only.then(|| "its first process alone is counted".to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn pressure(usage: &Usage<'_>) -> String {
    let parts = [
        ("processor", usage.cpu_pressure_per_10000),
        ("memory", usage.memory_pressure_per_10000),
        ("disk", usage.io_pressure_per_10000),
    ];
    let shown = parts.into_iter().filter_map(|(what, share)| Some(format!("{what} {} %", percent(share?))));
    shown.collect::<Vec<_>>().join(", ")
}

/// Hundredths of a per cent as per cent.
pub(crate) fn percent(share: u32) -> String {
    format!("{}.{:02}", share / 100, share % 100)
}

/// `5s`, `3m`, `2h`, `9d`.
pub(crate) fn age(ms: u64) -> String {
    match ms / 1000 {
        seconds @ 0..=119 => format!("{seconds}s"),
        seconds @ 120..=7199 => format!("{}m", seconds / 60),
        seconds @ 7200..=172_799 => format!("{}h", seconds / 3600),
        seconds => format!("{}d", seconds / 86_400),
    }
}

/// Microseconds as `0.25s`, `75s`, `3m`, `2h`.
pub(crate) fn seconds(us: u64) -> String {
    match us / 1_000_000 {
        whole @ 0..=9 => format!("{whole}.{:02}s", us % 1_000_000 / 10_000),
        whole => age(whole.saturating_mul(1000)),
    }
}

/// `512`, `1.5K`, `20M`, `3.0G`: powers of 1024.
pub(crate) fn bytes(size: u64) -> String {
    let (mut whole, mut rest, mut unit) = (size, 0, "");
    for next in ["K", "M", "G", "T"] {
        if whole < 1024 {
            break;
        }
        (whole, rest, unit) = (whole / 1024, whole % 1024, next);
    }
    if unit.is_empty() || whole >= 10 {
        format!("{whole}{unit}")
    } else {
        format!("{whole}.{}{unit}", rest * 10 / 1024)
    }
}

/// Rows as columns of equal width, two blanks apart; the last one is as long as it is.
pub(crate) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or(0)).collect();
    let mut text = String::new();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use init_control::Reply;

    fn service(packet: &[u8]) -> ServiceStatus<'static> {
        let Reply::Service(service) = Reply::decode(packet).unwrap() else { panic!("no service") };
        (&service).into()
    }

    #[test]
    fn services_are_rows() {
        let row = |packet: &[u8]| list(&[service(packet)], &[]).pop().unwrap();
        let ready = b"service name=sshd state=ready type=longrun wanted=up pid=7 since_ms=150000 restarts=2 signal=9";
        assert_eq!(row(ready), ["sshd", "ready", "2m", "7", "2", "last killed by signal 9"]);
        let down = b"service name=ntp state=down type=longrun wanted=down override=stopped since_ms=0 restarts=0";
        assert_eq!(row(down), ["ntp", "down", "0s", "-", "0", "stopped by the operator"]);
        let broken = b"service name=x state=broken type=longrun wanted=up since_ms=1 restarts=0 reason=\"no run\\x0a\"";
        assert_eq!(row(broken).last().unwrap(), "no run\\n");
        let usage =
            Usage { name: "sshd".into(), cpu_us: Some(1_250_000), memory_bytes: Some(4 << 20), ..Usage::default() };
        let rows = list(&[service(ready), service(down)], &[usage]);
        assert_eq!(rows[1][5..7], ["1.25s", "4.0M"]);
        assert_eq!(rows[2][5..7], ["-", "-"]);
    }

    #[test]
    fn a_status_says_all_there_is_to_say() {
        let services = [
            service(b"service name=web state=waiting type=longrun wanted=up since_ms=5000 restarts=3 code=1 after=db"),
            service(b"service name=db state=broken type=longrun wanted=up since_ms=9000 restarts=0 reason=\"no run\""),
            service(b"service name=app state=ready type=longrun wanted=up override=started pid=9 since_ms=60000 process_ms=61000 ready_ms=60000 restarts=0 after=web status=serving"),
        ];
        let line = OutputLine { service: "web".into(), line: "hello\u{7}".into() };
        assert_eq!(
            status("web", &services, None, &[line]).unwrap(),
            "web: waiting since 5s\n  type      longrun, wanted up\n  restarts  3, last exited 1\n  after     db\n  before    app\n  \
             why       web is waiting: it waits for db\n  why       db is broken: no run\n  log       hello\\x07\n"
        );
        let usage = Usage {
            memory_bytes: Some(1 << 30),
            pids: Some(3),
            memory_pressure_per_10000: Some(1234),
            ..Usage::default()
        };
        assert_eq!(
            status("app", &services, Some(&usage), &[]).unwrap(),
            "app: ready since 60s\n  type      longrun, wanted up, started by the operator\n  process   9, up 61s, ready for 60s\n  \
             says      serving\n  after     web\n  uses      memory 1.0G, processes and threads 3\n  waits     memory 12.34 %\n"
        );
        assert_eq!(status("none", &services, None, &[]), None);
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows =
            [vec!["NAME".into(), "B".into()], vec!["a".into(), String::new()], vec!["a long one".into(), "c".into()]];
        assert_eq!(table(&rows), "NAME        B\na\na long one  c\n");
        assert_eq!(table(&[]), "");
    }

    #[test]
    fn numbers_are_short() {
        let ages = [0, 119_999, 120_000, 7_200_000, 172_800_000].map(age);
        assert_eq!(ages, ["0s", "119s", "2m", "2h", "2d"]);
        assert_eq!(
            [0, 1023, 1536, 10 << 10, 20 << 20, u64::MAX].map(bytes),
            ["0", "1023", "1.5K", "10K", "20M", "16777215T"]
        );
        assert_eq!([5_000, 9_990_000, 75_000_000].map(seconds), ["0.00s", "9.99s", "75s"]);
    }
}
