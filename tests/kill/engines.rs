//! The tests: the same run on both engines of the store.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::store::{Entry, EntryKind, Filter, Store};

use super::fleet::{Fleet, Listens};
use super::judge::judge;
use super::load::Load;
use super::orgs_log::OrgsLog;
use super::postgres::Postgres;
use super::site::Site;
use super::trouble::{self, Database, Incident};
use super::weather::Weather;

/// How long the outbox may take to empty itself once the org is well: the longest pause of its schedule and the
/// lease of the last kill are parts of it.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long a long run takes, both engines together.
const MINUTES: u64 = 30;

/// What is done.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    /// Accepted hang-ups of calls that no agent took, at least.
    pub hang_ups: usize,
    /// Kills, exactly.
    pub kills: usize,
    /// How likely the connection of a request breaks.
    pub breaks: f64,
    /// What the org does.
    pub weather: Weather,
    /// A mixed run, so long: with proxies, kills, a database that stands still, outages.
    pub time: Option<Duration>,
}

impl Plan {
    fn kills() -> Self {
        let (hang_ups, kills) = if is_long() { (2000, 20) } else { (300, 5) };
        Self { hang_ups, kills, breaks: 0.0, weather: Weather::Bad, time: None }
    }

    fn breaks() -> Self {
        let hang_ups = if is_long() { 2000 } else { 400 };
        Self { hang_ups, kills: 0, breaks: 0.6, weather: Weather::Mild, time: None }
    }

    fn mixed() -> Self {
        let minutes = std::env::var("MINUTES").map_or(MINUTES, |text| text.parse().unwrap());
        let time = Some(Duration::from_secs(minutes * 60 / 2));
        Self { hang_ups: 100, kills: 0, breaks: 0.2, weather: Weather::Bad, time }
    }
}

fn is_long() -> bool {
    std::env::var_os("SOAK").is_some()
}

#[actix_web::test]
async fn no_accepted_hang_up_is_lost_on_sqlite() {
    run(Plan::kills(), sqlite(), &[Listens::Plain]).await;
}

#[actix_web::test]
async fn no_accepted_hang_up_is_lost_on_postgresql_with_two_replicas() {
    run(Plan::kills(), postgresql(), &[Listens::Plain, Listens::Plain]).await;
}

#[actix_web::test]
async fn broken_connections_lose_and_double_nothing_on_sqlite() {
    run(Plan::breaks(), sqlite(), &[Listens::Plain]).await;
}

#[actix_web::test]
async fn tls_connections_that_break_lose_and_double_nothing_on_sqlite() {
    run(Plan::breaks(), sqlite(), &[Listens::Tls]).await;
}

#[actix_web::test]
async fn broken_connections_lose_and_double_nothing_on_postgresql_with_two_replicas() {
    run(Plan::breaks(), postgresql(), &[Listens::Plain, Listens::Tls]).await;
}

#[actix_web::test]
#[ignore = "takes 15 minutes, and needs nginx and HAProxy: make soak"]
async fn a_mixed_run_loses_nothing_on_sqlite() {
    run(Plan::mixed(), sqlite(), &[Listens::Tls]).await;
}

#[actix_web::test]
#[ignore = "takes 15 minutes, and needs nginx and HAProxy: make soak"]
async fn a_mixed_run_loses_nothing_on_postgresql_with_two_replicas() {
    run(Plan::mixed(), postgresql(), &[Listens::Plain, Listens::Tls]).await;
}

fn sqlite() -> Database {
    Database::Sqlite("sqlite:bridge.db".into())
}

fn postgresql() -> Database {
    Database::Postgres(Postgres::start())
}

async fn run(plan: Plan, mut database: Database, replicas: &[Listens]) {
    let seed = seed();
    let engine = database.engine();
    say(&format!("{engine}: {replicas:?}, {plan:?}, seed {seed}"));
    let begun = Instant::now();
    let site = Site::open(&database.url()).await;
    database.is_at(&site);
    let mut fleet = Fleet::start(&site, replicas, plan.time.is_some()).await;
    let load = Load::new(seed, plan, &site, fleet.door());
    let incidents = async {
        let incidents = match plan.time {
            None => load.kill(&mut fleet, StdRng::seed_from_u64(seed)).await,
            Some(time) => mixed(&mut fleet, &mut database, &site, time, seed).await,
        };
        load.is_over();
        incidents
    };
    let (told, incidents) = tokio::join!(Arc::clone(&load).play(), incidents);
    site.org.forget_scripts();
    let left = drained(&site.database()).await;
    drop(fleet);
    let verdict = judge(&told, &incidents, &OrgsLog::read(&site.org), &left, plan.weather);
    let tally = load.tally();
    say(&format!("{engine}: {tally}; {verdict}, {:.1} seconds, seed {seed}", begun.elapsed().as_secs_f32()));
    assert!(
        verdict.problems.is_empty(),
        "seed {seed}, {}:\n{}",
        site.evidence(),
        verdict.problems.join("\n")
    );
    assert!(verdict.created > verdict.calls / 2, "most creates work even here: {verdict}");
    assert!(verdict.hang_ups >= plan.hang_ups, "{verdict}");
    if plan.time.is_none() {
        assert_eq!(verdict.incidents, [plan.kills, 0, 0]);
    }
    if plan.weather == Weather::Mild {
        assert_eq!(verdict.doubles, 0, "{verdict}");
        assert!(tally.broken() > plan.hang_ups / 4, "{tally}");
    }
}

/// Everything at once.
async fn mixed(
    fleet: &mut Fleet,
    database: &mut Database,
    site: &Site,
    time: Duration,
    seed: u64,
) -> Vec<Incident> {
    let until = Instant::now() + time;
    let [ours, orgs] = [seed, !seed].map(StdRng::seed_from_u64);
    let (ours, orgs) = tokio::join!(
        trouble::of_ours(fleet, database, until, ours),
        trouble::of_the_org(&site.org, until, orgs)
    );
    [ours, orgs].concat()
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
        // What has cleared a late routing does so once more two minutes later, in case Salesforce was later still; that of
        // a repeated request waits behind it. While its caller has not hung up, it is looked at until Salesforce cannot route
        // the call any more.
        let is_late = |entry: &Entry| entry.kind == EntryKind::LateClear;
        let call = |entry: &Entry| entry.call.as_ref().map(|call| call.id);
        let cleared = left.iter().filter(|entry| is_late(entry) && entry.attempts > 0).map(call);
        let cleared: Vec<_> = cleared.collect();
        let is_over = |entry: &Entry| entry.call.as_ref().is_some_and(|call| call.ended_at.is_some());
        left.retain(|entry| !is_late(entry) || (is_over(entry) && !cleared.contains(&call(entry))));
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
