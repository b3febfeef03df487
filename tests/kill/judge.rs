//! The judgement: what flows were told against what the org has seen.

use std::fmt;
use std::time::Duration;

use scv_bridge::mock::{Disposition, VoiceCall};
use serde_json::Value;

use super::orgs_log::{Done, OrgsLog, Seen};
use super::site::DEADLINE_MILLISECONDS;
use super::story::{Outcome, Told};
use super::trouble::{Incident, What};
use super::weather::Weather;

/// From the org's work to our record of it: a request may take its deadline, and a commit a moment.
const UNRECORDED: Duration = Duration::from_millis(DEADLINE_MILLISECONDS + 500);
/// How long an accepted hang-up may wait for its update where nothing but connections broke: less than the lease.
const WAITS: Duration = Duration::from_secs(12);
/// How long after a database has come back the bridge may still do without it: it looks four times a second.
const UNSEEN: Duration = Duration::from_secs(1);
/// How long before a hang-up something may have happened that still makes it wait: a lease and a moment.
const AFTERMATH: Duration = Duration::from_secs(20);

/// What came of a run.
#[derive(Default)]
pub struct Verdict {
    /// Calls.
    pub calls: usize,
    /// Calls whose VoiceCall was created, as far as the flow was told.
    pub created: usize,
    /// Accepted hang-ups of calls that no agent took.
    pub hang_ups: usize,
    /// Kills, freezes of the database, outages of the org.
    pub incidents: [usize; 3],
    /// Creates and final updates that came again after a kill that left us in doubt.
    pub after_kills: usize,
    /// The same where the database stood still, which keeps what was done from being known.
    pub after_freezes: usize,
    /// The same after an answer that was lost, or late.
    pub after_lost_answers: usize,
    /// VoiceCalls that are there twice, all in all.
    pub doubles: usize,
    /// Routings that stay for nobody, of a second VoiceCall or where it was not known how the routing had ended.
    pub ghosts: usize,
    /// Calls that an agent had and that were touched, because the database could not keep the id of their VoiceCall.
    pub forgotten: usize,
    /// The longest that an accepted hang-up waited for its update where nothing but connections broke.
    pub longest_wait: Duration,
    /// The longest of all.
    pub longest_wait_of_all: Duration,
    /// Accepted hang-ups whose VoiceCall is not completed and cleared.
    pub losses: usize,
    /// Everything that is wrong, losses among it.
    pub problems: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [kills, freezes, outages] = self.incidents;
        let Self { calls, created, hang_ups, losses, doubles, ghosts, forgotten, .. } = self;
        let Self { after_kills, after_freezes, after_lost_answers, .. } = self;
        let repeats = self.repeats();
        write!(f, "{calls} calls, {created} of them created, {hang_ups} hang-ups; ")?;
        write!(f, "{kills} kills, {freezes} freezes, {outages} outages; ")?;
        write!(f, "{repeats} repeats ({after_kills} after a kill, {after_freezes} after a freeze, ")?;
        write!(
            f,
            "{after_lost_answers} after a lost answer), {doubles} second VoiceCalls, {ghosts} ghosts, "
        )?;
        write!(f, "{forgotten} answered calls touched whose id the database could not keep; ")?;
        let [undisturbed, all] = [self.longest_wait, self.longest_wait_of_all].map(|wait| wait.as_secs_f32());
        write!(f, "hang-ups waited {undisturbed:.1} s at most, {all:.1} s in the wake of an incident; ")?;
        write!(f, "{losses} losses")
    }
}

