//! The judgement: every call's truth against its VoiceCall.

use std::fmt;

use jiff::Timestamp;
use scv_bridge::mock::{Disposition, VoiceCall};

use super::call::{Call, Flow};
use super::flow::DEFAULT_REASON;
use super::orgs_log::{OrgsLog, Seen};

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
        match (self.truth.accepted, self.flow) {
            (Some(_), Flow::None) => self.logged(record),
            (Some(_), _) => untouched(record, seen),
            (None, _) => self.abandoned(record),
        }
    }

    /// It was never created, and an agent had it.
    fn logged(&self, record: &VoiceCall) -> Vec<String> {
        let mut problems = self.completed(record);
        if record.disconnect_reason.is_some() {
            problems.push("answered, and logged as abandoned".to_owned());
        }
        problems
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
            if what == "start" && self.flow == Flow::None {
                continue;
            }
            let told = told.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
            if told.map(Timestamp::as_millisecond) != Some(truth) {
                problems.push(format!("{what} {told:?}, and truly {truth}"));
            }
        }
        problems
    }
}

fn untouched(record: &VoiceCall, seen: &Seen) -> Vec<String> {
    let is_left = record.call_disposition == Disposition::InProgress && seen.touches == 0;
    let problem = || format!("answered, and touched {} times: {record:?}", seen.touches);
    if is_left { Vec::new() } else { vec![problem()] }
}
