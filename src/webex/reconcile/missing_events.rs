//! From a task of Search to the events that the bridge lacks of it.

use jiff::{SignedDuration, Timestamp};

use super::super::{SearchActivities, SearchTask};
use crate::domain::{
    AgentState, CallHandling, CallHistory, CallTimeline, Direction, EndedTask, EventKind, SearchSummary,
    SegmentKind, TaskActivity, TaskEnding, TaskEvent, TaskFigures, quote,
};
use crate::webex::webhook::kind_of_task_event;

/// The prefix of event ids that are made here.
const BY_SEARCH: &str = "search:";

/// By how much a record and a webhook of the same moment may differ.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(2);

/// By how much they may differ where a consulted party's `task:new` may be as near: no agent consults within it.
const JITTER: SignedDuration = SignedDuration::from_millis(100);

/// The events that the record has and `known` has not, in order; last, where events do not add up to the figures of the
/// record, these figures. Their ids are made of their content: the same gap gives the same events again.
pub(super) fn missing(task: &EndedTask, known: &CallTimeline) -> Vec<TaskEvent> {
    let (mut whole, mut all) = (known.clone(), Vec::new());
    // With the first events added, the figures may show that more are missing, such as an acceptance before the end.
    for _ in 0..3 {
        let events = missing_at_first(task, &whole);
        if events.is_empty() {
            break;
        }
        whole.extend(events.iter().cloned());
        all.extend(events);
    }
    all
}

fn missing_at_first(task: &EndedTask, known: &CallTimeline) -> Vec<TaskEvent> {
    let facts = summary(task, known).event();
    let (mut events, agrees) = if task.is_active {
        (Vec::new(), agrees(known, &[], &facts))
    } else {
        // Events near a transfer may belong to it or not: the figures of Search decide.
        let mut tries =
            [TransferEvidence::Acceptance, TransferEvidence::WrapUp, TransferEvidence::Nothing].into_iter();
        let right = tries.find_map(|evidence| {
            let events = lost(task, known, evidence);
            agrees(known, &events, &facts).then_some(events)
        });
        let agrees = right.is_some();
        (right.unwrap_or_else(|| lost(task, known, TransferEvidence::Acceptance)), agrees)
    };
    if !agrees {
        events.push(facts);
    }
    events.retain(|event| known.all().all(|each| each != event));
    events
}

/// Whether `known`, with the lost events, adds up to the figures of the record.
fn agrees(known: &CallTimeline, lost: &[TaskEvent], facts: &TaskEvent) -> bool {
    let mut whole = known.clone();
    whole.extend(lost.iter().cloned());
    let by_events = whole.history();
    whole.apply(facts.clone());
    let reported = |history: &CallHistory| {
        let agent = history.agent().map(str::to_owned);
        (history.sums(), history.ended_at, history.is_end_doubtful, agent)
    };
    reported(&by_events) == reported(&whole.history())
}

/// The events that show a transfer without its own activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransferEvidence {
    /// The wrap-up of the agent who transferred the call, or an offer or acceptance of another agent.
    Acceptance,
    /// The wrap-up only: the acceptance may be a consulted party's.
    WrapUp,
    /// None: a wrap-up may come at the same moment as an acceptance that then looks like a consulted party's.
    Nothing,
}

/// The record of the call as a whole.
fn summary(task: &EndedTask, known: &CallTimeline) -> SearchSummary {
    if task.is_active {
        // The figures of an active task are not final.
        return SearchSummary { is_active: true, ended: Some(task.ended), ..SearchSummary::default() };
    }
    let is_from_webhook = |event: &TaskEvent| event.kind.implies_agent() && !event.id.starts_with(BY_SEARCH);
    SearchSummary {
        is_active: false,
        ended: Some(task.ended),
        holds: task.figures.holds,
        held_for: task.figures.held_for,
        connected_for: task.figures.connected_for,
        agent: task.agent.clone(),
        is_outline: task.history.is_empty() && !known.all().any(is_from_webhook),
    }
}

