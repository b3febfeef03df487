//! Where the values of attributes are found: paths into requests, webhooks and the call's segments.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::super::{
    CallHistory, FlowTime, MappedNames, Segment, SegmentKind, StoredJson, StretchKind, cut, hide_numbers,
};

/// A VoiceCall field and where its value is found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// API name of the VoiceCall field, such as `Recording_Id__c`.
    pub field: String,
    /// Where its value is found.
    pub path: ValuePath,
}

/// Names from the outside in, with dots between them: `request.flowInputParameters.param1`. They are case-sensitive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ValuePath {
    text: String,
    root: PathRoot,
}

/// The root of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathRoot {
    /// `request`: the requests of the flow.
    Request,
    /// `data`: the webhooks.
    Data,
    /// `segments`: the history of the call.
    Segments(SegmentValue),
    /// No root: the requests of the flow, then the webhooks.
    Anywhere,
}

/// Why a text is no path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPath {
    /// A name in it is empty, or contains other characters than letters, digits and `_`.
    #[error("is not a path of names")]
    Names,
    /// A root and nothing after it.
    #[error("names no value of `{0}`")]
    Bare(&'static str),
    /// Almost a root, but for capitals or an s.
    #[error("begins with a word that is nearly `{0}`")]
    NearlyRoot(&'static str),
    /// The bridge does not store it.
    #[error("is never kept: it is the name of this contact center")]
    ContactCenter,
    /// There is no such value of segments.
    #[error("is no value of segments")]
    Segments,
}

const REQUEST: &str = "request";
const DATA: &str = "data";
const SEGMENTS: &str = "segments";
const CONTACT_CENTER: &str = "callCenterDevName";
const ROOTS: [&str; 3] = [REQUEST, DATA, SEGMENTS];

impl ValuePath {
    /// Reads a path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, InvalidPath> {
        let (first, rest) = match text.split_once('.') {
            Some((first, rest)) => (first, Some(rest)),
            None => (text, None),
        };
        let is_inner = |name: &str| is_name(name) || is_index(name);
        if !is_name(first) || !rest.is_none_or(|rest| rest.split('.').all(is_inner)) {
            return Err(InvalidPath::Names);
        }
        let root = match (ROOTS.into_iter().find(|root| *root == first), rest) {
            (Some(root), None) => return Err(InvalidPath::Bare(root)),
            (Some(REQUEST), Some(CONTACT_CENTER)) => return Err(InvalidPath::ContactCenter),
            (Some(REQUEST), _) => PathRoot::Request,
            (Some(DATA), _) => PathRoot::Data,
            (Some(_), Some(rest)) => {
                PathRoot::Segments(SegmentValue::parse(rest).ok_or(InvalidPath::Segments)?)
            }
            (None, _) => match ROOTS.into_iter().find(|root| is_nearly(first, root)) {
                Some(root) => return Err(InvalidPath::NearlyRoot(root)),
                None => PathRoot::Anywhere,
            },
        };
        Ok(Self { text: text.to_owned(), root })
    }

    /// The root.
    pub fn root(&self) -> PathRoot {
        self.root
    }

    /// Whether a request of the flow may have the value.
    pub fn is_of_requests(&self) -> bool {
        matches!(self.root, PathRoot::Request | PathRoot::Anywhere)
    }

    /// Whether a webhook may have the value.
    pub fn is_of_webhooks(&self) -> bool {
        matches!(self.root, PathRoot::Data | PathRoot::Anywhere)
    }

    /// The names after the root, with dots between them.
    pub fn inner(&self) -> &str {
        match self.root {
            PathRoot::Anywhere => &self.text,
            _ => self.text.split_once('.').map_or("", |(_, inner)| inner),
        }
    }

    /// The last name.
    pub fn last(&self) -> &str {
        self.text.rsplit('.').next().unwrap_or_default()
    }

    /// Every path of segments.
    pub fn all_of_segments() -> impl Iterator<Item = String> {
        SegmentValue::all().map(|value| format!("{SEGMENTS}.{value}"))
    }
}

