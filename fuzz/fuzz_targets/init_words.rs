//! The words that PID 1 is given and hands on: any command line, any small file of a service, any account files, any output.
#![no_main]

use libfuzzer_sys::fuzz_target;
use lunix_init::directory::{parse, privilege, sockets};
use lunix_init::lines::{LINE_MAX, Lines};
use lunix_init::{environment, identity, options};
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

fn lines(bytes: &[u8], piece: usize) -> Vec<Vec<u8>> {
    let (mut all, mut lines) = (Vec::new(), Lines::default());
    for part in bytes.chunks(piece) {
        lines.feed(part, |line| all.push(line.to_vec()));
    }
    all
}

fuzz_target!(|bytes: &[u8]| {
    let words = || bytes.split(|&byte| byte == 0).map(|word| OsString::from_vec(word.to_vec()));
    let _ = options::parse(words(), false);
    // As PID 1 it takes whatever the kernel hands on, and runs.
    assert!(options::parse(words(), true).is_ok());

    let _ = (parse::milliseconds(bytes), parse::descriptor(bytes), parse::kind(bytes), parse::names(bytes));
    let _ = (parse::on_change(bytes), parse::signal(bytes), parse::exit_codes(bytes), parse::user(bytes));
    let _ = (privilege::capabilities(bytes), privilege::limits(bytes));
    assert!(sockets::parse(bytes).map_or(0, |all| all.len()) <= 16);

    let mut parts = bytes.splitn(3, |&byte| byte == 0xff);
    let [user, passwd, group] = [(); 3].map(|()| parts.next().unwrap_or_default());
    if let Ok(mut who) = identity::resolve(user, passwd, group, !group.is_empty()) {
        let _ = identity::set_groups(&mut who, user, group);
    }

    let mut variables = Vec::new();
    environment::set(&mut variables, user, Some(passwd));
    environment::set(&mut variables, user, Some(group));
    assert!(variables.len() <= 1 || user.contains(&b'='));

    let whole = lines(bytes, bytes.len().max(1));
    assert!(whole.iter().all(|line| line.len() <= LINE_MAX && !line.contains(&b'\n')));
    assert_eq!(whole, lines(bytes, 7));
});
