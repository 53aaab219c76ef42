//! Every `tests/golden/*.trace` against the machine. A line is `policy WORDS`, `> MILLISECONDS INPUT`, `< EFFECT`, `= STATE`, or a comment.
#![expect(clippy::unwrap_used, clippy::panic, clippy::wildcard_enum_match_arm, reason = "a test")]

use init_control::Ended;
use lunix_init::lifecycle::{Effect, Input, Lifecycle, Policy, Script};
use reactor::Instant;
use std::time::Duration;

fn policy(words: &str) -> Policy {
    let mut policy = Policy::default();
    for word in words.split_whitespace() {
        let (name, value) = word.split_once('=').unwrap_or((word, "0"));
        let limit = Some(Duration::from_millis(value.split(',').next().unwrap().parse().unwrap()));
        match name {
            "oneshot" => policy.oneshot = true,
            "announces" => policy.announces = true,
            "end-script" => policy.has_end_script = true,
            "timeout-kill" => policy.timeout_kill = limit,
            "timeout-end" => policy.timeout_end = limit,
            "keeps-children" => policy.keeps_children = true,
            "timeout-up" => policy.timeout_up = limit,
            "permanent" => policy.permanent = value.split(',').map(|code| code.parse().unwrap()).collect(),
            other => panic!("no policy {other}"),
        }
    }
    policy
}

fn input(words: &str) -> Input {
    match words.split_once(' ').unwrap_or((words, "")) {
        ("up", _) => Input::Up,
        ("hold", _) => Input::Hold,
        ("down", _) => Input::Down,
        ("last", _) => Input::Last,
        ("restart", _) => Input::Restart,
        ("spawned", _) => Input::Spawned,
        ("unspawnable", _) => Input::Unspawnable,
        ("unlucky", _) => Input::Unlucky,
        ("announced", _) => Input::Announced,
        ("timeout", _) => Input::Timeout,
        ("kill", _) => Input::Kill,
        ("remains", code) => Input::Remains(Ended::Code(code.parse().unwrap())),
        ("emptied", _) => Input::Emptied,
        ("exited", code) => Input::Exited(Ended::Code(code.parse().unwrap())),
        ("killed", signal) => Input::Exited(Ended::Signal(signal.parse().unwrap())),
        (other, _) => panic!("no input {other}"),
    }
}

fn effect(effect: &Effect) -> String {
    match effect {
        Effect::Run(Script::Main) => "run".to_owned(),
        Effect::Run(Script::End(None)) => "run down".to_owned(),
        Effect::Run(Script::End(Some(how))) => format!("run finish: {how}"),
        Effect::Terminate => "terminate".to_owned(),
        Effect::Kill => "kill".to_owned(),
        Effect::Clear => "clear".to_owned(),
        Effect::Tell(what) => format!("tell {what}"),
    }
}

/// Replays a trace and returns it as the machine would have written it.
fn replay(trace: &str) -> String {
    let mut rules = Policy::default();
    let mut life = Lifecycle::new(Instant::from_nanos(0));
    let mut out = String::new();
    for line in trace.lines() {
        match line.split_once(' ').unwrap_or((line, "")) {
            ("<" | "=", _) => continue,
            ("policy", words) => rules = policy(words),
            (">", words) => {
                let (time, words) = words.split_once(' ').unwrap();
                let now = Instant::from_nanos(0) + Duration::from_millis(time.parse().unwrap());
                let mut effects = Vec::new();
                if input(words) == Input::Timeout {
                    assert!(life.deadline().is_some_and(|deadline| deadline <= now), "not due: {line}");
                }
                life.step(now, &rules, input(words), &mut effects);
                assert!(effects.len() <= 4, "{effects:?}");
                out += &format!("{line}\n");
                for one in &effects {
                    out += &format!("< {}\n", effect(one));
                }
                let due = life.deadline().map(|deadline| format!(" until {}", deadline.as_nanos() / 1_000_000));
                out += &format!("= {}{}\n", life.state(), due.unwrap_or_default());
                continue;
            }
            _ => {}
        }
        out += &format!("{line}\n");
    }
    out
}

#[test]
fn every_golden_trace_is_what_the_machine_does() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let trace = std::fs::read_to_string(&path).unwrap();
        let replayed = replay(&trace);
        if std::env::var_os("REWRITE_GOLDEN").is_some() {
            std::fs::write(&path, &replayed).unwrap();
            continue;
        }
        assert_eq!(replayed, trace, "{}", path.display());
        count += 1;
    }
    assert!(count >= 10, "only {count} traces found");
}

/// Any input in any order: the machine never asks for a second process while one runs, and never forgets one.
#[test]
fn whatever_happens_there_is_at_most_one_process() {
    let words = [
        "up",
        "hold",
        "down",
        "last",
        "restart",
        "announced",
        "kill",
        "exited 0",
        "exited 1",
        "killed 9",
        "exited 125",
        "remains 1",
        "emptied",
        "up",
        "timeout",
    ];
    let mut seed = 1_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    for round in 0..2000 {
        let kinds =
            ["", "announces", "end-script timeout-kill=5 timeout-end=5", "oneshot", "oneshot end-script timeout-up=5"];
        let rules = policy(kinds[round % kinds.len()]);
        let mut life = Lifecycle::new(Instant::from_nanos(0));
        let (mut runs, mut time) = (false, 0);
        for _ in 0..60 {
            time += u64::try_from(next(40)).unwrap();
            let now = Instant::from_nanos(0) + Duration::from_millis(time);
            let word = input(words[next(words.len())]);
            let due = life.deadline().is_some_and(|deadline| deadline <= now);
            let possible = match word {
                Input::Exited(_) | Input::Remains(_) => runs,
                Input::Timeout => due,
                _ => true,
            };
            if !possible {
                continue;
            }
            runs &= !matches!(word, Input::Exited(_) | Input::Remains(_));
            let mut queue = vec![word];
            while let Some(word) = queue.pop() {
                let mut effects = Vec::new();
                life.step(now, &rules, word, &mut effects);
                for effect in effects {
                    match effect {
                        Effect::Run(_) => {
                            assert!(!runs, "a second process after {word:?} in {:?}", life.state());
                            let answer = [Input::Spawned, Input::Spawned, Input::Unspawnable, Input::Unlucky][next(4)];
                            runs = answer == Input::Spawned;
                            queue.push(answer);
                        }
                        Effect::Terminate | Effect::Kill => assert!(runs, "nobody to signal after {word:?}"),
                        Effect::Clear => assert!(!runs, "the process is cleared away after {word:?}"),
                        Effect::Tell(_) => {}
                    }
                }
            }
            if runs {
                assert!(life.is_active(), "a process is forgotten in {:?}", life.state());
            }
        }
    }
}
