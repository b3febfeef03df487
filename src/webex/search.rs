//! The Search API: tasks after they ended, with whatever fields the tenant and the query give.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use jiff::Timestamp;
use reqwest::Method;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer};
use serde_json::{Value, json};

use super::client::{ApiClient, ApiRequest, WebexError};
use crate::phone::PhoneNumber;

/// A span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeSpan {
    /// Its beginning.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// Where the next page begins; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageCursor(String);

/// A page of at most 250 tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskPage {
    /// The tasks.
    pub tasks: Vec<SearchTask>,
    /// How many records could not be parsed: they are null, or no objects.
    pub unreadable: usize,
    /// Where the next page begins, if there is one.
    pub next: Option<PageCursor>,
}

#[derive(Deserialize)]
struct SearchAnswer {
    data: Option<SearchData>,
    /// GraphQL reports errors beside a 200.
    #[serde(default, deserialize_with = "any")]
    errors: Option<Vec<GraphQlError>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SearchData {
    task_details: Option<TaskDetails>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct TaskDetails {
    #[serde(deserialize_with = "any")]
    tasks: Option<Vec<Value>>,
    #[serde(deserialize_with = "any")]
    page_info: Option<PageInfo>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PageInfo {
    #[serde(deserialize_with = "flag")]
    has_next_page: Option<bool>,
    #[serde(deserialize_with = "text")]
    end_cursor: Option<String>,
}

#[derive(Deserialize)]
struct GraphQlError {
    message: Option<String>,
}

impl ApiClient {
    /// Telephony tasks that ended within `span`, a page of them. A field that the tenant's schema does not have makes
    /// Webex refuse the whole query: the query is repeated without it, and never has it again.
    ///
    /// # Errors
    /// When Webex gives none.
    pub async fn ended_tasks(
        &self,
        span: TimeSpan,
        cursor: Option<&PageCursor>,
    ) -> Result<TaskPage, WebexError> {
        loop {
            let without = self.missing_fields().all();
            let error = match self.ask_for_tasks(ended(span, cursor, &without), cursor).await {
                Err(error @ (WebexError::Refused { status: 400, .. } | WebexError::Unreadable(_))) => error,
                answered => return answered,
            };
            let words = error.to_string();
            let Some(field) = refused(&words).filter(|field| !without.contains(field)) else {
                return Err(error);
            };
            if self.missing_fields().insert(field) {
                tracing::warn!(
                    field,
                    words,
                    "the Search API of this tenant lacks a field; it is no longer asked for"
                );
            }
        }
    }

    async fn ask_for_tasks(
        &self,
        query: String,
        cursor: Option<&PageCursor>,
    ) -> Result<TaskPage, WebexError> {
        let body = json!({ "query": query });
        let answered: SearchAnswer =
            self.ask(&ApiRequest { method: Method::POST, path: "/search", body: Some(body) }).await?;
        if let Some(problem) = answered.errors.iter().flatten().next() {
            let words = problem.message.as_deref().map(crate::domain::quote).unwrap_or_default();
            return Err(WebexError::Unreadable(format!("the Search API says {words}")));
        }
        let details = answered.data.and_then(|data| data.task_details);
        let details = details.ok_or_else(|| WebexError::Unreadable("no taskDetails".to_owned()))?;
        let next = details.page_info.filter(|info| info.has_next_page == Some(true));
        let next = next.and_then(|info| info.end_cursor).map(PageCursor);
        if next.is_some() && next.as_ref() == cursor {
            return Err(WebexError::Unreadable("a page that is followed by itself".to_owned()));
        }
        let records = details.tasks.unwrap_or_default();
        let count = records.len();
        let tasks: Vec<SearchTask> =
            records.into_iter().filter_map(|task| serde_json::from_value(task).ok()).collect();
        Ok(TaskPage { unreadable: count - tasks.len(), tasks, next })
    }
}

/// A task as Search returns it; durations are milliseconds on the wire. Any field may be missing, null or malformed:
/// which fields there are depends on the query and the tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchTask {
    /// The interaction id.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
    /// `telephony`, `chat`, ...
    #[serde(deserialize_with = "text")]
    pub channel_type: Option<String>,
    /// When it began.
    #[serde(deserialize_with = "moment")]
    pub created_time: Option<Timestamp>,
    /// When it ended.
    #[serde(deserialize_with = "moment")]
    pub ended_time: Option<Timestamp>,
    /// The caller's number.
    #[serde(deserialize_with = "number")]
    pub origin: Option<PhoneNumber>,
    /// The dialed number.
    #[serde(deserialize_with = "number")]
    pub destination: Option<PhoneNumber>,
    /// `inbound`, `outbound`, `outdial`.
    #[serde(deserialize_with = "text")]
    pub direction: Option<String>,
    /// Whether the task goes on.
    #[serde(deserialize_with = "flag")]
    pub is_active: Option<bool>,
    /// `short`, `abandoned` or `normal`.
    #[serde(deserialize_with = "text")]
    pub contact_handle_type: Option<String>,
    /// Why it ended, as free text.
    #[serde(deserialize_with = "text")]
    pub termination_reason: Option<String>,
    /// Which party ended it.
    #[serde(deserialize_with = "text")]
    pub terminating_end: Option<String>,
    /// The last queue.
    #[serde(deserialize_with = "any")]
    pub last_queue: Option<EntityId>,
    /// The last agent.
    #[serde(deserialize_with = "any")]
    pub last_agent: Option<EntityId>,
    /// How often an agent was connected.
    #[serde(deserialize_with = "count")]
    pub connected_count: Option<u32>,
    /// How long agents were connected.
    #[serde(deserialize_with = "count")]
    pub connected_duration: Option<u64>,
    /// How often it was on hold.
    #[serde(deserialize_with = "count")]
    pub hold_count: Option<u32>,
    /// How long it was on hold.
    #[serde(deserialize_with = "count")]
    pub hold_duration: Option<u64>,
    /// How often it was queued.
    #[serde(deserialize_with = "count")]
    pub queue_count: Option<u32>,
    /// How long it was queued.
    #[serde(deserialize_with = "count")]
    pub queue_duration: Option<u64>,
    /// Whether there will be a recording.
    #[serde(deserialize_with = "flag")]
    pub capture_requested: Option<bool>,
    /// Whether the caller was to be called back.
    pub is_callback: Option<bool>,
    /// Its activities, where the query has them.
    #[serde(deserialize_with = "any")]
    pub activities: Option<SearchActivities>,
}

/// A queue or an agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct EntityId {
    /// Its id.
    #[serde(deserialize_with = "text")]
    pub id: Option<String>,
}

/// The activities of a task; Search has the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchActivities {
    /// How many there are.
    #[serde(deserialize_with = "count")]
    pub total_count: Option<u32>,
    /// Those in the answer; none for one that cannot be parsed.
    #[serde(deserialize_with = "any")]
    pub nodes: Option<Vec<Option<SearchActivity>>>,
}