impl AsRef<str> for ValuePath {
    fn as_ref(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for ValuePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Attribute {
    /// Whether a text can be the API name of a field.
    pub fn is_field(text: &str) -> bool {
        is_name(text)
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    text.starts_with(|first: char| first.is_ascii_alphabetic()) && text.bytes().all(allowed)
}

/// The index of an element in a list, counted from 0.
fn is_index(text: &str) -> bool {
    (1..=4).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_nearly(word: &str, root: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches(['s', 'S']).to_ascii_lowercase();
    bare(word) == bare(root)
}

/// The value at a path. It has no printable form, because it may be anything, also a phone number.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FoundValue {
    /// A text, or a number, true or false as one.
    Text(String),
    /// A text of so many characters, too long for any field; the text itself is not stored.
    TooLong(usize),
    /// Another value than a text.
    NotText(ValueShape),
}

/// The shape of a value that is no text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueShape {
    /// Values in order.
    List,
    /// Values under names.
    Object,
}

impl FoundValue {
    /// The value at `names` (with dots between them) below `value`; a text only if it has at most `longest` characters. A
    /// null or blank value is none: that is what an unset flow variable becomes. A text that is JSON is parsed: flows
    /// send objects in quotes.
    pub(super) fn at(value: &Value, names: &str, longest: usize) -> Option<Self> {
        if names.is_empty() {
            return Self::of(value, longest);
        }
        let (name, rest) = names.split_once('.').unwrap_or((names, ""));
        match value {
            Value::Object(fields) => Self::at(fields.get(name)?, rest, longest),
            Value::Array(list) => Self::at(list.get(name.parse::<usize>().ok()?)?, rest, longest),
            Value::String(text) => Self::at(&inside(text)?, names, longest),
            Value::Null | Value::Bool(_) | Value::Number(_) => None,
        }
    }

    fn of(value: &Value, longest: usize) -> Option<Self> {
        let text = match value {
            Value::Null => return None,
            Value::Array(_) => return Some(Self::NotText(ValueShape::List)),
            Value::Object(_) => return Some(Self::NotText(ValueShape::Object)),
            Value::String(text) if text.trim().is_empty() => return None,
            Value::String(text) => text.clone(),
            Value::Bool(value) => value.to_string(),
            Value::Number(number) => number.to_string(),
        };
        Some(Self::text(text, longest))
    }

    /// A text, unless it is longer than `longest` characters.
    pub(super) fn text(text: String, longest: usize) -> Self {
        match length(&text) {
            length if length > longest => Self::TooLong(length),
            _ => Self::Text(text),
        }
    }
}

impl fmt::Debug for FoundValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} characters)", length(text)),
            Self::TooLong(length) => write!(f, "TooLong({length})"),
            Self::NotText(shape) => write!(f, "NotText({shape:?})"),
        }
    }
}

/// Characters as Salesforce counts them, in UTF-16: an emoji counts as two.
pub(super) fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// The list or object in a text that is JSON.
fn inside(text: &str) -> Option<Value> {
    if !text.trim_start().starts_with(['{', '[', '"']) {
        return None;
    }
    let value = serde_json::from_str(text).ok()?;
    matches!(value, Value::Array(_) | Value::Object(_) | Value::String(_)).then_some(value)
}

/// How many names of one message are listed, how deep, and how long each may be, in characters.
const MOST_LISTED: usize = 100;
const DEEPEST_LISTED: usize = 8;
const LONGEST_LISTED: usize = 120;

/// The values that are picked from a request of a flow, or from a webhook. They have no printable form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PickedValues {
    /// The values, by path.
    #[serde(default)]
    values: BTreeMap<String, FoundValue>,
    /// The configured fields that the flow's own callAttributes name.
    #[serde(default)]
    named: BTreeSet<String>,
    /// The names of all fields.
    #[serde(skip)]
    arrived: Vec<ArrivedField>,
}

/// A field of a message, without its value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ArrivedField {
    /// Names from the outside in, with dots between them. A phone number in them is hidden.
    pub path: String,
    /// Its type, in a word or two.
    pub what: String,
}