/// Judges all calls; `left` is what the outbox still held at the end. Only in bad weather may it be unknown how something
/// ended.
pub fn judge(
    told: &[Told],
    incidents: &[Incident],
    log: &OrgsLog,
    left: &[String],
    weather: Weather,
) -> Verdict {
    let mut verdict = Verdict {
        calls: told.len(),
        created: told.iter().filter(|call| call.voice_call_id.is_some()).count(),
        incidents: [What::Kill, What::Freeze, What::Outage]
            .map(|what| incidents.iter().filter(|incident| incident.what == what).count()),
        ..Verdict::default()
    };
    verdict.problems.extend(left.iter().map(|entries| format!("the outbox still holds {entries}")));
    let nothing = Seen::default();
    let repeats = |verdict: &Verdict| verdict.repeats() + verdict.ghosts;
    for call in told {
        let seen = log.call(&call.key).unwrap_or(&nothing);
        let mut problems = call.strange.clone();
        let before = repeats(&verdict);
        problems.extend(verdict.lost(call, seen, incidents));
        problems.extend(verdict.waited(call, seen, incidents));
        verdict.doubles += seen.records.len().saturating_sub(1);
        let is_forgotten = seen.creates.iter().any(|done| froze(done, incidents));
        if call.agent {
            let touched = touched(call, seen);
            verdict.forgotten += usize::from(is_forgotten && !touched.is_empty());
            problems.extend(touched.into_iter().filter(|_| !is_forgotten));
        }
        for (what, done) in [("created", &seen.creates), ("completed", &seen.finals)] {
            let repeated = verdict.repeated(what, done, incidents, weather);
            // What comes under an id that the journal could not keep is sent, whatever came before.
            let is_known = repeated.is_some() && is_forgotten && what == "completed";
            verdict.after_freezes += usize::from(is_known);
            problems.extend(repeated.filter(|_| !is_known));
        }
        problems.extend(verdict.created_late(seen, incidents));
        if weather == Weather::Mild && repeats(&verdict) > before {
            problems.push(format!("done twice without need, or too late: {call:?}, {seen:?}"));
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
    /// What was done twice, with need or without.
    pub fn repeats(&self) -> usize {
        self.after_kills + self.after_freezes + self.after_lost_answers
    }

    fn lost(&mut self, call: &Told, seen: &Seen, incidents: &[Incident]) -> Option<String> {
        if !call.is_abandoned() {
            return None;
        }
        self.hang_ups += 1;
        let problem = if call.outcomes.contains(&Outcome::Answered) {
            "lost: taken for answered".to_owned()
        } else if !seen.records.iter().any(|record| is_told(call, record) && is_abandoned(record)) {
            format!("lost: not completed: {:?}", seen.records)
        } else if seen.records.iter().any(|record| record.pending_routing.is_some()) {
            if seen.records.len() > 1 || seen.routings.iter().any(|done| is_unknown(done, incidents)) {
                self.ghosts += 1;
                return None;
            }
            format!("lost: somebody is still waiting: {:?}", seen.records)
        } else {
            return None;
        };
        self.losses += 1;
        Some(problem)
    }

    /// An update under the key makes the record where no create was known to have made one.
    fn created_late(&mut self, seen: &Seen, incidents: &[Incident]) -> Option<String> {
        if seen.records.len() <= seen.creates.len().max(1) {
            return None;
        }
        let created = seen.creates.first()?;
        if created.is_doubtful {
            self.after_lost_answers += 1;
        } else if is_unknown(created, incidents) {
            self.after_kills += 1;
        } else {
            return Some("its record was made by an update, and then created".into());
        }
        None
    }

    /// Nothing waits for a lease that nobody holds.
    fn waited(&mut self, call: &Told, seen: &Seen, incidents: &[Incident]) -> Option<String> {
        let (ended, sent) = (call.ended?, seen.finals.first()?.at);
        let wait = Duration::try_from(sent.duration_since(ended)).unwrap_or_default();
        let begin = ended - AFTERMATH;
        if incidents.iter().any(|incident| incident.to >= begin && incident.from <= sent) {
            self.longest_wait_of_all = self.longest_wait_of_all.max(wait);
            return None;
        }
        self.longest_wait = self.longest_wait.max(wait);
        (wait > WAITS).then(|| format!("its hang-up waited {wait:?} from {ended} on"))
    }

    /// A create makes a second VoiceCall, whatever became of its answer. A second final update changes nothing: it is right
    /// where we could not know that once was enough, and then says the same, or more.
    fn repeated(
        &mut self,
        what: &str,
        done: &[Done],
        incidents: &[Incident],
        weather: Weather,
    ) -> Option<String> {
        let mut problem = None;
        for pair in done.windows(2) {
            let [first, second] = pair else { continue };
            let fell =
                |what| incidents.iter().any(|one| one.what == what && fell_between(one, first, Some(second)));
            let gap = second.at.duration_since(first.at).as_millis();
            if what == "created" {
                problem = Some(format!("created twice, after {gap} ms, at {}", first.at));
            } else if !says_at_least(&second.body, &first.body) {
                problem = Some(format!("{what} twice with different bodies"));
            } else if first.is_doubtful || is_late(weather, first, second) {
                self.after_lost_answers += 1;
            } else if fell(What::Kill) {
                self.after_kills += 1;
            } else if fell(What::Freeze) {
                self.after_freezes += 1;
            } else {
                problem = Some(format!("{what} again after {gap} ms without need, at {}", first.at));
            }
        }
        problem
    }
}

/// Whether the answer may have come too late although nobody ordered that: on a busy machine it does.
fn is_late(weather: Weather, first: &Done, second: &Done) -> bool {
    weather == Weather::Bad && second.at <= first.at + UNRECORDED
}

/// Whether every field of `less` stands in `more`, too.
fn says_at_least(more: &Value, less: &Value) -> bool {
    let field = |name: &String| more.get(name);
    less.as_object().is_some_and(|less| less.iter().all(|(name, value)| field(name) == Some(value)))
}

/// An incident between the org's work and our record of it.
fn fell_between(incident: &Incident, first: &Done, second: Option<&Done>) -> bool {
    // The clock is read a moment before the signal is sent.
    let early = first.at - Duration::from_millis(50);
    // A database that stands still knows of no work that is done meanwhile; a killed replica does none.
    let end = if incident.what == What::Kill { incident.from } else { incident.to + UNSEEN };
    early <= end
        && incident.from <= first.at + UNRECORDED
        && second.is_none_or(|second| incident.from <= second.at)
}

/// Whether the database stood still when this was to be written down.
fn froze(done: &Done, incidents: &[Incident]) -> bool {
    incidents.iter().any(|one| one.what == What::Freeze && fell_between(one, done, None))
}

/// Whether the bridge could not know that this was done.
fn is_unknown(done: &Done, incidents: &[Incident]) -> bool {
    let of_ours = |one: &&Incident| one.what != What::Outage;
    done.is_doubtful || incidents.iter().filter(of_ours).any(|one| fell_between(one, done, None))
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
