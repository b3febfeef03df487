//! What the database knows of one call.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::super::outbox::{EntryView, Wait, waits};
use super::super::redact;
use super::super::running::Running;
use super::why::{CallEvidence, why};
use crate::domain::{
    Call, CallCenterName, CallProgress, CallReference, CallTimeline, Exchange, ExchangeOrigin, Interaction,
    RouteResult, SalesforceExchange, Segment, SegmentEnd, SegmentKind,
};
use crate::store::{Entry, EntryState, Filter, Store, StoreError, Unreadable};

/// All of it, without anything that must not be shown. The fields are those of `--json`.
#[derive(Debug, Serialize)]
pub(super) struct CallReport {
    /// What happened, in a sentence.
    pub(super) why: String,
    pub(super) voice_calls: Vec<VoiceCallView>,
    pub(super) exchanges: Vec<ExchangeView>,
    /// Entries of the outbox.
    pub(super) owed: Vec<EntryView>,
    /// How many exchanges and entries there are besides that this version cannot read.
    pub(super) unreadable: usize,
    /// Where nobody sends what is owed.
    #[serde(skip)]
    pub(super) note: Option<&'static str>,
}

/// The progress of a call that has no VoiceCall yet.
pub(super) const NOT_CREATED: &str = "not created";

/// A VoiceCall, or a call that has none.
#[derive(Debug, Serialize)]
pub(super) struct VoiceCallView {
    pub(super) call_center: String,
    pub(super) vendor_call_key: String,
    pub(super) voice_call_id: Option<String>,
    /// The VoiceCall that it continues, or the beginning of its flow run.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(super) continues: String,
    pub(super) progress: &'static str,
    pub(super) began_at: Option<String>,
    pub(super) created_at: Option<String>,
    pub(super) deferred_at: Option<String>,
    /// When a flow first asked for its queue or agent.
    pub(super) route_asked_at: Option<String>,
    /// What came of it; none where nobody asked, or where that was not written down.
    pub(super) route_result: Option<&'static str>,
    /// When Salesforce routed it, or may have, after it was cleared.
    pub(super) routed_again_at: Option<String>,
    /// When Salesforce removed its routing: for a clear, or with the final update, which ends that too.
    pub(super) cleared_at: Option<String>,
    pub(super) nothing_to_clear_at: Option<String>,
    pub(super) answered_at: Option<String>,
    pub(super) ended_at: Option<String>,
    pub(super) closed_at: Option<String>,
    /// Whether a create of which nothing was heard may have made it.
    #[serde(skip)]
    pub(super) may_be_created: bool,
    /// By Webex's events.
    pub(super) segments: Vec<SegmentView>,
}

/// A segment of a call.
#[derive(Debug, Serialize)]
pub(super) struct SegmentView {
    pub(super) kind: &'static str,
    pub(super) start: String,
    /// None while it goes on, or where its end is unknown.
    pub(super) milliseconds: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queue: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) agent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ended_by: Option<&'static str>,
}

/// What was asked and answered.
#[derive(Debug, Serialize)]
pub(super) struct ExchangeView {
    pub(super) at: String,
    pub(super) call_center: String,
    #[serde(flatten)]
    pub(super) origin: ExchangeOrigin,
    pub(super) outcome: String,
    pub(super) milliseconds: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) salesforce: Vec<SalesforceExchange>,
}

impl CallReport {
    /// What is known of the call that has one of these names; nothing where none is known.
    ///
    /// # Errors
    /// When the database does not answer, or holds what cannot be read.
    pub(super) async fn find(
        store: &Store,
        names: &[CallReference],
        running: &Running,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let (interactions, names) = interactions(store, names).await?;
        let calls: Vec<&Call> =
            interactions.iter().flat_map(|(_, interaction)| interaction.calls()).collect();
        let names = with_names_of(&calls, &names);
        let (names, exchanges, mut unreadable) = exchanges(store, names).await?;
        let lonely = match calls.is_empty() {
            true => lonely_task(store, &names).await?,
            false => None,
        };
        let mut entries = Vec::new();
        for entry in entries_of(store, &calls, &names).await? {
            match entry {
                Ok(entry) => entries.push(entry),
                Err(_) => unreadable += 1,
            }
        }
        let is_unknown = calls.is_empty() && exchanges.is_empty() && entries.is_empty();
        if is_unknown && lonely.is_none() && unreadable == 0 {
            return Ok(None);
        }
        let waits = waits(store, &entries, running, now).await?;
        let report = Self::of(&interactions, lonely.as_ref(), &exchanges, (&entries, &waits), now);
        let is_owed = entries.iter().any(|entry| entry.state == EntryState::Pending);
        let note = running.nobody_sends().filter(|_| is_owed);
        Ok(Some(Self { unreadable, note, ..report }))
    }

