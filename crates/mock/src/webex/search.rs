//! The Search API: `taskDetails` over the tenant's tasks.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::sha::sha256;
use serde_json::{Map, Value, json};

use super::super::answer::Answer;
use super::graphql::{Field, Literal, parse};
use super::refused::Refused;
use super::tenant::{Incoming, Tenant};

/// How many activities a task shows unless asked for more.
const ACTIVITIES: usize = 25;
/// How far back a query may look, in milliseconds: some 36 months.
const FARTHEST_MILLIS: i64 = 36 * 31 * 86_400_000;

/// The leaves of a task.
const LEAVES: [&str; 30] = [
    "id",
    "status",
    "channelType",
    "createdTime",
    "endedTime",
    "origin",
    "destination",
    "direction",
    "isActive",
    "contactHandleType",
    "terminationType",
    "terminationReason",
    "terminatingEnd",
    "connectedCount",
    "connectedDuration",
    "holdCount",
    "holdDuration",
    "queueCount",
    "queueDuration",
    "selfserviceCount",
    "selfserviceDuration",
    "ringingDuration",
    "wrapupDuration",
    "totalDuration",
    "captureRequested",
    "isCallback",
    "consultCount",
    "consultDuration",
    "conferenceCount",
    "transferCount",
];

/// The objects of a task, and of what is in them, with their fields.
const OBJECTS: [(&str, &[&str]); 7] = [
    ("lastQueue", &["id", "name", "duration"]),
    ("lastAgent", &["id", "name", "signInId"]),
    ("lastTeam", &["id", "name"]),
    ("lastSite", &["id", "name"]),
    ("activities", &["totalCount", "nodes", "pageInfo"]),
    ("nodes", &["id", "createdTime", "endedTime", "eventName", "duration"]),
    ("pageInfo", &["hasNextPage", "endCursor"]),
];

/// What a query asks for, once its arguments are checked.
struct Query<'a> {
    from: i64,
    to: i64,
    by: &'static str,
    filter: Option<&'a Literal>,
    offset: usize,
    /// What a cursor must belong to.
    digest: String,
}

pub(super) fn attend(tenant: &Tenant, incoming: &Incoming) -> Result<Answer, Refused> {
    let body = incoming.object(&["query", "variables"])?;
    let text = body.get("query").and_then(Value::as_str);
    let text = text.ok_or_else(|| Refused::field("query: must be a string"))?;
    let roots = parse(text).map_err(Refused::field)?;
    let [root] = roots.as_slice() else { return Err(Refused::field("query: must select one field")) };
    if root.name != "taskDetails" {
        return Err(Refused::field(format!("query: unknown field {}", root.name)));
    }
    let query = Query::read(tenant, root)?;
    let tasks = selected(root, "tasks")?;
    for field in &tasks.fields {
        if !LEAVES.contains(&field.name.as_str()) || !field.fields.is_empty() {
            check_object(field)?;
        }
    }
    let page_info = selected(root, "pageInfo")?;
    check_object(page_info)?;
    if let Some(name) = absent(tenant, tasks) {
        let message = format!(
            "Validation error (FieldUndefined@[taskDetails/tasks/{name}]) : Field '{name}' is undefined"
        );
        return Ok(Answer::json(200, &json!({ "errors": [{ "message": message }], "data": null })));
    }
    page(tenant, &query, tasks, page_info)
}

/// The first field of a selection that the tenant's schema lacks.
fn absent<'a>(tenant: &'a Tenant, field: &Field) -> Option<&'a String> {
    let absent = &tenant.settings.absent_fields;
    let own = |field: &Field| absent.iter().find(|name| **name == field.name);
    field.fields.iter().find_map(|inner| own(inner).or_else(|| self::absent(tenant, inner)))
}

