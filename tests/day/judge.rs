//! The judgement: every call's truth against its VoiceCall.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use scv_bridge::mock::webex::Event;
use scv_bridge::mock::{Disposition, VoiceCall};

use super::call::{Call, Flow, Late};
use super::doubt::{Doubt, Heard};
use super::flow::DEFAULT_REASON;
use super::orgs_log::{OrgsLog, Seen};
use super::search::Oddity;
use super::site::{ENRICHED, name_of};
use super::weights::Kind;

/// Of so many wrong calls all is told that happened.
const MOST_TOLD: usize = 5;
/// Said of a callback that reached nobody.
const CALLBACK: &str = "CALLBACK";

/// What came of a day.
#[derive(Debug, Default)]
pub struct Verdict {
    pub calls: usize,
    pub answered: usize,
    pub abandoned: usize,
    /// Of which no flow told.
    pub unknown: usize,
    /// Whose reason was taken back.
    pub taken_back: usize,
    /// Records that are not as the truth is.
    pub wrong: usize,
    /// Final updates after the first.
    pub second_finals: usize,
    /// How many there were of each kind.
    pub kinds: BTreeMap<Kind, usize>,
    /// What could not be known, and of how many.
    pub doubts: BTreeMap<Doubt, usize>,
    /// All that is wrong, in words.
    pub problems: Vec<String>,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { calls, answered, abandoned, unknown, taken_back, wrong, second_finals, .. } = self;
        writeln!(f, "{:?}; cannot be known: {:?}", self.kinds, self.doubts)?;
        write!(f, "  {calls} calls ({answered} answered, {abandoned} abandoned, {unknown} of no flow, ")?;
        write!(f, "{taken_back} taken back): {wrong} wrong records, {second_finals} second final updates")
    }
}

/// Judges all calls.
pub fn judge(calls: &[Call], log: &OrgsLog, heard: Heard<'_>) -> Verdict {
    let mut verdict = Verdict { calls: calls.len(), ..Verdict::default() };
    let nothing = Seen::default();
    for call in calls {
        let seen = log.call(&call.key).unwrap_or(&nothing);
        match call.truth.accepted {
            Some(_) => verdict.answered += 1,
            None => verdict.abandoned += 1,
        }
        verdict.unknown += usize::from(call.flow == Flow::None);
        *verdict.kinds.entry(call.kind).or_default() += 1;
        let doubt = Doubt::of(call, heard);
        if let Some(doubt) = doubt {
            *verdict.doubts.entry(doubt).or_default() += 1;
        }
        verdict.taken_back += usize::from(call.is_taken_back(seen));
        let mut problems = call.problems(seen, doubt);
        verdict.wrong += usize::from(!problems.is_empty());
        if !problems.is_empty() && verdict.wrong <= MOST_TOLD {
            problems.push(call.story(heard));
        }
        let second = seen.finals.len().saturating_sub(1);
        if second > 0 {
            problems.push(format!("{second} more final updates than one"));
        }
        verdict.second_finals += second;
        verdict.problems.extend(problems.into_iter().map(|problem| format!("{}: {problem}", call.name())));
    }
    verdict
}

/// Judges those that have been interrupted: nobody has ended them.
pub fn judge_paused(calls: &[Call], log: &OrgsLog, heard: Heard<'_>) -> Verdict {
    let mut verdict = Verdict::default();
    for (call, pause) in calls.iter().filter_map(|call| Some((call, call.pause?))) {
        verdict.calls += 1;
        *verdict.kinds.entry(call.kind).or_default() += 1;
        if let Some(doubt) = Doubt::at(call, pause, heard) {
            *verdict.doubts.entry(doubt).or_default() += 1;
            continue;
        }
        let Some(seen) = log.call(&call.key) else { continue };
        let is_left = seen.touches == 0 && seen.records.iter().all(|record| call.goes_on(record));
        if !is_left {
            verdict.wrong += 1;
            let words = format!("goes on, and was touched {} times: {:?}", seen.touches, seen.records);
            let story = if verdict.wrong <= MOST_TOLD { call.story(heard) } else { String::new() };
            verdict.problems.push(format!("{}: {words}{story}", call.name()));
        }
    }
    verdict
}

