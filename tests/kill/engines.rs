//! The tests: the same run on both engines of the store.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::store::{EntryKind, Filter, Store};

use super::fleet::Fleet;
use super::judge::judge;
use super::load::Load;
use super::orgs_log::OrgsLog;
use super::postgres::Postgres;
use super::site::Site;

/// How long the outbox may take to empty itself once the org is well: the longest pause of its schedule and the
/// lease of the last kill are parts of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How much is done.
#[derive(Clone, Copy)]
pub struct Size {
    /// Accepted hang-ups of calls that no agent took, at least.
    pub hang_ups: usize,
    /// Kills, exactly.
    pub kills: usize,
}

impl Size {
    fn of_environment() -> Self {
        if std::env::var_os("SOAK").is_some() {
            Self { hang_ups: 2000, kills: 20 }
        } else {
            Self { hang_ups: 300, kills: 5 }
        }
    }
}

#[actix_web::test]
async fn no_accepted_hang_up_is_lost_on_sqlite() {
    run("SQLite", "sqlite:bridge.db", 1).await;
}

#[actix_web::test]
async fn no_accepted_hang_up_is_lost_on_postgresql_with_two_replicas() {
    run("PostgreSQL", &Postgres::shared().database(), 2).await;
}

async fn run(engine: &str, database: &str, replicas: usize) {
    let seed = seed();
    let size = Size::of_environment();
    say(&format!("{engine}: {replicas} replica(s), seed {seed}"));
    let begun = Instant::now();
    let site = Site::open(database).await;
    let mut fleet = Fleet::start(&site, replicas).await;
    let load = Load::new(seed, size, &site.org, fleet.door());
    let (told, killed) =
        tokio::join!(Arc::clone(&load).play(), load.kill(&mut fleet, StdRng::seed_from_u64(seed)));
    site.org.forget_scripts();
    let left = drained(&site.database()).await;
    drop(fleet);
    let log = OrgsLog::read(&site.org);
    let verdict = judge(&told, &killed, &log, &left);
    say(&format!("{engine}: {verdict}, {:.1} seconds", begun.elapsed().as_secs_f32()));
    assert!(
        verdict.problems.is_empty(),
        "seed {seed}, {}:\n{}",
        site.evidence(),
        verdict.problems.join("\n")
    );
    assert!(verdict.created > verdict.calls / 2, "most creates work even here: {verdict}");
    assert!(verdict.hang_ups >= size.hang_ups && verdict.kills == size.kills, "{verdict}");
}

/// Waits until nothing is left to send, as an operator beside the running service sees it; what still is left when
/// patience ends, buried entries among it.
async fn drained(database: &str) -> Vec<String> {
    let store = Store::open(database).await.unwrap();
    let patience = Instant::now() + PATIENCE;
    let mut pause = tokio::time::interval(Duration::from_millis(50));
    loop {
        pause.tick().await;
        let mut left = store.list(&Filter::default()).await.unwrap();
        // What has cleared a late routing does so once more two minutes later, in case Salesforce was later still.
        left.retain(|entry| entry.kind != EntryKind::LateClear || entry.attempts == 0);
        if left.is_empty() || Instant::now() > patience {
            return left.iter().map(|entry| format!("{:?} {:?}", entry.state, entry.kind)).collect();
        }
    }
}

fn seed() -> u64 {
    let given = std::env::var("SEED").ok().map(|text| text.parse().unwrap());
    given.unwrap_or_else(|| SystemClock.now().as_nanosecond().unsigned_abs() as u64)
}

/// Says something that is heard even if the test passes.
fn say(words: &str) {
    writeln!(std::io::stderr(), "{words}").unwrap();
}
