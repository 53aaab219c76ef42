//! The first steps: where the state is, what is executed after a crash, and what another lunix-init left in this process.

use super::copies::VERSION;
use super::file::{CRASHES_AT, Kept, StateFile};
use super::rescue;
use crate::console::Console;
use crate::options::Options;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::process::WaitStatus;
use std::collections::BTreeMap;
use std::ffi::{CString, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;

/// After so many crashes within a minute a person is asked for.
const CRASHES_MAX: usize = 3;

/// What the start comes to.
#[derive(Debug, Default)]
pub struct Begun {
    /// Where the state is written; `None` where the kernel gives no file in memory.
    pub file: Option<StateFile>,
    /// What another lunix-init left.
    pub inherited: Option<Inherited>,
}

impl Begun {
    /// The control socket that was left.
    pub fn listener(&mut self) -> Option<OwnedFd> {
        let inherited = self.inherited.as_mut()?;
        let number = inherited.kept.whole.as_ref().and_then(|whole| whole.listener);
        inherited.take(number, FileType::Socket)
    }

    /// The directory of the cgroups that was left, with its lock.
    pub fn groups(&mut self) -> Option<OwnedFd> {
        let inherited = self.inherited.as_mut()?;
        let number = inherited.kept.whole.as_ref().and_then(|whole| whole.groups);
        inherited.take(number, FileType::Directory)
    }

    /// The limit of open descriptors that services are to have.
    #[must_use]
    pub fn limits(&self) -> Option<(u64, u64)> {
        self.inherited.as_ref()?.kept.whole.as_ref()?.limits
    }
}

/// What another lunix-init left in this process.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Its records.
    pub kept: Kept,
    /// Text it handed on.
    pub text: Vec<u8>,
    /// Who ended while a person was at work.
    pub deaths: Vec<(i32, WaitStatus)>,
    /// It was ended by this signal; `None`: it ended as planned.
    pub crashed: Option<i32>,
    descriptors: BTreeMap<i32, OwnedFd>,
}

impl Inherited {
    /// Takes one of its descriptors, when it is open, of this kind and not taken yet.
    pub fn take(&mut self, number: Option<i32>, kind: FileType) -> Option<OwnedFd> {
        let fd = self.descriptors.get(&number?)?;
        let stat = rustix::fs::fstat(fd).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == kind).then(|| self.descriptors.remove(&number?)).flatten()
    }

    /// Takes one of its descriptors, whatever it is.
    pub fn take_any(&mut self, number: i32) -> Option<OwnedFd> {
        self.descriptors.remove(&number)
    }

    /// Takes both ends of one and the same pipe.
    pub fn take_pipe(&mut self, ends: Option<(i32, i32)>) -> Option<(OwnedFd, OwnedFd)> {
        let (reader, writer) = ends?;
        let inode = |number: &i32| rustix::fs::fstat(self.descriptors.get(number)?).ok().map(|stat| stat.st_ino);
        let is_one = reader != writer && inode(&reader).is_some() && inode(&reader) == inode(&writer);
        let mut both = |number| self.take(Some(number), FileType::Fifo);
        if is_one { both(reader).zip(both(writer)) } else { None }
    }
}

/// Begins: opens the state that was left or a new one, and arms the handlers as early as can be.
pub fn begin(options: &Options, is_pid1: bool, console: &mut Console) -> Begun {
    std::panic::set_hook(Box::new(say_and_crash));
    let left = options.state_fd.and_then(|number| {
        let file = sys::descriptor::inherited(number).and_then(StateFile::adopt);
        file.inspect_err(|error| console.say(format_args!("error: the state in descriptor {number}: {error}"))).ok()
    });
    let is_new = left.is_none();
    let file = left.map_or_else(StateFile::create, Ok);
    let file = file.inspect_err(|error| console.say(format_args!("warn: cannot keep a state: {error}"))).ok();
    let own = match arm(file.as_ref(), is_pid1) {
        Ok(own) => own,
        Err(error) => {
            console.say(format_args!("warn: a crash will be the end: {error}"));
            Vec::new()
        }
    };
    match file {
        Some(file) if !is_new => take_over(file, &own, options, is_pid1, console),
        file => Begun { file, inherited: None },
    }
}

/// A panic takes the way of every crash: it would not have come that far if there were a better one.
fn say_and_crash(panic: &std::panic::PanicHookInfo<'_>) {
    Console::default().say(format_args!("error: {panic}"));
    std::process::abort()
}

