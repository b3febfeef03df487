//! Plays a flow as Webex would, for one caller at a time.
//!
//! A [`Play`] goes from activity to activity and fills in their fields. It does no I/O: [`Play::next`] returns what it needs from
//! outside, which is the answer to a request, or an agent who accepts the call. What happens to the caller is a [`Scenario`]. What
//! was played is kept in steps ([`Played`]), of which [`crate::findings::of_plays`] tells what is wrong.
//!
//! Time passes in the play, not on the clock: music of ten seconds makes later steps ten seconds later. Only requests take the time
//! that they take.

mod activity;
mod events;
mod played;
mod request;
mod scenario;
mod variables;

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value};

pub use played::{Ending, Exchange, Note, Played, Step};
pub(crate) use request::is_below_bridge;
pub use request::{HttpAnswer, HttpFailure, HttpOutcome, SentRequest};
pub use scenario::{Scenario, Weather};

use crate::model::{Activity, Event, Flow, FlowKind, Mapping, Process};
use scenario::{Act, Until};
use variables::Variables;

/// How many activities a play may have: a caller who enters the same wrong digits for ever is not listened to longer.
const MOST_ACTIVITIES: usize = 400;
/// How long a caller waits in the queue before an agent answers or the caller gives up.
const WAITS_IN_QUEUE: Duration = Duration::from_secs(30);

/// What a flow is played with.
#[derive(Debug, Clone)]
pub struct Script<'f> {
    /// What happens to the caller.
    pub scenario: Scenario,
    /// The caller's number (ANI), as Webex gives it to flows.
    pub caller: String,
    /// The number that was called (DNIS).
    pub dialed: String,
    /// The id of the interaction.
    pub interaction_id: String,
    /// What the caller enters, one text for each menu or prompt for digits; afterwards what leads to the scenario's aim.
    pub digits: Vec<String>,
    /// Outputs of activities that cannot be played, by the name of the activity: functions, requests to others than the bridge.
    pub stubs: &'f Map<String, Value>,
    /// Subflows, found by name.
    pub subflows: &'f [Flow],
    /// The last parts of the paths of the bridge's routes.
    pub routes: &'f [&'f str],
    /// Whether a request that is not answered in time leaves by an error ("Undefined Error"). Webex's documents say both.
    pub timeout_is_error: bool,
}

/// What a play needs from outside.
#[derive(Debug, Clone, PartialEq)]
pub enum Demand {
    /// Send this request, and give its outcome to [`Play::answered`].
    Send(SentRequest),
    /// Send this request, and go on without its answer: the caller hangs up meanwhile.
    SendBeside(SentRequest),
    /// An agent accepts the call in Salesforce.
    AgentAccepts,
    /// The play is over.
    Done,
}

/// A flow that is played.
#[derive(Debug)]
pub struct Play<'f> {
    flow: &'f Flow,
    script: Script<'f>,
    variables: Variables<'f>,
    frames: Vec<Frame<'f>>,
    acts: VecDeque<Act>,
    /// Until when the main flow is played; none while an event flow is.
    until: Option<Until>,
    /// The activity whose error came to OnGlobalError.
    failed_at: Option<String>,
    elapsed: Duration,
    queued_at: Option<Duration>,
    sending: Option<Sending<'f>>,
    /// A request whose answer nobody waits for.
    beside: Option<SentRequest>,
    digits: VecDeque<String>,
    activities_left: usize,
    /// Values that secure variables have had.
    secure: BTreeSet<String>,
    played: Played,
}

/// A process that is gone through. The lowest is the flow's own, each one above a subflow.
#[derive(Debug)]
struct Frame<'f> {
    place: String,
    process: &'f Process,
    at: Option<&'f Activity>,
    /// The variables of a subflow, and what it gives back.
    subflow: Option<(Variables<'f>, &'f [Mapping])>,
}

/// A request that waits for its answer.
#[derive(Debug)]
struct Sending<'f> {
    activity: &'f Activity,
    request: SentRequest,
    retries_left: u64,
    step: Step,
}

/// The defaults of secure variables.
fn secure_defaults(flow: &Flow) -> impl Iterator<Item = String> + '_ {
    let secure = flow.variables.iter().filter(|variable| variable.is_secure);
    secure.filter_map(|variable| variable.default.clone())
}

impl<'f> Play<'f> {
    /// A play at its beginning.
    #[must_use]
    pub fn new(flow: &'f Flow, script: Script<'f>) -> Self {
        let played = Played::new(script.scenario, script.interaction_id.clone(), script.timeout_is_error);
        Self {
            flow,
            variables: Variables::new(flow, true),
            frames: Vec::new(),
            acts: script.scenario.acts(flow).into(),
            until: None,
            failed_at: None,
            elapsed: Duration::ZERO,
            queued_at: None,
            sending: None,
            beside: None,
            digits: script.digits.iter().cloned().collect(),
            activities_left: MOST_ACTIVITIES,
            secure: std::iter::once(flow).chain(script.subflows).flat_map(secure_defaults).collect(),
            played,
            script,
        }
    }

    /// Plays on until something is needed from outside.
    pub fn next(&mut self, now: Timestamp) -> Demand {
        loop {
            if let Some(sending) = &self.sending {
                return Demand::Send(sending.request.clone());
            }
            if let Some(request) = self.beside.take() {
                return Demand::SendBeside(request);
            }
            if !self.frames.is_empty() {
                self.play_activity(now);
                continue;
            }
            match self.acts.pop_front() {
                None => return Demand::Done,
                Some(Act::AgentAccepts) => return Demand::AgentAccepts,
                Some(act) => self.begin(act),
            }
        }
    }

