//! The Subscriptions API, version 2.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use url::Url;

use super::super::answer::Answer;
use super::refused::Refused;
use super::tenant::{Incoming, State, Tenant};

/// A subscription of webhooks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// `task:1.0.0`
    pub resource_version: String,
    /// What it is told of.
    pub event_types: Vec<String>,
    /// Where.
    pub destination_url: String,
    /// What signs the webhooks; never shown.
    pub secret: Option<String>,
    /// Whether webhooks are sent.
    pub active: bool,
    /// Failed deliveries in a row.
    pub failures: u32,
    /// When it was made.
    pub created: Timestamp,
}

impl Subscription {
    pub(super) fn json(&self, org_id: &str) -> Value {
        json!({
            "id": self.id,
            "name": self.name,
            "orgId": org_id,
            "eventTypes": self.event_types,
            "destinationUrl": self.destination_url,
            "resourceVersion": self.resource_version,
            "status": if self.active { "active" } else { "inactive" },
            "createdTime": self.created.as_millisecond(),
        })
    }
}

const ON_CREATE: [&str; 6] =
    ["name", "description", "eventTypes", "destinationUrl", "secret", "resourceVersion"];
const ON_PATCH: [&str; 6] = ["name", "description", "eventTypes", "destinationUrl", "secret", "status"];

pub(super) fn attend(
    tenant: &Tenant,
    method: &str,
    id: Option<&str>,
    incoming: &Incoming,
) -> Result<Answer, Refused> {
    match (method, id) {
        ("GET", None) => Ok(list(tenant)),
        ("POST", None) => create(tenant, &incoming.object(&ON_CREATE)?),
        ("PATCH", Some(id)) => change(tenant, id, &incoming.object(&ON_PATCH)?),
        ("DELETE", Some(id)) => {
            let mut state = tenant.state();
            find(&mut state, id)?;
            state.subscriptions.retain(|known| known.id != id);
            Ok(Answer::empty())
        }
        _ => Err(Refused::new(405, "method_not_allowed", "method: not allowed here")),
    }
}

fn find<'a>(state: &'a mut State, id: &str) -> Result<&'a mut Subscription, Refused> {
    let found = state.subscriptions.iter_mut().find(|known| known.id == id);
    found.ok_or_else(|| Refused::new(404, "not_found", "id: no such subscription"))
}

fn answer(tenant: &Tenant, status: u16, data: &Value) -> Answer {
    Answer::json(status, &json!({ "meta": { "orgId": tenant.settings.org_id }, "data": data }))
}

fn list(tenant: &Tenant) -> Answer {
    let org_id = &tenant.settings.org_id;
    let all: Vec<Value> = tenant.state().subscriptions.iter().map(|known| known.json(org_id)).collect();
    answer(tenant, 200, &Value::Array(all))
}

fn create(tenant: &Tenant, body: &Map<String, Value>) -> Result<Answer, Refused> {
    let required = |field: &'static str, value: Option<String>| {
        value.ok_or_else(|| Refused::field(format!("{field}: required")))
    };
    let resource_version = resource_version(body)?;
    if tenant.settings.withdrawn.contains(&resource_version) {
        return Err(Refused::field(format!("resourceVersion: {resource_version} is not offered")));
    }
    let event_types = event_types(body, &resource_version)?;
    let subscription = Subscription {
        id: String::new(),
        name: required("name", name(body)?)?,
        event_types: event_types.ok_or_else(|| Refused::field("eventTypes: required"))?,
        destination_url: required("destinationUrl", destination_url(body)?)?,
        secret: secret(body)?,
        resource_version,
        active: true,
        failures: 0,
        created: tenant.now(),
    };
    let mut state = tenant.state();
    let id = format!("00000000-0000-4000-8000-{:012x}", state.number());
    let subscription = Subscription { id, ..subscription };
    let shown = subscription.json(&tenant.settings.org_id);
    state.subscriptions.push(subscription);
    Ok(answer(tenant, 201, &shown))
}

