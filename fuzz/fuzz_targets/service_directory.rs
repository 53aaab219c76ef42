//! Any service directory: it is read, judged and taken over; no content of any file is too much.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_init::directory::{Known, folder::Folder, read_all};
use lunix_init::supervisor::{Act, Acts, Supervisor};
use reactor::Instant;
use std::fs;
use std::path::PathBuf;

const SERVICES: [&str; 6] = ["a", "b", "a/log", "c@", "user", "d@x"];
const FILES: [&str; 28] = [
    "run", "finish", "up", "down", "type", "notification-fd", "notify-socket", "down-signal", "timeout-kill", "timeout-finish",
    "timeout-up", "timeout-down", "permanent-exits", "user", "group", "limits", "capabilities", "on-change", "reload-signal",
    "producer-for", "consumer-for", "pipeline-name", "contents", "dependencies", "dependencies.d/b", "contents.d/a", "env/X",
    "instances/i",
];

/// Each piece up to a 0xff: which service, which file, content.
fn plant(home: &PathBuf, bytes: &[u8]) {
    for piece in bytes.split(|&byte| byte == 0xff).take(32) {
        let [service, file, content @ ..] = piece else { continue };
        let service = SERVICES[usize::from(*service) % SERVICES.len()];
        let path = home.join(service).join(FILES[usize::from(*file) % FILES.len()]);
        if fs::create_dir_all(path.parent().unwrap()).is_ok() {
            let _ = fs::write(path, content);
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    let home = PathBuf::from(format!("/dev/shm/lunix-fuzz-{}", std::process::id()));
    let _ = fs::remove_dir_all(&home);
    fs::create_dir_all(&home).unwrap();
    let (first, second) = bytes.split_at(bytes.len() / 2);
    let (mut supervisor, mut acts, mut now) = (Supervisor::new(), Acts::new(), 0);
    for half in [first, second] {
        plant(&home, half);
        let found = read_all(&Folder::open(&home).unwrap(), Known::nothing()).unwrap();
        for whole in [true, false] {
            now += 1_000_000;
            supervisor.reconcile(Instant::from_nanos(now), found.clone(), whole, &mut acts);
            while let Some(act) = acts.pop_front() {
                match act {
                    Act::Run(id, _) => supervisor.spawned(Instant::from_nanos(now), id, 100 + id as i32, &mut acts),
                    Act::Forget(id) => supervisor.release(id),
                    _ => {}
                }
            }
        }
    }
    let _ = fs::remove_dir_all(&home);
});
