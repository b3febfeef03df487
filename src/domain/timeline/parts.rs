//! The parts of a timeline: of an interaction with several VoiceCalls, which events belong to which of them.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::super::{Call, Fingerprint};
use super::{CallTimeline, CapturedRecordings, EventKind, Recording, TaskEnding, TaskEvent};

/// The reason of the end of a part that another one follows.
const WENT_ON: &str = "Transferred";

impl CallTimeline {
    /// The parts, one more than `begins`, which are the times at which the later VoiceCalls began, ascending. An event
    /// before a beginning belongs to the part before it. Each part but the first begins, and each but the last ends, at
    /// these times; so each part has the history of its VoiceCall. An event that ends something belongs to the part in
    /// which that began: an agent's wrap-up of the first part may come while the caller waits in the second. An agent who
    /// is named nowhere else has had the part at the time of that event.
    pub fn cut(&self, begins: &[Timestamp]) -> Vec<Self> {
        self.cut_by(begins, &AgentEntries::of(self, begins))
    }

    fn cut_by(&self, begins: &[Timestamp], openings: &AgentEntries<'_>) -> Vec<Self> {
        let mut parts = vec![Self::default(); begins.len() + 1];
        for event in &self.events {
            if let EventKind::Captured(captured) = &event.kind {
                share(event, captured, begins, &mut parts);
                continue;
            }
            if let (EventKind::Summary(summary), false) = (&event.kind, begins.is_empty()) {
                parts.iter_mut().next_back().map(|part| part.events.insert(summary.of_last_part().event()));
                continue;
            }
            let by_time = part_at(begins, event.at);
            let part = openings.part_of(event, by_time);
            let mut event = event.clone();
            // An event is no later than the end of its part, which ends a hold too; a wrap-up follows the end.
            if part < by_time && !event.kind.is_of_agent() {
                event.at = event.at.min(begins.get(part).copied());
            }
            if let Some(part) = parts.get_mut(part) {
                part.events.insert(event);
            }
        }
        let direction = self.events.iter().find_map(|event| event.direction);
        let edge = |kind, at: Timestamp| {
            let id = format!("cut:{}", at.as_millisecond());
            TaskEvent { at: Some(at), kind, id, queue: None, agent: None, direction }
        };
        for (before, begin) in begins.iter().enumerate() {
            let ending = TaskEnding { party: None, reason: Some(WENT_ON.to_owned()) };
            if let Some(part) = parts.get_mut(before).filter(|part| !part.is_empty()) {
                part.events.insert(edge(EventKind::Ended(ending), *begin));
            }
            if let Some(part) = parts.get_mut(before + 1) {
                part.events.insert(edge(EventKind::New, *begin));
            }
        }
        parts
    }

    /// The part of each VoiceCall of the interaction, which are in the order of their beginning. Agents in the journal
    /// count too: an acceptance that a flow has reported may have no event, or come later. `hash` hashes agents as the
    /// journal does.
    pub fn parts_of<'a>(
        &self,
        calls: &'a [Call],
        hash: impl Fn(&str) -> Option<Fingerprint>,
    ) -> impl Iterator<Item = (&'a Call, Self)> {
        let begins: Vec<Timestamp> = calls.iter().skip(1).filter_map(Call::began).collect();
        let mut openings = AgentEntries::of(self, &begins);
        openings.hash = Some(&hash);
        for (part, call) in calls.iter().enumerate() {
            let Some(at) = call.answered_at else { continue };
            // An acceptance is no earlier than its part, whatever time is stored in the call.
            let begin = part.checked_sub(1).and_then(|before| begins.get(before)).copied();
            let at = begin.map_or(at, |begin| at.max(begin));
            let is_over = |next: &&Timestamp| **next <= at;
            let at = begins.get(part).filter(is_over).map_or(at, |_| begin.unwrap_or(Timestamp::MIN));
            openings.times.push((at, part));
            openings.parts.entry(part).or_default().known.push(call.answered_by);
        }
        calls.iter().zip(self.cut_by(&begins, &openings))
    }

    /// When an agent first had the call, by any event.
    pub fn answered_at(&self) -> Option<Timestamp> {
        self.events.iter().filter(|event| event.kind.implies_agent()).find_map(|event| event.at)
    }
}