/// One activity of a task.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SearchActivity {
    /// `new`, `parked`, `connected`, `on-hold`, ...
    #[serde(deserialize_with = "text")]
    pub event_name: Option<String>,
    /// When.
    #[serde(deserialize_with = "moment")]
    pub created_time: Option<Timestamp>,
}

impl SearchActivities {
    /// The activities with their times, the newest first, if none of them is missing: an answer has only so many.
    pub fn whole(&self) -> Option<Vec<(&str, Timestamp)>> {
        let nodes = self.nodes.as_ref()?;
        let is_whole = self
            .total_count
            .is_none_or(|count| usize::try_from(count).is_ok_and(|count| count <= nodes.len()));
        let timed = nodes.iter().map(|node| {
            let node = node.as_ref()?;
            Some((node.event_name.as_deref()?, node.created_time?))
        });
        timed.collect::<Option<Vec<_>>>().filter(|_| is_whole)
    }
}

/// The fields of the query for each task.
const FIELDS: &[QueryField] = &[
    leaf("id"),
    leaf("channelType"),
    leaf("createdTime"),
    leaf("endedTime"),
    leaf("origin"),
    leaf("destination"),
    leaf("direction"),
    leaf("isActive"),
    leaf("contactHandleType"),
    leaf("terminationReason"),
    leaf("terminatingEnd"),
    QueryField { name: "lastQueue", arguments: "", fields: &[leaf("id")] },
    QueryField { name: "lastAgent", arguments: "", fields: &[leaf("id")] },
    leaf("connectedCount"),
    leaf("connectedDuration"),
    leaf("holdCount"),
    leaf("holdDuration"),
    leaf("queueCount"),
    leaf("queueDuration"),
    leaf("captureRequested"),
    leaf("isCallback"),
    QueryField {
        name: "activities",
        arguments: "(first: 100)",
        fields: &[
            leaf("totalCount"),
            QueryField { name: "nodes", arguments: "", fields: &[leaf("createdTime"), leaf("eventName")] },
        ],
    },
];

