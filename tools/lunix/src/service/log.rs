//! `lunix service log`: lines that are kept, and those that come.

use super::{failed, open, socket, source::Source};
use crate::line;
use crate::output::{Lines, Stop};
use init_control::{Error, Reply, Request, Watch};
use program::{Fatal, Given, Level, exit, log};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// Prints them.
pub(super) fn run(given: &Given, lines: &mut Lines) -> Result<(), Stop> {
    let name = given.argument(0);
    let count = given.value("lines").map(count).transpose()?;
    if given.has("follow") {
        return follow(given, name, count, lines);
    }
    let tail = Source::open(given)?.log(name, count)?;
    tell_lost(tail.dropped);
    let mut each = tail.lines.iter();
    each.try_for_each(|one| lines.line(line::escaped(format!("{}: {}", one.service, one.line).as_bytes()).as_bytes()))
}

fn count(text: &str) -> Result<usize, Fatal> {
    let wrong = || Fatal::new(exit::USAGE, format!("--lines '{}': expected a number", line::escaped(text.as_bytes())));
    text.parse().map_err(|_| wrong())
}

fn tell_lost(count: u64) {
    if count > 0 {
        log::line("lunix", Level::Info, format_args!("older lines are gone (lost={count})"));
    }
}

/// The kept lines, the newest `count` of them, then each that comes, until nobody reads them or lunix-init ends.
fn follow(given: &Given, name: Option<&str>, count: Option<usize>, lines: &mut Lines) -> Result<(), Stop> {
    if given.has("bus") || given.has("url") {
        let why = "--follow: lines are followed on the control socket only; on the bus the log service publishes them";
        return Err(Fatal::new(exit::USAGE, why).into());
    }
    let path = socket(given);
    // What is wrong with the socket is told as for every other command.
    drop(open(path)?);
    let mut watch = Watch::open(path, &Request::Log { name, follow: true }).map_err(|error| failed(&error))?;
    let (mut kept, mut is_live) = (Vec::new(), false);
    loop {
        match watch.reply() {
            Ok(Some(Reply::Line(one))) => {
                let text = line::escaped(&one.bytes().collect::<Vec<u8>>());
                if is_live {
                    lines.line(text.as_bytes())?;
                } else {
                    kept.push(text);
                }
            }
            Ok(Some(Reply::End { dropped, .. })) => {
                tell_lost(dropped);
                is_live = true;
                let skipped = kept.len().saturating_sub(count.unwrap_or(usize::MAX));
                kept.drain(..).skip(skipped).try_for_each(|text| lines.line(text.as_bytes()))?;
            }
            Ok(Some(Reply::Lost(lost))) => {
                log::line("lunix", Level::Warn, format_args!("lines came faster than they were printed (lost={lost})"));
            }
            Ok(Some(Reply::Refused { code, reason })) => {
                return Err(Fatal::new(code, format!("lunix-init refuses: {reason}")).into());
            }
            Ok(Some(Reply::Ok | Reply::Service(_) | Reply::Usage(_) | Reply::Event(_) | Reply::Unknown)) => {}
            Ok(None) => wait(&watch, lines)?,
            Err(error @ (Error::Closed | Error::Socket(_))) => return Err(failed(&error).into()),
            Err(error) => log::line("lunix", Level::Warn, error),
        }
    }
}

/// Waits for a line, or for the reader of ours to leave.
fn wait(watch: &Watch, lines: &Lines) -> Result<(), Stop> {
    let mut both = [PollFd::new(watch, PollFlags::IN), PollFd::new(lines, PollFlags::empty())];
    match poll(&mut both, None) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(errno) => return Err(Fatal::system("cannot wait", errno).into()),
    }
    let left = both.get(1).is_some_and(|output| output.revents().intersects(PollFlags::ERR | PollFlags::HUP));
    if left { Err(Stop::OutputClosed) } else { Ok(()) }
}
