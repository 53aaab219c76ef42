//! Nobody does anything while nothing happens.

use lunix_tests::ensure;
use std::collections::BTreeMap;
use testkit::suite::Suite;
use testkit::vm::Vm;
use testkit::{Deadline, Error, Result};

/// How long the machine is watched.
const WATCHED_S: u64 = 30;

pub(crate) fn run(suite: &mut Suite, vm: &mut Vm) {
    suite.check("idle::no_program_wakes_up_for_30_s", || no_wake_ups(vm));
}

/// A process that makes a system call has run, and whoever ran and sleeps again has given up the processor: without a context
/// switch there was no system call.
///
/// The shell that looks must not wake anybody either, so between the two looks it starts no process: `read -t` waits.
fn no_wake_ups(vm: &mut Vm) -> Result<()> {
    let script = format!(
        "mkfifo /tmp/never
        look() {{
            for status in /proc/[0-9]*/status; do
                while read -r key value rest; do
                    case $key in Name:) name=$value ;; Pid:) pid=$value ;; VmSize:) user=1 ;;
                    *ctxt_switches:) [ -n \"$user\" ] && echo \"$1 $name $pid $key $value\" ;; esac
                done <$status
                user=
            done
        }}
        read -r -t 3 nothing <>/tmp/never
        look before; read -r -t {WATCHED_S} nothing <>/tmp/never; look after; rm /tmp/never"
    );
    let output = vm.sh(&script, Deadline::seconds(WATCHED_S + 60))?;
    let look = |when: &str| -> BTreeMap<String, u64> {
        let lines = output.lines().filter_map(|line| line.strip_prefix(when)?.trim().rsplit_once(' '));
        lines.filter_map(|(key, value)| Some((key.to_owned(), value.parse().ok()?))).collect()
    };
    let (before, after) = (look("before"), look("after"));
    // The shells of this very look are the only ones that may have run.
    let is_ours = |key: &str| key.starts_with("sh ") || key.starts_with("getty ");
    ensure(before.keys().any(|key| key.starts_with("lunix-bus ")), || format!("the bus was not seen:\n{output}"))?;
    let woken: Vec<String> = after
        .iter()
        .filter(|(key, count)| !is_ours(key) && before.get(*key) != Some(count))
        .map(|(key, count)| format!("{key} {count}, before {:?}", before.get(key)))
        .collect();
    if woken.is_empty() { Ok(()) } else { Err(Error::unexpected(format!("they woke up:\n{}", woken.join("\n")))) }
}