/// Without these a task cannot be compared.
const NEEDED: [&str; 2] = ["id", "endedTime"];

struct QueryField {
    name: &'static str,
    arguments: &'static str,
    /// Empty for a leaf.
    fields: &'static [Self],
}

const fn leaf(name: &'static str) -> QueryField {
    QueryField { name, arguments: "", fields: &[] }
}

/// The query for telephony tasks that ended within a time. `without`: fields that the tenant's schema does not have.
fn ended(span: TimeSpan, cursor: Option<&PageCursor>, without: &BTreeSet<&'static str>) -> String {
    let (from, to) = (span.from.as_millisecond(), span.to.as_millisecond());
    // Active tasks are included: one with an end time is a call whose consulted party has ended.
    let filter = "filter: { channelType: { equals: telephony } }";
    let mut query = format!("{{ taskDetails(from: {from}, to: {to}, timeComparator: endedTime, {filter}");
    if let Some(PageCursor(cursor)) = cursor {
        // GraphQL escapes as JSON does.
        let cursor = Value::from(cursor.as_str());
        // Writing to a String does not fail.
        let _ = write!(query, ", pagination: {{ cursor: {cursor} }}");
    }
    let fields = selection(FIELDS, without);
    query + &format!(") {{ tasks {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}")
}

/// The fields of a query. An object without any field left is not part of it.
fn selection(fields: &[QueryField], without: &BTreeSet<&'static str>) -> String {
    let one = |field: &QueryField| {
        let inner = selection(field.fields, without);
        match (field.fields.is_empty(), inner.is_empty()) {
            _ if without.contains(field.name) => None,
            (true, _) => Some(field.name.to_owned()),
            (false, true) => None,
            (false, false) => Some(format!("{}{} {{ {inner} }}", field.name, field.arguments)),
        }
    };
    fields.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

/// The field that a refusal is about, if the query can do without it. The wording varies: `Field 'x' in type 'Task' is
/// undefined`, `Cannot query field "x" on type "Task"`, `x is no such field here`. A field in quotes counts first, else
/// the last known name in the text.
fn refused(words: &str) -> Option<&'static str> {
    if !words.to_ascii_lowercase().contains("field") {
        return None;
    }
    let is_mark = |c: char| matches!(c, '"' | '\'' | '`');
    let quoted = words.split(is_mark).skip(1).step_by(2).find_map(|name| known(FIELDS, name));
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let named = || words.split(is_end).filter_map(|name| known(FIELDS, name)).next_back();
    quoted.or_else(named).filter(|name| !NEEDED.contains(name))
}

fn known(fields: &[QueryField], name: &str) -> Option<&'static str> {
    fields
        .iter()
        .find_map(|field| if field.name == name { Some(field.name) } else { known(field.fields, name) })
}

/// A value that can be parsed as such; else none. A malformed value does not affect the others.
fn any<'de, D: Deserializer<'de>, T: DeserializeOwned>(deserializer: D) -> Result<Option<T>, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(deserializer)?).ok())
}

fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::String(text) if !text.trim().is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })
}

fn flag<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<bool>, D::Error> {
    Ok(match Value::deserialize(deserializer)? {
        Value::Bool(flag) => Some(flag),
        Value::String(text) => text.trim().to_ascii_lowercase().parse().ok(),
        _ => None,
    })
}

/// A number that is not negative, also as text: Webex may send -1 for an unknown one. A fraction is rounded.
fn count<'de, D: Deserializer<'de>, N: TryFrom<u64>>(deserializer: D) -> Result<Option<N>, D::Error> {
    let number = match Value::deserialize(deserializer)? {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok().or_else(|| whole(text.trim().parse().ok()?)),
        _ => None,
    };
    Ok(number.and_then(|number| N::try_from(number).ok()))
}

fn whole(number: f64) -> Option<u64> {
    // More than any count or millisecond of Webex, and exact as f64 and as u64.
    const MOST: f64 = 9e15;
    let fits = (0.0..MOST).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it lies between both bounds"
    )]
    let whole = fits.then(|| number.round() as u64);
    whole
}

fn moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    // Zero stands for a missing time: no task ended in 1970.
    let millisecond = count::<D, i64>(deserializer)?.filter(|millisecond| *millisecond > 0);
    Ok(millisecond.and_then(|millisecond| Timestamp::from_millisecond(millisecond).ok()))
}

fn number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PhoneNumber>, D::Error> {
    Ok(text(deserializer)?.map(PhoneNumber::new))
}

#[cfg(test)]
mod query_tests {
    use super::*;

    fn span() -> TimeSpan {
        let at = |second| Timestamp::from_second(second).unwrap();
        TimeSpan { from: at(1_795_000_000), to: at(1_795_000_300) }
    }