fn selected<'a>(root: &'a Field, name: &str) -> Result<&'a Field, Refused> {
    if let Some(other) = root.fields.iter().find(|field| !matches!(field.name.as_str(), "tasks" | "pageInfo"))
    {
        return Err(Refused::field(format!("taskDetails: unknown field {}", other.name)));
    }
    let field = root.fields.iter().find(|field| field.name == name && !field.fields.is_empty());
    field.ok_or_else(|| Refused::field(format!("taskDetails: {name} must be selected")))
}

/// Objects need a selection of their fields, leaves have none.
fn check_object(field: &Field) -> Result<(), Refused> {
    let unknown = |field: &Field| Refused::field(format!("query: {} is no such field here", field.name));
    let known = OBJECTS.iter().find(|(name, _)| *name == field.name).map(|(_, fields)| *fields);
    let known = known.filter(|_| !field.fields.is_empty()).ok_or_else(|| unknown(field))?;
    if field.arguments.iter().any(|(name, _)| name != "first" || field.name != "activities") {
        return Err(Refused::field(format!("query: {} takes no such argument", field.name)));
    }
    for inner in &field.fields {
        let is_object = OBJECTS.iter().any(|(name, _)| *name == inner.name);
        match known.contains(&inner.name.as_str()) {
            true if is_object => check_object(inner)?,
            true if inner.fields.is_empty() => {}
            _ => return Err(unknown(inner)),
        }
    }
    Ok(())
}

impl<'a> Query<'a> {
    fn read(tenant: &Tenant, root: &'a Field) -> Result<Self, Refused> {
        let mut query =
            Self { from: 0, to: 0, by: "createdTime", filter: None, offset: 0, digest: String::new() };
        let (mut from, mut to, mut cursor) = (None, None, None);
        for (name, value) in &root.arguments {
            match (name.as_str(), value) {
                ("from", Literal::Int(at)) => from = Some(*at),
                ("to", Literal::Int(at)) => to = Some(*at),
                ("timeComparator", Literal::Enum(by)) if by == "createdTime" => query.by = "createdTime",
                ("timeComparator", Literal::Enum(by)) if by == "endedTime" => query.by = "endedTime",
                ("filter", Literal::Object(_)) => query.filter = Some(value),
                ("pagination", Literal::Object(pairs)) => match pairs.as_slice() {
                    [(name, Literal::Text(text))] if name == "cursor" => cursor = Some(text),
                    _ => return Err(Refused::field("pagination: takes a cursor, a string")),
                },
                _ => return Err(Refused::field(format!("{name}: no such argument, or not of its type"))),
            }
        }
        let whole = || Refused::field("from, to: required, in epoch milliseconds");
        (query.from, query.to) = (from.ok_or_else(whole)?, to.ok_or_else(whole)?);
        let now = tenant.now().as_millisecond();
        if query.from >= query.to || query.from < now - FARTHEST_MILLIS {
            return Err(Refused::field("from: must be before to, and not older than 36 months"));
        }
        // What it does not understand is refused even where it would find nothing.
        query.filter.map_or(Ok(true), |filter| fits(filter, &Value::Null))?;
        let same = format!("{}|{}|{}|{:?}", query.from, query.to, query.by, query.filter);
        query.digest = URL_SAFE_NO_PAD.encode(sha256(same.as_bytes()));
        query.offset = query.offset_of(cursor.map(String::as_str))?;
        Ok(query)
    }

    /// `NA` is the first page.
    fn offset_of(&self, cursor: Option<&str>) -> Result<usize, Refused> {
        let Some(cursor) = cursor.filter(|cursor| *cursor != "NA") else { return Ok(0) };
        let offset = cursor.strip_prefix(&self.digest).and_then(|rest| rest.strip_prefix("\"+"));
        let offset = offset.and_then(|offset| offset.parse().ok());
        offset.ok_or_else(|| Refused::field("cursor: not one of this query"))
    }

    /// Cursors are opaque; this one also needs escaping.
    fn cursor(&self, offset: usize) -> String {
        format!("{}\"+{offset}", self.digest)
    }