impl PickedValues {
    /// Picks from a request of a flow: its fields as they came. Of a field that came twice the last one counts.
    pub fn by_request<'v>(
        fields: impl Iterator<Item = (&'v str, &'v Value)>,
        attributes: &[Attribute],
        longest: usize,
    ) -> Self {
        let fields: BTreeMap<&str, &Value> = fields.collect();
        let named = fields.get("callAttributes").map(|own| names_of(own)).unwrap_or_default();
        let named =
            attributes.iter().map(|attribute| &attribute.field).filter(|field| named.contains(*field));
        let paths = attributes.iter().map(|attribute| &attribute.path).filter(|path| path.is_of_requests());
        let values = pick(|name| fields.get(name).copied(), paths, longest);
        let mut arrived = Vec::new();
        fields.iter().for_each(|(name, value)| list(&mut arrived, name, value, DEEPEST_LISTED));
        Self { values, named: named.cloned().collect(), arrived }
    }

    /// Picks from the `data` of a webhook.
    pub fn by_webhook<'p>(
        data: &Map<String, Value>,
        paths: impl Iterator<Item = &'p ValuePath>,
        longest: usize,
    ) -> Self {
        let paths = paths.filter(|path| path.is_of_webhooks());
        let values = pick(|name| data.get(name), paths, longest);
        let mut arrived = Vec::new();
        data.iter().for_each(|(name, value)| list(&mut arrived, name, value, DEEPEST_LISTED));
        Self { values, named: BTreeSet::new(), arrived }
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty() && self.named.is_empty() && self.arrived.is_empty()
    }

    pub(super) fn values(&self) -> impl Iterator<Item = (&String, &FoundValue)> {
        self.values.iter()
    }

    pub(super) fn named(&self) -> impl Iterator<Item = &String> {
        self.named.iter()
    }

    /// The names of all fields; stored apart, because they contain no value.
    pub fn arrived(&self) -> &[ArrivedField] {
        &self.arrived
    }

    /// The stored form: JSON without a printable form. None where nothing was picked.
    pub fn body(&self) -> Option<StoredJson> {
        if self.values.is_empty() && self.named.is_empty() {
            return None;
        }
        serde_json::to_string(self).ok().map(StoredJson::new)
    }

    /// Parses the stored form.
    pub fn read(body: &StoredJson) -> Option<Self> {
        serde_json::from_str(body.expose()).ok()
    }
}

fn pick<'v, 'p>(
    field: impl Fn(&str) -> Option<&'v Value>,
    paths: impl Iterator<Item = &'p ValuePath>,
    longest: usize,
) -> BTreeMap<String, FoundValue> {
    let found = |path: &ValuePath| {
        let (name, rest) = path.inner().split_once('.').unwrap_or((path.inner(), ""));
        Some((path.to_string(), FoundValue::at(field(name)?, rest, longest)?))
    };
    paths.filter_map(found).collect()
}

/// The names of an object, also where it is in a text.
fn names_of(value: &Value) -> BTreeSet<String> {
    match value {
        Value::Object(fields) => fields.keys().cloned().collect(),
        Value::String(text) => inside(text).map(|value| names_of(&value)).unwrap_or_default(),
        _ => BTreeSet::new(),
    }
}

/// Lists the fields at and below a path.
fn list(arrived: &mut Vec<ArrivedField>, path: &str, value: &Value, depth: usize) {
    if arrived.len() >= MOST_LISTED {
        return;
    }
    let mut each = |children: &mut dyn Iterator<Item = (String, &Value)>| {
        children.for_each(|(name, child)| list(arrived, &format!("{path}.{name}"), child, depth - 1));
    };
    match value {
        Value::Object(fields) if depth > 0 && !fields.is_empty() => {
            each(&mut fields.iter().map(|(name, child)| (name.clone(), child)));
        }
        Value::Array(values) if depth > 0 && !values.is_empty() => {
            each(&mut values.iter().enumerate().map(|(at, child)| (at.to_string(), child)));
        }
        Value::String(text) if depth > 0 => match inside(text) {
            Some(inner) => list(arrived, path, &inner, depth - 1),
            None => arrived.push(ArrivedField::new(path, value)),
        },
        _ => arrived.push(ArrivedField::new(path, value)),
    }
}

