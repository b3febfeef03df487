//! What each kind of activity does in a play.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::request::{is_below_bridge, target};
use super::scenario::Until;
use super::variables::Variables;
use super::{
    Ending, Exchange, Frame, HttpAnswer, HttpFailure, HttpOutcome, Note, Play, Sending, SentRequest, Step,
    WAITS_IN_QUEUE,
};
use crate::json_path::JsonPath;
use crate::model::{
    Activity, ActivityKind, Assignment, Branch, Exit, HttpRequest, Mapping, Output, templates,
};
use crate::pebble::Template;

/// How long a message, a menu or a prompt for digits is listened to.
const LISTENS: Duration = Duration::from_secs(4);
/// How long music plays that has no length.
const MUSIC: Duration = Duration::from_secs(10);

/// How an activity is left.
enum Way {
    /// The usual way on.
    Success,
    /// By this exit.
    Exit(Exit),
    /// By an error.
    Error,
    /// The process ends here.
    End,
    /// A request waits for its answer.
    Waits,
    /// The part of the scenario is over, or the caller is gone.
    Over,
}

impl<'f> Play<'f> {
    /// Plays the activity at which the play is.
    pub(super) fn play_activity(&mut self, now: Timestamp) {
        let Some(frame) = self.frames.last() else { return };
        let Some(activity) = frame.at else { return self.end_process() };
        let mut step = Step::new(self.elapsed, &frame.place, activity);
        if self.is_interrupted_by(activity) {
            self.frames.clear();
            return;
        }
        let Some(left) = self.activities_left.checked_sub(1) else { return self.lose(Ending::Endless) };
        self.activities_left = left;
        let way = self.perform(activity, &mut step, now);
        self.leave(activity, step, &way);
    }

    fn leave(&mut self, activity: &'f Activity, mut step: Step, way: &Way) {
        let Some(frame) = self.frames.last() else {
            self.played.steps.push(step);
            return;
        };
        let link = match way {
            Way::Success => frame.process.success(&activity.id),
            Way::Exit(exit) => frame.process.exit(&activity.id, exit),
            Way::Error => frame.process.error(&activity.id),
            Way::End | Way::Waits | Way::Over => None,
        };
        let next = link.and_then(|link| frame.process.activity(&link.to));
        step.exit = link.map(|link| link.exit.clone());
        if !matches!(way, Way::Waits) {
            self.played.steps.push(step);
        }
        match way {
            Way::Success | Way::Exit(_) => self.go(next),
            Way::Error => self.fail(),
            Way::End => self.go(None),
            Way::Over => self.frames.clear(),
            Way::Waits => {}
        }
    }

    /// Whether the scenario takes the caller out of the main flow before this activity.
    fn is_interrupted_by(&self, activity: &Activity) -> bool {
        match self.until {
            Some(Until::Heard) => is_heard(&activity.kind) || is_queue(&activity.kind),
            Some(_) => self.queued_at.is_some_and(|since| self.elapsed >= since + WAITS_IN_QUEUE),
            None => false,
        }
    }

