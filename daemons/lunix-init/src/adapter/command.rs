//! What exactly is executed: the file itself, its interpreter, or execlineb for the lines of s6-rc.

use super::launch::{Failure, Program};
use crate::directory::folder::Folder;
use crate::lifecycle::Script;
use crate::scarcity::is_scarcity;
use crate::service::Service;
use init_control::Ended;
use rustix::fs::{Access, Stat};
use std::ffi::{CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Most bytes of the first line of a script.
const FIRST_LINE_MAX: usize = 256;
/// Where s6-overlay has its programs, whatever the PATH.
const COMMANDS: &[u8] = b"/command";

/// What is executed.
pub(crate) struct Line {
    /// The file of the service that is meant.
    pub(crate) file: &'static str,
    pub(crate) program: CString,
    pub(crate) arguments: Vec<CString>,
}

/// The program of a service and its arguments.
pub(crate) fn line(
    service: &Service,
    program: Program,
    folder: &Folder,
    environment: &[CString],
) -> Result<Line, Failure> {
    let oneshot = service.definition.policy.oneshot;
    let (file, path) = match (program, oneshot) {
        (Program::Script(Script::Main), false) => ("run", c"./run"),
        (Program::Script(Script::Main), true) => ("up", c"./up"),
        (Program::Script(Script::End(_)), true) => ("down", c"./down"),
        (Program::Script(Script::End(_)), false) => ("finish", c"./finish"),
        (Program::Reload, _) => ("reload", c"./reload"),
    };
    let own = arguments(service, program);
    let direct = || Line { file, program: path.to_owned(), arguments: with([path.to_bytes()], &own) };
    let Some(stat) = folder.stat(file)? else { return Ok(direct()) };
    let begin = beginning(folder, file)?;
    let is_program = begin.starts_with(b"#!") || begin.starts_with(b"\x7fELF");
    let is_script = matches!(program, Program::Script(_));
    if oneshot && is_script && !(is_program && is_executable(&stat)) {
        let Some(found) = find(b"execlineb", environment) else {
            return Err(Failure::lasting(format!("{file}: a line for execlineb(1), which is not installed")));
        };
        let words = [&b"execlineb"[..], b"-P", b"--", path.to_bytes()];
        return Ok(Line { file, program: found, arguments: with(words, &own) });
    }
    // s6-rc makes executable what it compiles.
    if !is_executable(&stat) && folder.has("type") && begin.starts_with(b"#!") {
        let mut words: Vec<&[u8]> = interpreter(&begin);
        words.push(path.to_bytes());
        if let Some(program) = words.first().and_then(|word| CString::new(*word).ok()) {
            return Ok(Line { file, program, arguments: with(words, &own) });
        }
    }
    Ok(direct())
}

fn with<'a>(words: impl IntoIterator<Item = &'a [u8]>, more: &[Vec<u8>]) -> Vec<CString> {
    words
        .into_iter()
        .map(<[u8]>::to_vec)
        .chain(more.iter().cloned())
        .filter_map(|word| CString::new(word).ok())
        .collect()
}

/// The arguments after the program's name: `finish` gets, as from s6, exit code (256 when a signal ended it), signal (0 when none did), name
/// and process group; an instance gets what comes after the `@` of its name.
fn arguments(service: &Service, program: Program) -> Vec<Vec<u8>> {
    let Program::Script(Script::End(Some(how))) = program else {
        return service.definition.rare().instance.iter().map(|instance| instance.as_bytes().to_vec()).collect();
    };
    let (code, number) = match how {
        Ended::Code(code) => (i32::from(code), 0),
        Ended::Signal(number) => (256, number),
    };
    let group = service.last_pid.unwrap_or(0);
    [code.to_string(), number.to_string(), service.name.to_string(), group.to_string()].map(String::into_bytes).to_vec()
}

fn is_executable(stat: &Stat) -> bool {
    stat.st_mode & 0o111 != 0
}

/// The first line, as far as the kernel would look at it.
fn beginning(folder: &Folder, file: &str) -> io::Result<Vec<u8>> {
    let begin = match folder.begin(file, FIRST_LINE_MAX) {
        Err(error) if is_scarcity(&error) => return Err(error),
        // What may not be read may be executed all the same.
        outcome => outcome.unwrap_or_default(),
    };
    Ok(begin.split(|&byte| byte == b'\n').next().unwrap_or_default().to_vec())
}

/// The interpreter of a script and its one argument, as the kernel reads them (`man 2 execve`).
fn interpreter(first: &[u8]) -> Vec<&[u8]> {
    let rest = first.strip_prefix(b"#!").unwrap_or_default().trim_ascii();
    let end = rest.iter().position(u8::is_ascii_whitespace).unwrap_or(rest.len());
    let (path, argument) = rest.split_at_checked(end).unwrap_or((rest, b""));
    [path, argument.trim_ascii()].into_iter().filter(|word| !word.is_empty()).collect()
}

/// A program in the PATH of `environment`, or where s6-overlay has it.
fn find(name: &[u8], environment: &[CString]) -> Option<CString> {
    let path = environment.iter().find_map(|pair| pair.as_bytes().strip_prefix(b"PATH=")).unwrap_or_default();
    let folders = path.split(|&byte| byte == b':').chain([COMMANDS]).filter(|folder| folder.starts_with(b"/"));
    let found = folders
        .map(|folder| [folder, b"/", name].concat())
        .find(|file| rustix::fs::access(Path::new(OsStr::from_bytes(file)), Access::EXEC_OK).is_ok());
    found.and_then(|file| CString::new(file).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_is_read_as_the_kernel_reads_it() {
        assert_eq!(interpreter(b"#!/bin/sh"), [b"/bin/sh"]);
        assert_eq!(interpreter(b"#! /command/execlineb  -P -x "), [&b"/command/execlineb"[..], b"-P -x"]);
        assert!(interpreter(b"#!").is_empty());
    }

    #[test]
    fn programs_are_found_in_the_path() {
        let environment = [c"PATHS=/".to_owned(), c"PATH=relative:/no/such:/bin:/usr/bin".to_owned()];
        assert_eq!(find(b"sh", &environment), Some(c"/bin/sh".to_owned()));
        assert_eq!(find(b"no-such-program", &environment), None);
    }
}
