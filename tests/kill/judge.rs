//! The judgement: what flows were told against what the org has seen.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use scv_bridge::mock::{Disposition, VoiceCall};

use super::orgs_log::{Done, OrgsLog, Seen};
use super::site::DEADLINE_MILLISECONDS;
use super::story::{Outcome, Told};

/// From the org's work to our record of it: a request may take its deadline, and a commit a moment.
const UNRECORDED: Duration = Duration::from_millis(DEADLINE_MILLISECONDS + 500);

/// What came of a run.
#[derive(Default)]
pub struct Verdict {
    /// Calls.
    pub calls: usize,
    /// Calls whose VoiceCall was created, as far as the flow was told.
    pub created: usize,
    /// Accepted hang-ups of calls that no agent took.
    pub hang_ups: usize,
    /// Kills.
    pub kills: usize,
    /// Creates and final updates that came again after a kill that left us in doubt.
    pub after_kills: usize,
    /// Final updates that came again after an answer that was lost.
    pub after_lost_answers: usize,
    /// Accepted hang-ups whose VoiceCall is not completed and cleared.
    pub losses: usize,
    /// Everything that is wrong, losses among it.
    pub problems: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, created, hang_ups, kills, after_kills, after_lost_answers, losses, .. } = self;
        let repeats = after_kills + after_lost_answers;
        write!(f, "{calls} calls, {created} of them created, {hang_ups} hang-ups, {kills} kills, ")?;
        write!(
            f,
            "{repeats} repeats ({after_kills} after a kill, {after_lost_answers} after a lost answer), "
        )?;
        write!(f, "{losses} losses")
    }
}

/// Judges all calls; `left` is what the outbox still held at the end.
pub fn judge(told: &[Told], killed: &[Timestamp], log: &OrgsLog, left: &[String]) -> Verdict {
    let mut verdict = Verdict {
        calls: told.len(),
        created: told.iter().filter(|call| call.voice_call_id.is_some()).count(),
        kills: killed.len(),
        ..Verdict::default()
    };
    verdict.problems.extend(left.iter().map(|entries| format!("the outbox still holds {entries}")));
    let nothing = Seen::default();
    for call in told {
        let seen = log.call(&call.key).unwrap_or(&nothing);
        let mut problems = call.strange.clone();
        problems.extend(verdict.lost(call, seen));
        if call.agent {
            problems.extend(touched(call, seen));
        }
        // A second final update changes nothing; a second create makes a second record, whatever became of the answer.
        problems.extend(verdict.repeated("created", &seen.creates, killed, false));
        problems.extend(verdict.repeated("completed", &seen.finals, killed, true));
        if seen.records.len() > seen.creates.len().max(1) {
            problems.push("its record was made by an update, and then created".into());
        }
        verdict.problems.extend(problems.into_iter().map(|problem| format!("{}: {problem}", call.key)));
    }
    verdict
}

impl Told {
    /// Whether it was a hang-up of a call that no agent took, and was accepted.
    pub fn is_abandoned(&self) -> bool {
        !self.agent && !self.outcomes.is_empty()
    }
}

impl Verdict {
    fn lost(&mut self, call: &Told, seen: &Seen) -> Option<String> {
        if !call.is_abandoned() {
            return None;
        }
        self.hang_ups += 1;
        let problem = if call.outcomes.contains(&Outcome::Answered) {
            "lost: taken for answered".to_owned()
        } else if !seen.records.iter().any(|record| is_told(call, record) && is_abandoned(record)) {
            format!("lost: not completed: {:?}", seen.records)
        } else if seen.records.iter().any(|record| record.pending_routing.is_some()) {
            format!("lost: somebody is still waiting: {:?}", seen.records)
        } else {
            return None;
        };
        self.losses += 1;
        Some(problem)
    }

    /// Twice is right only where we could not know that once was enough, and then with the same body.
    fn repeated(
        &mut self,
        what: &str,
        done: &[Done],
        killed: &[Timestamp],
        may_repeat: bool,
    ) -> Option<String> {
        let mut problem = None;
        for pair in done.windows(2) {
            let [first, second] = pair else { continue };
            if first.body != second.body {
                problem = Some(format!("{what} twice with different bodies"));
            } else if first.is_doubtful && may_repeat {
                self.after_lost_answers += 1;
            } else if killed.iter().any(|at| fell_between(*at, first.at, second.at)) {
                self.after_kills += 1;
            } else {
                let gap = second.at.duration_since(first.at).as_millis();
                problem = Some(format!("{what} again after {gap} ms without need, at {}", first.at));
            }
        }
        problem
    }
}

/// A kill between the org's work and our record of it.
fn fell_between(kill: Timestamp, first: Timestamp, second: Timestamp) -> bool {
    // The clock is read a moment before the signal is sent.
    let early = first - Duration::from_millis(50);
    early <= kill && kill <= first + UNRECORDED && kill <= second
}

/// The record whose id the flow has; any if it has none, or the key in its place.
fn is_told(call: &Told, record: &VoiceCall) -> bool {
    call.voice_call_id.as_ref().is_none_or(|id| *id == record.id || *id == record.vendor_call_key)
}

fn is_abandoned(record: &VoiceCall) -> bool {
    let reason = record.disconnect_reason.as_deref().unwrap_or_default();
    record.call_disposition == Disposition::Completed && reason.starts_with("Abandoned in ")
}

fn touched(call: &Told, seen: &Seen) -> Vec<String> {
    let mut problems = Vec::new();
    if call.outcomes.contains(&Outcome::Abandoned) {
        problems.push("answered, and taken for abandoned".to_owned());
    }
    if seen.touches > 0 || seen.records.iter().any(|record| record.updates as usize > seen.caught_up) {
        problems.push(format!("answered, and touched {} times: {:?}", seen.touches, seen.records));
    }
    problems
}
