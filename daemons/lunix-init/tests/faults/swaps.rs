//! Swaps of every link, at every moment, and what was there being taken away.

use crate::common::namespace::{self, init_of};
use crate::common::{PATIENCE, Stage};
use crate::faults::{count, plant, swap, until};
use init_control::{Request, ServiceState as S};
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};
use sys::signal::{self, Target};

const SLEEP: &str = "#!/bin/sh\nexec sleep 1000\n";

#[test]
fn each_link_of_a_long_chain_may_be_swapped() {
    let mut stage = Stage::new();
    let home = stage.home.display().to_string();
    // Two worlds that differ in everything below them, reached through links in the middle of paths, relative and absolute.
    for world in ["one", "two"] {
        for path in ["a/b/c", "x/y"] {
            fs::create_dir_all(stage.file(world).join(path)).unwrap();
        }
        plant(&stage.file(world).join("real/services/s"), "run", &format!("{SLEEP}# {world}\n"));
        swap(&stage.file(world).join("x/y/profile"), "../../real");
        swap(&stage.file(world).join("a/b/c/current"), &format!("{home}/{world}/x/y/profile"));
        swap(&stage.file(world).join("a/top"), "b/./c/../c/current");
    }
    fs::remove_dir(stage.services()).unwrap();
    fs::create_dir(stage.file("etc")).unwrap();
    let links = [
        (stage.services(), "etc/lunix/services".to_owned()),
        (stage.file("etc/lunix"), "../world/a/top".to_owned()),
        (stage.file("world"), "one".to_owned()),
    ];
    for (link, target) in &links {
        swap(link, target);
    }
    stage.start();
    stage.until_state("s", S::Ready);
    let mut begin = stage.row("s").unwrap().pid;
    let swaps = [
        (stage.file("world"), "two".to_owned()),
        (stage.file("etc/lunix"), format!("{home}/one/a/top")),
        (stage.services(), format!("{home}/two/real/services")),
        (stage.services(), "etc/lunix/services".to_owned()),
        (stage.file("one/a/top"), format!("{home}/two/a/b/c/current")),
        (stage.file("two/a/b/c/current"), "../../../../one/x/y/profile".to_owned()),
        (stage.file("one/x/y/profile"), format!("{home}/two/real")),
    ];
    for (link, target) in swaps {
        swap(&link, &target);
        let row = stage.until("s", "the other one", |row| row.state == S::Ready && row.pid != begin);
        begin = row.pid;
    }
}

/// A service that says at each start of which generation its program, its variable and its file are, all one after the other.
fn witness(stage: &Stage, generation: usize, name: &str) {
    let folder = stage.file(&format!("gen{generation}/{name}"));
    let out = stage.file("witness").display().to_string();
    plant(
        &folder,
        "run",
        &format!(
            "#!/bin/sh\nread file <data/number\necho {name} {generation} $NUMBER $file >>{out}\nexec sleep 1000\n"
        ),
    );
    plant(
        &folder,
        "finish",
        &format!("#!/bin/sh\nread file <data/number\necho {name} {generation} $NUMBER $file >>{out}\n"),
    );
    plant(&folder, "env/NUMBER", &format!("{generation}\n"));
    plant(&folder, "data/number", &format!("{generation}\n"));
}