    #[test]
    fn a_query_names_its_time_and_escapes_its_cursor() {
        let first = ended(span(), None, &BTreeSet::new());
        assert!(first.starts_with(
            "{ taskDetails(from: 1795000000000, to: 1795000300000, timeComparator: endedTime, "
        ));
        assert!(!first.contains("pagination"));
        let next = ended(span(), Some(&PageCursor("a\"}\nb".to_owned())), &BTreeSet::new());
        assert!(next.contains(r#"pagination: { cursor: "a\"}\nb" }"#), "{next}");
    }

    #[test]
    fn a_field_that_is_not_there_is_left_out_with_the_object_that_it_empties() {
        let of = |names: &[&'static str]| ended(span(), None, &names.iter().copied().collect());
        assert!(of(&[]).contains("lastQueue { id } lastAgent { id } "));
        assert!(of(&[]).contains("activities(first: 100) { totalCount nodes { createdTime eventName } }"));
        assert!(!of(&["holdCount"]).contains("holdCount"));
        assert!(of(&["holdCount"]).contains("holdDuration"));
        assert!(!of(&["totalCount", "createdTime", "eventName"]).contains("activities"));
    }

    #[test]
    fn a_refusal_names_the_field_in_whatever_words() {
        for (words, field) in [
            (
                "Validation error (FieldUndefined@[taskDetails/tasks/holdCount]) : Field 'holdCount' in type 'Task' is undefined",
                Some("holdCount"),
            ),
            ("Cannot query field \"captureRequested\" on type \"Task\".", Some("captureRequested")),
            ("query: queueCount is no such field here", Some("queueCount")),
            ("Unknown argument 'first' on field 'activities'", Some("activities")),
            ("Field 'id' in type 'Task' is undefined", None),
            ("bad query", None),
            ("Field 'x' in type 'Task' is undefined", None),
        ] {
            assert_eq!(refused(words), field, "{words}");
        }
    }
}

/// The recorded answers of a real tenant, unchanged.
#[cfg(test)]
mod tests {
    use super::*;

    const ACTIVITIES: &str = include_str!("../../tests/fixtures/webex/search_activities_response.json");
    const PAGE: &str = include_str!("../../tests/fixtures/webex/search_page_response.json");
    const SIMPLE: &str = include_str!("../../tests/fixtures/webex/search_simple_response.json");

    fn details(text: &str) -> TaskDetails {
        let answered: SearchAnswer = serde_json::from_str(text).unwrap();
        answered.data.unwrap().task_details.unwrap()
    }

    fn tasks(text: &str) -> Vec<SearchTask> {
        let tasks = details(text).tasks.unwrap();
        tasks.into_iter().map(|task| serde_json::from_value(task).unwrap()).collect()
    }

    /// What was recorded, to compare with.
    fn recorded(text: &str) -> Vec<Value> {
        let all: Value = serde_json::from_str(text).unwrap();
        all["data"]["taskDetails"]["tasks"].as_array().unwrap().clone()
    }

    #[test]
    fn every_recorded_task_is_read_with_what_it_holds() {
        for text in [ACTIVITIES, PAGE, SIMPLE] {
            let (read, recorded) = (tasks(text), recorded(text));
            assert_eq!(read.len(), recorded.len());
            for (task, recorded) in read.iter().zip(&recorded) {
                assert_eq!(task.id.as_deref(), recorded["id"].as_str());
                assert_eq!(task.channel_type.as_deref(), recorded["channelType"].as_str());
                assert_eq!(task.direction.as_deref(), recorded["direction"].as_str());
                assert_eq!(task.is_active, recorded["isActive"].as_bool());
                assert_eq!(task.queue_count.map(u64::from), recorded["queueCount"].as_u64());
                let agent = task.last_agent.as_ref().and_then(|agent| agent.id.as_deref());
                assert_eq!(agent, recorded["lastAgent"]["id"].as_str().filter(|id| !id.is_empty()));
                let nodes = task.activities.as_ref().and_then(|all| all.nodes.as_ref()).map_or(0, Vec::len);
                assert_eq!(nodes, recorded["activities"]["nodes"].as_array().map_or(0, Vec::len));
            }
        }
        let info = details(PAGE).page_info.unwrap();
        assert!(info.has_next_page.is_some());
    }

    #[test]
    fn an_answer_without_a_single_field_but_the_id_is_a_task() {
        let read = |text: &str| serde_json::from_str::<SearchTask>(text).unwrap();
        let task = read(r#"{"id":"t","endedTime":null,"origin":""}"#);
        assert_eq!((task.ended_time, task.origin), (None, None));
        assert_eq!(read(r#"{"endedTime":1}"#).id, None);
        let task = read(r#"{"id":"t","endedTime":-1,"holdCount":-1,"queueCount":2}"#);
        assert_eq!((task.ended_time, task.hold_count, task.queue_count), (None, None, Some(2)));
    }

    #[test]
    fn numbers_are_read_as_text_and_with_fractions_and_what_cannot_be_read_takes_nothing_with_it() {
        let read = |text: &str| serde_json::from_str::<SearchTask>(text).unwrap();
        let task = read(
            r#"{"id":7,"endedTime":"1795000000000","createdTime":1795000000000.4,"holdCount":"2","holdDuration":19999.6,
        "isActive":"false","lastQueue":"Sales","lastAgent":null,"connectedCount":1e30,"connectedDuration":[5],
        "direction":{},"activities":{"nodes":null,"totalCount":"x"}}"#,
        );
        assert_eq!((task.id.as_deref(), task.is_active), (Some("7"), Some(false)));
        assert_eq!(task.ended_time, task.created_time);
        assert_eq!((task.hold_count, task.hold_duration), (Some(2), Some(20_000)));
        assert_eq!((task.connected_count, task.connected_duration, task.last_queue), (None, None, None));
        assert_eq!(task.activities.unwrap().whole(), None);
        for odd in ["null", "[]", "\"t\"", "7"] {
            assert!(serde_json::from_str::<SearchTask>(odd).is_err() || odd == "[]", "{odd}");
        }
    }
}
