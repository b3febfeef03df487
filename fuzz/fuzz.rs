//! One program for all targets; the variable FUZZ_TARGET names the one to run.

#![no_main]

#[path = "../tests/fuzz/flows.rs"]
mod flows;
#[path = "../tests/fuzz/installation.rs"]
mod installation;
#[path = "../tests/fuzz/targets.rs"]
mod targets;
mod watch;

use std::sync::OnceLock;

use installation::Installation;
use libfuzzer_sys::fuzz_target;
use targets::{TARGETS, Target};

static CHOSEN: OnceLock<(Target, Installation)> = OnceLock::new();

fn choose() -> (Target, Installation) {
    let name = std::env::var("FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|(known, _)| *known == name);
    let (_, target) = found.unwrap_or_else(|| panic!("FUZZ_TARGET: there is no target {name:?}"));
    (*target, Installation::new())
}

// The installation is made before the first input: its keys take long.
fuzz_target!(
    init: { CHOSEN.get_or_init(choose); },
    |data: &[u8]| {
        let (target, on) = CHOSEN.get_or_init(choose);
        watch::watch(*target, on, data);
    }
);
