//! The bridge as flows see it: over real sockets, in front of a mock Salesforce org that refuses what the real one
//! would. Every test has a stage of its own, on ports of its own; nothing sleeps.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "in a test, what is not as expected is the failure"
)]

mod abandoned_calls;
mod any_body;
mod apex_refusals;
mod asking_salesforce;
mod attributes;
#[expect(dead_code, reason = "other tests use more of it")]
#[path = "../support/authority.rs"]
mod authority;
mod bad_days;
mod bad_input;
mod beside_create;
mod broken_answers;
mod call_show;
mod callbacks;
mod corrections;
mod deadlines;
mod doctor;
mod enrichment;
mod envelope;
mod failed_logins;
mod fallback_queue;
mod gates;
mod gone_clients;
mod harness;
#[path = "../support/histories.rs"]
mod histories;
mod hostile;
mod late_routings;
mod late_signs;
mod login;
mod memory;
mod metrics;
mod names_in_paths;
mod notices;
mod oauth;
mod odd_texts;
mod operations;
mod order;
mod outage;
#[path = "../support/postgres.rs"]
mod postgres;
mod rotation;
mod rotation_keeps;
mod samples;
mod scrt_tokens;
mod sessions;
mod slow_conclusions;
mod stage;
mod status;
mod statuses;
mod supervision;
mod telephony_refusals;
mod traces;
mod transfers;
mod unknown_creates;
mod unplugged;
mod unset_words;
mod vendors_flow;
mod webex;
mod webhook_route;
mod webhooks;
mod wire_apex;
mod wire_telephony;
mod worker;