fn lost(task: &EndedTask, known: &CallTimeline, evidence: TransferEvidence) -> Vec<TaskEvent> {
    let mut lacking =
        if task.history.is_empty() { outline(task, known) } else { gaps(task, known, evidence) };
    let began = task.began.unwrap_or(task.ended);
    if task.is_callback
        && !known.history().is_callback
        && !lacking.iter().any(|(kind, _)| *kind == EventKind::CallbackChosen)
    {
        lacking.push((EventKind::CallbackChosen, began));
    }
    if known.is_empty() && task.handling == Some(CallHandling::LeftInIvr) {
        lacking.push((EventKind::NeverQueued, began));
    }
    // The end is added apart from the others: it may be missing, or the known one may be a consulted party's.
    lacking.retain(|(kind, _)| !kind.is_end());
    let mut events: Vec<TaskEvent> = lacking.into_iter().map(|(kind, at)| event(task, kind, at)).collect();
    let is_it = |at: Timestamp| at.duration_since(task.ended).abs() <= SAME_MOMENT;
    let is_told = known.all().any(|event| event.kind.is_end() && event.at.is_some_and(is_it));
    let mut whole = known.clone();
    whole.extend(events.iter().cloned());
    let ended = whole.history().ended_at;
    let is_missed = task.is_callback && ended.is_none();
    if known.history().is_end_doubtful || is_missed || !is_told && !ended.is_some_and(is_it) {
        events.push(event(task, end(task), task.ended));
    }
    events.extend(naming(task, known, &events));
    if task.has_capture && !known.events().any(|event| event.kind == EventKind::CaptureAvailable) {
        events.push(event(task, EventKind::CaptureAvailable, task.ended));
    }
    events
}

/// The activities without a known event of about the same time. The end is decided apart.
fn gaps(task: &EndedTask, known: &CallTimeline, evidence: TransferEvidence) -> Vec<(EventKind, Timestamp)> {
    let mut unmatched: Vec<&TaskEvent> = known.events().collect();
    let reported = task.history.iter().filter_map(|each| Some((kind(&each.event)?, each.at)));
    let mut gaps: Vec<(EventKind, Timestamp)> =
        reported.filter(|gap| !is_seen(gap, known, evidence)).collect();
    // Events of the same millisecond are matched first: of two near each other, one may be lost.
    for tolerance in [SignedDuration::ZERO, SAME_MOMENT] {
        gaps.retain(|(kind, at)| {
            let is_it = |event: &&TaskEvent| {
                let near = event.at.is_none_or(|own| own.duration_since(*at).abs() <= tolerance);
                near && event.kind.name() == kind.name()
            };
            let place = unmatched.iter().position(is_it);
            place.map(|place| unmatched.swap_remove(place)).is_none()
        });
    }
    gaps
}

fn kind(name: &str) -> Option<EventKind> {
    if name == EventKind::Transferred.name() {
        Some(EventKind::Transferred)
    } else {
        kind_of_task_event(name)
    }
}

/// Whether webhooks show a transfer by the events that follow it.
fn is_seen((kind, at): &(EventKind, Timestamp), known: &CallTimeline, evidence: TransferEvidence) -> bool {
    let follows = |kind: &EventKind| match kind {
        EventKind::Agent(AgentState::WrapUp { .. }) => evidence != TransferEvidence::Nothing,
        EventKind::Connected | EventKind::Connect | EventKind::Parked => {
            evidence == TransferEvidence::Acceptance
        }
        _ => false,
    };
    let is_near =
        |event: &TaskEvent| event.at.is_some_and(|own| own.duration_since(*at).abs() <= SAME_MOMENT);
    *kind == EventKind::Transferred && known.events().any(|event| follows(&event.kind) && is_near(event))
}

/// The last agent, where the record names them and no event does. Without activities their time is not known.
fn naming(task: &EndedTask, known: &CallTimeline, lacking: &[TaskEvent]) -> Option<TaskEvent> {
    let agent = task.agent.as_ref().filter(|_| !task.history.is_empty())?;
    let mut whole = known.clone();
    whole.extend(lacking.iter().cloned());
    let history = whole.history();
    let last = history.of(SegmentKind::Agent).last().filter(|segment| segment.agent.is_none())?;
    let kind = EventKind::Agent(AgentState::Connected);
    Some(TaskEvent { agent: Some(agent.clone()), ..event(task, kind, last.start) })
}

