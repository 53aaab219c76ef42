//! The built programs as processes of this machine.
//!
//! One file per scenario, named as the sentence that it proves.
#![forbid(unsafe_code)]

mod every_program_tells_its_version_and_refuses_what_it_does_not_know;
mod killing_the_bus_refuses_nobody;
mod the_daemons_run_under_other_inits;
mod the_guide_can_be_typed;