impl ArrivedField {
    fn new(path: &str, value: &Value) -> Self {
        let what = match value {
            Value::Null => String::from("empty"),
            Value::String(text) if text.trim().is_empty() => String::from("empty"),
            Value::String(text) => format!("text ({})", length(text)),
            Value::Number(_) => String::from("number"),
            Value::Bool(_) => String::from("true or false"),
            Value::Array(_) => String::from("list"),
            Value::Object(_) => String::from("object"),
        };
        Self { path: cut(hide_numbers(path).into_owned(), LONGEST_LISTED), what }
    }
}

/// One value of the segments of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentValue {
    kind: &'static str,
    value: &'static str,
}

const KINDS: [(&str, SegmentKind); 5] = [
    ("menu", SegmentKind::Menu),
    ("queue", SegmentKind::Queue),
    ("invitation", SegmentKind::Invitation),
    ("agent", SegmentKind::Agent),
    ("wrapUp", SegmentKind::WrapUp),
];

/// Values of every kind.
const COMMON: [&str; 4] = ["count", "duration", "start", "end"];

/// Values of some kinds.
const SPECIAL: [(&str, &str); 8] = [
    ("queue", "id"),
    ("queue", "name"),
    ("agent", "id"),
    ("agent", "name"),
    ("agent", "holds"),
    ("agent", "holdDuration"),
    ("agent", "longestHold"),
    ("wrapUp", "code"),
];

impl SegmentValue {
    /// Every value.
    pub fn all() -> impl Iterator<Item = Self> {
        let common =
            KINDS.into_iter().flat_map(|(kind, _)| COMMON.into_iter().map(move |value| Self { kind, value }));
        common.chain(SPECIAL.into_iter().map(|(kind, value)| Self { kind, value }))
    }

    /// Reads `queue.duration`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (kind, value) = text.split_once('.')?;
        Self::all().find(|known| known.kind == kind && known.value == value)
    }

    /// The value as a text. Durations are whole seconds, times UTC with milliseconds. A segment that is still open
    /// lasts until `end`; without that its end, and how long it took, are not known.
    pub(super) fn of(
        self,
        history: &CallHistory,
        end: Option<Timestamp>,
        names: &MappedNames<'_>,
    ) -> Option<String> {
        let (_, kind) = KINDS.into_iter().find(|(kind, _)| *kind == self.kind)?;
        // A wrap-up lasts beyond the end of the call, so that end does not close it.
        let end = end.filter(|_| kind != SegmentKind::WrapUp);
        let named = |id: Option<&str>, table: &BTreeMap<String, String>| table.get(id?).cloned();
        match (self.kind, self.value) {
            (_, "count") => Some(history.of(kind).count().to_string()),
            (_, "duration") => duration(history.of(kind), end),
            (_, "start") => history.of(kind).next().map(|segment| moment(segment.start)),
            (_, "end") => history.of(kind).last().and_then(|segment| segment.end.or(end)).map(moment),
            ("queue", "id") => history.queue().map(str::to_owned),
            ("queue", "name") => named(history.queue(), names.queues),
            ("agent", "id") => history.agent().map(str::to_owned),
            ("agent", "name") => named(history.agent(), names.agents),
            ("agent", "holds") => history.sums().holds.map(|holds| holds.to_string()),
            // Search records a task after its end: no hold is open any more.
            ("agent", "holdDuration") if history.summary.is_some() => text(history.sums().total_hold),
            ("agent", "longestHold") if history.summary.is_some() => text(history.sums().longest_hold),
            ("agent", "holdDuration") => holds(history, end, |all| all.sum()),
            ("agent", "longestHold") => holds(history, end, |all| all.max().unwrap_or_default()),
            ("wrapUp", "code") => history.wrap_up_code().map(str::to_owned),
            _ => None,
        }
    }
}

impl fmt::Display for SegmentValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.kind, self.value)
    }
}

