//! `[deadlines]`: how long a route may take.

use std::time::Duration;

/// One deadline per route, from the first byte of the request to the last of the answer.
///
/// The flow's own timeout covers connect, TLS and answer together (5 s in the vendor's flow, 2 s for
/// clearRouting), so ours must be shorter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// createVoiceCall.
    pub create_voice_call: Duration,
    /// executeOmniFlow.
    pub execute_omni_flow: Duration,
    /// updateVoiceCall.
    pub update_voice_call: Duration,
    /// clearRouting.
    pub clear_routing: Duration,
    /// phoneContactEnded.
    pub phone_contact_ended: Duration,
    /// agentAnswered.
    pub agent_answered: Duration,
}
