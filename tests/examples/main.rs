//! The examples in every language, each against nats-server first and our bus second; what they hear of the hardware is played.
#![forbid(unsafe_code)]

mod player;
mod readme;
mod scenario;
mod server;
mod sticks;

use lunix_tests::language::Language;
use server::Kind;
use std::process::ExitCode;
use testkit::suite::Suite;
use testkit::{Deadline, Result};

/// For a program to start and say its line, on a busy machine.
fn soon() -> Deadline {
    Deadline::seconds(30)
}

type Scenario = fn(Kind, Language) -> Result<()>;

const SCENARIOS: &[(&str, Scenario)] = &[
    ("a_stick_makes_one_toast", scenario::toast),
    ("a_stick_is_mounted_and_unmounted", scenario::automount),
    ("heat_only_while_calibre_runs", scenario::heat),
    ("sticks_are_known_whatever_was_missed", sticks::recipe),
];

fn main() -> ExitCode {
    let mut suite = Suite::from_arguments();
    for kind in [Kind::NatsServer, Kind::LunixBus] {
        for (what, scenario) in SCENARIOS {
            for language in Language::ALL {
                let name = format!("{}::{}::{what}", kind.name(), language.name());
                match kind.missing().or_else(|| language.missing()) {
                    Some(reason) => suite.skip(&name, &reason),
                    None => drop(suite.check(&name, || scenario(kind, *language))),
                }
            }
        }
    }
    suite.check("readme::its_javascript_shows_a_toast_under_lunix_up", readme::javascript);
    suite.check("readme::its_shell_shows_a_toast_under_lunix_up", readme::shell);
    suite.check("readme::its_commands_are_those_that_there_are", readme::commands);
    suite.finish()
}
