//! What the journal costs a create: whether it is known, and the note of what came of it. Prints the CPU time of the
//! whole process, the database's thread and the kernel included, for each.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use jiff::Timestamp;
use scv_bridge::clock::{Clock as _, SystemClock};
use scv_bridge::domain::{CallCenterName, CallName, VendorCallKey, VoiceCallId};
use scv_bridge::store::{CreateBody, Note, OpenCall, Store};

/// Creates in flight at once.
const CALLERS: u64 = 32;

/// Creates of each caller.
const CREATES: u64 = 2_000;

/// Salesforce's ids ascend.
static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Microseconds of CPU that this process has used: fields 14 and 15 of `proc_pid_stat(5)`, in hundredths of a second.
fn cpu() -> anyhow::Result<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks = fields.split_whitespace().skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(ticks * 10_000)
}

/// Keys are random, as the vendor's are.
async fn create(store: &Store, number: u64, scattered: u64) -> anyhow::Result<()> {
    let key = format!("wxcc_{scattered:016x}-{number:016x}");
    let call = CallName::new(CallCenterName::parse("Support")?, VendorCallKey::parse(key)?, None);
    let now = SystemClock.now();
    store
        .open_call(OpenCall {
            call: call.clone(),
            owner: "bench".to_owned(),
            lease_until: now,
            window: Timestamp::UNIX_EPOCH,
            now,
        })
        .await?;
    let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
    let note = Note {
        voice_call_id: Some(VoiceCallId::parse(format!("0LQ5g{id:010}"))?),
        fingerprint: Some(store.fingerprint(&["+14693150217", "+18005550100", "Inbound"])),
        start_time: Some(now),
        created_at: Some(now),
        create_body: CreateBody::Done,
        ..Note::of(call, now)
    };
    store.note(note).await?;
    Ok(())
}

async fn caller(store: Store, caller: u64) -> anyhow::Result<()> {
    for turn in 0..CREATES {
        let number = caller * CREATES + turn;
        // The finalizer of SplitMix64: every number once, in no order.
        let mixed = (number ^ (number >> 30)).wrapping_add(1).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        create(&store, number, (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb)).await?;
    }
    Ok(())
}

async fn measure(name: &str, url: &str) -> anyhow::Result<()> {
    let store = Store::open(url).await?;
    let (began, before) = (Instant::now(), cpu()?);
    let mut callers = tokio::task::JoinSet::new();
    for number in 0..CALLERS {
        callers.spawn(caller(store.clone(), number));
    }
    callers.join_all().await.into_iter().collect::<anyhow::Result<()>>()?;
    let (used, wall, work) = (cpu()? - before, began.elapsed(), store.work());
    let creates = CALLERS * CREATES;
    println!(
        "{name}: {} creates, {:.1} us of CPU each, {:.0} creates/s, {} commands, {} commits",
        creates,
        used as f64 / creates as f64,
        creates as f64 / wall.as_secs_f64(),
        work.commands,
        work.commits,
    );
    store.close().await?;
    Ok(())
}

fn main() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let url = format!("sqlite:{}/bridge.db", folder.path().display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure("SQLite", &url))
}