    fn of(
        interactions: &[(CallCenterName, Interaction)],
        lonely: Option<&CallTimeline>,
        exchanges: &[Exchange],
        (entries, waits): (&[Entry], &BTreeMap<i64, Wait>),
        now: Timestamp,
    ) -> Self {
        let parts: Vec<(&Call, CallTimeline)> =
            interactions.iter().flat_map(|(_, interaction)| interaction.parts()).collect();
        let calls: Vec<&Call> = parts.iter().map(|(call, _)| *call).collect();
        let timeline = parts.last().map(|(_, timeline)| timeline).or(lonely);
        let why = why(&CallEvidence { calls: &calls, timeline, exchanges, entries, waits, now });
        Self {
            why,
            voice_calls: parts.iter().map(|(call, timeline)| VoiceCallView::of(call, timeline)).collect(),
            exchanges: exchanges.iter().map(ExchangeView::of).collect(),
            owed: entries.iter().map(|entry| EntryView::of(entry, now).waiting(waits)).collect(),
            unreadable: 0,
            note: None,
        }
    }
}

/// The most names that one call is looked for under, and the most entries that are shown of one that the journal does not
/// know: a flow that sends the same id with all its calls has one call with all their names.
const MOST: usize = 50;

/// What the journal knows of the call of which these are names, the likeliest first, and the names that it was found by. Where
/// it knows none of them: of the calls that flows named so in the same request, and of those that continue it.
async fn interactions(
    store: &Store,
    names: &[CallReference],
) -> Result<(Vec<(CallCenterName, Interaction)>, Vec<CallReference>), StoreError> {
    let mut found = Vec::new();
    for center in store.call_centers_of(names).await? {
        for name in names {
            let interaction = store.interaction(&center, name).await?;
            if !interaction.calls().is_empty() {
                found.push((center.clone(), interaction));
                break;
            }
        }
    }
    if !found.is_empty() {
        return Ok((found, names.to_vec()));
    }
    let names = with_other_names(store, names).await?;
    for center in store.call_centers_of(&names).await? {
        for name in &names {
            let interaction = store.interaction(&center, name).await?;
            let Some(first) = interaction.calls().first() else { continue };
            let mut known = found.iter().flat_map(|(_, interaction)| interaction.calls());
            if !known.any(|call| call.id == first.id) {
                found.push((center.clone(), interaction));
            }
        }
    }
    Ok((found, names))
}

/// These names, those that flows gave the same call in one request with them, the latest first, and those of calls that
/// continue it.
async fn with_other_names(store: &Store, names: &[CallReference]) -> Result<Vec<CallReference>, StoreError> {
    let (exchanges, _) = store.exchanges(names).await?;
    let given = exchanges.into_iter().rev().flat_map(|exchange| [Some(exchange.call), exchange.also]);
    let continuing = store.continuations_of(names, MOST).await?;
    let mut all = names.to_vec();
    for name in given.flatten().chain(continuing) {
        if all.len() < MOST && !is_among(&all, &name) {
            all.push(name);
        }
    }
    Ok(all)
}

/// What was asked and answered under these names, and under ids that only flows have given the call: with the names then, and
/// how many exchanges cannot be read.
async fn exchanges(
    store: &Store,
    mut names: Vec<CallReference>,
) -> Result<(Vec<CallReference>, Vec<Exchange>, usize), StoreError> {
    let (exchanges, unreadable) = store.exchanges(&names).await?;
    let mut others: Vec<CallReference> = Vec::new();
    for also in exchanges.iter().rev().filter_map(|exchange| exchange.also.as_ref()) {
        if others.len() < MOST && !is_among(&names, also) && !is_among(&others, also) {
            others.push(also.clone());
        }
    }
    let before = names.len();
    for other in others {
        if store.call_centers_of(std::slice::from_ref(&other)).await?.is_empty() {
            names.push(other);
        }
    }
    match names.len() > before {
        true => {
            let (exchanges, unreadable) = store.exchanges(&names).await?;
            Ok((names, exchanges, unreadable))
        }
        false => Ok((names, exchanges, unreadable)),
    }
}

/// Whether it is one of these names, an id in either form.
fn is_among(names: &[CallReference], name: &CallReference) -> bool {
    names.iter().any(|one| match (one, name) {
        (CallReference::Id(one), CallReference::Id(name)) => one.short() == name.short(),
        (one, name) => one == name,
    })
}

/// These names and those that the journal has of the calls.
fn with_names_of(calls: &[&Call], names: &[CallReference]) -> Vec<CallReference> {
    let keys = calls.iter().map(|call| CallReference::Key(call.name.vendor_call_key().clone()));
    let ids = calls.iter().filter_map(|call| call.voice_call_id.clone().map(CallReference::Id));
    let all = names.iter().cloned().chain(keys).chain(ids);
    let distinct = BTreeSet::from_iter(all.map(|name| name.to_string()));
    distinct.into_iter().filter_map(|name| CallReference::parse(&name).ok()).collect()
}

