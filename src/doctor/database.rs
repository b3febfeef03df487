//! The database: whose it is, whether it can be written, and what is buried in it.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::engine::Check;
use super::site::Site;
use super::{CheckId, Code, Finding, ports};
use crate::settings::exposed_database;
use crate::store::{Entry, EntryState, Filter, Inspection, Schema, Store, StoreError, inspect, place};

const MEANS: &str = "the service does not start, and one that runs answers 503 to all that must be kept";

/// The id of the check of the database.
pub(super) fn id() -> CheckId {
    CheckId::new(Code::Database, "store.url")
}

pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let id = id();
    let of_outbox = |code| CheckId::new(code, id.subject.as_str());
    vec![
        Check::new(id.clone(), database(Arc::clone(site))),
        Check::new(of_outbox(Code::Buried), count_buried(Arc::clone(site))).after([id.clone()]),
        // That look tells whether a service runs.
        Check::new(of_outbox(Code::Unsent), count_unsent(Arc::clone(site)))
            .after([id.clone(), ports::public()]),
    ]
}

async fn database(site: Arc<Site>) -> Finding {
    let url = site.settings.store.url.expose_secret();
    match inspect(url).await {
        Ok(inspection) => {
            let exposed = exposed_database(url).filter(|_| inspection.schema != Schema::Absent);
            let finding = told(&inspection, exposed).seen(place(url));
            // It was not set before: there is one such check.
            let _ = site.database.set(inspection);
            finding
        }
        Err(error) => Finding::fail("database", error.at_start())
            .means(MEANS)
            .step(format!("look at store.url ({}); docs/setup.md tells whose file it must be", place(url))),
    }
}

fn told(inspection: &Inspection, exposed: Option<String>) -> Finding {
    let Inspection { holder, schema, commit, other_user, is_shared } = inspection;
    if let (Some(exposed), None) = (exposed, other_user) {
        return Finding::warn("readable", exposed)
            .means("numbers of callers stand in it while they wait for Salesforce")
            .cause("it was copied or restored, or made by another program than the service, which closes its own")
            .step("`chmod 600` it, and the files beside it whose names begin with its own");
    }
    if let Some(holder) = holder {
        return Finding::ok(format!("the service that runs has it ({holder}), so nothing was written"));
    }
    if let Some(user) = other_user {
        let own = rustix::process::geteuid().as_raw();
        return Finding::warn(
            "other-user",
            format!("it belongs to another user (uid {user}), so writing was not tried"),
        )
        .means("what the service may read and write was not seen: doctor runs as somebody else")
        .cause("doctor was started by another user than the service's")
        .cause("the database was made by a command that another user ran")
        .step(format!("run it as the service's user: `sudo -u '#{user}' scv-bridge doctor --config FILE`"))
        .step("or give folder and files to the service's user: `chown -R USER FOLDER`")
        .seen(format!("the file belongs to uid {user}, doctor runs as uid {own}"));
    }
    let written = commit.map_or_else(String::new, |took| format!("; a commit took {} ms", took.as_millis()));
    let shared = if *is_shared { ", and several services may share it" } else { "" };
    match schema {
        Schema::Absent => Finding::ok("there is none yet; the service makes it when it starts"),
        Schema::Earlier => Finding::ok(format!(
            "an earlier version has made it; the service brings it up to date when it starts{written}"
        )),
        Schema::Current => Finding::ok(format!("it can be written{shared}{written}")),
    }
}

/// What is found where the outbox cannot be looked at.
fn unread(site: &Site) -> Option<Finding> {
    match site.database.get().map(|found| found.schema) {
        Some(Schema::Current) => None,
        None | Some(Schema::Absent) => Some(Finding::ok("nothing is kept yet")),
        Some(Schema::Earlier) => Some(Finding::skipped(
            "an earlier version has made the database: the service brings it up to date when it starts",
        )),
    }
}

async fn count_buried(site: Arc<Site>) -> Finding {
    if let Some(finding) = unread(&site) {
        return finding;
    }
    match buried(&site).await {
        Ok(entries) if entries.is_empty() => Finding::ok("no entry is buried"),
        Ok(entries) => {
            let what = match entries.len() {
                1 => "1 entry of the outbox is buried".to_owned(),
                count => format!("{count} entries of the outbox are buried"),
            };
            let finding = Finding::warn("buried", what)
                .means("what they hold never reached Salesforce: those VoiceCalls are incomplete")
                .cause("Salesforce refused them: each tells its reason")
                .step("`scv-bridge outbox list --state buried` shows them; after what refused them is mended `scv-bridge outbox retry --all` sends them again");
            entries.into_iter().take(3).fold(finding, Finding::seen)
        }
        Err(error) => not_read(&error),
    }
}

fn not_read(error: &StoreError) -> Finding {
    Finding::skipped(format!("the database cannot be read beside the service: {error}"))
}

async fn count_unsent(site: Arc<Site>) -> Finding {
    if let Some(finding) = unread(&site) {
        return finding;
    }
    let waiting = match waiting(&site).await {
        Ok(0) => return Finding::ok("no entry waits"),
        Ok(1) => "1 entry waits".to_owned(),
        Ok(waiting) => format!("{waiting} entries wait"),
        Err(error) => return not_read(&error),
    };
    if site.service_runs() {
        return Finding::ok(format!("{waiting}, and the service that runs sends them when they are due"));
    }
    let finding = match site.database.get().is_some_and(|found| found.is_shared) {
        true => Finding::warn("unsent", format!("{waiting}, and no service runs on this machine"))
            .cause("the services that share the database run on other machines, which is as well"),
        false => Finding::fail("unsent", format!("{waiting}, and no service runs that would send them")),
    };
    finding
        .means("those VoiceCalls stay as they are: callers who hung up may still wait in a queue; flows get no answer")
        .cause("the service was stopped, or has ended by itself: its log tells why")
        .step("start the service: `systemctl start scv-bridge`")
        .step("`scv-bridge outbox list` shows what waits")
}

/// What buried entries tell, the latest first.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn buried(site: &Site) -> Result<Vec<String>, StoreError> {
    let store = Store::open_to_read(site.settings.store.url.expose_secret()).await?;
    let entries = store.list(&Filter { state: Some(EntryState::Buried), ..Filter::default() }).await;
    store.close().await?;
    let mut entries = entries?;
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.buried_at));
    let line = |entry: &Entry| {
        let at = entry.buried_at.map_or_else(String::new, |at| format!("{at:.0} "));
        let words: Vec<&str> =
            [&entry.reason, &entry.last_words].into_iter().flatten().map(String::as_str).collect();
        format!("{at}{} {}: {}", entry.call_center, entry.kind.name(), words.join(": "))
    };
    Ok(entries.iter().map(line).collect())
}

/// How many entries wait to be sent.
async fn waiting(site: &Site) -> Result<u64, StoreError> {
    let store = Store::open_to_read(site.settings.store.url.expose_secret()).await?;
    let counts = store.count().await;
    store.close().await?;
    let counts = counts?;
    let pending = counts.iter().filter(|count| count.state == EntryState::Pending);
    Ok(pending.map(|count| count.entries).sum())
}
