//! Nothing accepted is lost: the real program under load in front of an org with bad days, killed again and again.
//!
//! Flows play calls. What they were told is compared with the org at the end: every hang-up that was answered 200 has its
//! routing cleared and its VoiceCall completed, no answered call was touched, and nothing came twice but where a kill
//! or a lost answer left the bridge in doubt, and then with the same body.
//!
//! Others are played over connections that break at any moment of any request, by a reset or without a word, above TLS and
//! without: nothing is lost then, nothing comes twice, and nothing waits for a lease.
//!
//! `make test` plays short versions, `make soak` long ones (`SOAK=1`), and a mixed run of half an hour (`MINUTES`) with
//! everything at once: kills, broken connections, nginx and HAProxy in front, a database that stands still, outages of the
//! org. Every run prints its seed; `SEED=<number>` gives the same calls, bad days and pauses between kills again, though not
//! the same moments.

#[cfg(test)]
#[expect(dead_code, reason = "only other tests know clients by their certificates")]
#[path = "../support/authority.rs"]
mod authority;
#[cfg(test)]
mod breaks;
#[cfg(test)]
mod engines;
#[cfg(test)]
mod fleet;
#[cfg(test)]
mod flow;
#[cfg(test)]
mod judge;
#[cfg(test)]
mod load;
#[cfg(test)]
#[path = "../support/orgs_log.rs"]
mod orgs_log;
#[cfg(test)]
#[expect(dead_code, reason = "only other tests stop a server")]
#[path = "../support/postgres.rs"]
mod postgres;
#[cfg(test)]
mod proxies;
#[cfg(test)]
#[expect(dead_code, reason = "only other tests look at the process")]
#[path = "../support/replica.rs"]
mod replica;
#[cfg(test)]
mod site;
#[cfg(test)]
mod story;
#[cfg(test)]
mod trouble;
#[cfg(test)]
mod weather;
