//! What the operations do to the records, whichever API asked.

use serde_json::{Map, Value, json};

use super::answer::Refused;
use super::bodies::{Create, OmniFlow, Update};
use super::org::{Org, State};
use super::salesforce_id::short_form;
use super::settings::RepeatedCreate;
use super::voice_call::{PendingServiceRouting, VoiceCall, text};

/// Makes a VoiceCall and answers its id.
pub(super) fn create(org: &Org, create: Create) -> Result<String, Refused> {
    let now = org.now().as_millisecond();
    let mut state = org.state();
    count_create(&mut state, org.settings.creates_per_second, now)?;
    let parent = match &create.parent {
        None => None,
        Some(parent) => Some(parent_id(&state, parent, &create.call_center)?),
    };
    if let Some(first) = state.records.find(&create.vendor_call_key) {
        match org.settings.repeated_create {
            RepeatedCreate::SecondRecord => {}
            RepeatedCreate::SameId => return Ok(first.id.clone()),
            RepeatedCreate::Refused => {
                return Err(Refused::fields(vec!["vendorCallKey: a VoiceCall with it exists".into()]));
            }
        }
    }
    let id = state.records.next_id();
    state.records.insert(VoiceCall::created(id.clone(), create, parent));
    Ok(id)
}

/// A parent that does not exist is a fault of the body, not of the path.
fn parent_id(state: &State, parent: &str, call_center: &str) -> Result<String, Refused> {
    let found = find_in(state, parent, call_center, "parentVoiceCallId");
    found.map(|call| call.id.clone()).map_err(|refused| Refused::fields(refused.reasons))
}

/// 50 creates per second and org.
fn count_create(state: &mut State, limit: Option<usize>, now: i64) -> Result<(), Refused> {
    let Some(limit) = limit else { return Ok(()) };
    while state.creates.front().is_some_and(|at| now - at >= 1_000) {
        state.creates.pop_front();
    }
    if state.creates.len() >= limit {
        let reason = format!("more than {limit} VoiceCalls created in a second");
        return Err(Refused::new(429, "REQUEST_LIMIT_EXCEEDED", reason));
    }
    state.creates.push_back(now);
    Ok(())
}

/// Updates a VoiceCall, or makes it if a vendorCallKey has none.
pub(super) fn update(
    org: &Org,
    id_or_key: &str,
    call_center: &str,
    mut update: Update,
) -> Result<(), Refused> {
    let mut state = org.state();
    if let Some(call) = state.records.find_mut(id_or_key) {
        belongs(call, call_center, "voiceCallId")?;
        call.update(update);
        return Ok(());
    }
    if is_voice_call_id(id_or_key) {
        return Err(not_found("voiceCallId"));
    }
    check_upsert(&mut update, call_center)?;
    let missing = missing_for_record(&update);
    if org.settings.upsert_needs_every_field && !missing.is_empty() {
        let reason = |field| format!("{field}: required when an update makes the record");
        return Err(Refused::fields(missing.into_iter().map(reason).collect()));
    }
    let mut call = VoiceCall::empty(state.records.next_id(), id_or_key, call_center);
    call.created_by_update = true;
    call.missing_when_created = missing;
    call.update(update);
    state.records.insert(call);
    Ok(())
}

/// A 15- or 18-character id of a VoiceCall: no record is made for one that does not exist.
fn is_voice_call_id(text: &str) -> bool {
    text.starts_with("0LQ") && short_form(text).is_some()
}

fn check_upsert(update: &mut Update, call_center: &str) -> Result<(), Refused> {
    const METHODS: [&str; 4] = ["INBOUND", "OUTBOUND", "TRANSFER", "CALLBACK"];
    let mut problems = Vec::new();
    if update.call_center.as_deref().is_some_and(|named| named != call_center) {
        problems.push("callCenterApiName: must be the contact center of the token".to_owned());
    }
    if let Some(method) = update.initiation_method.as_deref()
        && !METHODS.contains(&method)
    {
        let allowed = METHODS.join(", ");
        problems.push(format!("initiationMethod: must be one of {allowed}, upper case"));
    }
    if problems.is_empty() { Ok(()) } else { Err(Refused::fields(problems)) }
}

fn missing_for_record(update: &Update) -> Vec<&'static str> {
    [
        ("callCenterApiName", update.call_center.is_none()),
        ("initiationMethod", update.initiation_method.is_none()),
        ("toNumber", update.to_number.is_none()),
        ("fromNumber", update.from_number.is_none()),
        ("startTime", update.start_time.is_none()),
        ("endTime", update.end_time.is_none()),
    ]
    .into_iter()
    .filter_map(|(name, missing)| missing.then_some(name))
    .collect()
}

/// Runs an Omni-Channel flow: a PendingServiceRouting waits from now on. Answers `{"agent","queue"}`.
pub(super) fn omni_flow(
    org: &Org,
    id_or_key: &str,
    call_center: &str,
    run: OmniFlow,
) -> Result<Value, Refused> {
    let now = org.now();
    let mut state = org.state();
    find_in(&state, id_or_key, call_center, "voiceCallId")?;
    let channel = org.settings.phone_channels.get(&run.dialed_number).cloned().unwrap_or_default();
    let queue = channel.queue.or(run.fallback_queue).or_else(|| org.settings.default_queue.clone());
    if queue.is_none() && channel.agent.is_none() {
        return Ok(json!({ "errors": ["No queue: the flow routed nowhere and there is no fallback queue"] }));
    }
    let routing = PendingServiceRouting {
        id: state.records.next_routing_id(),
        queue: queue.clone(),
        agent: channel.agent.clone(),
        flow: run.flow,
        flow_input_parameters: run.parameters,
        created_date: text(now),
    };
    if let Some(call) = state.records.find_mut(id_or_key) {
        call.queue_name.clone_from(&queue);
        call.pending_routing = Some(routing);
    }
    let mut answer = Map::new();
    answer.insert("agent".into(), channel.agent.into());
    answer.insert("queue".into(), queue.into());
    Ok(Value::Object(answer))
}

/// Takes the PendingServiceRouting away. A call without one is no fault.
pub(super) fn clear_routing(org: &Org, id_or_key: &str, call_center: &str) -> Result<(), Refused> {
    let mut state = org.state();
    find_in(&state, id_or_key, call_center, "voiceCallId")?;
    if let Some(call) = state.records.find_mut(id_or_key) {
        call.pending_routing = None;
    }
    Ok(())
}

fn find_in<'a>(state: &'a State, id: &str, call_center: &str, field: &str) -> Result<&'a VoiceCall, Refused> {
    let call = state.records.find(id).ok_or_else(|| not_found(field))?;
    belongs(call, call_center, field)?;
    Ok(call)
}

fn belongs(call: &VoiceCall, call_center: &str, field: &str) -> Result<(), Refused> {
    if call.call_center == call_center { Ok(()) } else { Err(not_found(field)) }
}

fn not_found(field: &str) -> Refused {
    let reason = format!("{field}: no VoiceCall with this id or vendorCallKey in this contact center");
    Refused::new(404, "NOT_FOUND", reason)
}
