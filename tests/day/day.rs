//! The test.

use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::mock::webex::{MockWebex, Recording};
use scv_bridge::store::Store;

use super::call::{Call, PACE};
use super::doubt::Heard;
use super::flow::Speaker;
use super::judge::{judge, judge_paused};
use super::measure::{cpu, peak, size};
use super::orgs_log::OrgsLog;
use super::play::Day;
use super::replica::Replica;
use super::site::Site;
use super::tale::SIGNED;
use super::webex::log_in;

/// How long the bridge may need to be through with what it knows.
const PATIENCE: Duration = Duration::from_secs(900);
/// What is due later than that waits for Search.
const ENOUGH: Duration = Duration::from_secs(30);
/// The day of the calls ended this long ago, so that all of it has settled.
const AGO: i64 = 3 * 3_600_000;
/// How long it takes to play a call where the machine is busy, in milliseconds: ends are doubted for ten minutes, and looked at
/// after the day has been played.
const PLAYED: i64 = 12;
/// The longest call, with what follows it.
const LONGEST: i64 = 3_600_000;

#[actix_web::test]
async fn after_a_day_of_lost_doubled_and_shuffled_webhooks_every_record_is_true() {
    let (seed, count) = (seed(), count());
    say(&format!("a day of {count} calls, seed {seed}"));
    let played = SystemClock.now().as_millisecond() + i64::try_from(count).unwrap() * PLAYED;
    let begin = played - AGO - LONGEST - i64::try_from(count).unwrap() * PACE;
    let calls: Arc<Vec<Call>> =
        Arc::new((0..count).map(|number| Call::of(seed, number, begin, played)).collect());
    let mut day = Day::of(&calls, seed);
    let way = day.way;
    let site = Site::open().await;
    let mut bridge = Replica::new(site.path());
    bridge.spawn();
    bridge.ready().await;
    let process = bridge.process();
    let speaker = Arc::new(Speaker::new(&site.webex, &bridge.url()));

    let store = Store::open(&format!("sqlite:{}", site.database().display())).await.unwrap();
    log_in(&site.webex, &store).await;
    record(&site.webex, &calls);

    let (begun, used) = (Instant::now(), cpu(process));
    let sent = day.play(0, &calls, &site.org, &speaker).await;
    let (took, used) = (begun.elapsed(), cpu(process).saturating_sub(used));
    let of_all = |part: usize| format!("{part} ({:.1} %)", part as f64 * 100.0 / way.events as f64);
    let (lost, doubled, late) = (of_all(way.lost), of_all(way.doubled), of_all(way.late));
    say(&format!("  {} events: {lost} lost, {doubled} doubled, {late} out of order", way.events));
    let rate = |time: Duration| sent as f64 / time.as_secs_f64();
    say(&format!(
        "  {sent} accepted beside all that flows do: {:.0}/s in {:.1} s, {:.0} for a second of the bridge's CPU",
        rate(took),
        took.as_secs_f64(),
        rate(used)
    ));

    settled(&store, ENOUGH).await;
    let heard = Heard { lost: &day.lost.clone() };
    let paused = judge_paused(&calls, &OrgsLog::read(&site.org), heard);
    say(&format!(
        "  {} went on after the grace: {} wrong; cannot be known: {:?}",
        paused.calls, paused.wrong, paused.doubts
    ));
    let sent = day.play(1, &calls, &site.org, &speaker).await;
    settled(&store, ENOUGH).await;
    tell_search(&site.webex, &calls);
    while SystemClock.now().as_millisecond() <= played {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let begun = Instant::now();
    let from = jiff::Timestamp::from_millisecond(begin).unwrap().to_string();
    let told = site.run(&["reconcile", "--from", &from]).await;
    let compared = begun.elapsed().as_secs_f64();
    say(&format!("  {sent} accepted late; {} in {compared:.1} s", told.lines().last().unwrap()));
    settled(&store, PATIENCE).await;

    say(&format!("  {} MB resident at most, {:.1} MB of database", peak(process), size(&site.database())));
    let mut verdict = judge(&calls, &OrgsLog::read(&site.org), heard);
    verdict.problems.extend(signed(&site, &store).await);
    verdict.problems.extend(paused.problems);
    say(&format!("  {verdict}"));
    let shown = std::env::var("SHOW").map_or(20, |text| text.parse().unwrap());
    let problems = verdict.problems.iter().take(shown).cloned().collect::<Vec<_>>().join("\n");
    assert!(verdict.problems.is_empty(), "seed {seed}, see {}:\n{problems}", site.path().display());
    let half = count / 2;
    assert!(verdict.answered > half && verdict.abandoned > count / 10 && verdict.unknown > 0, "{verdict}");
    assert!(
        way.lost > way.events / 25 && way.doubled > way.events / 25 && way.late > way.events / 8,
        "{way:?}"
    );
}

/// Recordings are there before anybody hears of them.
fn record(webex: &MockWebex, calls: &[Call]) {
    for call in calls {
        if let Some((start_time, stop_time)) = call.truth.recorded {
            let file_name = format!("{}.wav", call.task);
            webex.put_recording(&call.task, Recording { file_name, start_time, stop_time });
        }
    }
}

/// Search shows a task some time after it has ended.
fn tell_search(webex: &MockWebex, calls: &[Call]) {
    for call in calls {
        webex.put_task(call.record());
    }
}

/// Waits until nothing is left to conclude within a time, or to send, as an operator beside the running service sees it.
async fn settled(store: &Store, within: Duration) {
    let patience = Instant::now() + PATIENCE;
    let mut pause = tokio::time::interval(Duration::from_millis(100));
    loop {
        pause.tick().await;
        let (left, next) = (store.count().await.unwrap(), store.next_task().await.unwrap());
        if left.is_empty() && next.is_none_or(|next| next > SystemClock.now() + within) {
            return;
        }
        assert!(Instant::now() < patience, "still waiting: {left:?}, tasks due at {next:?}");
    }
}

/// No address that dies reaches Salesforce, or is kept.
async fn signed(site: &Site, store: &Store) -> Option<String> {
    store.checkpoint().await.unwrap();
    let asked = site.org.requests().into_iter().filter_map(|request| request.body);
    let sent =
        asked.map(|body| body.to_string()).any(|body| body.contains(SIGNED) || body.contains("signature="));
    let kept = std::fs::read(site.database()).unwrap();
    let kept = kept.windows(SIGNED.len()).any(|bytes| bytes == SIGNED.as_bytes());
    (sent || kept).then(|| format!("a signed address was sent: {sent}, or kept: {kept}"))
}

fn count() -> usize {
    let given = std::env::var("CALLS").ok().map(|text| text.parse().unwrap());
    given.unwrap_or(if std::env::var_os("SOAK").is_some() { 50_000 } else { 500 })
}

/// The short day is the same each time, so that it fails for what was changed only; the long one is another each time.
fn seed() -> u64 {
    let given = std::env::var("SEED").ok().map(|text| text.parse().unwrap());
    let drawn = || SystemClock.now().as_nanosecond().unsigned_abs() as u64;
    given.unwrap_or_else(|| if std::env::var_os("SOAK").is_some() { drawn() } else { 3 })
}

/// Says something that is heard even if the test passes.
fn say(words: &str) {
    writeln!(std::io::stderr(), "{words}").unwrap();
}