/// Without activities, the figures give the outline of the call: when it began, was queued and answered.
fn outline(task: &EndedTask, known: &CallTimeline) -> Vec<(EventKind, Timestamp)> {
    let began = task.began.unwrap_or(task.ended);
    let before = |at: Timestamp, milliseconds: u64| {
        let by = SignedDuration::from_millis(i64::try_from(milliseconds).unwrap_or(i64::MAX));
        at.checked_sub(by).unwrap_or(began).max(began)
    };
    let is_answered = task.handling == Some(CallHandling::Answered);
    let figures = &task.figures;
    let with_agents =
        figures.connected_for.unwrap_or_default().saturating_add(figures.held_for.unwrap_or_default());
    let answered = if is_answered { before(task.ended, with_agents) } else { task.ended };
    // An event is more exact than a time computed from sums: the queue ends by the first event of an agent.
    let signs = known.events().filter(|event| event.kind.implies_agent()).filter_map(|event| event.at);
    let answered = signs.min().map_or(answered, |sign| sign.min(answered));
    // Events after a consult began may belong to the consulted party, which has its own beginning and queue.
    let history = known.history();
    let mut before_consults =
        known.events().take_while(|event| event.at.is_none() || event.kind != EventKind::Consulting);
    let first = before_consults.find(|event| event.kind == EventKind::New);
    let has_begun = first.and_then(|event| event.at).is_some_and(|at| at.duration_since(began) <= JITTER);
    let was_queued = figures.queued == 0 || history.of(SegmentKind::Queue).next().is_some();
    let reported = [
        (!has_begun).then_some((EventKind::New, began)),
        (!was_queued).then(|| (EventKind::Parked, before(answered, figures.queued_for))),
        (is_answered && history.accepted_at().is_none()).then_some((EventKind::Connected, answered)),
    ];
    reported.into_iter().flatten().collect()
}

fn event(task: &EndedTask, kind: EventKind, at: Timestamp) -> TaskEvent {
    let direction = match task.direction.as_deref() {
        Some(word) if word.eq_ignore_ascii_case("inbound") => Some(Direction::Inbound),
        Some(word) if word.eq_ignore_ascii_case("outbound") || word.eq_ignore_ascii_case("outdial") => {
            Some(if task.is_callback { Direction::Callback } else { Direction::Outbound })
        }
        _ => None,
    };
    // The record names the last queue and agent, so only events of these get them.
    let is_of_last_queue = match kind {
        EventKind::Parked if task.figures.queued == 1 => true,
        EventKind::Parked | EventKind::Connect | EventKind::Connected => is_in_last_queue(task, at),
        _ => false,
    };
    let queue = task.queue.clone().filter(|_| is_of_last_queue);
    let agent = task.agent.clone().filter(|_| task.figures.connected == 1 && kind == EventKind::Connected);
    let id = format!("{BY_SEARCH}{}:{}", kind.name(), at.as_millisecond());
    TaskEvent { at: Some(at), kind, id, queue, agent, direction }
}

/// Whether the call, by its activities, was in no other queue from then on. The queue of a consulted party is not the
/// caller's.
fn is_in_last_queue(task: &EndedTask, at: Timestamp) -> bool {
    let (mut consults, mut last) = (false, None);
    for each in &task.history {
        match kind(&each.event) {
            Some(EventKind::Consulting) => consults = true,
            Some(
                EventKind::ConsultDone
                | EventKind::HoldDone
                | EventKind::Conferencing
                | EventKind::Transferred,
            ) => {
                consults = false;
            }
            Some(EventKind::Parked) if !consults => last = Some(each.at),
            _ => {}
        }
    }
    !task.history.is_empty() && last.is_none_or(|last| last <= at)
}

/// The end of a callback without an answer may have the reason of a missed offer, after which others go on.
fn end(task: &EndedTask) -> EventKind {
    match task.handling {
        Some(CallHandling::Callback) => EventKind::CallbackFailed,
        _ => EventKind::Ended(ending(task)),
    }
}

/// The reason is free text: a phone number in it is hidden.
fn ending(task: &EndedTask) -> TaskEnding {
    TaskEnding { party: task.ended_by.clone(), reason: task.reason.as_deref().map(quote) }
}

