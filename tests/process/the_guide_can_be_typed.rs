//! The pages for newcomers: their files are written, their commands are run in order, and what they show is compared.
//!
//! A block ` ```LANGUAGE PATH ` is a file (executable when it begins with `#!`); in a block ` ```console `, lines that begin with `$ ` are
//! commands and the others what they print, with `…` for anything. A command that prints is run until it prints what the page shows.

use crate::the_daemons_run_under_other_inits::{Tool, machine, missing};
use std::io::Write as _;
use std::process::{Command, Stdio};
use testkit::process::Process;
use testkit::{Deadline, TempDir};

/// What the page has the reader do.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Write { path: String, content: String },
    Run { command: String, shown: Vec<String> },
}

fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(fence) = line.strip_prefix("```") else { continue };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match fence.split_once(' ') {
            Some((_, path)) => {
                let content = block.iter().map(|line| format!("{line}\n")).collect();
                steps.push(Step::Write { path: path.to_owned(), content });
            }
            None if fence == "console" => console(&block, &mut steps),
            None => {}
        }
    }
    steps
}

fn console(block: &[&str], steps: &mut Vec<Step>) {
    for line in block {
        match (line.strip_prefix("$ "), steps.last_mut()) {
            (Some(command), _) => steps.push(Step::Run { command: command.to_owned(), shown: Vec::new() }),
            (None, Some(Step::Run { shown, .. })) => shown.push((*line).to_owned()),
            (None, Some(Step::Write { .. }) | None) => {}
        }
    }
}

/// Whether the lines are those that are shown. `…` stands for anything within a line, alone for any lines; the number of blanks does not count.
fn fits(shown: &[String], printed: &[&str]) -> bool {
    match (shown, printed) {
        ([], []) => true,
        ([first, rest @ ..], _) if first == "…" => {
            (0..=printed.len()).any(|skipped| fits(rest, printed.get(skipped..).unwrap_or_default()))
        }
        ([first, rest @ ..], [line, others @ ..]) => line_fits(first, line) && fits(rest, others),
        ([], [..]) | ([..], []) => false,
    }
}

fn line_fits(shown: &str, line: &str) -> bool {
    let squeeze = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let (shown, line) = (squeeze(shown), squeeze(line));
    let mut parts = shown.split('…').map(str::trim);
    let mut rest = line.as_str();
    let first = parts.next().unwrap_or_default();
    let Some(after) = rest.strip_prefix(first) else { return false };
    rest = after;
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

/// A machine with lunix-init, within namespaces.
struct Machine {
    process: Process,
    inside: String,
    _scripts: TempDir,
}

#[expect(clippy::unwrap_used, reason = "a test")]
impl Machine {
    fn start(test: &str) -> Self {
        let (mut process, scripts) = machine(test, include_str!("inits/guide.sh")).unwrap();
        process.line(Deadline::seconds(20), "lunix-init listens").unwrap();
        let pid = process.pid();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        Self { process, inside: children.split_whitespace().next().unwrap().to_owned(), _scripts: scripts }
    }

    /// Runs a command there; what it prints on both outputs.
    fn run(&self, command: &str, input: &str) -> String {
        let mut nsenter = Command::new("nsenter");
        nsenter.args(["--target", &self.inside, "--mount", "--net", "--pid", "--wdns=/run", "sh", "-c"]);
        nsenter.arg(format!("exec 2>&1; PATH=/run/bin:$PATH; {command}"));
        let mut child = nsenter.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap()
    }

    fn follow(&self, step: &Step) {
        match step {
            Step::Write { path, content } => {
                let mode = if content.starts_with("#!") { "755" } else { "644" };
                let said =
                    self.run(&format!("mkdir -p \"$(dirname {path})\" && cat >{path} && chmod {mode} {path}"), content);
                assert_eq!(said, "", "{path}");
            }
            Step::Run { command, shown } => {
                let deadline = Deadline::seconds(20);
                loop {
                    let printed = self.run(command, "");
                    if fits(shown, &printed.lines().collect::<Vec<_>>()) {
                        return;
                    }
                    let is_over = deadline.left().is_none() || shown.is_empty();
                    assert!(!is_over, "{command}\n{printed}expected\n{}\n{}", shown.join("\n"), self.process.printed());
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
            }
        }
    }
}

fn follow(test: &str, page: &str, tools: &[Tool]) {
    if let Some(why) = missing(tools) {
        return testkit::skip::note(test, &why);
    }
    let steps = steps(page);
    assert!(steps.iter().any(|step| matches!(step, Step::Run { shown, .. } if !shown.is_empty())));
    let machine = Machine::start(test);
    steps.iter().for_each(|step| machine.follow(step));
}

#[test]
fn coming_from_runit() {
    follow("coming-from-runit", include_str!("../../docs/guide/coming-from-runit.md"), &[]);
}

#[test]
fn coming_from_s6() {
    follow("coming-from-s6", include_str!("../../docs/guide/coming-from-s6.md"), &[]);
}

#[test]
fn coming_from_systemd() {
    let tools = [Tool("systemd-notify", "systemd")];
    follow("coming-from-systemd", include_str!("../../docs/guide/coming-from-systemd.md"), &tools);
}

#[test]
fn what_is_shown_is_compared() {
    let same = |shown: &str, printed: &str| {
        let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
        fits(&shown, &printed.lines().collect::<Vec<_>>())
    };
    assert!(same("a  b …", "a b c") && same("…b…", "a b c") && same("a\n…\nd", "a\nb\nc\nd") && same("", ""));
    assert!(!same("a b", "a b c") && !same("a …x", "a b") && !same("a", "a\nb") && !same("a\nb", "a"));
    let page = "```ini /etc/a\nx\n```\n```console\n$ one\n$ two\nshown\n```\n```toml\nnothing\n```\n";
    let run = |command: &str, shown: &[&str]| Step::Run {
        command: command.to_owned(),
        shown: shown.iter().map(|&line| line.to_owned()).collect(),
    };
    let write = Step::Write { path: "/etc/a".to_owned(), content: "x\n".to_owned() };
    assert_eq!(steps(page), [write, run("one", &[]), run("two", &["shown"])]);
}
