//! What the screen shows: services in, lines out. Knows no terminal and no clock.

use crate::line;
use crate::service::{age, bytes, seconds};
use interfaces::init::{ServiceStatus, Usage};
use reactor::Instant;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// By what the rows are sorted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sort {
    Name,
    Cpu,
    Memory,
    Pids,
    Restarts,
    State,
}

impl Sort {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Name, "name"),
        (Self::Cpu, "cpu"),
        (Self::Memory, "memory"),
        (Self::Pids, "pids"),
        (Self::Restarts, "restarts"),
        (Self::State, "state"),
    ];

    /// The column of this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, one)| *one == name).map(|(sort, _)| sort)
    }

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(one, _)| *one == self).map_or("", |(_, name)| name)
    }

    fn next(self) -> Self {
        let after = Self::ALL.into_iter().skip_while(|(one, _)| *one != self).nth(1);
        after.map_or(Self::Name, |(sort, _)| sort)
    }
}

/// Rows and columns of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) columns: usize,
}

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Quit,
    Sort,
    Down,
    Up,
    PageDown,
    PageUp,
}

/// What a service used when it was asked last, and since the time before.
#[derive(Debug)]
struct Sample {
    usage: Usage<'static>,
    at: Instant,
    /// Hundredths of a processor in per cent, between the last two answers.
    share: Option<u64>,
}

/// Services, numbers, and how they are looked at.
#[derive(Debug)]
pub(super) struct View {
    services: Vec<ServiceStatus<'static>>,
    samples: BTreeMap<String, Sample>,
    sort: Sort,
    /// First row shown, and the one that is marked.
    first: usize,
    marked: usize,
    size: Size,
    note: String,
}

impl View {
    pub(super) fn new(sort: Sort, size: Size) -> Self {
        let (services, samples) = (Vec::new(), BTreeMap::new());
        Self { services, samples, sort, first: 0, marked: 0, size, note: String::new() }
    }

    /// All services as they are now.
    pub(super) fn take_services(&mut self, services: Vec<ServiceStatus<'static>>) {
        self.samples.retain(|name, _| services.iter().any(|service| service.name == *name));
        self.services = services;
        self.bound();
    }

    /// What they use now. Processor time is counted anew when a service gets another cgroup; that is no use of it.
    pub(super) fn take_usage(&mut self, now: Instant, all: Vec<Usage<'static>>) {
        let mut before = std::mem::take(&mut self.samples);
        for usage in all {
            let name = usage.name.to_string();
            let share = before.remove(&name).and_then(|earlier| share(&earlier, now, usage.cpu_us));
            self.samples.insert(name, Sample { usage, at: now, share });
        }
    }

    /// A sentence for the last line; empty: the keys.
    pub(super) fn take_note(&mut self, note: String) {
        self.note = note;
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.size = size;
        self.bound();
    }

    /// Does what a key means; false when that is the end.
    pub(super) fn press(&mut self, key: Key) -> bool {
        let page = self.body().max(1);
        match key {
            Key::Quit => return false,
            Key::Sort => self.sort = self.sort.next(),
            Key::Down => self.marked += 1,
            Key::Up => self.marked = self.marked.saturating_sub(1),
            Key::PageDown => self.marked += page,
            Key::PageUp => self.marked = self.marked.saturating_sub(page),
        }
        self.bound();
        true
    }

    /// Rows for services: one line is for the whole, one for the heading, the last one for keys.
    const fn body(&self) -> usize {
        self.size.rows.saturating_sub(3)
    }

    fn bound(&mut self) {
        self.marked = self.marked.min(self.services.len().saturating_sub(1));
        self.first = self.first.min(self.marked);
        if self.marked >= self.first + self.body() {
            self.first = (self.marked + 1).saturating_sub(self.body());
        }
    }

    /// The whole screen: at most as many lines as there are rows, none longer than it is wide. Second: which of them is the heading and which
    /// is marked.
    pub(super) fn lines(&self) -> (Vec<String>, [usize; 2]) {
        let mut lines = vec![self.whole()];
        let table = self.table();
        let shown = |row: &String| cut(row, self.size.columns);
        lines.extend(table.first().map(shown));
        lines.extend(table.iter().skip(1 + self.first).take(self.body()).map(shown));
        while lines.len() + 1 < self.size.rows {
            lines.push(String::new());
        }
        let keys = "q quit  s sort  j k move".to_owned();
        lines.push(cut(if self.note.is_empty() { &keys } else { &self.note }, self.size.columns));
        lines.truncate(self.size.rows);
        (lines, [1, 2 + self.marked.saturating_sub(self.first)])
    }

    /// The table without a screen.
    pub(super) fn plain(&self) -> String {
        self.table().iter().fold(String::new(), |text, row| text + row.trim_end() + "\n")
    }

