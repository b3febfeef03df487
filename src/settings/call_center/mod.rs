//! `[call_centers.NAME]`: a Salesforce contact center and the way to it.

mod api;
mod examples;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;

pub use api::{Apex, Api, OAuth, Telephony};
pub use examples::{NumberField, TranslationExample, WrongExample};

use super::Token;
use super::certificates::check_name;
use super::names::{self, nearest};
use super::section::{Section, section};
use super::value::{MINUTE, text_if};
use crate::certificate::SigningCertificate;
use crate::domain::{Attribute, InvalidPath, LocationTemplate, MappedNames, ValuePath};
use crate::phone::{RulePart, RuleProblem, Translation};

section! {
    /// A contact center. Its name is what flows send as `callCenterDevName`.
    #[derive(Debug, Clone)]
    pub struct CallCenter in "call_centers.NAME" |section, around: &Surroundings<'_>, center: &str, signers: &Signers| {
        /// The name in the configuration.
        name: String = flatten(|_| Some(center.to_owned()));
        /// Signs when a request names no certificate.
        certificate: SigningCertificate = flatten(|_| around.certificate(signers.name.as_deref()?));
        /// Signs in its place from a moment on.
        next_certificate: Option<NextCertificate> = flatten(|_| Some(signers.next(around)));
        /// The way to Salesforce.
        api: Api = flatten(|section| Api::read(section, around.token, signers.name.as_deref()));
        /// What createVoiceCall answers when Salesforce cannot.
        on_create_failure: OnCreateFailure = choice(
            &[("error", OnCreateFailure::Error), ("defer", OnCreateFailure::Defer)]
        );
        /// The queue executeOmniFlow answers when Salesforce cannot.
        fallback_queue: Option<String> = optional_text();
        /// Phone number rules.
        translations: Translations = part_or_empty(Translations::read);
        /// What is sent for abandoned calls.
        abandonment: Abandonment = abandonment(center, api.as_ref());
        /// The final update with times, holds, agent and queue.
        enrichment: Enrichment = part_or_empty(Enrichment::read);
        /// VoiceCall fields and where their values are found.
        attributes: Vec<Attribute> = attributes();
        /// The longest text that goes into one of them, in characters; a long text area of Salesforce takes 131,072.
        attribute_length: usize = count(1..=131_072);
    }
}

/// What createVoiceCall answers when Salesforce cannot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnCreateFailure {
    /// The error.
    Error,
    /// 200 with the vendorCallKey as voiceCallId; it is created afterwards.
    Defer,
}

const REASON_HINT: &str = "the text that Salesforce shows as the disconnect reason";

section! {
    /// What is sent for abandoned calls.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Abandonment in "call_centers.NAME.abandonment" |section| {
        /// The disconnect reason when the call was queued, or when nobody knows.
        reason: String = parsed(REASON_HINT, not_empty);
        /// The disconnect reason when the call is known never to have been queued.
        reason_in_ivr: String = parsed(REASON_HINT, not_empty);
        /// `disconnectReason.isError`.
        is_error: bool = boolean();
        /// Whether a flow's own abandonment of a call known to be answered is withheld.
        guard: bool = boolean();
        /// Whether the VoiceCall itself is asked before a call is reported as abandoned; then an OAuth session is
        /// configured.
        ask_salesforce: bool = boolean();
        /// Whether an abandonment is taken back once Webex tells of an agent, or of a callback.
        take_back: bool = boolean();
    }
}

section! {
    /// The phone number rules of a contact center.
    #[derive(Debug, Clone, Default)]
    pub struct Translations in "call_centers.NAME.translations" |section| {
        /// For the caller's number: `from`, `fromNumber`, END_USER participants.
        from: Translation = rule_set();
        /// For the dialed number: `to`, `dialedNumber`.
        to: Translation = rule_set();
        /// Numbers, and what these rules must make of them.
        examples: Vec<TranslationExample> = examples();
    }
}

