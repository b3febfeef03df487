//! Hostile input, bounded: the kept corpus, then seeded mutations of it. The same every time; `make fuzz` looks further, and
//! watches how long an input takes: here that would depend on how busy the machine is.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "in a test, what is not as expected is the failure"
)]

mod corpus;
mod flows;
mod installation;
mod mutate;
mod targets;

use std::panic::{AssertUnwindSafe, catch_unwind};

use corpus::{Input, corpus};
use installation::{Installation, NOW};
use mutate::Mutator;
use scv_bridge::api::{Route, rehearse};
use targets::{TARGETS, Target};

/// Mutations for each target.
const ROUNDS: usize = if cfg!(debug_assertions) { 600 } else { 20_000 };

#[test]
fn every_input_of_the_corpus_is_survived() {
    let on = Installation::new();
    for (name, target) in TARGETS {
        for Input { file, bytes } in corpus(name) {
            stand(name, *target, &on, &bytes, &file);
        }
    }
}

#[test]
fn mutations_of_the_corpus_are_survived() {
    let on = Installation::new();
    for (name, target) in TARGETS {
        let inputs = corpus(name).into_iter().map(|input| input.bytes).collect();
        let mut mutator = Mutator::new(inputs);
        for round in 0..ROUNDS {
            stand(name, *target, &on, &mutator.next(), &format!("mutation {round}"));
        }
    }
}

#[test]
fn every_folder_of_the_corpus_has_its_target() {
    let mut targets: Vec<_> = TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    targets.sort();
    assert_eq!(corpus::folders(), targets);
}

/// What fails at the first check says nothing about those behind it.
#[test]
fn the_kept_bodies_of_the_vendor_are_read_to_their_end() {
    let on = Installation::new();
    for (name, route) in [
        ("create_voice_call/vendors", Route::CreateVoiceCall),
        ("update_voice_call/vendors", Route::UpdateVoiceCall),
        ("execute_omni_flow/vendors", Route::ExecuteOmniFlow),
        ("clear_routing/vendors", Route::ClearRouting),
        ("phone_contact_ended/own", Route::PhoneContactEnded),
        ("agent_answered/own", Route::AgentAnswered),
    ] {
        for stray in ["", "_stray"] {
            let body = corpus::file(&format!("{name}{stray}.json"));
            assert_eq!(rehearse(route, &body, &on.settings, &on.settings.clients[0], NOW), Ok(()), "{name}");
        }
    }
}

/// Runs it, and says which input it was when it fails.
fn stand(name: &str, target: Target, on: &Installation, input: &[u8], which: &str) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| target(on, input))) {
        let words = panic.downcast_ref::<String>().cloned();
        let words = words.or_else(|| panic.downcast_ref::<&str>().map(|words| (*words).to_owned()));
        panic!("{name}, {which}: {}\ninput: \"{}\"", words.unwrap_or_default(), input.escape_ascii());
    }
}