/// The entries of the calls, and of those that the journal does not know under these names.
async fn entries_of(
    store: &Store,
    calls: &[&Call],
    names: &[CallReference],
) -> Result<Vec<Result<Entry, Box<Unreadable>>>, StoreError> {
    let mut entries = store.list_named(names, MOST).await?;
    for call in calls {
        let filter = Filter { call: Some(call.id), ..Filter::default() };
        entries.extend(store.list_all(&filter).await?);
    }
    let id = |entry: &Result<Entry, Box<Unreadable>>| match entry {
        Ok(entry) => entry.id,
        Err(unreadable) => unreadable.id,
    };
    entries.sort_by_key(id);
    // An entry of a call that is known is found under its key too.
    entries.dedup_by_key(|entry| id(entry));
    Ok(entries)
}

/// The events of a task for which no flow has come.
async fn lonely_task(store: &Store, names: &[CallReference]) -> Result<Option<CallTimeline>, StoreError> {
    for name in names {
        let CallReference::Key(key) = name else { continue };
        let Some(id) = key.task_id() else { continue };
        if let Some(task) = store.find_task(&id).await?.filter(|task| !task.timeline.is_empty()) {
            return Ok(Some(task.timeline));
        }
    }
    Ok(None)
}

impl VoiceCallView {
    fn of(call: &Call, timeline: &CallTimeline) -> Self {
        let at = |at: Option<Timestamp>| at.map(|at| at.to_string());
        let was_routed = call.routed_at.is_some() && call.route_result != Some(RouteResult::NotRouted);
        // Before that update alone would have cleared it.
        let waited = Call { closed_at: None, ..call.clone() }.may_wait_in_queue();
        let cleared_at = call.closed_at.filter(|_| waited).or(call.cleared_at);
        Self {
            call_center: redact::text(call.name.call_center().as_ref()),
            vendor_call_key: redact::text(call.name.vendor_call_key().as_ref()),
            voice_call_id: call.voice_call_id.as_ref().map(ToString::to_string),
            continues: match call.name.run_began() {
                Some(began) => format!("flow run of {began}"),
                None => redact::text(call.name.parent()),
            },
            progress: match call.progress() {
                CallProgress::Unknown => NOT_CREATED,
                CallProgress::Created if call.voice_call_id.is_none() && call.deferred_at.is_some() => {
                    "deferred"
                }
                CallProgress::Created => "created",
                CallProgress::Routed if call.is_cleared() => "cleared",
                CallProgress::Routed => match call.route_result {
                    Some(RouteResult::Routed) => "routed",
                    Some(RouteResult::NotRouted) => "not routed",
                    Some(RouteResult::Unknown) | None => "asked to be routed",
                },
                CallProgress::Answered => "answered",
                CallProgress::Ended => "ended",
                CallProgress::Closed => "closed",
            },
            began_at: at(call.began()),
            created_at: at(call.created_at),
            deferred_at: at(call.deferred_at),
            route_asked_at: at(call.routed_at),
            route_result: call.route_result.map(|result| match result {
                RouteResult::NotRouted => "not_routed",
                RouteResult::Unknown => "unknown",
                RouteResult::Routed => "routed",
            }),
            routed_again_at: at(call
                .route_at
                .filter(|routed| call.cleared_at.is_some_and(|cleared| cleared < *routed))),
            cleared_at: at(cleared_at.filter(|_| was_routed)),
            // Salesforce also takes a clear of what it has not routed.
            nothing_to_clear_at: at(call.nothing_to_clear_at.or(call.cleared_at.filter(|_| !was_routed))),
            answered_at: at(call.answered_at),
            ended_at: at(call.ended_at),
            closed_at: at(call.closed_at),
            may_be_created: call.is_create_unknown(),
            segments: timeline.history().segments.iter().map(SegmentView::of).collect(),
        }
    }
}

impl SegmentView {
    fn of(segment: &Segment) -> Self {
        Self {
            kind: match segment.kind {
                SegmentKind::Menu => "menu",
                SegmentKind::Queue => "queue",
                SegmentKind::Invitation => "offered",
                SegmentKind::Agent => "agent",
                SegmentKind::Outside => "outside party",
                SegmentKind::WrapUp => "wrap-up",
            },
            start: segment.start.to_string(),
            milliseconds: segment.milliseconds(),
            queue: segment.queue.as_deref().map(redact::text),
            agent: segment.agent.as_deref().map(redact::text),
            ended_by: segment.mark.map(|mark| match mark {
                SegmentEnd::Accepted => "accepted",
                SegmentEnd::Missed => "missed",
                SegmentEnd::Transferred => "transferred",
            }),
        }
    }
}

impl ExchangeView {
    fn of(exchange: &Exchange) -> Self {
        let record = &exchange.record;
        let mut salesforce = record.salesforce.clone();
        for asked in &mut salesforce {
            asked.failure = asked.failure.as_deref().map(redact::text);
        }
        Self {
            at: exchange.at.to_string(),
            call_center: redact::text(exchange.call_center.as_ref()),
            origin: record.origin.clone(),
            outcome: redact::text(&record.outcome),
            milliseconds: record.milliseconds,
            error: record.error.as_deref().map(redact::text),
            salesforce,
        }
    }
}
