//! Reading all of sysfs: at the start, and when events were lost.

use super::{Natsdev, World};
use crate::helper::Kind;
use crate::machine::Input;
use daemon::{Fatal, Level};
use reactor::Instant;
use rustix::event::{PollFd, PollFlags, Timespec};
use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::time::Duration;

/// How long the start may wait for modules and media before it goes on without them.
const COLDPLUG_MAX: Duration = Duration::from_secs(30);

impl Natsdev {
    /// Reads sysfs, loads the modules for what is there, looks at the media, and follows what appears meanwhile, until nothing is
    /// left to do. The daemon is not ready before, so this may wait for its helpers.
    pub(super) fn coldplug(&mut self, context: &mut World<'_>) -> Result<(), Fatal> {
        let end = Instant::now() + COLDPLUG_MAX;
        self.scan(context);
        loop {
            self.read_uevents(context);
            if !self.modules.is_busy() && !self.probe.is_busy() {
                break;
            }
            if Instant::now() >= end {
                context.log(Level::Warn, "coldplug goes on in the background: modules or media took too long");
                break;
            }
            self.wait(end).map_err(|error| Fatal::system("cannot wait", error))?;
            self.serve_helper(Kind::Modules, context);
            self.serve_helper(Kind::Probe, context);
            self.serve_patience(context);
        }
        self.step(Input::Settled, context);
        Ok(())
    }

    /// Tells the machine everything that is in sysfs.
    pub(super) fn scan(&mut self, context: &mut World<'_>) {
        self.aliases = Some(BTreeSet::new());
        self.step(Input::Scan, context);
        let sysfs = super::Sysfs::new();
        let scanned = sysfs.scan(|device| self.step(Input::Scanned(device), context));
        match scanned {
            Ok(()) => self.step(Input::ScanEnd, context),
            // Half a reading must not look like half a machine unplugged.
            Err(error) => context.log(Level::Error, format_args!("cannot read sysfs: {error}")),
        }
        self.aliases = None;
    }

    fn wait(&self, end: Instant) -> std::io::Result<()> {
        let helpers = self.modules.socket().into_iter().chain(self.probe.socket());
        let sources = [self.uevents.as_fd(), self.patience.as_fd()].into_iter().chain(helpers);
        let mut polled: Vec<PollFd<'_>> = sources.map(|fd| PollFd::from_borrowed_fd(fd, PollFlags::IN)).collect();
        let left = Timespec::try_from(end - Instant::now()).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
        match rustix::event::poll(&mut polled, Some(&left)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }
}
