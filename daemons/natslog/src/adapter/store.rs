//! Lines in files, where configured.

use super::{Source, World};
use crate::config;
use crate::files::{Budget, Files, Known, number_of};
use crate::machine::record::Record;
use crate::shown;
use daemon::{Fatal, Interest, Level, exit};
use reactor::Timer;
use rustix::fs::{Mode, OFlags};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Who may read: we write, the group reads, nobody else.
const MODE: u32 = 0o640;
const FOLDER_MODE: u32 = 0o750;

/// The files of one directory.
#[derive(Debug)]
pub(super) struct Store {
    directory: PathBuf,
    files: Files,
    current: Option<OwnedFd>,
    /// Armed from the first line that is not safely on the disk yet.
    timer: Timer,
    is_armed: bool,
    wait: Duration,
    /// Text of a line, kept for its memory.
    line: String,
}

impl Store {
    /// Opens the directory, making it where it is missing; `Ok(None)` when none is configured.
    pub(super) fn open(config: &config::Files, context: &mut World<'_>) -> Result<Option<Self>, Fatal> {
        if config.directory.is_empty() {
            return Ok(None);
        }
        let directory = PathBuf::from(&config.directory);
        let known = there(&directory).map_err(|error| {
            Fatal::new(exit::CANNOT_CREATE, format!("cannot keep files in {}: {error}", directory.display()))
        })?;
        let timer = Timer::new().map_err(|error| Fatal::system("cannot open a timer", error))?;
        context
            .watch(&timer, Interest::READ, Source::Flush)
            .map_err(|error| Fatal::system("cannot watch a timer", error))?;
        let budget = Budget { bytes_max: config.bytes_max, compress: config.compress };
        let (files, wait) = (Files::new(budget, known), Duration::from_secs(config.flush_after_s));
        Ok(Some(Self { directory, files, current: None, timer, is_armed: false, wait, line: String::new() }))
    }

    /// Takes a line.
    pub(super) fn add(&mut self, record: &Record<'_>, context: &World<'_>) {
        self.line.clear();
        shown::plain(record, &mut self.line);
        let written = if self.files.add(&self.line) { self.write() } else { Ok(()) };
        let armed = if self.is_armed { Ok(()) } else { self.timer.arm(context.now() + self.wait) };
        self.is_armed = true;
        tell(written.and(armed), context);
    }

    /// The time has come: what is gathered is written, and all of it is safe when this is done.
    pub(super) fn flush(&mut self, context: &World<'_>) {
        self.is_armed = false;
        tell(self.timer.fired().map(drop).and_then(|()| self.save()), context);
    }

    fn save(&mut self) -> io::Result<()> {
        self.write()?;
        match &self.current {
            Some(current) => Ok(rustix::fs::fdatasync(current)?),
            None => Ok(()),
        }
    }

    fn write(&mut self) -> io::Result<()> {
        if self.files.is_empty() {
            return Ok(());
        }
        let bytes = self.files.take();
        let plan = self.files.plan(bytes.len() as u64);
        for number in &plan.remove {
            self.remove(*number)?;
        }
        if plan.is_new || self.current.is_none() {
            self.leave()?;
            let path = self.directory.join(self.files.name(plan.append_to));
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW;
            self.current = Some(rustix::fs::open(path, flags, Mode::from_raw_mode(MODE))?);
        }
        let mut rest = bytes.as_slice();
        while let Some(current) = &self.current
            && !rest.is_empty()
        {
            let count = rustix::io::retry_on_intr(|| rustix::io::write(current, rest))?;
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }

    /// The file that was written to until now is whole.
    fn leave(&mut self) -> io::Result<()> {
        match self.current.take() {
            Some(last) => Ok(rustix::fs::fdatasync(last)?),
            None => Ok(()),
        }
    }

    /// Removes a file; one that is gone already, or has the other ending, is no error.
    fn remove(&self, number: u64) -> io::Result<()> {
        let plain = self.directory.join(format!("lunix-{number:08}.log"));
        for path in [plain.with_extension("log.gz"), plain] {
            match std::fs::remove_file(path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.save() {
            daemon::log::line("natslog", Level::Error, format_args!("the last lines were not written: {error}"));
        }
    }
}

fn tell(result: io::Result<()>, context: &World<'_>) {
    if let Err(error) = result {
        context.log(Level::Error, format_args!("lines were not written to a file: {error}"));
    }
}

/// The files that are there.
fn there(directory: &Path) -> io::Result<Vec<Known>> {
    use std::os::unix::fs::DirBuilderExt;
    match std::fs::DirBuilder::new().mode(FOLDER_MODE).create(directory) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    let mut known = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        if let Some(number) = entry.file_name().to_str().and_then(number_of) {
            known.push(Known { number, bytes: entry.metadata()?.len() });
        }
    }
    Ok(known)
}