/// Arms the handlers; returns the numbers of the descriptors they use.
///
/// The program is kept as a descriptor of its file: that costs nothing, and whatever happens to its path or mount, the file is there and its
/// beginning, which runs, in memory. A copy in memory would also outlive the loss of the device, and cost as much memory as all the rest.
fn arm(file: Option<&StateFile>, is_pid1: bool) -> io::Result<Vec<i32>> {
    let first = std::env::args_os().next().unwrap_or_default();
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let program = rustix::fs::open("/proc/self/exe", flags, Mode::empty());
    let program = program.or_else(|_| rustix::fs::open(&*first, flags, Mode::empty()))?;
    let mut arguments = arguments();
    let mut own = vec![program.as_raw_fd()];
    let times = match file {
        None => None,
        Some(file) => {
            let copy = file.as_fd().try_clone_to_owned()?;
            own.extend([copy.as_raw_fd(), file.as_fd().as_raw_fd()]);
            Some((copy, CRASHES_AT))
        }
    };
    arguments.extend(state_argument(file));
    arguments.push(c"--crashed".to_owned());
    let (others, shells) =
        if is_pid1 { (vec![c"/sbin/init".to_owned()], rescue::shells()) } else { Default::default() };
    let environment = crate::environment::own();
    sys::crash::arm(sys::crash::Plan { program, arguments, environment, times, others, shells })?;
    Ok(own)
}

/// The arguments this program was started with, but for those that it adds itself.
#[must_use]
pub fn arguments() -> Vec<CString> {
    let mut words = std::env::args_os();
    let mut kept = Vec::new();
    while let Some(word) = words.next() {
        if word == "--state-fd" || word == "--crashed" {
            let _ = words.next();
        } else {
            kept.extend(CString::new(OsString::into_vec(word)));
        }
    }
    kept
}

/// What tells the next program where the state is.
pub fn state_argument(file: Option<&StateFile>) -> Vec<CString> {
    let number = file.and_then(|file| CString::new(file.as_fd().as_raw_fd().to_string()).ok());
    number.map_or_else(Vec::new, |number| vec![c"--state-fd".to_owned(), number])
}

/// What a program is asked before it may take the place of this one.
#[must_use]
pub fn question() -> [CString; 2] {
    [c"--resumes".to_owned(), CString::new(VERSION.to_string()).unwrap_or_default()]
}

fn take_over(mut file: StateFile, own: &[i32], options: &Options, is_pid1: bool, console: &mut Console) -> Begun {
    // First of all, so that nothing is lost by a crash from here on.
    let kept = file.read();
    let descriptors = claim(&kept, own);
    let mut deaths = Vec::new();
    if let Some(signal) = options.crashed {
        let name = sys::signal::name_of(signal).unwrap_or("a signal");
        let count = sys::crash::recent(sys::crash::times(file.as_fd(), CRASHES_AT));
        console.say(format_args!("error: lunix-init crashed ({name}) and goes on (crashes_in_60_s={count})"));
        if is_pid1 && count >= CRASHES_MAX {
            deaths = rescue::run(console);
        }
    }
    let mut open = own.to_vec();
    open.extend(descriptors.keys().copied());
    open.push(file.as_fd().as_raw_fd());
    open.sort_unstable();
    sys::descriptor::close_all_but(&open);
    let text = file.take_text();
    let inherited = Inherited { kept, text, deaths, crashed: options.crashed, descriptors };
    Begun { file: Some(file), inherited: Some(inherited) }
}

/// Takes possession of every descriptor that a record names, once.
fn claim(kept: &Kept, own: &[i32]) -> BTreeMap<i32, OwnedFd> {
    let mut numbers = Vec::new();
    for (_, record) in &kept.services {
        let one = &record.descriptors;
        let pairs = [one.output, one.input].into_iter().flatten().flat_map(|(from, to)| [from, to]);
        numbers.extend(pairs.chain(one.notification).chain(one.home));
    }
    numbers.extend(kept.held.iter().map(|(_, record)| record.fd));
    if let Some(whole) = &kept.whole {
        let link = whole.link.map(|link| link.socket);
        numbers.extend([whole.listener, whole.notify, whole.folder, link, whole.groups].into_iter().flatten());
    }
    numbers.sort_unstable();
    numbers.dedup();
    numbers.retain(|number| !own.contains(number));
    // Before each is marked to be closed: a crash in between would lose it.
    numbers.iter().copied().for_each(sys::crash::keep_up_to);
    numbers.into_iter().filter_map(|number| Some((number, sys::descriptor::inherited(number).ok()?))).collect()
}