    fn perform(&mut self, activity: &'f Activity, step: &mut Step, now: Timestamp) -> Way {
        match &activity.kind {
            ActivityKind::Start(_) | ActivityKind::SubflowStart | ActivityKind::Event(_) => Way::Success,
            ActivityKind::SetVariable(rows) => self.set_variables(rows, step, now),
            ActivityKind::Condition { expression } => self.condition(expression, step, now),
            ActivityKind::Case { expression, cases } => self.case(expression, cases, step, now),
            ActivityKind::BusinessHours { .. } | ActivityKind::PercentageAllocation(_) => {
                step.notes.push(Note::Assumed("the way towards the queue is taken"));
                self.toward_aim(activity).map_or(Way::Success, Way::Exit)
            }
            ActivityKind::HttpRequest(request) => self.http_request(activity, request, step, now),
            ActivityKind::RulesRequest { outputs, .. } | ActivityKind::Function { outputs, .. } => {
                let result = self.stub(&activity.name, step);
                self.take_outputs(outputs, &result, false, step, now)
            }
            ActivityKind::Parse { input, content_type, outputs } => {
                self.parse(input, content_type.as_deref(), outputs, step, now)
            }
            ActivityKind::Subflow { name, inputs, outputs, .. } => {
                self.subflow(activity, name.as_deref(), inputs, outputs, step, now)
            }
            ActivityKind::QueueContact(_) | ActivityKind::QueueToAgent { .. } => {
                let way = self.fill_all(activity, step, now);
                if matches!(way, Way::Success) {
                    self.queued_at = self.queued_at.or(Some(self.elapsed));
                    self.played.was_queued = true;
                }
                way
            }
            ActivityKind::Callback { .. } | ActivityKind::ScheduledCallback { .. }
                if self.until == Some(Until::Callback) =>
            {
                match self.fill_all(activity, step, now) {
                    Way::Success => Way::Over,
                    way => way,
                }
            }
            ActivityKind::Menu { digits, .. } => self.menu(activity, digits, step, now),
            ActivityKind::CollectDigits { minimum, .. } => self.collect(activity, *minimum, step, now),
            ActivityKind::HandOff { .. } | ActivityKind::BlindTransfer { .. } => {
                match self.fill_all(activity, step, now) {
                    Way::Success if self.until.is_some() => {
                        self.lose(Ending::Left { activity: activity.name.clone() });
                        Way::Over
                    }
                    way => way,
                }
            }
            ActivityKind::DisconnectContact if self.until.is_some() => {
                let dropped = self.failed_at.take().map(|activity| Ending::Dropped { activity });
                self.lose(dropped.unwrap_or(Ending::Disconnected));
                Way::Over
            }
            ActivityKind::DisconnectContact | ActivityKind::EndFlow | ActivityKind::EndSubflow => Way::End,
            ActivityKind::Unknown { activity_type } => {
                step.notes.push(Note::NotUnderstood(format!("activity {activity_type}")));
                Way::Success
            }
            kind => {
                self.listen(time_of(kind));
                if let Some(outputs) = self.script.stubs.get(&activity.name) {
                    self.variables().set_outputs(&activity.name, outputs.clone());
                }
                self.fill_all(activity, step, now)
            }
        }
    }

    /// Time passes. In the queue the scenario does not wait for the end of the music.
    fn listen(&mut self, time: Duration) {
        let end = self.elapsed + time;
        let waited = self.queued_at.filter(|_| self.until.is_some()).map(|since| since + WAITS_IN_QUEUE);
        self.elapsed = waited.map_or(end, |waited| end.min(waited)).max(self.elapsed);
    }

    /// Fills in a field. What is not understood is taken for empty.
    fn fill(&mut self, field: &str, text: &str, step: &mut Step, now: Timestamp) -> Option<String> {
        let template = match Template::parse(text) {
            Ok(template) => template,
            Err(error) => {
                step.notes.push(expression_fails(field, &error));
                return None;
            }
        };
        match self.variables().render(&template, now) {
            Ok(filled) => Some(filled),
            Err(error) => match error.not_understood() {
                Some(what) => {
                    step.notes.push(Note::NotUnderstood(format!("{field}: {what}")));
                    Some(String::new())
                }
                None => {
                    step.notes.push(expression_fails(field, &error));
                    None
                }
            },
        }
    }

    /// Fills in all fields of an activity whose values play no part here: what fails there fails in Webex.
    fn fill_all(&mut self, activity: &Activity, step: &mut Step, now: Timestamp) -> Way {
        for template in templates(activity) {
            if self.fill(&template.field, &template.text, step, now).is_none() {
                return Way::Error;
            }
        }
        Way::Success
    }