    fn whole(&self) -> String {
        let count = |states: &[&str]| self.services.iter().filter(|one| states.contains(&one.state.as_ref())).count();
        let memory: u64 = self.samples.values().filter_map(|sample| sample.usage.memory_bytes).sum();
        let text = format!(
            "{} services: {} up, {} down, {} broken; memory {}; by {}",
            self.services.len(),
            count(&["ready", "done"]),
            count(&["down"]),
            count(&["broken"]),
            bytes(memory),
            self.sort.name()
        );
        cut(&text, self.size.columns)
    }

    /// Heading and rows, in columns.
    fn table(&self) -> Vec<String> {
        let mut rows: Vec<&ServiceStatus<'_>> = self.services.iter().collect();
        rows.sort_by(|a, b| self.rank(a).cmp(&self.rank(b)).then_with(|| a.name.cmp(&b.name)));
        let names = rows.iter().map(|one| one.name.chars().count()).max().unwrap_or(0).clamp(8, 24);
        let mut lines =
            vec![columns(names, "NAME", ["STATE", "SINCE", "CPU%", "CPU", "MEMORY", "PIDS", "RST", "PRESSURE"])];
        lines.extend(rows.iter().map(|service| self.row(names, service)));
        lines
    }

    fn rank(&self, service: &ServiceStatus<'_>) -> (Reverse<u64>, String) {
        let usage = self.samples.get(service.name.as_ref());
        let number = match self.sort {
            Sort::Name | Sort::State => 0,
            Sort::Cpu => {
                usage.and_then(|sample| sample.share.or(sample.usage.cpu_us.map(|_| 0))).map_or(0, |share| share + 1)
            }
            Sort::Memory => usage.and_then(|sample| sample.usage.memory_bytes).unwrap_or(0),
            Sort::Pids => usage.and_then(|sample| sample.usage.pids).unwrap_or(0),
            Sort::Restarts => u64::from(service.restarts),
        };
        let word = if self.sort == Sort::State { service.state.to_string() } else { String::new() };
        (Reverse(number), word)
    }

    fn row(&self, names: usize, service: &ServiceStatus<'_>) -> String {
        let sample = self.samples.get(service.name.as_ref());
        let usage = sample.map(|sample| &sample.usage);
        let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let cells = [
            service.state.to_string(),
            age(service.since_ms),
            or_dash(
                sample.and_then(|sample| sample.share).map(|share| format!("{}.{}", share / 100, share % 100 / 10)),
            ),
            or_dash(usage.and_then(|usage| usage.cpu_us).map(seconds)),
            or_dash(usage.and_then(|usage| usage.memory_bytes).map(bytes)),
            or_dash(usage.and_then(|usage| usage.pids).map(|pids| pids.to_string())),
            service.restarts.to_string(),
            or_dash(usage.and_then(pressure)),
        ];
        columns(names, &line::escaped(service.name.as_bytes()), cells.each_ref().map(String::as_str))
    }
}

/// The share of a processor since an earlier answer, in hundredths of a per cent.
fn share(earlier: &Sample, now: Instant, cpu_us: Option<u64>) -> Option<u64> {
    let used = cpu_us?.checked_sub(earlier.usage.cpu_us?)?;
    let passed_us = u64::try_from(now.since(earlier.at).as_micros()).ok()?;
    used.saturating_mul(10_000).checked_div(passed_us)
}

/// What it waits for most; nothing when it waits for nothing.
fn pressure(usage: &Usage<'_>) -> Option<String> {
    let all = [
        ("cpu", usage.cpu_pressure_per_10000),
        ("mem", usage.memory_pressure_per_10000),
        ("io", usage.io_pressure_per_10000),
    ];
    let (what, most) =
        all.into_iter().filter_map(|(what, share)| Some((what, share?))).max_by_key(|(_, share)| *share)?;
    (most > 0).then(|| format!("{what} {}.{:02}", most / 100, most % 100))
}

/// Cells in columns of fixed width: what is longer pushes the others aside rather than being cut, but for the name.
fn columns(names: usize, name: &str, cells: [&str; 8]) -> String {
    let [state, since, share, cpu, memory, pids, restarts, pressure] = cells;
    let name: String = name.chars().take(names).collect();
    format!("{name:<names$} {state:<9} {since:>5} {share:>5} {cpu:>6} {memory:>6} {pids:>4} {restarts:>4}  {pressure}")
}

