//! lunix-init on a kernel without clone3, close_range and pidfds.
#![expect(clippy::unwrap_used, reason = "a test")]

mod common;

use common::Stage;
use init_control::{Request, ServiceState as S};

#[test]
fn services_run_are_signalled_and_end_as_on_a_newer_one() {
    let mut stage = Stage::new();
    stage.service("s", &[("run", "#!/bin/sh\ntrap 'echo hup' HUP\necho up\nwhile :; do sleep 0.02; done\n")]);
    stage.service("crash", &[("run", "#!/bin/sh\nexit 1\n")]);
    stage.service("missing", &[("run", "#!/no/such/interpreter\n")]);
    let command = stage.command();
    std::thread::scope(|scope| {
        // The filter is the thread's, and that of what it starts.
        scope.spawn(|| {
            sys::old_kernel::pretend(&sys::old_kernel::NEWER).unwrap();
            stage.start_as(command);
        });
    });
    stage.line("s: up");
    stage.ask(&Request::Signal { name: "s", signal: "HUP" }).unwrap();
    stage.line("s: hup");
    stage.until_state("crash", S::Backoff);
    stage.until_state("missing", S::Broken);
    stage.ask(&Request::Stop { name: "s" }).unwrap();
    stage.until_state("s", S::Down);
    assert!(stage.end().success());
}