    fn set(&mut self, variable: &str, value: &Value, step: &mut Step) {
        let value = self.variables().set(variable, value);
        if self.variables().is_secure(variable) {
            self.secure.insert(value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        }
        step.set.push((variable.to_owned(), value));
    }

    fn set_variables(&mut self, rows: &[Assignment], step: &mut Step, now: Timestamp) -> Way {
        for row in rows {
            let value = if row.is_variable && !row.value.contains("{{") {
                self.variables().value(&row.value)
            } else {
                let field = format!("Variable {}", row.variable);
                match self.fill(&field, &row.value, step, now) {
                    Some(text) => Value::from(text),
                    None => return Way::Error,
                }
            };
            self.set(&row.variable, &value, step);
        }
        Way::Success
    }

    fn condition(&mut self, expression: &str, step: &mut Step, now: Timestamp) -> Way {
        match self.fill("Expression", expression, step, now) {
            Some(text) if text.trim().eq_ignore_ascii_case("true") => Way::Exit(Exit::True),
            Some(_) => Way::Exit(Exit::False),
            None => Way::Error,
        }
    }

    fn case(&mut self, expression: &str, cases: &[Branch], step: &mut Step, now: Timestamp) -> Way {
        let Some(value) = self.fill("Expression", expression, step, now) else { return Way::Error };
        for case in cases {
            let field = format!("Case {}", case.exit);
            let Some(wanted) = self.fill(&field, &case.value, step, now) else { return Way::Error };
            if wanted.trim() == value.trim() {
                return Way::Exit(Exit::from_condition(&case.exit));
            }
        }
        Way::Exit(Exit::Default)
    }

    /// The exit through which what the scenario is about can be reached.
    fn toward_aim(&self, activity: &Activity) -> Option<Exit> {
        let process = self.frames.last()?.process;
        let is_aim = |kind: &ActivityKind| match self.until {
            Some(Until::Callback) => {
                matches!(kind, ActivityKind::Callback { .. } | ActivityKind::ScheduledCallback { .. })
            }
            _ => is_queue(kind),
        };
        let mut ways: Vec<_> =
            process.outgoing(&activity.id).filter(|link| !link.exit.is_failure()).collect();
        ways.sort_by_key(|link| !process.reachable(&link.to).iter().any(|reached| is_aim(&reached.kind)));
        ways.first().map(|link| link.exit.clone())
    }

    fn menu(&mut self, activity: &'f Activity, digits: &[Branch], step: &mut Step, now: Timestamp) -> Way {
        self.listen(LISTENS);
        if !matches!(self.fill_all(activity, step, now), Way::Success) {
            return Way::Error;
        }
        let exit = match self.digits.pop_front() {
            Some(digit) if digits.iter().any(|branch| branch.exit == digit) => Exit::from_condition(&digit),
            Some(_) => Exit::Invalid,
            None => match self.toward_aim(activity) {
                Some(exit) => exit,
                None => return Way::End,
            },
        };
        if let Exit::Branch(digit) = &exit {
            self.variables()
                .set_outputs(&activity.name, json!({"OptionEntered": digit, "DigitsEntered": digit}));
        }
        Way::Exit(exit)
    }

    fn collect(
        &mut self,
        activity: &'f Activity,
        minimum: Option<u64>,
        step: &mut Step,
        now: Timestamp,
    ) -> Way {
        self.listen(LISTENS);
        if !matches!(self.fill_all(activity, step, now), Way::Success) {
            return Way::Error;
        }
        let count = usize::try_from(minimum.unwrap_or(1).clamp(1, 64)).unwrap_or(1);
        let digits = self.digits.pop_front().unwrap_or_else(|| "1".repeat(count));
        self.variables().set_outputs(&activity.name, json!({ "DigitsEntered": digits }));
        Way::Success
    }

    /// What the caller of the play says that an activity gives.
    fn stub(&mut self, name: &str, step: &mut Step) -> Value {
        if let Some(value) = self.script.stubs.get(name) {
            return value.clone();
        }
        step.notes.push(Note::NotUnderstood(format!("what {name} gives; it is taken for {{}}")));
        json!({})
    }

    /// Takes values out of a document. `finds_all`: what a path does not find is worth a word.
    fn take_outputs(
        &mut self,
        outputs: &[Output],
        document: &Value,
        finds_all: bool,
        step: &mut Step,
        now: Timestamp,
    ) -> Way {
        for output in outputs {
            let field = format!("Path Expression of {}", output.variable);
            let Some(path) = self.fill(&field, &output.path, step, now) else { return Way::Error };
            let found = JsonPath::parse(&path).ok().and_then(|path| path.read(document).ok());
            if found.is_none() && finds_all {
                step.notes.push(Note::FindsNothing { variable: output.variable.clone(), path });
            }
            self.set(&output.variable, &found.unwrap_or_default(), step);
        }
        Way::Success
    }

    fn parse(
        &mut self,
        input: &str,
        content_type: Option<&str>,
        outputs: &[Output],
        step: &mut Step,
        now: Timestamp,
    ) -> Way {
        if let Some(other) = content_type.filter(|name| !name.to_ascii_lowercase().contains("json")) {
            step.notes.push(Note::NotUnderstood(format!("parsing {other}")));
            return Way::Success;
        }
        let name = input.trim().trim_start_matches("{{").trim_end_matches("}}").trim();
        let document = as_document(&self.variables().value(name));
        self.take_outputs(outputs, &document, false, step, now)
    }

    fn subflow(
        &mut self,
        activity: &'f Activity,
        name: Option<&str>,
        inputs: &[Mapping],
        outputs: &'f [Mapping],
        step: &mut Step,
        now: Timestamp,
    ) -> Way {
        let subflows = self.script.subflows;
        let found = subflows.iter().find(|flow| Some(flow.name.as_str()) == name);
        let Some((flow, start)) = found.and_then(|flow| Some((flow, flow.start()?))) else {
            let name = name.unwrap_or(&activity.name);
            step.notes.push(Note::NotUnderstood(format!("subflow {name}, which was not given")));
            return Way::Success;
        };
        // One level: a subflow within a subflow is none of Webex's.
        if self.frames.len() > 1 {
            step.notes.push(Note::NotUnderstood("a subflow within a subflow".to_owned()));
            return Way::Success;
        }
        let mut variables = Variables::new(flow, true);
        for input in inputs {
            let value = if input.variable.contains("{{") {
                match self.fill("Subflow Input Variables", &input.variable, step, now) {
                    Some(text) => Value::from(text),
                    None => return Way::Error,
                }
            } else {
                self.variables().value(&input.variable)
            };
            variables.set(&input.target, &value);
        }
        self.frames.push(Frame {
            place: flow.name.clone(),
            process: &flow.main,
            at: Some(start),
            subflow: Some((variables, outputs)),
        });
        self.played.steps.push(step.clone());
        Way::Waits
    }

    fn http_request(
        &mut self,
        activity: &'f Activity,
        request: &HttpRequest,
        step: &mut Step,
        now: Timestamp,
    ) -> Way {
        let Some(sent) = self.filled_request(activity, request, step, now) else { return Way::Error };
        if let Some(body) = sent.body.as_deref().filter(|_| is_json(request)) {
            step.notes.extend(no_json(body));
        }
        for output in &request.outputs {
            self.variables().touch(&output.variable);
        }
        if self.until == Some(Until::CreateSent) && sent.route() == "createVoiceCall" {
            step.exchanges.push(Exchange { request: sent.clone(), outcome: None });
            self.beside = Some(sent);
            return Way::Over;
        }
        let is_bridge = self.script.routes.contains(&sent.route()) || is_below_bridge(&sent.target);
        let stub = if is_bridge { None } else { Some(self.stub(&activity.name, step)) };
        self.sending =
            Some(Sending { activity, request: sent, retries_left: request.retries, step: step.clone() });
        if let Some(body) = stub {
            let answer = HttpAnswer { status: 200, body: body.to_string(), headers: Map::new() };
            self.answered(HttpOutcome { took: Duration::ZERO, result: Ok(answer) }, now);
        }
        Way::Waits
    }

    fn filled_request(
        &mut self,
        activity: &Activity,
        request: &HttpRequest,
        step: &mut Step,
        now: Timestamp,
    ) -> Option<SentRequest> {
        let mut fill = |field: &str, text: &str| {
            if let Ok(template) = Template::parse(text) {
                for variable in self.variables().unset(&template) {
                    step.notes.push(Note::Unset { field: field.to_owned(), variable });
                }
            }
            self.fill(field, text, step, now)
        };
        let mut pairs = |field: &str, pairs: &[(String, String)]| {
            let filled = pairs
                .iter()
                .map(|(name, value)| Some((name.clone(), fill(&format!("{field}: {name}"), value)?)));
            filled.collect::<Option<Vec<_>>>()
        };
        let query = pairs("Query Parameters", &request.query)?;
        let headers = pairs("HTTP Request Headers", &request.headers)?;
        let target = fill("Request Path", target(request))?;
        let body = match &request.body {
            Some(body) => Some(fill("Request Body", body)?),
            None => None,
        };
        Some(SentRequest {
            activity: activity.name.clone(),
            method: request.method.to_ascii_uppercase(),
            target,
            query,
            headers,
            content_type: request.content_type.clone(),
            body,
            timeout: Duration::from_millis(request.timeout_ms),
        })
    }

    /// Takes the outcome of the request that [`super::Demand::Send`] named.
    pub fn answered(&mut self, outcome: HttpOutcome, now: Timestamp) {
        let Some(Sending { activity, request, retries_left, mut step }) = self.sending.take() else { return };
        self.elapsed += outcome.took;
        if self.until.is_some() && self.queued_at.is_none() {
            self.played.waited_for_requests += outcome.took;
        }
        step.exchanges.push(Exchange { request: request.clone(), outcome: Some(outcome.clone()) });
        let way = match outcome.result {
            Ok(answer) if answer.status >= 500 && retries_left > 0 => {
                self.sending = Some(Sending { activity, request, retries_left: retries_left - 1, step });
                return;
            }
            Ok(answer) => self.take_answer(activity, &answer, &mut step, now),
            Err(HttpFailure::Timeout) if !self.script.timeout_is_error => Way::Success,
            Err(_) => Way::Error,
        };
        self.leave(activity, step, &way);
    }

    fn take_answer(
        &mut self,
        activity: &'f Activity,
        answer: &HttpAnswer,
        step: &mut Step,
        now: Timestamp,
    ) -> Way {
        let outputs = json!({
            "httpStatusCode": answer.status, "httpResponseBody": answer.body, "httpResponseHeaders": answer.headers,
        });
        self.variables().set_outputs(&activity.name, outputs);
        let ActivityKind::HttpRequest(request) = &activity.kind else { return Way::Success };
        if let Some(other) = request.parse_type.as_deref().filter(|name| {
            let name = name.to_ascii_lowercase();
            !name.is_empty() && !name.contains("json")
        }) {
            step.notes.push(Note::NotUnderstood(format!("an answer of type {other}")));
            return Way::Success;
        }
        let document = as_document(&Value::from(answer.body.as_str()));
        let is_success =
            (200..300).contains(&answer.status) && !self.script.stubs.contains_key(&activity.name);
        let finds_all =
            is_success && self.script.routes.contains(&super::request::last_part(target(request)));
        self.take_outputs(&request.outputs, &document, finds_all, step, now)
    }
}

/// A text as the JSON that it holds.
fn as_document(value: &Value) -> Value {
    match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or_default(),
        other => other.clone(),
    }
}

