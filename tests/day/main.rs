//! A day in a contact center: the real program in front of an org, beside a tenant whose webhooks are lost, doubled and out of
//! order, with flows that behave as flows do: the vendor's, ours, such as tell nothing of the end, and such as tell
//! nothing at all.
//!
//! Calls are made up with their truth. At the end, after `scv-bridge reconcile`, every VoiceCall is judged by it: no record is
//! wrong, and none was completed twice.
//!
//! `make test` plays a short day, `make soak` one of 50,000 calls (`SOAK=1`; `CALLS=<number>` any other). Every run prints its
//! seed; `SEED=<number>` gives the same calls and the same weather again.

#[cfg(test)]
mod call;
#[cfg(test)]
mod callback;
#[cfg(test)]
mod consult;
#[cfg(test)]
mod day;
#[cfg(test)]
mod doubt;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod measure;
#[cfg(test)]
#[expect(dead_code, reason = "only other tests kill the program")]
#[path = "../support/orgs_log.rs"]
mod orgs_log;
#[cfg(test)]
mod play;
#[cfg(test)]
#[expect(dead_code, reason = "only other tests kill the program")]
#[path = "../support/replica.rs"]
mod replica;
#[cfg(test)]
mod search;
#[cfg(test)]
mod site;
#[cfg(test)]
mod tale;
#[cfg(test)]
mod webex;
#[cfg(test)]
mod weights;
