//! The database: whose it is, whether it can be written, and what is buried in it.

use std::sync::Arc;

use secrecy::ExposeSecret as _;

use super::engine::Check;
use super::site::Site;
use super::{CheckId, Code, Finding};
use crate::settings::exposed_database;
use crate::store::{EntryState, Filter, Inspection, Schema, Store, inspect, place};

const MEANS: &str = "the service does not start, and one that runs answers 503 to all that must be kept";

/// The id of the check of the database.
pub(super) fn id() -> CheckId {
    CheckId::new(Code::Database, "store.url")
}

pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let id = id();
    let buried = CheckId::new(Code::Buried, id.subject.as_str());
    vec![
        Check::new(id.clone(), database(Arc::clone(site))),
        Check::new(buried, count_buried(Arc::clone(site))).after([id]),
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

async fn count_buried(site: Arc<Site>) -> Finding {
    if site.database.get().is_none_or(|found| found.schema != Schema::Current) {
        return Finding::ok("nothing is kept yet");
    }
    match outbox(&site).await {
        Ok((entries, pending)) if entries.is_empty() => Finding::ok(match pending {
            0 => "no entry is buried, and none waits".to_owned(),
            1 => "no entry is buried, and 1 waits to be sent by a service that runs".to_owned(),
            _ => format!("no entry is buried, and {pending} wait to be sent by a service that runs"),
        }),
        Ok((entries, _)) => {
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
        Err(error) => Finding::skipped(format!("the database cannot be read beside the service: {error}")),
    }
}

/// What buried entries tell, the latest first.
///
/// # Errors
/// When the database cannot be read.
pub(super) async fn buried(site: &Site) -> Result<Vec<String>, crate::store::StoreError> {
    outbox(site).await.map(|(buried, _)| buried)
}

/// What buried entries tell, the latest first, and how many entries wait.
async fn outbox(site: &Site) -> Result<(Vec<String>, u64), crate::store::StoreError> {
    let store = Store::open_to_read(site.settings.store.url.expose_secret()).await?;
    let filter = Filter { state: Some(EntryState::Buried), ..Filter::default() };
    let (entries, counts) = (store.list(&filter).await, store.count().await);
    store.close().await?;
    let (mut entries, counts) = (entries?, counts?);
    let pending = counts.iter().filter(|count| count.state == EntryState::Pending);
    let pending = pending.map(|count| count.entries).sum();
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.buried_at));
    let line = |entry: &crate::store::Entry| {
        let at = entry.buried_at.map_or_else(String::new, |at| format!("{at:.0} "));
        let words: Vec<&str> =
            [&entry.reason, &entry.last_words].into_iter().flatten().map(String::as_str).collect();
        format!("{at}{} {}: {}", entry.call_center, entry.kind.name(), words.join(": "))
    };
    Ok((entries.iter().map(line).collect(), pending))
}
