//! Reading a body without doing what it asks.

use jiff::Timestamp;

use super::context::Route;
use super::fields::UnsetWords;
use super::reading::VoiceBody;
use super::{
    ApiError, agent_answered, body, clear_routing, create_voice_call, execute_omni_flow, phone_contact_ended,
    update_voice_call,
};
use crate::domain::FlowTime;
use crate::settings::{Client, Settings};

/// Reads a body as its route does, and stops there: nothing is kept, nothing is sent. A body that passes is one that
/// the bridge would act upon.
///
/// # Errors
/// What the flow would be answered.
pub fn rehearse(
    route: Route,
    bytes: &[u8],
    settings: &Settings,
    client: &Client,
    now: Timestamp,
) -> Result<(), ApiError> {
    let (fields, _stray) = body::object(bytes)?;
    let reading = VoiceBody::begin(fields, settings, client, &UnsetWords::default())?;
    let now = FlowTime::new(now);
    match route {
        Route::CreateVoiceCall => create_voice_call::read(reading).map(drop),
        Route::UpdateVoiceCall => update_voice_call::read(reading).map(drop),
        Route::ExecuteOmniFlow => execute_omni_flow::read(reading).map(drop),
        Route::ClearRouting => clear_routing::read(reading).map(drop),
        Route::PhoneContactEnded => phone_contact_ended::read(reading, now).map(drop),
        Route::AgentAnswered => agent_answered::read(reading, now).map(drop),
    }
}
