//! Is a create the first of its interaction, one that came before, or that of a later flow run, to which an agent has
//! given the call?

use jiff::Timestamp;

use super::{Call, CallName};

/// What a create says of an earlier call under its own key, without naming a VoiceCall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Continues {
    /// Nothing: the vendor's flow creates every call as an inbound one.
    #[default]
    Unsaid,
    /// `parentInteractionId` is its own interaction: a later flow run, if there was one before.
    Itself,
    /// `initiationMethod` is Transfer, and no other call is named.
    Earlier,
}

/// A VoiceCall of the key, as far as the decision looks at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// When it began, to the millisecond.
    pub began: Timestamp,
    /// Whether it is a Transfer that is known by when it began.
    pub is_later: bool,
    /// When an agent accepted it.
    pub answered_at: Option<Timestamp>,
    /// Whether the caller is gone.
    pub is_over: bool,
}

/// Where a create belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// To this one, counted from 0: it is its create once more, or a flow before any agent that began anew.
    Of(usize),
    /// Behind all of them: it is another VoiceCall.
    New,
}

/// Where a create belongs that began at `began`, among the VoiceCalls of its key in the order of their beginning.
///
/// Webex repeats a request with the same body, so the same time means the same VoiceCall. Another time means another
/// VoiceCall only where the flow says so, or where an agent had the newest one before, and its caller is there still.
/// Otherwise it is taken for the same call: a flow that goes on to another flow before any agent has one VoiceCall, and
/// a flow that makes a new time for a repetition gets no second one.
#[must_use]
pub fn place(runs: &[Run], began: Timestamp, says: Continues) -> Place {
    let Some(newest) = runs.last() else { return Place::New };
    let same = |run: &Run| run.began == began && (says != Continues::Earlier || run.is_later);
    if let Some(repeated) = runs.iter().position(same) {
        return Place::Of(repeated);
    }
    let was_answered = newest.answered_at.is_some_and(|at| at <= began);
    match says {
        Continues::Earlier | Continues::Itself => Place::New,
        Continues::Unsaid if was_answered && newest.began < began && !newest.is_over => Place::New,
        Continues::Unsaid => Place::Of(runs.iter().rposition(|run| run.began <= began).unwrap_or_default()),
    }
}

/// The VoiceCall that `call` continues, among those of one key in the order of their beginning: the newest other one
/// that has a record or was promised one, and for a later flow run, began before it.
#[must_use]
pub fn parent_of<'a>(calls: &'a [Call], call: &CallName) -> Option<&'a Call> {
    let began = call.run_began();
    let is_before = |other: &&Call| began.is_none_or(|began| other.began().is_none_or(|at| at <= began));
    calls.iter().rfind(|other| other.name != *call && other.is_created() && is_before(other))
}

/// The VoiceCall that had the caller at that moment, among those of one key in the order of their beginning: the last
/// that had begun.
#[must_use]
pub fn call_at(calls: &[Call], at: Timestamp) -> Option<&Call> {
    let has_begun = |call: &&Call| call.began().is_none_or(|began| began <= at);
    calls.iter().rfind(has_begun).or(calls.first())
}

/// Whether Salesforce would take any name of `call` for another one: nobody knows its id, and its key is that of an
/// earlier VoiceCall. `calls` are all of the key.
#[must_use]
pub fn is_nameless(calls: &[Call], call: &Call) -> bool {
    let is_other = |other: &Call| other.name != call.name && other.is_created();
    call.voice_call_id.is_none() && !call.name.is_plain() && calls.iter().any(is_other)
}

#[cfg(test)]
mod tests;
