//! What is known of cgroups of version 2 without asking the kernel: names, settings, and what its files say.

pub mod counters;
pub mod name;
pub mod oom_score;
pub mod scan;
pub mod setting;
pub mod trigger;
