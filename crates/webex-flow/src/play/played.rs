//! What was played.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde_json::Value;

use super::{HttpOutcome, Scenario, SentRequest};
use crate::model::{Activity, Exit};

/// A play that is over.
#[derive(Debug, Clone)]
pub struct Played {
    /// What happened to the caller.
    pub scenario: Scenario,
    /// The id of the interaction.
    pub interaction_id: String,
    /// Whether requests that were not answered in time left by an error.
    pub timeout_is_error: bool,
    /// The activities, in order.
    pub steps: Vec<Step>,
    /// How it ended.
    pub ending: Ending,
    /// Whether the caller came to a queue.
    pub was_queued: bool,
    /// How long the caller waited for requests before there was a queue.
    pub waited_for_requests: Duration,
}

/// How a play ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// It is not over.
    Open,
    /// An agent had the call, and it ended.
    Answered,
    /// The caller hung up.
    HungUp,
    /// The caller was called back.
    CalledBack,
    /// The call went to another flow or number.
    Left {
        /// The activity that it left by.
        activity: String,
    },
    /// An error ended the call.
    Dropped {
        /// The activity that failed.
        activity: String,
    },
    /// The flow ended the call, or let it end without a queue.
    Disconnected,
    /// A subflow returned.
    Returned,
    /// It was broken off: the same activities over and over.
    Endless,
}

/// An activity that was played.
#[derive(Debug, Clone)]
pub struct Step {
    /// How long after the beginning of the call it began.
    pub at: Duration,
    /// `main`, the name of an event, or that of a subflow.
    pub place: String,
    /// The activity.
    pub activity: String,
    /// The activity's kind, as the editor names it.
    pub kind: String,
    /// The exit that was taken; nothing where the play ended here.
    pub exit: Option<Exit>,
    /// The variables that were set; values of secure ones are left out.
    pub set: Vec<(String, Value)>,
    /// The requests, with repetitions.
    pub exchanges: Vec<Exchange>,
    /// What is worth a word.
    pub notes: Vec<Note>,
}

/// A request with what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The request.
    pub request: SentRequest,
    /// What became of it; nothing when nobody waited.
    pub outcome: Option<HttpOutcome>,
}

/// Something about a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// An expression fails.
    ExpressionFails {
        /// The field.
        field: String,
        /// The column in it, from 1.
        column: usize,
        /// Why.
        words: String,
    },
    /// Something that is not understood; it was taken for empty.
    NotUnderstood(String),
    /// A field of a request reads a variable that nothing has set.
    Unset {
        /// The field.
        field: String,
        /// The variable.
        variable: String,
    },
    /// The body is no JSON.
    BodyNoJson {
        /// Why, with what stands there.
        words: String,
    },
    /// A path finds nothing in a successful answer.
    FindsNothing {
        /// The variable that stays empty.
        variable: String,
        /// The path.
        path: String,
    },
    /// Something that was assumed.
    Assumed(&'static str),
}

impl Played {
    pub(super) fn new(scenario: Scenario, interaction_id: String, timeout_is_error: bool) -> Self {
        Self {
            scenario,
            interaction_id,
            timeout_is_error,
            steps: Vec::new(),
            ending: Ending::Open,
            was_queued: false,
            waited_for_requests: Duration::ZERO,
        }
    }

    /// Puts stars where secure values stand. Values of one or two letters are left: they stand everywhere.
    pub(super) fn hide(&mut self, secure: &BTreeSet<String>) {
        let secrets: Vec<&String> = secure.iter().filter(|value| value.chars().count() > 2).collect();
        if secrets.is_empty() {
            return;
        }
        let hide = |text: &mut String| {
            for secret in &secrets {
                if text.contains(secret.as_str()) {
                    *text = text.replace(secret.as_str(), "***");
                }
            }
        };
        for step in &mut self.steps {
            for (_, value) in &mut step.set {
                let mut text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                let before = text.clone();
                hide(&mut text);
                if text != before {
                    *value = Value::from(text);
                }
            }
            for exchange in &mut step.exchanges {
                let request = &mut exchange.request;
                hide(&mut request.target);
                request.body.iter_mut().for_each(hide);
                request.query.iter_mut().chain(&mut request.headers).for_each(|(_, value)| hide(value));
                if let Some(Ok(answer)) = exchange.outcome.as_mut().map(|outcome| outcome.result.as_mut()) {
                    hide(&mut answer.body);
                }
            }
            for note in &mut step.notes {
                if let Note::BodyNoJson { words } | Note::ExpressionFails { words, .. } = note {
                    hide(words);
                }
            }
        }
    }