impl Call {
    fn name(&self) -> String {
        let Self { key, kind, flow, center, late, is_least, oddity, .. } = self;
        let mut name = format!("{key} ({kind:?}, {flow:?}, {center}");
        for (is_so, word) in
            [(*late != Late::Nothing, "late"), (*is_least, "least"), (self.pause.is_some(), "paused")]
        {
            if is_so {
                name.push_str(", ");
                name.push_str(word);
            }
        }
        if let Some(oddity) = oddity {
            name.push_str(&format!(", {oddity:?}"));
        }
        name + ")"
    }

    /// What happened, by the second, and what was not heard of it.
    fn story(&self, heard: Heard<'_>) -> String {
        let after = |at: i64| (at - self.truth.start) as f64 / 1e3;
        let event = |(at, event): &(i64, Event)| {
            let is_heard = if heard.has(self, event) { "" } else { " (not heard)" };
            let when = if self.is_late(*at, event) { " (late)" } else { "" };
            let [queue, agent, state] =
                ["queueId", "agentId", "currentState"].map(|name| event.data.get(name));
            let more: Vec<&str> =
                [queue, agent, state].into_iter().flatten().filter_map(|value| value.as_str()).collect();
            format!("{:.3} {} {}{is_heard}{when}", after(*at), event.kind, more.join(" "))
        };
        let events: Vec<String> = self.events.iter().map(event).collect();
        let shown: Vec<String> =
            self.activities.iter().map(|(at, name)| format!("{:.3} {name}", after(*at))).collect();
        format!("\n  {}\n  Search: {}\n  {:?}", events.join("\n  "), shown.join(", "), self.truth)
    }

    /// Whether it is not over, and keeps the place in the queue of a caller who waits to be called back, until an agent
    /// has taken it.
    fn goes_on(&self, record: &VoiceCall) -> bool {
        let is_with_agent = record.call_disposition == Disposition::InProgress;
        let keeps_place = record.pending_routing.is_some() || is_with_agent || !self.truth.is_callback;
        record.call_disposition != Disposition::Completed && keeps_place
    }

    fn problems(&self, seen: &Seen, doubt: Option<Doubt>) -> Vec<String> {
        if self.kind == Kind::Chat {
            let is_silent = seen.records.is_empty() && seen.touches == 0;
            return if is_silent {
                Vec::new()
            } else {
                vec![String::from("no call, and something was sent")]
            };
        }
        let [record] = seen.records.as_slice() else {
            return vec![format!("{} records", seen.records.len())];
        };
        // Calls that no flow has told of are logged in the one that is enriched.
        let is_enriched = self.flow == Flow::None || self.center == ENRICHED;
        match self.truth.accepted {
            Some(_) if is_enriched => self.answered(record, doubt),
            // One whose routing alone was cleared has nothing that could be taken back.
            Some(_) if self.may_be_taken_back() && record.updates > 0 => self.taken_back(record, doubt),
            Some(_) if self.may_be_taken_back() && record.call_disposition == Disposition::New => Vec::new(),
            Some(_) => self.untouched(record, seen),
            None if self.kind == Kind::Outdial => self.answered(record, doubt),
            // What a flow has completed itself is complete.
            None if is_enriched
                && matches!(self.flow, Flow::None | Flow::Silent)
                && doubt != Some(Doubt::NoHistory) =>
            {
                [self.unanswered(record), self.told(record, doubt)].concat()
            }
            None => self.unanswered(record),
        }
    }

    /// Whether it was said to be abandoned, and an agent had it.
    fn is_taken_back(&self, seen: &Seen) -> bool {
        let says = |done: &super::orgs_log::Done| {
            done.body["disconnectReason"]["value"]
                .as_str()
                .is_some_and(|reason| reason.starts_with("Abandoned"))
        };
        (self.truth.accepted.is_some() || self.truth.is_callback) && seen.finals.iter().any(says)
    }