    fn takes(&self, task: &Map<String, Value>) -> Result<bool, Refused> {
        let at = task.get(self.by).and_then(Value::as_i64);
        if !at.is_some_and(|at| (self.from..=self.to).contains(&at)) {
            return Ok(false);
        }
        self.filter.map_or(Ok(true), |filter| fits(filter, &Value::Object(task.clone())))
    }
}

/// `{channelType: {equals: telephony}}`, also nested, under `and` and `or`.
fn fits(filter: &Literal, value: &Value) -> Result<bool, Refused> {
    let wrong = || Refused::field("filter: fields with {equals: ..}, under `and` or `or`, are understood");
    let Literal::Object(pairs) = filter else { return Err(wrong()) };
    let mut all = true;
    for (name, condition) in pairs {
        let each =
            |list: &[Literal]| list.iter().map(|each| fits(each, value)).collect::<Result<Vec<_>, _>>();
        all &= match (name.as_str(), condition) {
            ("and", Literal::List(list)) => !each(list)?.contains(&false),
            ("or", Literal::List(list)) => each(list)?.contains(&true),
            ("equals", wanted) => equals(wanted, value).ok_or_else(wrong)?,
            (field, Literal::Object(_)) if is_known(field) => {
                fits(condition, value.get(field).unwrap_or(&Value::Null))?
            }
            _ => return Err(wrong()),
        };
    }
    Ok(all)
}

fn is_known(field: &str) -> bool {
    LEAVES.contains(&field) || OBJECTS.iter().any(|(name, fields)| *name == field || fields.contains(&field))
}

fn equals(wanted: &Literal, value: &Value) -> Option<bool> {
    match wanted {
        Literal::Text(text) | Literal::Enum(text) => Some(value.as_str() == Some(text)),
        Literal::Boolean(wanted) => Some(value.as_bool() == Some(*wanted)),
        Literal::Int(wanted) => Some(value.as_i64() == Some(*wanted)),
        Literal::List(_) | Literal::Object(_) => None,
    }
}

fn page(tenant: &Tenant, query: &Query<'_>, tasks: &Field, info: &Field) -> Result<Answer, Refused> {
    let state = tenant.state();
    let mut found = Vec::new();
    for task in state.tasks.values() {
        if query.takes(task)? {
            found.push(task);
        }
    }
    found.sort_by_key(|task| task.get(query.by).and_then(Value::as_i64));
    let end = query.offset + tenant.settings.page;
    let shown = found.iter().skip(query.offset).take(tenant.settings.page);
    let shown: Vec<Value> =
        shown.map(|task| projected(&cut((*task).clone(), tasks), &tasks.fields)).collect();
    let more = found.len() > end;
    let cursor = if more { query.cursor(end).into() } else { Value::Null };
    let page_info = projected(&json!({ "hasNextPage": more, "endCursor": cursor }), &info.fields);
    let details = json!({ "tasks": shown, "pageInfo": page_info });
    Ok(Answer::json(200, &json!({ "data": { "taskDetails": details } })))
}

/// The newest activities, as many as were asked for.
fn cut(mut task: Map<String, Value>, tasks: &Field) -> Value {
    let asked = tasks.fields.iter().find(|field| field.name == "activities");
    let first = match asked.and_then(|field| field.arguments.first()) {
        Some((_, Literal::Int(first))) => usize::try_from(*first).unwrap_or_default(),
        _ => ACTIVITIES,
    };
    if let Some(nodes) =
        task.get_mut("activities").and_then(|all| all.get_mut("nodes")).and_then(Value::as_array_mut)
    {
        nodes.truncate(first);
    }
    Value::Object(task)
}

/// The fields of a selection; what the value lacks is null.
fn projected(value: &Value, fields: &[Field]) -> Value {
    match value {
        Value::Object(object) if !fields.is_empty() => {
            let field = |field: &Field| {
                let value = object.get(&field.name).unwrap_or(&Value::Null);
                (field.name.clone(), projected(value, &field.fields))
            };
            Value::Object(fields.iter().map(field).collect())
        }
        Value::Array(list) => list.iter().map(|each| projected(each, fields)).collect(),
        other => other.clone(),
    }
}
