//! The judgement: every call's truth against its VoiceCall.

use std::fmt;

use jiff::Timestamp;
use scv_bridge::mock::{Disposition, VoiceCall};

use super::call::{Call, Flow};
use super::flow::DEFAULT_REASON;
use super::orgs_log::{OrgsLog, Seen};
use super::site::{ENRICHED, name_of};

/// What came of a day.
#[derive(Debug, Default)]
pub struct Verdict {
    pub calls: usize,
    pub answered: usize,
    pub abandoned: usize,
    /// Of which no flow told.
    pub unknown: usize,
    /// Records that are not as the truth is.
    pub wrong: usize,
    /// Final updates after the first.
    pub second_finals: usize,
    /// All that is wrong, in words.
    pub problems: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, answered, abandoned, unknown, wrong, second_finals, .. } = self;
        write!(f, "{calls} calls ({answered} answered, {abandoned} abandoned, {unknown} of no flow): ")?;
        write!(f, "{wrong} wrong records, {second_finals} second final updates")
    }
}

/// Judges all calls.
pub fn judge(calls: &[Call], log: &OrgsLog) -> Verdict {
    let mut verdict = Verdict { calls: calls.len(), ..Verdict::default() };
    let nothing = Seen::default();
    for call in calls {
        let seen = log.call(&call.key).unwrap_or(&nothing);
        match call.truth.accepted {
            Some(_) => verdict.answered += 1,
            None => verdict.abandoned += 1,
        }
        verdict.unknown += usize::from(call.flow == Flow::None);
        let mut problems = call.problems(seen);
        verdict.wrong += usize::from(!problems.is_empty());
        let second = seen.finals.len().saturating_sub(1);
        if second > 0 {
            problems.push(format!("{second} more final updates than one"));
        }
        verdict.second_finals += second;
        let (key, flow) = (&call.key, call.flow);
        verdict.problems.extend(problems.into_iter().map(|problem| format!("{key} ({flow:?}): {problem}")));
    }
    verdict
}

impl Call {
    fn problems(&self, seen: &Seen) -> Vec<String> {
        let [record] = seen.records.as_slice() else {
            return vec![format!("{} records", seen.records.len())];
        };
        // Calls that no flow has told of are logged in the one that is enriched.
        let is_enriched = self.flow == Flow::None || self.center == ENRICHED;
        match self.truth.accepted {
            Some(_) if is_enriched => self.enriched(record),
            Some(_) => untouched(record, seen),
            // What a flow has completed itself is complete.
            None if is_enriched && matches!(self.flow, Flow::None | Flow::Silent) => {
                [self.abandoned(record), self.told(record)].concat()
            }
            None => self.abandoned(record),
        }
    }

    /// An agent had it, and its final update says all of it.
    fn enriched(&self, record: &VoiceCall) -> Vec<String> {
        let mut problems = [self.completed(record), self.told(record)].concat();
        let reason = record.disconnect_reason.as_deref().unwrap_or("no reason");
        if reason.starts_with("Abandoned") {
            problems.push(format!("answered, and told as {reason}"));
        }
        problems
    }

    /// Every figure.
    fn told(&self, record: &VoiceCall) -> Vec<String> {
        let (truth, holds) = (&self.truth, &record.holds);
        let seconds = |milliseconds: i64| u64::try_from((milliseconds + 500) / 1000).unwrap();
        let time = |text: &Option<String>| Some(text.as_deref()?.parse::<Timestamp>().ok()?.as_millisecond());
        let total: i64 = truth.holds.iter().sum();
        let longest = truth.holds.iter().copied().max().unwrap_or_default();
        let name = |id: &Option<String>| id.as_deref().map(name_of);
        let location = truth.recorded.map(|_| format!("https://player.example.com/{0}/{0}.wav", self.task));
        let recorded = truth.recorded.map(|(start, end)| seconds(end - start));
        let interaction = recorded.map(|_| seconds(truth.with_agents - total));
        // Without a recording, what an update leaves out may also be 0.
        let of_recording = |told: Option<u64>| told.filter(|told| recorded.is_some() || *told > 0);
        [
            differs("enqueue time", &time(&record.call_queued_date_time), &truth.enqueued),
            differs("accept time", &time(&record.call_accept_date_time), &truth.accepted),
            differs("holds", &holds.number_of_holds, &u64::try_from(truth.holds.len()).ok()),
            differs("longest hold", &holds.longest_hold_duration, &Some(seconds(longest))),
            differs("total hold", &holds.total_hold_duration, &Some(seconds(total))),
            differs("queue", &record.queue_name, &name(&truth.queue)),
            differs("agent", &record.agent, &name(&truth.agent)),
            differs("recording", &record.recording_location, &location),
            differs("recorded", &of_recording(holds.total_recording_duration), &recorded),
            differs("interaction", &of_recording(holds.agent_interaction_duration), &interaction),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn abandoned(&self, record: &VoiceCall) -> Vec<String> {
        let mut problems = self.completed(record);
        let own = if self.truth.enqueued.is_some() { "Abandoned in queue" } else { "Abandoned in IVR" };
        let reason = record.disconnect_reason.as_deref().unwrap_or("no reason");
        // The vendor's flow says the same of every call, and whoever comes first is heard. Of a call that no flow has
        // told of, a missing event is no sign that nothing happened: its stage is unknown.
        let is_default = matches!(self.flow, Flow::Vendors | Flow::None) && reason == DEFAULT_REASON;
        if reason != own && !is_default {
            problems.push(format!("{reason}, and truly {own}"));
        }
        problems
    }

    fn completed(&self, record: &VoiceCall) -> Vec<String> {
        let mut problems = Vec::new();
        if record.call_disposition != Disposition::Completed || record.pending_routing.is_some() {
            problems.push(format!("not completed: {record:?}"));
        }
        for (what, told, truth) in [
            ("start", &record.call_start_date_time, self.truth.start),
            ("end", &record.call_end_date_time, self.truth.end),
        ] {
            let told = told.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
            if told.map(Timestamp::as_millisecond) != Some(truth) {
                problems.push(format!("{what} {told:?}, and truly {truth}"));
            }
        }
        problems
    }
}

fn differs<T: PartialEq + fmt::Debug>(what: &str, told: &T, truth: &T) -> Option<String> {
    (told != truth).then(|| format!("{what} {told:?}, and truly {truth:?}"))
}

fn untouched(record: &VoiceCall, seen: &Seen) -> Vec<String> {
    let is_left = record.call_disposition == Disposition::InProgress && seen.touches == 0;
    let problem = || format!("answered, and touched {} times: {record:?}", seen.touches);
    if is_left { Vec::new() } else { vec![problem()] }
}