section! {
    /// The final update of a call with what Webex knows, and what it says.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Enrichment in "call_centers.NAME.enrichment" |section| {
        /// Whether it is sent.
        enabled: bool = boolean();
        /// A lasting address of the recording with `{taskId}` and `{fileName}`; never Webex's signed one.
        recording_location: Option<LocationTemplate> = optional(
            "a lasting https URL with {taskId} and {fileName} where they belong",
            LocationTemplate::parse
        );
        /// How long after the end of a call its final update waits for a recording that has not come yet.
        wait_for_recording: Duration = duration(Duration::ZERO..=10 * MINUTE);
        /// Send the attributes of the parent call along.
        inherit_attributes: bool = boolean();
        /// Webex queue id to the queue's name in Salesforce.
        queues: BTreeMap<String, String> = names_by_id("the name of the queue in Salesforce");
        /// Webex agent id to the Salesforce user name.
        agents: BTreeMap<String, String> = names_by_id("the user name of the agent in Salesforce");
    }
}

impl Enrichment {
    /// What Salesforce calls Webex's queues and agents.
    #[must_use]
    pub fn names(&self) -> MappedNames<'_> {
        MappedNames { queues: &self.queues, agents: &self.agents }
    }
}

/// What other sections give to a contact center.
pub(super) struct Surroundings<'a> {
    /// The certificates that could be read.
    pub(super) certificates: &'a BTreeMap<String, SigningCertificate>,
    /// The names of all certificates.
    pub(super) certificate_names: &'a names::ConfiguredNames,
    /// `[token]`, if it could be read.
    pub(super) token: Option<&'a Token>,
}

impl Surroundings<'_> {
    /// A certificate that could be read; what is wrong with another was reported where it stands.
    fn certificate(&self, name: &str) -> Option<SigningCertificate> {
        self.certificates.get(name).cloned()
    }
}

impl CallCenter {
    /// Whether anything of the flow's or Webex's words is kept to fill fields with.
    #[must_use]
    pub fn keeps_attributes(&self) -> bool {
        !self.attributes.is_empty() || self.enrichment.inherit_attributes
    }
}

/// The contact center under a name.
pub(super) fn read(name: &str, section: &mut Section<'_>, around: &Surroundings<'_>) -> Option<CallCenter> {
    check_name(name, section);
    let signers = Signers::read(section, around);
    CallCenter::read(section, around, name, &signers)
}

/// What signs from a moment on, so that Salesforce and the bridge can change at different moments.
#[derive(Debug, Clone)]
pub struct NextCertificate {
    /// Signs in place of the contact center's `certificate`.
    pub certificate: SigningCertificate,
    /// From this moment on.
    pub from: Timestamp,
}

/// The keys of a contact center that say what signs for it.
pub(super) struct Signers {
    /// The name of its certificate, if there is one.
    name: Option<String>,
    next: Option<(String, Timestamp)>,
}

impl Signers {
    fn read(section: &mut Section<'_>, around: &Surroundings<'_>) -> Self {
        const NEXT: &str = "next_certificate";
        const FROM: &str = "next_certificate_from";
        let name = section.required("certificate", "name the [certificates.NAME] section that signs for it");
        if let Some(certificate) = &name {
            around.certificate_names.check(section, "certificate", certificate);
        }
        let given = [NEXT, FROM].map(|key| section.has(key));
        let next = section.filled(NEXT);
        let from = section.optional(FROM, "a time such as 2026-12-01T06:00:00Z", moment).flatten();
        if let Some(next) = &next {
            around.certificate_names.check(section, NEXT, next);
            if Some(next) == name.as_ref() {
                section.problem(NEXT, "is the same as `certificate`", "name the certificate to change to");
            }
        }
        match given {
            [true, false] => {
                section.problem(FROM, "is missing", "say from when on it signs: 2026-12-01T06:00:00Z");
            }
            [false, true] => {
                section.problem(NEXT, "is missing", "name the certificate that signs from then on");
            }
            _ => {}
        }
        let next = next.zip(from);
        if let Some((next, from)) = &next
            && let Some(certificate) = around.certificates.get(next)
            && certificate.not_after() <= *from
        {
            let problem = format!("is after the end of {next}, {:.0}", certificate.not_after());
            section.problem(FROM, problem, "change earlier, or to a certificate that is valid then");
        }
        Self { name, next }
    }

    fn next(&self, around: &Surroundings<'_>) -> Option<NextCertificate> {
        let (name, from) = self.next.as_ref()?;
        Some(NextCertificate { certificate: around.certificate(name)?, from: *from })
    }
}

/// A moment needs its offset from UTC: nobody can say which one a time without it is.
fn moment(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|_| "is not a time with its offset from UTC".to_owned())
}