    /// Whether the flow or the bridge may have said that it was abandoned, before any sign of an agent came.
    fn may_be_taken_back(&self) -> bool {
        self.hides_agent() || self.kind == Kind::HungUpAtOnce || self.is_choice_untold()
    }

    /// An agent had it, and its final update says all of it.
    fn answered(&self, record: &VoiceCall, doubt: Option<Doubt>) -> Vec<String> {
        let told = match doubt {
            Some(Doubt::NoHistory) => self.summed_up(record),
            doubt => self.told(record, doubt),
        };
        let mut problems = [self.completed(record), told].concat();
        problems.extend(self.abandonment(record));
        problems.extend(
            self.last_reason().and_then(|own| differs("reason", &record.disconnect_reason, &Some(own))),
        );
        if self.kind == Kind::Outdial && record.call_type.as_deref() != Some("OUTBOUND") {
            problems.push(format!("dialed by an agent, and {:?}", record.call_type));
        }
        problems
    }

    /// Why it ended, in Webex's words. Of two ends within milliseconds nobody can tell which was the last.
    fn last_reason(&self) -> Option<String> {
        let is_told = !self.truth.ends_twice && self.oddity != Some(Oddity::NoReason);
        self.last_words().1.as_str().map(str::to_owned).filter(|_| is_told)
    }

    fn abandonment(&self, record: &VoiceCall) -> Option<String> {
        let reason = record.disconnect_reason.as_deref().unwrap_or("no reason");
        let is_untrue = reason.starts_with("Abandoned") || reason == CALLBACK;
        is_untrue.then(|| format!("answered, and told as {reason}"))
    }

    /// A record that had said that the call was abandoned. Names are of enriched contact centers.
    fn taken_back(&self, record: &VoiceCall, doubt: Option<Doubt>) -> Vec<String> {
        let told = if doubt == Some(Doubt::NoHistory) {
            self.summed_up(record)
        } else {
            [self.timed(record), self.held(record)].concat()
        };
        [self.completed(record), told, self.abandonment(record).into_iter().collect()].concat()
    }

    /// Left to the agent. One of whom their desktop knows nothing leaves it as it was made.
    fn untouched(&self, record: &VoiceCall, seen: &Seen) -> Vec<String> {
        let disposition = match self.is_taken_in_salesforce() {
            true => Disposition::InProgress,
            false => Disposition::New,
        };
        let is_left = record.call_disposition == disposition && seen.touches == 0;
        let problem = || format!("answered, and touched {} times: {record:?}", seen.touches);
        if is_left { Vec::new() } else { vec![problem()] }
    }

    /// Every figure.
    fn told(&self, record: &VoiceCall, doubt: Option<Doubt>) -> Vec<String> {
        let truth = &self.truth;
        let name = |id: &Option<String>| id.as_deref().map(name_of);
        let location = truth.recorded.map(|_| format!("https://player.example.com/{0}/{0}.wav", self.task));
        // Without a recording, what an update leaves out may also be 0.
        let recorded = truth.recorded.map(|(start, end)| end - start);
        let of_recording = |told: Option<u64>| told.filter(|told| recorded.is_some() || *told > 0);
        let holds = &record.holds;
        let unlocated = of_recording(holds.agent_interaction_duration).filter(|_| recorded.is_none());
        let more = [
            differs("queue", &record.queue_name, &name(&truth.queue))
                .filter(|_| doubt != Some(Doubt::PartysQueue)),
            differs("agent", &record.agent, &name(&truth.agent)),
            differs("recording", &record.recording_location, &location),
            self.lasts("recorded", of_recording(holds.total_recording_duration), recorded),
            differs("interaction", &unlocated, &None),
        ];
        [self.timed(record), self.held(record), more.into_iter().flatten().collect()].concat()
    }

