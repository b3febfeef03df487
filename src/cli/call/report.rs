//! What the database knows of one call.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::super::outbox::{EntryView, Wait, waits};
use super::super::redact;
use super::super::running::Running;
use super::why::{Known, why};
use crate::domain::{
    Call, CallCenterName, CallProgress, CallReference, CallTimeline, Exchange, ExchangeOrigin, Interaction,
    SalesforceExchange, Segment, SegmentEnd, SegmentKind,
};
use crate::store::{Entry, Filter, Store, StoreError};

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
}

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
    pub(super) routed_at: Option<String>,
    pub(super) answered_at: Option<String>,
    pub(super) ended_at: Option<String>,
    pub(super) closed_at: Option<String>,
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
        running: impl AsyncFnOnce() -> Running,
        now: Timestamp,
    ) -> Result<Option<Self>, StoreError> {
        let mut interactions = Vec::new();
        let mut names = names.to_vec();
        for center in store.call_centers_of(&names).await? {
            for name in names.clone() {
                let interaction = store.interaction(&center, &name).await?;
                if !interaction.calls().is_empty() {
                    interactions.push((center.clone(), interaction));
                    break;
                }
            }
        }
        for call in interactions.iter().flat_map(|(_, interaction)| interaction.calls()) {
            names.push(CallReference::Key(call.name.vendor_call_key().clone()));
            names.extend(call.voice_call_id.clone().map(CallReference::Id));
        }
        let names: Vec<CallReference> = BTreeSet::from_iter(names.iter().map(ToString::to_string))
            .into_iter()
            .filter_map(|name| CallReference::parse(name).ok())
            .collect();
        let (exchanges, mut unreadable) = store.exchanges(&names).await?;
        let lonely = match interactions.is_empty() {
            true => lonely_task(store, &names).await?,
            false => None,
        };
        if interactions.is_empty() && exchanges.is_empty() && lonely.is_none() && unreadable == 0 {
            return Ok(None);
        }
        let mut entries = Vec::new();
        for call in interactions.iter().flat_map(|(_, interaction)| interaction.calls()) {
            let filter = Filter { call: Some(call.id), ..Filter::default() };
            for entry in store.list_all(&filter).await? {
                match entry {
                    Ok(entry) => entries.push(entry),
                    Err(_) => unreadable += 1,
                }
            }
        }
        // What is owed to nobody waits for nobody.
        let running = if entries.is_empty() { Running::default() } else { running().await };
        let waits = waits(store, &entries, &running, now).await?;
        let report = Self::of(&interactions, lonely.as_ref(), &exchanges, (&entries, &waits), now);
        Ok(Some(Self { unreadable, ..report }))
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
        let why = why(&Known { calls: &calls, timeline, exchanges, entries, waits, now });
        Self {
            why,
            voice_calls: parts.iter().map(|(call, timeline)| VoiceCallView::of(call, timeline)).collect(),
            exchanges: exchanges.iter().map(ExchangeView::of).collect(),
            owed: entries.iter().map(|entry| EntryView::of(entry, now).waiting(waits)).collect(),
            unreadable: 0,
        }
    }
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
        Self {
            call_center: redact::text(call.name.call_center().as_ref()),
            vendor_call_key: redact::text(call.name.vendor_call_key().as_ref()),
            voice_call_id: call.voice_call_id.as_ref().map(ToString::to_string),
            continues: match call.name.run_began() {
                Some(began) => format!("flow run of {began}"),
                None => redact::text(call.name.parent()),
            },
            progress: match call.progress() {
                CallProgress::Unknown => "not created",
                CallProgress::Created if call.voice_call_id.is_none() && call.deferred_at.is_some() => {
                    "deferred"
                }
                CallProgress::Created => "created",
                CallProgress::Routed => "routed",
                CallProgress::Answered => "answered",
                CallProgress::Ended => "ended",
                CallProgress::Closed => "closed",
            },
            began_at: at(call.began()),
            created_at: at(call.created_at),
            deferred_at: at(call.deferred_at),
            routed_at: at(call.routed_at),
            answered_at: at(call.answered_at),
            ended_at: at(call.ended_at),
            closed_at: at(call.closed_at),
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
