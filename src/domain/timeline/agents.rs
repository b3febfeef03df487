//! What agents say of a task: who accepted it, and how they wrote it up.

use std::collections::{BTreeMap, BTreeSet};

use super::{AgentInvolvement, AgentState, EventKind, Segment, SegmentKind, TaskEvent};

/// Wrap-ups: from an agent's own word to that agent's next.
pub(super) fn wrap_ups(events: &[&TaskEvent]) -> Vec<Segment> {
    let mut open: BTreeMap<Option<&str>, Segment> = BTreeMap::new();
    let mut done = Vec::new();
    for event in events {
        let (EventKind::Agent(state), Some(at)) = (&event.kind, event.at) else { continue };
        let agent = event.agent.as_deref();
        match state {
            AgentState::WrapUp { .. } => {
                let begin =
                    || Segment { agent: event.agent.clone(), ..Segment::new(SegmentKind::WrapUp, at) };
                open.entry(agent).or_insert_with(begin);
            }
            AgentState::Connected | AgentState::Other { .. } => {
                if let Some(mut segment) = open.remove(&agent) {
                    segment.finish(at, None);
                    done.push(segment);
                }
            }
        }
    }
    done.extend(open.into_values());
    done.sort_by(|one, other| (one.start, &one.agent).cmp(&(other.start, &other.agent)));
    done
}

/// Names agents of whom nothing but their wrap-up tells who they were: each part is that of the wrap-up nearest to
/// its end.
pub(super) fn name_by_wrap_ups(segments: &mut [Segment], wrap_ups: &[Segment]) {
    let is_agent = |segment: &&mut Segment| segment.kind == SegmentKind::Agent;
    let named: BTreeSet<String> =
        segments.iter_mut().filter(is_agent).filter_map(|segment| segment.agent.clone()).collect();
    let is_free = |one: &&Segment| one.agent.as_ref().is_some_and(|agent| !named.contains(agent));
    for segment in segments.iter_mut().filter(is_agent).filter(|segment| segment.agent.is_none()) {
        let Some(end) = segment.end else { continue };
        let since = wrap_ups.iter().filter(is_free).filter(|one| one.start >= segment.start);
        let nearest = since.min_by_key(|one| one.start.duration_since(end).abs());
        segment.agent = nearest.and_then(|one| one.agent.clone());
    }
}

/// What each agent did, in the order in which they are first named.
pub(super) fn agents(events: &[&TaskEvent]) -> Vec<AgentInvolvement> {
    let mut agents: Vec<AgentInvolvement> = Vec::new();
    for event in events {
        let Some(name) = &event.agent else { continue };
        let accepts = matches!(event.kind, EventKind::Connected | EventKind::Agent(AgentState::Connected));
        let accepted_at = event.at.filter(|_| accepts);
        let code = match &event.kind {
            EventKind::Agent(state) => state.code().map(str::to_owned),
            _ => None,
        };
        match agents.iter_mut().find(|agency| agency.agent == *name) {
            Some(agency) => {
                agency.accepted_at = agency.accepted_at.or(accepted_at);
                agency.wrap_up_code = code.or(agency.wrap_up_code.take());
            }
            None => agents.push(AgentInvolvement { agent: name.clone(), accepted_at, wrap_up_code: code }),
        }
    }
    agents
}