/// Activities by which an agent transfers the call. Webhooks have only the events that follow, if any.
const TRANSFER_ACTIVITIES: [&str; 4] = ["Transferred", "ConsultTransfer", "blind-transfer", "vt-transfer"];

/// Activities that webhooks have too; Search leaves out `task:`.
const WEBHOOK_ACTIVITIES: [&str; 15] = [
    "new",
    "parked",
    "optOutOfQueue",
    "callbackFailed",
    "connect",
    "connected",
    "on-hold",
    "hold-done",
    "consulting",
    "consult-done",
    "conferencing",
    "conference-done",
    "conference-transferred",
    "ended",
    "failed",
];

/// Those of them that only a callback has.
const CALLBACK_EVENTS: [&str; 2] = ["task:optOutOfQueue", "task:callbackFailed"];

/// A record without an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a record of Search has no id")]
pub struct MissingTaskId;

/// The task that has ended; none for a task without an end or of another channel.
///
/// # Errors
/// When the record has no id.
pub fn ended_task(task: SearchTask) -> Result<Option<EndedTask>, MissingTaskId> {
    let is_telephony =
        task.channel_type.as_deref().is_none_or(|channel| channel.eq_ignore_ascii_case("telephony"));
    let id = task.id.ok_or(MissingTaskId)?;
    let Some(ended) = task.ended_time.filter(|_| is_telephony) else { return Ok(None) };
    let is_abandoned =
        task.contact_handle_type.as_deref().is_some_and(|kind| kind.eq_ignore_ascii_case("abandoned"));
    let history = task.activities.as_ref().map(whole_history).unwrap_or_default();
    let tells_callback = |each: &TaskActivity| CALLBACK_EVENTS.contains(&each.event.as_str());
    let is_callback = task.is_callback == Some(true) || history.iter().any(tells_callback);
    let handling = CallHandling::of(task.connected_count, task.queue_count, is_abandoned);
    Ok(Some(EndedTask {
        handling: handling.map(|handling| match handling {
            CallHandling::Abandoned | CallHandling::LeftInIvr if is_callback => CallHandling::Callback,
            handling => handling,
        }),
        is_callback,
        history,
        figures: TaskFigures {
            connected: task.connected_count.unwrap_or_default(),
            connected_for: task.connected_duration,
            holds: task.hold_count,
            held_for: task.hold_duration,
            queued: task.queue_count.unwrap_or_default(),
            queued_for: task.queue_duration.unwrap_or_default(),
        },
        id,
        began: task.created_time,
        ended,
        is_active: task.is_active == Some(true),
        direction: task.direction,
        origin: task.origin,
        destination: task.destination,
        queue: task.last_queue.and_then(|queue| queue.id),
        agent: task.last_agent.and_then(|agent| agent.id),
        ended_by: task.terminating_end,
        // `terminationType` is how it ended, such as `normal`: that is no reason.
        reason: task.termination_reason,
        has_capture: task.capture_requested == Some(true),
    }))
}

/// All activities or none: half of them would give another history.
fn whole_history(activities: &SearchActivities) -> Vec<TaskActivity> {
    let Some(mut timed) = activities.whole() else { return Vec::new() };
    // Search lists the newest first; the stable sort keeps its order for activities of the same time.
    timed.reverse();
    timed.sort_by_key(|(_, at)| *at);
    let event = |name: &str| match name {
        name if WEBHOOK_ACTIVITIES.contains(&name) => Some(format!("task:{name}")),
        name if TRANSFER_ACTIVITIES.contains(&name) => Some(EventKind::Transferred.name().to_owned()),
        _ => None,
    };
    timed.into_iter().filter_map(|(name, at)| Some(TaskActivity { event: event(name)?, at })).collect()
}

