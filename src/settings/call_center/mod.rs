//! `[call_centers.NAME]`: a Salesforce contact center and the way to it.

mod api;
mod attributes;
mod enrichment;
mod host;
mod oauth;
mod signer;

use std::collections::BTreeMap;

pub use api::{Apex, Api, Telephony};
pub use enrichment::Enrichment;
pub use oauth::OAuth;
pub use signer::NextCertificate;

use self::signer::Signers;
use super::certificates::check_name;
use super::names::Names;
use super::section::Section;
use super::{Token, Translations};
use crate::certificate::SigningCertificate;
use crate::domain::Attribute;

/// A contact center. Its name is what flows send as `callCenterDevName`.
#[derive(Debug, Clone)]
pub struct CallCenter {
    /// The name in the configuration.
    pub name: String,
    /// Signs when a request names no certificate.
    pub certificate: SigningCertificate,
    /// Signs in its place from a moment on.
    pub next_certificate: Option<NextCertificate>,
    /// The way to Salesforce.
    pub api: Api,
    /// What createVoiceCall answers when Salesforce cannot.
    pub on_create_failure: OnCreateFailure,
    /// The queue executeOmniFlow answers when Salesforce cannot.
    pub fallback_queue: Option<String>,
    /// Phone number rules.
    pub translations: Translations,
    /// What is sent for abandoned calls.
    pub abandonment: Abandonment,
    /// The final update with times, holds, agent and queue.
    pub enrichment: Enrichment,
    /// VoiceCall fields and where their values are found.
    pub attributes: Vec<Attribute>,
    /// The longest text that goes into one of them, in characters.
    pub attribute_length: usize,
}

/// What a text field of Salesforce takes, and a long text area, in characters.
const TEXT: usize = 255;
const LONG_TEXT: usize = 131_072;

/// What createVoiceCall answers when Salesforce cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCreateFailure {
    /// The error.
    Error,
    /// 200 with the vendorCallKey as voiceCallId; it is created afterwards.
    Defer,
}

/// What is sent for abandoned calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Abandonment {
    /// The disconnect reason when the call was queued, or when nobody knows.
    pub reason: String,
    /// The disconnect reason when the call is known never to have been queued.
    pub reason_in_ivr: String,
    /// `disconnectReason.isError`.
    pub is_error: bool,
    /// Whether a flow's own abandonment of a call known to be answered is withheld.
    pub guard: bool,
    /// Whether the VoiceCall itself is asked before a call is reported as abandoned; then an OAuth session is
    /// configured.
    pub ask_salesforce: bool,
    /// Whether an abandonment is taken back once Webex tells of an agent, or of a callback.
    pub take_back: bool,
}

/// What other sections give to a contact center.
pub(super) struct Surroundings<'a> {
    /// The certificates that could be read.
    pub(super) certificates: &'a BTreeMap<String, SigningCertificate>,
    /// The names of all certificates.
    pub(super) certificate_names: &'a Names,
    /// `[token]`, if it could be read.
    pub(super) token: Option<&'a Token>,
}

impl CallCenter {
    /// Whether anything of the flow's or Webex's words is kept to fill fields with.
    #[must_use]
    pub fn keeps_attributes(&self) -> bool {
        !self.attributes.is_empty() || self.enrichment.inherit_attributes
    }

    pub(super) fn read(name: &str, mut section: Section<'_>, around: &Surroundings<'_>) -> Option<Self> {
        check_name(name, &section);
        let signers = Signers::read(&mut section, around);
        let has_oauth = section.has("oauth");
        let api = Api::read(&mut section, around.token, signers.name.as_deref());
        let failure = [("error", OnCreateFailure::Error), ("defer", OnCreateFailure::Defer)];
        let on_create_failure = section.choice("on_create_failure", Some("error"), &failure);
        let fallback_queue = section.text("fallback_queue").filter(|queue| !queue.is_empty());
        let translations = Translations::read(section.section_or_empty("translations"));
        let abandonment = Abandonment::read(section.section_or_empty("abandonment"));
        if let (Some(Api::Telephony(_)), Some(Abandonment { ask_salesforce: true, .. }), false) =
            (&api, &abandonment, has_oauth)
        {
            section.problem(
                "abandonment.ask_salesforce",
                "needs an OAuth session, which api = \"telephony\" has not by itself",
                format!("add [call_centers.{name}.oauth] with login_url, consumer_key_file and username"),
            );
        }
        let enrichment = Enrichment::read(section.section_or_empty("enrichment"));
        let attributes = attributes::read(&mut section);
        let attribute_length = section.count("attribute_length", Some(TEXT), 1..=LONG_TEXT);
        section.finish();
        let (certificate, next_certificate) = signers.find(around)?;
        Some(Self {
            name: name.to_owned(),
            certificate,
            next_certificate,
            api: api?,
            on_create_failure: on_create_failure?,
            fallback_queue,
            translations: translations?,
            abandonment: abandonment?,
            enrichment: enrichment?,
            attributes,
            attribute_length: attribute_length?,
        })
    }
}

impl Abandonment {
    fn read(mut section: Section<'_>) -> Option<Self> {
        const HINT: &str = "the text that Salesforce shows as the disconnect reason";
        let mut reason = |key, default| {
            section.parsed_or(key, Some(default), HINT, |text| match text.trim().is_empty() {
                true => Err("is empty".to_owned()),
                false => Ok(text.to_owned()),
            })
        };
        let in_queue = reason("reason", "Abandoned in queue");
        let reason_in_ivr = reason("reason_in_ivr", "Abandoned in IVR");
        let is_error = section.boolean("is_error", Some(true));
        let guard = section.boolean("guard", Some(true));
        let ask_salesforce = section.boolean("ask_salesforce", Some(false));
        let take_back = section.boolean("take_back", Some(true));
        section.finish();
        Some(Self {
            reason: in_queue?,
            reason_in_ivr: reason_in_ivr?,
            is_error: is_error?,
            guard: guard?,
            ask_salesforce: ask_salesforce?,
            take_back: take_back?,
        })
    }
}