#[test]
fn under_a_storm_of_swaps_nothing_is_ever_mixed() {
    const GENERATIONS: usize = 4;
    let mut stage = Stage::new();
    for generation in 0..GENERATIONS {
        for name in ["a", "b", "c"] {
            witness(&stage, generation, name);
        }
        plant(&stage.file(&format!("gen{generation}/c")), "dependencies.d/a", "");
        plant(&stage.file(&format!("gen{generation}/same")), "run", SLEEP);
    }
    fs::remove_dir(stage.services()).unwrap();
    swap(&stage.services(), "gen0");
    stage.start();
    let same = stage.until_state("same", S::Ready).pid;
    // A thousand swaps a minute.
    let pace = Duration::from_millis(60);
    let swaps = count(5, 60) * 1000 / 60;
    let begin = Instant::now();
    for number in 1..=swaps {
        swap(&stage.services(), &format!("gen{}", number % GENERATIONS));
        let next = begin + pace * u32::try_from(number).unwrap();
        std::thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    swap(&stage.services(), "gen3");
    for name in ["a", "b", "c"] {
        until("the last one runs", || {
            let pid = stage.row(name).and_then(|row| row.pid).unwrap_or(0);
            let folder = fs::read_link(format!("/proc/{pid}/cwd")).unwrap_or_default();
            folder.ends_with(format!("gen3/{name}")) && stage.row(name).unwrap().state == S::Ready
        });
    }
    assert_eq!(stage.row("same").unwrap().pid, same);
    let seen = fs::read_to_string(stage.file("witness")).unwrap();
    for line in seen.lines() {
        let mut numbers = line.split(' ').skip(1);
        let first = numbers.next().unwrap();
        assert!(numbers.clone().count() == 2 && numbers.all(|other| other == first), "mixed: {line}");
    }
    println!("{swaps} swaps, {} starts and ends", seen.lines().count());
}

#[test]
fn a_generation_removed_while_it_ends_holds_nothing_up() {
    let mut stage = Stage::new();
    for generation in ["gen1", "gen2"] {
        let folder = stage.file(&format!("store/{generation}/s"));
        let run = "#!/bin/sh\ntrap 'while ! test -e ../../../go; do sleep 0.01; done; exit' TERM\necho >&3\nwhile :; do sleep 0.02; done\n";
        plant(&folder, "run", &format!("{run}# {generation}\n"));
        plant(&folder, "finish", "#!/bin/sh\necho finished\n");
        plant(&folder, "notification-fd", "3");
    }
    fs::remove_dir(stage.services()).unwrap();
    swap(&stage.services(), "store/gen1");
    let mut command = stage.command();
    command.arg("--store").arg(stage.file("store"));
    stage.start_as(command);
    let before = stage.until_state("s", S::Ready).pid;
    swap(&stage.services(), "store/gen2");
    until("it is told to end", || stage.row("s").unwrap().state == S::Stopping);
    // The garbage collector of the store comes too early.
    fs::remove_dir_all(stage.file("store/gen1")).unwrap();
    // In a directory that is gone `..` leads nowhere.
    signal::send(Target::Process(before.unwrap()), signal::KILL).unwrap();
    stage.until("s", "the new one", |row| row.state == S::Ready && row.pid != before);
    // It ends as it should from where it is now.
    fs::write(stage.file("go"), "").unwrap();
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    stage.line("s: finished");
}

#[test]
fn what_lies_on_another_file_system_may_be_unmounted_and_come_back() {
    let mut stage = Stage::new();
    let place = stage.file("place").display().to_string();
    fs::create_dir(&place).unwrap();
    let mount = format!(
        "mount -t tmpfs none {place}; mkdir {place}/s; printf '#!/bin/sh\\nexec sleep 1000\\n' >{place}/s/run; chmod 755 {place}/s/run"
    );
    stage.sleeper("stays");
    swap(&stage.services().join("far"), &format!("{place}/s"));
    if !namespace::start_after(&mut stage, &mount, &[]) {
        return;
    }
    let stays = stage.until_state("stays", S::Ready).pid;
    stage.until_state("far", S::Ready);
    let init = init_of(&stage).to_string();
    let inside =
        |words: &[&str]| Command::new("nsenter").args(["-t", &init, "-m"]).args(words).status().unwrap().success();
    stage.ask(&Request::Stop { name: "far" }).unwrap();
    stage.until_state("far", S::Down);
    assert!(inside(&["umount", &place]));
    stage.line("far: its directory changed, but it is a link that leads nowhere");
    let refused = stage.ask(&Request::Start { name: "far" });
    assert!(refused.is_ok(), "{refused:?}");
    assert_eq!(stage.until_state("far", S::Broken).reason, "its directory is gone");
    // The kernel tells nobody of a mount on top of what is watched.
    assert!(inside(&["sh", "-c", &mount]));
    stage.ask(&Request::Rescan).unwrap();
    stage.ask(&Request::Start { name: "far" }).unwrap();
    stage.until_state("far", S::Ready);
    assert_eq!(stage.row("stays").unwrap().pid, stays);
}

#[test]
fn a_storm_in_the_directory_starves_nobody() {
    let mut stage = Stage::new();
    stage.sleeper("calm").start();
    let calm = stage.until_state("calm", S::Ready).pid.unwrap();
    let noisy = stage.services().join("calm/env");
    fs::create_dir(&noisy).unwrap();
    let done = std::sync::atomic::AtomicBool::new(false);
    let is_done = || done.load(std::sync::atomic::Ordering::Relaxed);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let end = Instant::now() + PATIENCE;
            while !is_done() && Instant::now() < end {
                fs::write(noisy.join(".x"), "x").unwrap();
                fs::rename(noisy.join(".x"), noisy.join(".y")).unwrap();
            }
        });
        signal::send(Target::Process(calm), signal::KILL).unwrap();
        stage.until("calm", "back", |row| row.state == S::Ready && row.pid != Some(calm));
        stage.sleeper("new");
        stage.until_state("new", S::Ready);
        done.store(true, std::sync::atomic::Ordering::Relaxed);
    });
}