#[cfg(test)]
mod missing_tests {
    use super::*;
    use crate::domain::{TaskActivity, TaskFigures};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    fn task(history: &[(&str, i64)]) -> EndedTask {
        let happening =
            |(name, second): &(&str, i64)| TaskActivity { event: format!("task:{name}"), at: at(*second) };
        EndedTask {
            id: "t1".into(),
            began: Some(at(0)),
            ended: at(100),
            is_active: false,
            direction: Some("inbound".into()),
            origin: None,
            destination: None,
            queue: Some("q1".into()),
            agent: Some("a1".into()),
            handling: Some(CallHandling::Answered),
            ended_by: Some("Customer".into()),
            reason: Some("call +14693150217".into()),
            history: history.iter().map(happening).collect(),
            is_callback: false,
            figures: TaskFigures {
                connected: 1,
                connected_for: Some(40_000),
                holds: Some(1),
                held_for: Some(10_000),
                queued: 1,
                queued_for: 20_000,
            },
            has_capture: false,
        }
    }

    const STORY: [(&str, i64); 6] =
        [("new", 0), ("parked", 30), ("connected", 50), ("on-hold", 60), ("hold-done", 70), ("ended", 100)];

    fn reported(events: &[TaskEvent]) -> Vec<(&str, i64)> {
        let second = |at_: Timestamp| at_.as_second() - at(0).as_second();
        events.iter().filter_map(|event| Some((event.kind.name(), second(event.at?)))).collect()
    }

    #[test]
    fn every_activity_without_an_event_of_its_time_becomes_an_event() {
        let task = task(&STORY);
        let all = missing(&task, &CallTimeline::default());
        let names =
            ["task:new", "task:parked", "task:connected", "task:on-hold", "task:hold-done", "task:ended"];
        assert_eq!(reported(&all).iter().map(|(name, _)| *name).collect::<Vec<_>>(), names);
        assert_eq!((all[1].queue.as_deref(), all[2].agent.as_deref()), (Some("q1"), Some("a1")));
        assert_eq!(
            all[5].kind,
            EventKind::Ended(TaskEnding {
                party: Some("Customer".into()),
                reason: Some("call (number hidden)".into())
            })
        );
        let some: CallTimeline =
            all.iter().filter(|event| event.kind != EventKind::OnHold).cloned().collect();
        assert_eq!(reported(&missing(&task, &some)), [("task:on-hold", 60)]);
        let whole: CallTimeline = all.into_iter().collect();
        assert_eq!(missing(&task, &whole), []);
    }

    #[test]
    fn a_callback_that_reached_nobody_ends_by_the_record_whatever_the_words_of_a_missed_offer() {
        let told_by = |word: &str, second| {
            let kind = kind_of_task_event(word).unwrap_or_else(|| {
                EventKind::Ended(TaskEnding {
                    party: Some("System".into()),
                    reason: Some("RONA Timer Expired".into()),
                })
            });
            TaskEvent { id: format!("w{word}{second}"), ..event(&task(&[]), kind, at(second)) }
        };
        for history in [
            &[("new", 0), ("parked", 10), ("optOutOfQueue", 20), ("callbackFailed", 99), ("ended", 100)][..],
            &[],
        ] {
            let record = EndedTask {
                is_callback: true,
                handling: Some(CallHandling::Callback),
                reason: Some("RONA Timer Expired".into()),
                ..task(history)
            };
            for known in
                [vec![], vec![told_by("task:new", 0), told_by("task:parked", 10), told_by("task:ended", 100)]]
            {
                let mut whole: CallTimeline = known.into_iter().collect();
                assert_eq!(whole.ended_at(), whole.history().ended_at);
                whole.extend(missing(&record, &whole));
                let history = whole.history();
                assert_eq!(history.outcome(), crate::domain::CallOutcome::Callback, "{history:?}");
                assert_eq!(history.ended_at, Some(at(100)));
                assert_eq!(missing(&record, &whole), []);
            }
        }
    }

    #[test]
    fn a_webhook_of_about_the_same_time_is_the_same_and_each_counts_once() {
        let record = task(&[("new", 0), ("on-hold", 60), ("on-hold", 61), ("ended", 100)]);
        let late = |kind, second| TaskEvent { id: format!("w{second}"), ..event(&record, kind, at(second)) };
        let known: CallTimeline = [
            late(EventKind::New, 2),
            late(EventKind::OnHold, 61),
            late(EventKind::Ended(TaskEnding::default()), 101),
        ]
        .into_iter()
        .collect();
        assert_eq!(
            reported(&missing(&record, &known)[..1]),
            [("task:on-hold", 60)],
            "what is at the same moment is first"
        );
    }

