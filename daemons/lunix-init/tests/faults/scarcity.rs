//! Calls that fail though nothing is wrong with what was asked: they are made again later, and nothing else suffers.

use crate::common::Stage;
use crate::faults::{Injector, injected, until, until_at_rest};
use init_control::{Request, ServiceState as S};
use sys::signal::{self, Target};

/// What fails, and how often, while a service is to be started again and a new one comes.
fn survives(fault: &str) {
    let mut stage = Stage::new();
    let finish = format!("#!/bin/sh\necho finished >>{}\n", stage.file("finished").display());
    let counts = "#!/bin/sh\nn=0\nwhile [ $n -lt 4000 ]; do n=$((n+1)); echo 0123456789012345678901234567890123456789; done\necho end\nexec sleep 1000\n";
    stage.service("dies", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("finish", &finish)]);
    stage.sleeper("stays").start();
    let stays = stage.until_state("stays", S::Ready).pid;
    let dies = stage.until_state("dies", S::Ready).pid.unwrap();
    until_at_rest(stage.pid());
    let Some(injector) = Injector::attach(stage.pid(), &[fault]) else { return };
    signal::send(Target::Process(dies), signal::KILL).unwrap();
    // More output than a pipe holds: it comes to its end only when it is read.
    let socket = format!("one stream {}/one.sock\n", stage.home.display());
    stage.service("comes", &[("run", counts), ("sockets", &socket)]);
    stage.line("comes: end");
    stage.until("dies", "started again", |row| row.state == S::Ready && row.pid != Some(dies));
    stage.until_state("comes", S::Ready);
    drop(injector);
    assert_eq!(stage.row("stays").unwrap().pid, stays, "{fault}");
    std::os::unix::net::UnixStream::connect(stage.file("one.sock")).unwrap();
    until_at_rest(stage.pid());
    assert!(stage.end().success());
}

#[test]
fn no_process_to_be_had_is_tried_again() {
    survives("clone,clone3,vfork,fork:error=EAGAIN:when=1..4");
}

#[test]
fn no_memory_for_a_process_is_tried_again() {
    survives("clone,clone3,vfork,fork:error=ENOMEM:when=1..4");
}

#[test]
fn no_pipe_to_be_had_is_tried_again() {
    survives("pipe2:error=EMFILE:when=1..3");
}

#[test]
fn files_that_cannot_be_opened_just_now_are_no_change_of_the_directory() {
    survives("openat,openat2:error=EMFILE:when=1..4");
}

#[test]
fn files_in_the_middle_of_a_reading_count_as_little() {
    survives("openat,openat2:error=ENOMEM:when=4..28+3");
}

#[test]
fn a_full_epoll_set_is_tried_again_and_no_output_is_left_unread() {
    survives("epoll_ctl:error=ENOSPC:when=1..4");
}

#[test]
fn sockets_that_cannot_be_had_just_now_are_opened_later() {
    survives("socket,bind,listen:error=ENOBUFS:when=1..2");
}

#[test]
fn interrupted_calls_are_made_again() {
    survives("epoll_wait,epoll_pwait,epoll_pwait2,wait4,waitid,read:error=EINTR:when=1..20");
}

#[test]
fn a_wait_that_fails_is_not_the_end() {
    survives("epoll_wait,epoll_pwait,epoll_pwait2:error=ENOMEM:when=1..3");
}

#[test]
fn timers_that_cannot_be_set_are_set_again() {
    survives("timerfd_settime:error=ENOMEM:when=1..3");
}

#[test]
fn without_memory_it_starts_anew_and_services_go_on() {
    let mut stage = Stage::new();
    stage.sleeper("a").sleeper("b").start();
    let before = [stage.until_state("a", S::Ready).pid, stage.until_state("b", S::Ready).pid];
    until_at_rest(stage.pid());
    // The allocator asks in two ways; the first says that it cannot by telling where the heap ends.
    let maps = std::fs::read_to_string(format!("/proc/{}/maps", stage.pid())).unwrap();
    let heap = maps.lines().find(|line| line.ends_with("[heap]")).unwrap();
    let end = heap.split(['-', ' ']).nth(1).unwrap();
    let calls = [&format!("brk:retval=0x{end}:when=1"), "mmap:error=ENOMEM:when=1"];
    let Some(injector) = Injector::attach(stage.pid(), &calls) else { return };
    // More services than there is room for without asking.
    stage.service("many@", &[("run", "#!/bin/sh\nexec sleep 1000\n"), ("down", ""), ("instances/0", "")]);
    for number in 1..2000 {
        std::fs::write(stage.services().join(format!("many@/instances/{number}")), "").unwrap();
    }
    stage.line("crashed (ABRT) and goes on");
    stage.line("goes on after a crash");
    drop(injector);
    let is_there = || stage.ask(&Request::Status { name: "many@1999" }).is_ok();
    until("the last of them is known", is_there);
    stage.ask(&Request::Start { name: "many@1999" }).unwrap();
    stage.until_state("many@1999", S::Ready);
    assert_eq!([stage.row("a").unwrap().pid, stage.row("b").unwrap().pid], before);
}

#[test]
fn without_watches_a_rescan_does() {
    for fault in ["inotify_init1:error=EMFILE", "inotify_add_watch:error=ENOSPC"] {
        let mut stage = Stage::new();
        stage.sleeper("a");
        let Some(command) = injected(&stage.command(), &[fault]) else { return };
        stage.start_as(command);
        stage.line("use rescan");
        stage.until_state("a", S::Ready);
        stage.sleeper("b");
        stage.ask(&Request::Rescan).unwrap();
        stage.until_state("b", S::Ready);
    }
}