fn expression_fails(field: &str, error: &crate::pebble::TemplateError) -> Note {
    Note::ExpressionFails { field: field.to_owned(), column: error.column(), words: error.to_string() }
}

fn is_json(request: &HttpRequest) -> bool {
    request.content_type.as_deref().is_none_or(|kind| kind.to_ascii_lowercase().contains("json"))
}

/// Why a body is no JSON, with what stands there.
fn no_json(body: &str) -> Option<Note> {
    if body.trim().is_empty() {
        return None;
    }
    let error = serde_json::from_str::<serde::de::IgnoredAny>(body).err()?;
    let line = body.lines().nth(error.line().saturating_sub(1)).unwrap_or_default();
    let before: String = line.chars().take(error.column().saturating_sub(1)).collect();
    let start = before.chars().count().saturating_sub(24);
    let (before, after): (String, String) = (
        before.chars().skip(start).collect(),
        line.chars().skip(error.column().saturating_sub(1)).take(24).collect(),
    );
    Some(Note::BodyNoJson { words: format!("{error}, between `{}` and `{}`", before.trim(), after.trim()) })
}

fn is_queue(kind: &ActivityKind) -> bool {
    matches!(kind, ActivityKind::QueueContact(_) | ActivityKind::QueueToAgent { .. })
}

fn is_heard(kind: &ActivityKind) -> bool {
    matches!(kind, ActivityKind::Menu { .. } | ActivityKind::CollectDigits { .. }) || !time_of(kind).is_zero()
}

/// How long an activity keeps the caller busy that does nothing but that.
fn time_of(kind: &ActivityKind) -> Duration {
    match kind {
        ActivityKind::PlayMessage(_) | ActivityKind::Record { .. } | ActivityKind::VirtualAgent { .. } => {
            LISTENS
        }
        ActivityKind::PlayMusic { duration_seconds, .. } => {
            duration_seconds.map_or(MUSIC, |seconds| Duration::from_secs(seconds.clamp(1, 24 * 3600)))
        }
        ActivityKind::Wait { .. } => LISTENS,
        _ => Duration::ZERO,
    }
}