    #[test]
    fn without_a_history_the_figures_give_an_outline() {
        let task = task(&[]);
        let all = missing(&task, &CallTimeline::default());
        assert_eq!(
            reported(&all),
            [("task:new", 0), ("task:parked", 30), ("task:connected", 50), ("task:ended", 100)]
        );
        let history = all.iter().cloned().collect::<CallTimeline>().history();
        assert!(history.is_answered);
        assert_eq!(missing(&task, &all.into_iter().collect()), []);
        let abandoned = EndedTask { handling: Some(CallHandling::Abandoned), ..task };
        let all = missing(&abandoned, &CallTimeline::default());
        assert_eq!(reported(&all), [("task:new", 0), ("task:parked", 80), ("task:ended", 100)]);
    }

    #[test]
    fn the_records_figures_are_added_where_events_give_others() {
        let record = task(&STORY);
        let whole: CallTimeline = missing(&record, &CallTimeline::default()).into_iter().collect();
        assert_eq!(whole.history().summary, None, "they agree");
        let mut figures = record.figures;
        (figures.holds, figures.held_for) = (Some(2), Some(25_000));
        let other = EndedTask { figures, ..record };
        let facts = missing(&other, &whole);
        assert_eq!(reported(&facts), [], "one that has no time");
        let mut known = whole;
        known.extend(facts);
        let sums = known.history().sums();
        assert_eq!((sums.holds, sums.total_hold, sums.longest_hold), (Some(2), Some(25), None));
        assert_eq!(missing(&other, &known), []);
    }

    #[test]
    fn a_task_that_is_active_has_not_ended_until_it_has() {
        let known: CallTimeline = [
            TaskEvent { id: "w1".into(), ..event(&task(&[]), EventKind::Connected, at(50)) },
            TaskEvent {
                id: "w2".into(),
                ..event(&task(&[]), EventKind::Ended(TaskEnding::default()), at(70))
            },
        ]
        .into_iter()
        .collect();
        let active = EndedTask { is_active: true, ended: at(70), ..task(&[]) };
        let facts = missing(&active, &known);
        assert_eq!(facts.len(), 1);
        let mut known = known;
        known.extend(facts);
        assert_eq!((known.ended_at(), missing(&active, &known)), (None, vec![]));
        assert_eq!(
            missing(&active, &CallTimeline::default()),
            [],
            "an active task of which nothing is known gets no events"
        );
        known.extend(missing(&task(&[]), &known));
        assert_eq!(known.ended_at(), Some(at(100)));
    }

    /// Of a consult transfer, webhooks tell the acceptance of who gets the caller, at about the time of the transfer: by that
    /// alone it may be the consulted party's.
    #[test]
    fn a_transfer_out_of_a_consult_whose_wrap_up_was_lost_leaves_every_hold_as_it_was() {
        use EventKind::*;
        let after = |millisecond: i64| at(0).checked_add(SignedDuration::from_millis(millisecond)).unwrap();
        let ended = || Ended(TaskEnding { party: Some("Customer".into()), reason: None });
        let of = |kind: EventKind, agent: Option<&str>, millisecond| TaskEvent {
            id: format!("{kind}{millisecond}"),
            agent: agent.map(str::to_owned),
            ..event(&task(&[]), kind, after(millisecond))
        };
        let (connected, wrap_up) = (AgentState::Connected, AgentState::WrapUp { code: None });
        let known = [
            of(Parked, None, 16_611),
            of(Connect, None, 28_102),
            of(Agent(connected.clone()), Some("a0"), 41_492),
            of(Connected, None, 41_496),
            of(OnHold, None, 86_516),
            of(HoldDone, None, 91_802),
            of(OnHold, None, 126_096),
            of(Consulting, None, 126_856),
            of(Connect, None, 127_241),
            of(Connected, None, 157_674),
            of(Agent(connected), Some("a1"), 157_677),
            of(OnHold, None, 203_952),
            of(HoldDone, None, 246_765),
            of(OnHold, None, 270_853),
            of(HoldDone, None, 299_293),
            of(ended(), None, 357_910),
            of(Agent(wrap_up), Some("a1"), 357_913),
        ];
        let history = [
            ("task:new", 0),
            ("task:parked", 16_611),
            ("task:connect", 28_102),
            ("task:connected", 41_496),
            ("task:on-hold", 86_516),
            ("task:hold-done", 91_802),
            ("task:on-hold", 126_096),
            ("task:consulting", 126_856),
            ("task:connect", 127_241),
            (Transferred.name(), 156_842),
            (Transferred.name(), 157_668),
            ("task:connected", 157_674),
            ("task:on-hold", 203_952),
            ("task:hold-done", 246_765),
            ("task:on-hold", 270_853),
            ("task:hold-done", 299_293),
            ("task:ended", 357_910),
        ];
        let history =
            history.iter().map(|(name, time)| TaskActivity { event: (*name).to_owned(), at: after(*time) });
        let record = EndedTask {
            ended: after(357_910),
            history: history.collect(),
            figures: TaskFigures {
                connected: 2,
                connected_for: Some(208_297),
                holds: Some(4),
                held_for: Some(108_117),
                queued: 1,
                queued_for: 6_467,
            },
            ..task(&[])
        };
        let mut whole: CallTimeline = known.into_iter().collect();
        whole.extend(missing(&record, &whole));
        let (history, sums) = (whole.history(), whole.history().sums());
        assert_eq!(history.agent(), Some("a1"));
        assert_eq!((sums.holds, sums.longest_hold, sums.total_hold), (Some(4), Some(43), Some(108)));
    }
}