    /// What was played, without the values of secure variables.
    #[must_use]
    pub fn into_played(self) -> Played {
        let mut played = self.played;
        played.hide(&self.secure);
        played
    }

    fn begin(&mut self, act: Act) {
        match act {
            Act::Main(until) => self.begin_main(until),
            Act::Event(event, has_agent) => {
                self.until = None;
                self.begin_event(&event, has_agent);
            }
            Act::Talk(time) => self.elapsed += time,
            Act::AgentAccepts => {}
            Act::End(ending) => self.played.ending = ending,
        }
    }

    fn begin_main(&mut self, until: Until) {
        let Some(start) = self.flow.start() else { return };
        self.until = Some(until);
        // A call that comes in a second time finds the flow as if it were another one.
        self.variables = Variables::new(self.flow, self.script.scenario != Scenario::UnsetVariables);
        self.queued_at = None;
        let outputs = events::of_start(&self.script);
        for name in [start.name.as_str(), "NewPhoneContact", "NewContact"] {
            self.variables.set_outputs(name, outputs.clone());
        }
        self.frames = vec![Frame {
            place: "main".to_owned(),
            process: &self.flow.main,
            at: Some(start),
            subflow: None,
        }];
    }

    /// Begins the event flow of an event, if there is one.
    fn begin_event(&mut self, event: &Event, has_agent: bool) -> bool {
        let Some((process, entry)) = self.flow.on_event(event) else { return false };
        let outputs = events::of_event(event, has_agent, &self.script);
        for name in event.names().chain([entry.name.as_str()]) {
            self.variables.set_outputs(name, outputs.clone());
        }
        self.frames =
            vec![Frame { place: event.ui_name().to_owned(), process, at: Some(entry), subflow: None }];
        true
    }

    /// The variables of the flow, or of the subflow that is played.
    fn variables(&mut self) -> &mut Variables<'f> {
        match self.frames.last_mut().and_then(|frame| frame.subflow.as_mut()) {
            Some((variables, _)) => variables,
            None => &mut self.variables,
        }
    }

    /// Goes to an activity, or ends the process when there is none.
    fn go(&mut self, to: Option<&'f Activity>) {
        if let Some(frame) = self.frames.last_mut() {
            frame.at = to;
        }
        if to.is_none() {
            self.end_process();
        }
    }

    /// The end of the process that is played: a subflow returns, an event flow is over, and of the main flow it depends on where
    /// the caller is.
    fn end_process(&mut self) {
        let Some(mut frame) = self.frames.pop() else { return };
        if let Some((variables, outputs)) = frame.subflow.take() {
            for output in outputs {
                let value = variables.value(&output.target);
                self.variables().set(&output.variable, &value);
            }
            self.leave_by_success();
            return;
        }
        match (self.until, self.queued_at) {
            (None, _) => {}
            (Some(_), Some(since)) => self.elapsed = self.elapsed.max(since + WAITS_IN_QUEUE),
            (Some(_), None) => {
                let ending = match self.failed_at.take() {
                    Some(activity) => Ending::Dropped { activity },
                    None if self.flow.kind == FlowKind::Subflow => Ending::Returned,
                    None => Ending::Disconnected,
                };
                self.lose(ending);
            }
        }
    }

    /// The caller is gone, against the scenario.
    fn lose(&mut self, ending: Ending) {
        self.frames.clear();
        self.acts.clear();
        // Of a play that is broken off nothing more is played, and a call that has left is another flow's.
        if !matches!(ending, Ending::Returned | Ending::Endless | Ending::Left { .. }) {
            self.acts.push_back(Act::Event(Event::PhoneContactEnded, false));
        }
        self.played.ending = ending;
    }

    /// The usual way on from where the play is.
    fn leave_by_success(&mut self) {
        let Some(frame) = self.frames.last() else { return };
        let next = frame.at.and_then(|activity| frame.process.success(&activity.id));
        let next = next.and_then(|link| frame.process.activity(&link.to));
        self.go(next);
    }

    /// An error: the error edge takes it up, else the flow around a subflow, else OnGlobalError.
    fn fail(&mut self) {
        let Some(place) = self.frames.first().map(|frame| frame.place.clone()) else { return };
        let failed = self.frames.last().and_then(|frame| frame.at).map(|activity| activity.name.clone());
        while let Some(frame) = self.frames.last_mut() {
            let link = frame.at.and_then(|activity| frame.process.error(&activity.id));
            if let Some(next) = link.and_then(|link| frame.process.activity(&link.to)) {
                frame.at = Some(next);
                return;
            }
            self.frames.pop();
        }
        let is_error_flow = place == Event::OnGlobalError.ui_name();
        if self.until.is_some() && self.failed_at.is_none() {
            self.failed_at = failed;
        }
        let is_taken_up = !is_error_flow && self.begin_event(&Event::OnGlobalError, false);
        if is_taken_up || self.until.is_none() || self.queued_at.is_some() {
            return;
        }
        if let Some(activity) = self.failed_at.take() {
            self.lose(Ending::Dropped { activity });
        }
    }
}