fn change(tenant: &Tenant, id: &str, body: &Map<String, Value>) -> Result<Answer, Refused> {
    let mut state = tenant.state();
    let known = find(&mut state, id)?;
    let mut changed = known.clone();
    changed.name = name(body)?.unwrap_or(changed.name);
    changed.event_types = event_types(body, &changed.resource_version)?.unwrap_or(changed.event_types);
    changed.destination_url = destination_url(body)?.unwrap_or(changed.destination_url);
    changed.secret = secret(body)?.or(changed.secret);
    match body.get("status").map(|status| status.as_str().unwrap_or_default()) {
        None => {}
        Some("active") => (changed.active, changed.failures) = (true, 0),
        Some("inactive") => changed.active = false,
        Some(_) => return Err(Refused::field("status: must be active or inactive")),
    }
    *known = changed.clone();
    Ok(answer(tenant, 200, &changed.json(&tenant.settings.org_id)))
}

fn text<'a>(body: &'a Map<String, Value>, field: &str) -> Result<Option<&'a str>, Refused> {
    match body.get(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Refused::field(format!("{field}: must be a string"))),
    }
}

fn within(
    body: &Map<String, Value>,
    field: &str,
    length: std::ops::RangeInclusive<usize>,
) -> Result<Option<String>, Refused> {
    let text = text(body, field)?;
    if text.is_some_and(|text| !length.contains(&text.chars().count())) {
        return Err(Refused::field(format!(
            "{field}: must have {} to {} characters",
            length.start(),
            length.end()
        )));
    }
    Ok(text.map(str::to_owned))
}

fn name(body: &Map<String, Value>) -> Result<Option<String>, Refused> {
    within(body, "name", 4..=64)
}

fn secret(body: &Map<String, Value>) -> Result<Option<String>, Refused> {
    within(body, "secret", 32..=256)
}

/// `task:1.0.0`: a resource and a version of three numbers.
fn resource_version(body: &Map<String, Value>) -> Result<String, Refused> {
    let wrong = || Refused::field("resourceVersion: must be a resource and its version, such as task:1.0.0");
    let text = text(body, "resourceVersion")?.ok_or_else(wrong)?;
    let (resource, version) = text.split_once(':').ok_or_else(wrong)?;
    let numbers = version.split('.').filter(|number| number.parse::<u16>().is_ok()).count();
    let known = matches!(
        (resource, version.split('.').next()),
        ("task" | "agent", Some("1" | "2")) | ("capture", Some("1"))
    );
    if known && numbers == 3 { Ok(text.to_owned()) } else { Err(wrong()) }
}

/// 1 to 32 events of the subscription's one resource.
fn event_types(body: &Map<String, Value>, resource_version: &str) -> Result<Option<Vec<String>>, Refused> {
    let Some(given) = body.get("eventTypes") else { return Ok(None) };
    let given = given.as_array().filter(|given| (1..=32).contains(&given.len()));
    let given = given.ok_or_else(|| Refused::field("eventTypes: must be 1 to 32 strings"))?;
    let resource = resource_version.split(':').next().unwrap_or_default();
    let event = |value: &Value| {
        let event = value.as_str().unwrap_or_default();
        match event.split_once(':') {
            Some((of, name)) if of == resource && !name.is_empty() => Ok(event.to_owned()),
            _ => Err(Refused::field(format!("eventTypes: must be events of the resource {resource}"))),
        }
    };
    given.iter().map(event).collect::<Result<Vec<_>, _>>().map(Some)
}

/// https, port 443, no query.
fn destination_url(body: &Map<String, Value>) -> Result<Option<String>, Refused> {
    let Some(text) = text(body, "destinationUrl")? else { return Ok(None) };
    let url = Url::parse(text).ok().filter(|url| url.scheme() == "https" && url.query().is_none());
    match url.filter(|url| url.port_or_known_default() == Some(443)) {
        Some(_) => Ok(Some(text.to_owned())),
        None => Err(Refused::field("destinationUrl: must be https on port 443, without a query")),
    }
}