fn cut(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(name: &str, state: &str, restarts: u32) -> ServiceStatus<'static> {
        ServiceStatus {
            name: name.to_owned().into(),
            state: state.to_owned().into(),
            since_ms: 61_000,
            restarts,
            ..ServiceStatus::default()
        }
    }

    fn usage(name: &str, cpu_us: u64, memory: u64) -> Usage<'static> {
        let (cpu_us, memory_bytes) = (Some(cpu_us), Some(memory));
        Usage { name: name.to_owned().into(), cpu_us, memory_bytes, pids: Some(3), ..Usage::default() }
    }

    fn at(ms: u64) -> Instant {
        Instant::from_nanos(ms * 1_000_000)
    }

    fn names(view: &View) -> Vec<String> {
        view.table().iter().skip(1).map(|row| row.split(' ').next().unwrap().to_owned()).collect()
    }

    fn view() -> View {
        let mut view = View::new(Sort::Name, Size { rows: 24, columns: 80 });
        view.take_services(vec![service("web", "ready", 2), service("db", "ready", 0), service("ntp", "broken", 9)]);
        view
    }

    #[test]
    fn the_share_of_a_processor_takes_two_answers() {
        let mut view = view();
        let pressed = Usage {
            memory_pressure_per_10000: Some(1234),
            io_pressure_per_10000: Some(7),
            ..usage("db", 500_000, 1 << 20)
        };
        view.take_usage(at(1000), vec![usage("web", 1_000_000, 4 << 20), pressed.clone()]);
        let expected = [
            "NAME     STATE     SINCE  CPU%    CPU MEMORY PIDS  RST  PRESSURE",
            "db       ready       61s     -  0.50s   1.0M    3    0  mem 12.34",
            "ntp      broken      61s     -      -      -    -    9  -",
            "web      ready       61s     -  1.00s   4.0M    3    2  -",
        ];
        assert_eq!(view.plain(), expected.map(|line| format!("{line}\n")).concat());
        view.take_usage(at(3000), vec![usage("web", 2_500_000, 4 << 20), pressed]);
        assert!(view.plain().contains("web      ready       61s  75.0  2.50s"), "{}", view.plain());
        assert!(view.plain().contains("db       ready       61s   0.0  0.50s"), "{}", view.plain());
        // A new cgroup begins to count anew.
        view.take_usage(at(5000), vec![usage("web", 100, 4 << 20)]);
        assert!(view.plain().contains("web      ready       61s     -  0.00s"), "{}", view.plain());
    }

    #[test]
    fn every_column_sorts() {
        let mut view = view();
        view.take_usage(at(0), vec![usage("web", 0, 1), usage("db", 0, 2)]);
        view.take_usage(at(1000), vec![usage("web", 100_000, 1), usage("db", 50_000, 2)]);
        let mut orders = Vec::new();
        for _ in 0..6 {
            orders.push(names(&view).join(" "));
            assert!(view.press(Key::Sort));
        }
        assert_eq!(orders, ["db ntp web", "web db ntp", "db web ntp", "db web ntp", "ntp web db", "ntp db web"]);
        assert_eq!(
            (view.sort, Sort::from_name("memory"), Sort::from_name("x")),
            (Sort::Name, Some(Sort::Memory), None)
        );
    }

    #[test]
    fn the_screen_is_never_larger_than_it_is() {
        let mut view = view();
        view.take_services((0..100).map(|number| service(&format!("service-{number:03}"), "ready", 0)).collect());
        for (rows, columns) in [(24, 80), (10, 40), (3, 10), (2, 5), (1, 1), (0, 0), (50, 200)] {
            view.resize(Size { rows, columns });
            view.press(Key::PageDown);
            let (lines, _) = view.lines();
            assert_eq!(lines.len(), rows);
            assert!(lines.iter().all(|line| line.chars().count() <= columns), "{rows}x{columns}");
        }
        view.resize(Size { rows: 24, columns: 80 });
        let (lines, [heading, marked]) = view.lines();
        assert!(lines[0].starts_with("100 services: 100 up, 0 down, 0 broken; memory 0; by name"), "{}", lines[0]);
        assert!(lines[heading].starts_with("NAME") && lines[marked].starts_with("service-"), "{marked}");
        assert_eq!(lines[23], "q quit  s sort  j k move");
    }

    #[test]
    fn keys_move_the_mark_within_the_rows() {
        let mut view = view();
        view.resize(Size { rows: 5, columns: 80 });
        for (key, expected) in
            [(Key::Up, "db"), (Key::Down, "ntp"), (Key::Down, "web"), (Key::Down, "web"), (Key::PageUp, "db")]
        {
            assert!(view.press(key));
            let (lines, [_, marked]) = view.lines();
            assert!(lines[marked].starts_with(expected), "{key:?}: {lines:#?}");
        }
        assert!(!view.press(Key::Quit));
        view.take_note("lunix-init is gone".to_owned());
        assert_eq!(view.lines().0.last().unwrap(), "lunix-init is gone");
    }
}
