//! A lunix-init with one service.

use super::{Ended, lunix, soon};
use std::os::unix::fs::PermissionsExt;
use std::process::Command;
use testkit::TempDir;
use testkit::process::{Process, binary};

pub(crate) struct Init {
    pub(crate) folder: TempDir,
    pub(crate) process: Process,
}

impl Drop for Init {
    fn drop(&mut self) {
        // One that has ended already, as some tests want, has left nothing.
        let _ = self.process.end(soon());
    }
}

impl Init {
    pub(crate) fn start(test: &str) -> Option<Self> {
        let program = match binary("lunix-init") {
            Ok(program) => program,
            Err(error) => {
                testkit::skip::note(test, &error.to_string());
                return None;
            }
        };
        let folder = TempDir::new("svc").unwrap();
        let service = folder.join("services/talker");
        std::fs::create_dir_all(&service).unwrap();
        std::fs::write(service.join("run"), "#!/bin/sh\necho hello from me\nexec sleep 1000\n").unwrap();
        std::fs::set_permissions(service.join("run"), PermissionsExt::from_mode(0o755)).unwrap();
        let mut command = Command::new(program);
        command.arg("--services").arg(folder.join("services")).arg("--control").arg(folder.join("sock"));
        let mut process = Process::spawn("lunix-init", &mut command).unwrap();
        process.line(soon(), "hello from me").unwrap();
        Some(Self { folder, process })
    }

    pub(crate) fn control(&self) -> String {
        self.folder.join("sock").display().to_string()
    }

    /// Ends it, and everything it supervises.
    pub(crate) fn end(&mut self) {
        self.process.end(soon()).unwrap();
    }

    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let control = self.folder.join("sock").display().to_string();
        Ended::from(lunix(&[arguments, &["--control", &control]].concat()).output().unwrap())
    }

    /// Waits until the list has these words.
    pub(crate) fn lists(&self, words: &[&str]) {
        let deadline = soon();
        loop {
            let list = self.run(&["service", "list"]);
            if words.iter().all(|word| list.out.contains(word)) {
                return;
            }
            assert!(deadline.left().is_some(), "{words:?} in {list:?}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    }
}