/// Each recording belongs to the part in which it began.
fn share(event: &TaskEvent, captured: &CapturedRecordings, begins: &[Timestamp], parts: &mut [CallTimeline]) {
    for (number, part) in parts.iter_mut().enumerate() {
        let is_theirs = |one: &&Recording| part_at(begins, one.started) == number;
        let recordings: Vec<Recording> = captured.recordings.iter().filter(is_theirs).cloned().collect();
        if !recordings.is_empty() {
            let captured = CapturedRecordings { announced: captured.announced, recordings };
            part.events.insert(TaskEvent { kind: EventKind::Captured(captured), ..event.clone() });
        }
    }
}

/// The number of `begins` up to `at`; an event without a time comes last.
fn part_at(begins: &[Timestamp], at: Option<Timestamp>) -> usize {
    at.map_or(begins.len(), |at| begins.iter().filter(|begin| **begin <= at).count())
}

/// Hashes an agent as the journal does.
type Hash<'a> = &'a dyn Fn(&str) -> Option<Fingerprint>;

/// When agents joined the call, by part.
#[derive(Default)]
struct AgentEntries<'a> {
    parts: BTreeMap<usize, PartAgents<'a>>,
    times: Vec<(Timestamp, usize)>,
    hash: Option<Hash<'a>>,
}

/// The agents of a part.
#[derive(Default)]
struct PartAgents<'a> {
    /// Agents that events name.
    named: BTreeSet<&'a str>,
    /// Whether any event is of an agent.
    is_in_events: bool,
    /// Agents in the journal, hashed; none where the journal has no name.
    known: Vec<Option<Fingerprint>>,
}

impl PartAgents<'_> {
    /// Whether the part may have an agent whom nothing names.
    fn has_unnamed(&self) -> bool {
        self.named.is_empty() && (self.is_in_events || self.known.contains(&None))
    }
}

impl<'a> AgentEntries<'a> {
    fn of(timeline: &'a CallTimeline, begins: &[Timestamp]) -> Self {
        let mut openings = Self::default();
        for event in timeline.events.iter().filter(|event| event.kind.opens_with_agent()) {
            let Some(at) = event.at else { continue };
            let part = part_at(begins, event.at);
            let agents = openings.parts.entry(part).or_default();
            agents.named.extend(event.agent.as_deref());
            agents.is_in_events = true;
            openings.times.push((at, part));
        }
        openings
    }

    /// The part of an event whose time is in the part `by_time`.
    fn part_of(&self, event: &TaskEvent, by_time: usize) -> usize {
        let closes = event.kind.implies_agent() && !event.kind.opens_with_agent();
        if !closes && !event.kind.is_of_agent() {
            return by_time;
        }
        let has_begun = |at: &Timestamp| event.at.is_none_or(|end| *at <= end);
        let opened = self.times.iter().filter(|(at, _)| has_begun(at)).map(|(_, part)| *part).max();
        match event.agent.as_deref().filter(|_| !event.kind.opens_with_agent()) {
            None if closes => opened.unwrap_or(by_time),
            None => by_time,
            Some(agent) => {
                let until = || self.parts.range(..=opened.unwrap_or_default().min(by_time)).rev();
                let hash = self.hash.and_then(|hash| hash(agent));
                let is_known = |agents: &PartAgents<'_>| hash.is_some() && agents.known.contains(&hash);
                let theirs = until().find(|(_, agents)| agents.named.contains(agent) || is_known(agents));
                let unnamed = || until().find(|(_, agents)| agents.has_unnamed());
                theirs.or_else(unnamed).map_or(by_time, |(part, _)| *part)
            }
        }
    }
}