#[cfg(test)]
mod ended_task_tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(task: Value) -> Option<EndedTask> {
        ended_task(serde_json::from_value(task).unwrap()).unwrap()
    }

    #[test]
    fn only_telephony_that_has_ended_counts() {
        assert!(read(json!({ "id": "t", "endedTime": 5, "channelType": "telephony" })).is_some());
        assert!(read(json!({ "id": "t", "endedTime": 5, "channelType": "chat" })).is_none());
        assert!(read(json!({ "id": "t", "endedTime": 5, "isActive": true })).unwrap().is_active);
        assert!(read(json!({ "id": "t", "isActive": false })).is_none());
        assert_eq!(
            ended_task(serde_json::from_value(json!({ "id": null, "endedTime": 5 })).unwrap()),
            Err(MissingTaskId)
        );
    }

    #[test]
    fn how_a_task_ended_is_no_reason_where_none_is_given() {
        let reason = |fields: Value| {
            let mut task = json!({ "id": "t", "endedTime": 5, "terminationType": "normal" });
            task.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
            read(task).unwrap().reason
        };
        assert_eq!(reason(json!({ "terminationReason": null })), None);
        assert_eq!(reason(json!({})), None);
        assert_eq!(reason(json!({ "terminationReason": "left" })).as_deref(), Some("left"));
    }

    #[test]
    fn a_history_is_read_from_the_oldest_on_with_the_names_of_webhooks() {
        let nodes = json!([
            { "eventName": "ended", "createdTime": 9 },
            { "eventName": "recording-started", "createdTime": 7 },
            { "eventName": "connected", "createdTime": 7 },
            { "eventName": "new", "createdTime": 1 },
        ]);
        let task =
            |activities: Value| read(json!({ "id": "t", "endedTime": 9, "activities": activities })).unwrap();
        let whole = task(json!({ "totalCount": 4, "nodes": nodes }));
        let reported: Vec<_> =
            whole.history.iter().map(|each| (each.event.as_str(), each.at.as_millisecond())).collect();
        assert_eq!(reported, [("task:new", 1), ("task:connected", 7), ("task:ended", 9)]);
        assert_eq!(task(json!({ "totalCount": 5, "nodes": nodes })).history, []);
        for odd in [
            json!({ "nodes": [{ "eventName": "new" }] }),
            json!({ "nodes": null }),
            json!({ "nodes": [null, { "eventName": "new", "createdTime": 1 }] }),
            json!({ "nodes": "none" }),
            json!(null),
            json!([7]),
        ] {
            assert_eq!(task(odd.clone()).history, [], "{odd}");
        }
        let in_text = json!({ "totalCount": "1", "nodes": [{ "eventName": "new", "createdTime": "1.4" }] });
        assert_eq!(task(in_text).history.len(), 1);
    }
}