    fn timed(&self, record: &VoiceCall) -> Vec<String> {
        let truth = &self.truth;
        let all = [
            self.happens("enqueue time", record.call_queued_date_time.as_deref(), truth.enqueued),
            self.happens("accept time", record.call_accept_date_time.as_deref(), truth.accepted),
        ];
        all.into_iter().flatten().collect()
    }

    fn held(&self, record: &VoiceCall) -> Vec<String> {
        let longest = self.truth.holds.iter().copied().max().unwrap_or_default();
        let mut problems = self.summed_up(record);
        problems.extend(self.lasts("longest hold", record.holds.longest_hold_duration, Some(longest)));
        problems
    }

    /// What Search's sums tell.
    fn summed_up(&self, record: &VoiceCall) -> Vec<String> {
        let (holds, total) = (&self.truth.holds, self.truth.holds.iter().sum::<i64>());
        let interaction = self.truth.with_agents - total;
        // It goes only with the location of a recording.
        let is_located = record.recording_location.is_some();
        let all = [
            differs("holds", &record.holds.number_of_holds, &u64::try_from(holds.len()).ok()),
            self.lasts("total hold", record.holds.total_hold_duration, Some(total)),
            self.lasts("interaction", record.holds.agent_interaction_duration, Some(interaction))
                .filter(|_| is_located),
        ];
        all.into_iter().flatten().collect()
    }

    fn unanswered(&self, record: &VoiceCall) -> Vec<String> {
        let mut problems = self.completed(record);
        let own = match self.truth.enqueued {
            _ if self.truth.is_callback => CALLBACK,
            Some(_) => "Abandoned in queue",
            None => "Abandoned in IVR",
        };
        let reason = record.disconnect_reason.as_deref().unwrap_or("no reason");
        // The vendor's flow says the same of every call, and whoever comes first is heard. Of a call that no flow has
        // told of, a missing event is no sign that nothing happened: its stage is unknown.
        let is_default = matches!(self.flow, Flow::Vendors | Flow::None) && reason == DEFAULT_REASON;
        if reason != own && (self.truth.is_callback || !is_default) {
            problems.push(format!("{reason}, and truly {own}"));
        }
        problems
    }

    fn completed(&self, record: &VoiceCall) -> Vec<String> {
        let mut problems = Vec::new();
        if record.call_disposition != Disposition::Completed || record.pending_routing.is_some() {
            problems.push(format!("not completed: {record:?}"));
        }
        problems.extend(self.happens(
            "start",
            record.call_start_date_time.as_deref(),
            Some(self.truth.start),
        ));
        problems.extend(self.happens("end", record.call_end_date_time.as_deref(), Some(self.truth.end)));
        problems
    }

    /// A time, as exactly as the events of that moment tell it.
    fn happens(&self, what: &str, told: Option<&str>, truth: Option<i64>) -> Option<String> {
        let told = told.and_then(|text| Some(text.parse::<Timestamp>().ok()?.as_millisecond()));
        let is_true = match (told, truth) {
            (Some(told), Some(truth)) => (told - truth).abs() <= self.truth.slack,
            (told, truth) => told == truth,
        };
        (!is_true).then(|| {
            format!("{what} {told:?}, and truly {truth:?}: {:?}", told.zip(truth).map(|(a, b)| a - b))
        })
    }

    /// A time in whole seconds, rounded, of so many milliseconds.
    fn lasts(&self, what: &str, told: Option<u64>, truth: Option<i64>) -> Option<String> {
        let seconds = |milliseconds: i64| u64::try_from((milliseconds.max(0) + 500) / 1000).unwrap();
        let slack = self.truth.slack;
        let is_true = match (told, truth) {
            (Some(told), Some(truth)) => (seconds(truth - slack)..=seconds(truth + slack)).contains(&told),
            (told, truth) => told.is_none() && truth.is_none(),
        };
        (!is_true).then(|| format!("{what} {told:?} s, and truly {truth:?} ms"))
    }
}

fn differs<T: PartialEq + fmt::Debug>(what: &str, told: &T, truth: &T) -> Option<String> {
    (told != truth).then(|| format!("{what} {told:?}, and truly {truth:?}"))
}
