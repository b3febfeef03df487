//! `[deadlines]`: how long a route may take.

use std::time::Duration;

use super::section::Section;

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

impl Deadlines {
    /// The longest of them, with its key.
    pub(super) fn longest(&self) -> (&'static str, Duration) {
        let all = [
            ("deadlines.execute_omni_flow", self.execute_omni_flow),
            ("deadlines.update_voice_call", self.update_voice_call),
            ("deadlines.clear_routing", self.clear_routing),
            ("deadlines.phone_contact_ended", self.phone_contact_ended),
            ("deadlines.agent_answered", self.agent_answered),
        ];
        let first = ("deadlines.create_voice_call", self.create_voice_call);
        all.into_iter().fold(first, |longest, one| if one.1 > longest.1 { one } else { longest })
    }

    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let mut deadline =
            |key| section.duration(key, None, Duration::from_millis(1)..=Duration::from_secs(60));
        let create_voice_call = deadline("create_voice_call");
        let execute_omni_flow = deadline("execute_omni_flow");
        let update_voice_call = deadline("update_voice_call");
        let clear_routing = deadline("clear_routing");
        let phone_contact_ended = deadline("phone_contact_ended");
        let agent_answered = deadline("agent_answered");
        section.finish();
        Some(Self {
            create_voice_call: create_voice_call?,
            execute_omni_flow: execute_omni_flow?,
            update_voice_call: update_voice_call?,
            clear_routing: clear_routing?,
            phone_contact_ended: phone_contact_ended?,
            agent_answered: agent_answered?,
        })
    }
}
