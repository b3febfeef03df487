//! What cannot be known: each case by name, with the reason why, and as narrow as it is. A call of a case is judged by what
//! can be known all the same; the verdict counts them.

use std::collections::HashSet;

use scv_bridge::mock::webex::Event;

use super::call::Call;
use super::consult::PARTYS;

/// Why a record, or one in the middle of a call, may not be as the truth is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// An event was lost or is not subscribed to, and Search shows no history that could be read. Its sums still tell
    /// start, end, holds and whether an agent had the call; they tell neither when each thing happened nor the longest
    /// of several holds.
    NoHistory,
    /// An outdial is in no queue, and an event of a consulted party has told of theirs while the consult itself was not heard, or heard later: so
    /// it was taken for the caller's. No update of Salesforce takes a queue back.
    PartysQueue,
    /// The flow reports that the caller is gone as soon as they have chosen to be called back, and no webhook tells of
    /// the choice: so far it is an abandonment like any other. Once somebody is called back, the reason is taken back;
    /// the routing stays cleared.
    ChoiceUntold,
    /// A consulted party's end is told, and nothing else of that party, or not the consult: neither its beginning, nor its end
    /// within a hold. So it is told of a caller who hangs up, too.
    ConsultUnheard,
}

/// Which webhooks a call was told by.
#[derive(Debug, Clone, Copy)]
pub struct Heard<'a> {
    /// The ids of events that never arrived.
    pub lost: &'a HashSet<String>,
}

impl Heard<'_> {
    /// Whether the bridge was told of it.
    pub fn has(self, call: &Call, event: &Event) -> bool {
        call.is_subscribed(event) && !self.lost.contains(&event.id)
    }

    /// Whether it was told in time of the hold or the consult within which something happened.
    fn has_consult(self, call: &Call, at: i64) -> bool {
        let before = || call.events.iter().filter(|(time, _)| *time <= at).rev();
        let began = before().find(|(_, event)| event.kind == "task:on-hold").map(|(time, _)| *time);
        before().take_while(|(time, _)| Some(*time) >= began).any(|(time, event)| {
            matches!(event.kind.as_str(), "task:on-hold" | "task:consulting")
                && self.has(call, event)
                && !call.is_late(*time, event)
        })
    }

    /// Whether it was told of everything.
    fn has_all(self, call: &Call) -> bool {
        call.events.iter().all(|(_, event)| self.has(call, event))
    }
}

impl Doubt {
    /// Of the final record of a call.
    pub fn of(call: &Call, heard: Heard<'_>) -> Option<Self> {
        let hides_history = call.oddity.is_some_and(super::search::Oddity::hides_history);
        let has_all = heard.has_all(call);
        if hides_history && !has_all {
            return Some(Self::NoHistory);
        }
        let mut of_party = call.events.iter().filter(|(_, event)| event.data.contains_key("queueId"));
        let is_partys = of_party.any(|(at, event)| heard.has(call, event) && !heard.has_consult(call, *at));
        (call.truth.queue.is_none() && is_partys).then_some(Self::PartysQueue)
    }

    /// Of what has been sent while the call went on, until a pause of it.
    pub fn at(call: &Call, (began, pause): (i64, i64), heard: Heard<'_>) -> Option<Self> {
        if call.truth.is_callback && call.is_choice_untold() {
            return Some(Self::ChoiceUntold);
        }
        let until_pause = call.events.iter().filter(|(time, _)| (began..pause).contains(time));
        // Of a callback, an end before any hold is that of an offer that nobody took.
        if call.truth.is_callback && !until_pause.clone().any(|(_, event)| event.kind == "task:on-hold") {
            return None;
        }
        let told = |kinds: &[&str]| {
            let mut told = until_pause.clone().filter(|(_, event)| heard.has(call, event));
            told.any(|(_, event)| kinds.contains(&event.kind.as_str()))
        };
        let is_done = until_pause.clone().any(|(time, event)| {
            let ended =
                call.events.iter().rev().find(|(at, event)| *at < pause && event.kind == "task:ended");
            event.kind == "task:consult-done"
                && heard.has(call, event)
                && ended.is_some_and(|(at, _)| time <= at)
        });
        let consults = told(&["task:consulting"]) || told(&["task:on-hold"]) && is_done;
        let is_known = consults && told(&PARTYS);
        (told(&["task:ended"]) && !is_known).then_some(Self::ConsultUnheard)
    }
}