    /// Whether some request had no answer in time.
    #[must_use]
    pub fn has_timeout(&self) -> bool {
        let exchanges = self.steps.iter().flat_map(|step| &step.exchanges);
        exchanges.filter_map(|exchange| exchange.outcome.as_ref()).any(HttpOutcome::is_timeout)
    }
}

impl Step {
    pub(super) fn new(at: Duration, place: &str, activity: &Activity) -> Self {
        Self {
            at,
            place: place.to_owned(),
            activity: activity.name.clone(),
            kind: activity.kind.label().to_owned(),
            exit: None,
            set: Vec::new(),
            exchanges: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// The step without times, of which each run has others: for comparisons.
    #[must_use]
    pub fn without_times(&self) -> impl fmt::Display {
        Text { step: self, has_times: false }
    }
}

struct Text<'s> {
    step: &'s Step,
    has_times: bool,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let step = self.step;
        if self.has_times {
            write!(f, "{:>7.1} s  ", step.at.as_secs_f64())?;
        }
        write!(f, "{}: {} ({})", step.place, step.activity, step.kind)?;
        if let Some(exit) = &step.exit {
            write!(f, " -> {exit}")?;
        }
        for exchange in &step.exchanges {
            let request = &exchange.request;
            write!(f, "\n             {} {}: ", shortened(&request.method), shortened(&request.target))?;
            match &exchange.outcome {
                None => f.write_str("the answer is not waited for")?,
                Some(outcome) => {
                    match &outcome.result {
                        Ok(answer) => write!(f, "{} {}", answer.status, shortened(&answer.body))?,
                        Err(failure) => write!(f, "{failure}")?,
                    }
                    if self.has_times {
                        write!(f, "  ({} ms)", outcome.took.as_millis())?;
                    }
                }
            }
        }
        for (variable, value) in &step.set {
            let text = match value {
                Value::Null => "nothing".to_owned(),
                Value::String(text) => format!("{text:?}"),
                other => other.to_string(),
            };
            write!(f, "\n             {variable} = {}", shortened(&text))?;
        }
        for note in &step.notes {
            write!(f, "\n             ! {note}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Text { step: self, has_times: true }.fmt(f)
    }
}

/// One line of a text, of bearable length.
fn shortened(text: &str) -> String {
    const LONGEST: usize = 160;
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST).collect();
    if text.chars().nth(LONGEST).is_some() { format!("{line}...") } else { line }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ExpressionFails { field, column, words } => write!(f, "{field}, column {column}: {words}"),
            Self::NotUnderstood(what) => write!(f, "not understood: {what}"),
            Self::Unset { field, variable } => write!(f, "{field}: {variable} is not set"),
            Self::BodyNoJson { words } => write!(f, "the body is no JSON: {words}"),
            Self::FindsNothing { variable, path } => {
                write!(f, "{path} finds nothing: {variable} stays empty")
            }
            Self::Assumed(words) => f.write_str(words),
        }
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open => f.write_str("the play is not over"),
            Self::Answered => f.write_str("an agent had the call"),
            Self::HungUp => f.write_str("the caller hung up"),
            Self::CalledBack => f.write_str("the caller was called back"),
            Self::Left { activity } => write!(f, "the call left the flow by {activity}"),
            Self::Dropped { activity } => write!(f, "the caller was dropped: {activity} failed"),
            Self::Disconnected => f.write_str("the flow ended the call"),
            Self::Returned => f.write_str("the subflow returned"),
            Self::Endless => f.write_str("the same activities came over and over"),
        }
    }
}