fn duration<'s>(mut segments: impl Iterator<Item = &'s Segment>, end: Option<Timestamp>) -> Option<String> {
    let total = segments.try_fold(0_u64, |total, segment| {
        Some(total.saturating_add(span(segment.start, segment.end.or(end)?)))
    })?;
    Some(seconds(total))
}

fn holds(
    history: &CallHistory,
    end: Option<Timestamp>,
    sum: impl FnOnce(std::vec::IntoIter<u64>) -> u64,
) -> Option<String> {
    let holds = history.segments.iter().flat_map(|segment| segment.stretches_of(StretchKind::Hold));
    let spans = holds.map(|hold| Some(span(hold.start, hold.end.or(end)?))).collect::<Option<Vec<_>>>()?;
    Some(seconds(sum(spans.into_iter())))
}

/// Milliseconds; an end before the beginning counts as no time.
fn span(start: Timestamp, end: Timestamp) -> u64 {
    u64::try_from(end.as_millisecond() - start.as_millisecond()).unwrap_or_default()
}

/// Milliseconds as whole seconds, rounded to the nearest.
fn seconds(milliseconds: u64) -> String {
    (milliseconds.saturating_add(500) / 1000).to_string()
}

fn text(seconds: Option<u64>) -> Option<String> {
    seconds.map(|seconds| seconds.to_string())
}

fn moment(at: Timestamp) -> String {
    FlowTime::new(at).to_string()
}

/// The values from requests and webhooks, and the history of the call. Of two values at a path the later one counts, so
/// that the order in which they are added has no effect; an empty value does not replace one.
#[derive(Debug, Clone, Default)]
pub struct KnownValues {
    requests: LatestValues,
    webhooks: LatestValues,
    named: BTreeSet<String>,
    history: Option<CallHistory>,
    end: Option<Timestamp>,
}

/// The latest value at each path.
#[derive(Debug, Clone, Default)]
struct LatestValues(BTreeMap<String, (i64, FoundValue)>);

impl LatestValues {
    fn take(&mut self, at: Timestamp, picked: &PickedValues) {
        for (path, found) in picked.values() {
            let new = (at.as_millisecond(), found.clone());
            match self.0.get_mut(path) {
                Some(known) if *known >= new => {}
                Some(known) => *known = new,
                None => drop(self.0.insert(path.clone(), new)),
            }
        }
    }

    fn get(&self, path: &ValuePath) -> Option<FoundValue> {
        self.0.get(path.as_ref()).map(|(_, found)| found.clone())
    }
}

impl KnownValues {
    /// Adds the values of a request, and when it came.
    pub fn add_request(&mut self, at: Timestamp, picked: &PickedValues) {
        self.requests.take(at, picked);
        self.named.extend(picked.named().cloned());
    }

    /// Adds the values of a webhook, and when it happened, by Webex's clock.
    pub fn add_webhook(&mut self, at: Timestamp, picked: &PickedValues) {
        self.webhooks.take(at, picked);
    }

    /// Sets the history. Its open segments last until `end`.
    pub fn set_history(&mut self, history: CallHistory, end: Option<Timestamp>) {
        self.end = history.ended_at.or(end);
        self.history = Some(history);
    }

    /// Whether a flow's own callAttributes, of any request, name a field.
    pub(super) fn is_named(&self, field: &str) -> bool {
        self.named.contains(field)
    }

    /// The value at a path.
    pub(super) fn find(
        &self,
        path: &ValuePath,
        longest: usize,
        names: &MappedNames<'_>,
    ) -> Option<FoundValue> {
        let found = match path.root() {
            PathRoot::Request => self.requests.get(path),
            PathRoot::Data => self.webhooks.get(path),
            PathRoot::Anywhere => self.requests.get(path).or_else(|| self.webhooks.get(path)),
            PathRoot::Segments(value) => {
                value.of(self.history.as_ref()?, self.end, names).map(|text| FoundValue::text(text, longest))
            }
        };
        match found? {
            FoundValue::Text(text) => Some(FoundValue::text(text, longest)),
            other => Some(other),
        }
    }
}