impl Section<'_> {
    /// Phone number rules as JSON.
    fn rule_set(&mut self, key: &str) -> Option<Translation> {
        let text = self.text_or(key, self.default_text(key), "rules as JSON")?;
        Translation::parse(&text)
            .map_err(|problems| {
                for problem in problems {
                    self.problem(key, rule_problem(&problem), rule_hint(&text, &problem));
                }
            })
            .ok()
    }

    /// `[call_centers.NAME.abandonment]`, which may need an OAuth session on the way to Salesforce.
    fn abandonment(&mut self, key: &str, center: &str, api: Option<&Api>) -> Option<Abandonment> {
        let abandonment = self.part_or_empty(key, Abandonment::read)?;
        if abandonment.ask_salesforce && matches!(api, Some(Api::Telephony(Telephony { oauth: None, .. }))) {
            self.problem(
                "abandonment.ask_salesforce",
                "needs an OAuth session, which api = \"telephony\" has not by itself",
                format!("add [call_centers.{center}.oauth] with login_url, consumer_key_file and username"),
            );
        }
        Some(abandonment)
    }

    /// VoiceCall fields filled from what the flow and Webex have told, sorted by their names.
    fn attributes(&mut self, key: &str) -> Option<Vec<Attribute>> {
        let mut attributes = Vec::new();
        for (field, source) in self.texts(key) {
            let key = format!("{key}.{field}");
            if !Attribute::is_field(&field) {
                self.problem(&key, "is not the API name of a field", "such as Recording_Id__c");
            }
            match ValuePath::parse(&source) {
                Ok(path) => attributes.push(Attribute { field, path }),
                Err(invalid) => self.problem(&key, invalid.to_string(), attribute_hint(&source, invalid)),
            }
        }
        Some(attributes)
    }

    /// A table from an id of Webex to a name in Salesforce.
    fn names_by_id(&mut self, key: &str, hint: &str) -> Option<BTreeMap<String, String>> {
        let names = self.texts(key);
        for (id, name) in &names {
            let key = format!("{key}.{id}");
            if id.trim().is_empty() || id.trim() != id {
                self.problem(
                    &key,
                    "has an id that is empty or begins or ends with a space",
                    "the id in Webex",
                );
            }
            if name.trim().is_empty() {
                self.problem(&key, "is empty", format!("{hint}; or take the line out"));
            }
        }
        Some(names)
    }
}

/// The rule, its part, and what is wrong with it.
fn rule_problem(problem: &RuleProblem) -> String {
    let rule = problem.rule().map_or_else(String::new, |rule| format!("rule {rule:?}, "));
    format!("{rule}{}: {}", problem.part(), problem.problem())
}

/// What to do about it. Double quotes of TOML take backslashes away that JSON needs.
fn rule_hint(text: &str, problem: &RuleProblem) -> String {
    let escape = problem.part() == RulePart::Json && problem.problem().contains("escape");
    if escape && text.contains('\\') {
        return format!("{}; in the file in single quotes, not double ones", problem.hint());
    }
    problem.hint().to_owned()
}

fn attribute_hint(source: &str, invalid: InvalidPath) -> String {
    match invalid {
        InvalidPath::Names => {
            "names with dots between them, without $ and [ ], such as request.participants.0.type".to_owned()
        }
        InvalidPath::ContactCenter => "take the line out".to_owned(),
        InvalidPath::Bare(root) => format!("go on with a dot and a name, such as {root}.{}", example(root)),
        InvalidPath::NearlyRoot(root) => {
            format!("write `{root}`; or for a field of that name in the flow's body, `request.` before it")
        }
        InvalidPath::Segments => {
            let known: BTreeSet<String> = ValuePath::all_of_segments().collect();
            match nearest(source, &known) {
                Some(known) => format!("did you mean `{known}`?"),
                None => format!("one of {}", known.into_iter().collect::<Vec<_>>().join(", ")),
            }
        }
    }
}

fn example(root: &str) -> &'static str {
    match root {
        "request" => "flowInputParameters.param1",
        "data" => "queueId",
        _ => "queue.duration",
    }
}

fn not_empty(text: &str) -> Result<String, String> {
    text_if(!text.trim().is_empty(), text, "is empty")
}
