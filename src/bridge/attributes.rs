//! Fields of a VoiceCall that are filled from what the flow and Webex have told.
//!
//! What is told is kept as it arrives, at best effort; a create is filled with what can be read. A final update is filled
//! with all that is known, or not sent yet. Contact centers that fill no fields pay nothing.

use std::borrow::Cow;

use jiff::{SignedDuration, Timestamp};

use super::conclude::FilledAtEnd;
use super::{Bridge, BridgeError, Delivered, in_time, named, or_nothing, without_journal};
use crate::domain::{
    Call, CallHistory, CallName, CallReference, CreateVoiceCall, FieldMapping, FillStage, FilledAttributes,
    FlowTime, Initiation, Interaction, KnownValues, PickedValues, SentAttributes, StoredJson,
    UpdateVoiceCall, fill,
};
use crate::salesforce::Budget;
use crate::settings::CallCenter;
use crate::store::{Detail, DetailKind, NewDetail, Note, Owner};

/// Whether an update was taken in: then what became of its fields is worth a report.
pub(super) fn went_out(sent: &Result<Delivered, BridgeError>) -> bool {
    matches!(sent, Ok(Delivered::Now | Delivered::Later) | Err(BridgeError::Salesforce(_)))
}

impl Bridge {
    /// The call of a note, if its contact center fills fields.
    pub(super) fn filled(&self, note: Option<&Note>) -> Option<CallName> {
        let call = &note?.call;
        self.filling(call).map(|_| call.clone())
    }

    /// Keeps what a request tells of a call.
    pub(super) async fn remember_picked(
        &self,
        call: Option<&CallName>,
        route: &str,
        picked: &PickedValues,
        budget: &Budget,
    ) {
        self.keep_details(call, &self.picked(route, picked), budget).await;
    }

    /// The create with its fields filled by what is known so early, and what is to be kept of that.
    pub(super) async fn fill_create<'r>(
        &self,
        call: &CallName,
        request: &'r CreateVoiceCall,
        budget: &Budget,
    ) -> (Cow<'r, CreateVoiceCall>, Vec<NewDetail>) {
        let center = self.call_center(call.call_center().as_ref());
        let Some(center) = center.filter(|center| center.keeps_attributes()) else {
            return (Cow::Borrowed(request), Vec::new());
        };
        // Boxed, since most contact centers fill no fields.
        Box::pin(self.filled_create(center, call, request, budget)).await
    }

    async fn filled_create(
        &self,
        center: &CallCenter,
        call: &CallName,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> (Cow<'static, CreateVoiceCall>, Vec<NewDetail>) {
        let before = async {
            // All that webhooks have told so far is of the first one.
            if call.is_plain() { Ok(Interaction::default()) } else { self.interaction_of(call, budget).await }
        };
        let (known, interaction, parent) = tokio::join!(
            self.known_details(call, budget),
            before,
            self.sent_by_parent(center, call, request, budget)
        );
        let (known, interaction, parent) = (or_nothing(known), or_nothing(interaction), or_nothing(parent));
        let mut knowledge = knowledge(&known, call, &interaction);
        knowledge.add_request(self.outbox.now(), &request.picked);
        let moment = FillStage::Create { parent: parent.as_ref() };
        let filled = fill(&form(center), &knowledge, request.call_attributes.as_deref(), moment);
        let mut details = self.picked("createVoiceCall", &request.picked);
        details.push(self.single(DetailKind::Sent, filled.sent().body()));
        details.extend(self.report(DetailKind::AtCreate, &filled));
        let call_attributes = filled.call_attributes;
        (Cow::Owned(CreateVoiceCall { call_attributes, ..request.clone() }), details)
    }

    /// Fills the fields of a final update; gives what is to be kept of that once the update is taken in.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn fill_final(
        &self,
        update: &mut UpdateVoiceCall,
        name: &CallName,
        interaction: &Interaction,
        budget: &Budget,
    ) -> Result<Vec<NewDetail>, BridgeError> {
        let Some(center) = self.filling(name) else { return Ok(Vec::new()) };
        let known = self.known_details(name, budget).await?;
        let story = interaction.history_of(Some(name));
        let end = End { interaction, at: update.end_time, story, picked: &update.picked };
        let (own, now) = (update.call_attributes.as_deref(), self.outbox.now());
        let filled = end.fill(center, name, &known, own, now);
        let report = self.report(DetailKind::AtEnd, &filled).into_iter().collect();
        update.call_attributes = filled.call_attributes;
        Ok(report)
    }

    /// What the fields of a call that has ended are filled with.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub(super) async fn fill_ended(
        &self,
        name: &CallName,
        interaction: &Interaction,
        (story, at): (&CallHistory, FlowTime),
        budget: &Budget,
    ) -> Result<FilledAtEnd, BridgeError> {
        let Some(center) = self.filling(name) else { return Ok(FilledAtEnd::default()) };
        let known = self.known_details(name, budget).await?;
        let (story, now) = (Some(story.clone()), self.outbox.now());
        let is_whole = !self.has_forgotten(&known, name, now);
        let end = End { interaction, at: Some(at), story, picked: &PickedValues::default() };
        let filled = end.fill(center, name, &known, None, now);
        let report = self.report(DetailKind::AtEnd, &filled).into_iter().collect();
        Ok(FilledAtEnd { call_attributes: filled.call_attributes, report, is_whole })
    }

    /// Whether something that was told of the call may be gone: values go before their names do.
    fn has_forgotten(&self, known: &[Detail], name: &CallName, now: Timestamp) -> bool {
        let keep = SignedDuration::try_from(self.settings.journal.keep_private()).unwrap_or_default();
        known.iter().any(|detail| detail.is_of(name) && now.duration_since(detail.kept_at) >= keep)
    }

    /// The contact center of a call, if it fills fields.
    fn filling(&self, call: &CallName) -> Option<&CallCenter> {
        self.call_center(call.call_center().as_ref()).filter(|center| !center.attributes.is_empty())
    }

    /// Writes details down, if there are any.
    pub(super) async fn keep_details(&self, call: Option<&CallName>, details: &[NewDetail], budget: &Budget) {
        let Some(call) = call.filter(|_| !details.is_empty()) else { return };
        let (owner, now) = (Owner::Call(call.clone()), self.outbox.now());
        let kept = self.outbox.store().keep_details(&owner, details, now);
        // Boxed, since most requests have none.
        Box::pin(in_time(budget, kept)).await.unwrap_or_else(|error| without_journal(&error));
    }

    /// What was kept of a call. A database that does not answer gets half of the time at most.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn known_details(&self, call: &CallName, budget: &Budget) -> Result<Vec<Detail>, BridgeError> {
        let details = self.outbox.store().details(call.call_center(), call.vendor_call_key());
        in_time(&budget.half(), details).await
    }

    /// All that is known of the interaction of a call. A database that does not answer gets half of the time at most.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn interaction_of(&self, name: &CallName, budget: &Budget) -> Result<Interaction, BridgeError> {
        let key = CallReference::Key(name.vendor_call_key().clone());
        self.interaction(name.call_center(), &key, &budget.half()).await
    }

    /// What the create of the call has sent that this one continues, if it is to be inherited.
    ///
    /// # Errors
    /// When the journal cannot be read.
    async fn sent_by_parent(
        &self,
        center: &CallCenter,
        call: &CallName,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<Option<SentAttributes>, BridgeError> {
        if !center.enrichment.inherit_attributes {
            return Ok(None);
        }
        let (here, half) = (call.call_center(), budget.half());
        let parent = match (&request.initiation, call.run_began()) {
            (Initiation::Transfer { parent }, _) => {
                let interaction = self.interaction(here, parent, &half).await?;
                let found = interaction.find(parent).map(|call| call.name.clone());
                found.or_else(|| named(here, parent))
            }
            (Initiation::Inbound, Some(_)) => {
                let interaction = self.interaction_of(call, budget).await?;
                interaction.parent_of(call).map(|parent| parent.name.clone())
            }
            (Initiation::Inbound, None) => None,
        };
        let Some(parent) = parent else { return Ok(None) };
        let known = self.known_details(&parent, budget).await?;
        Ok(last(&known, &parent, DetailKind::Sent).and_then(|sent| SentAttributes::read(&sent.body)))
    }

    fn picked(&self, route: &str, picked: &PickedValues) -> Vec<NewDetail> {
        if picked.is_empty() {
            return Vec::new();
        }
        self.details_of(route, picked, (DetailKind::Request, DetailKind::Arrived), self.outbox.now())
    }

    /// Values under a name that is made of them, so that none replaces another and each is there once; names under
    /// that of where they came from.
    pub(super) fn details_of(
        &self,
        source: &str,
        picked: &PickedValues,
        (values, names): (DetailKind, DetailKind),
        at: Timestamp,
    ) -> Vec<NewDetail> {
        // The same values of two webhooks may be of two VoiceCalls: their times decide.
        let when = if values == DetailKind::Webhook { at.to_string() } else { String::new() };
        let values = picked.body().map(|body| {
            let fingerprint = self.outbox.store().fingerprint(&[source, body.expose(), &when]).0;
            let [a, b, c, d, e, f, g, h, ..] = fingerprint;
            let source = format!("{source} {:016x}", u64::from_be_bytes([a, b, c, d, e, f, g, h]));
            NewDetail { kind: values, source, at, body }
        });
        let arrived = serde_json::to_string(picked.arrived()).ok().map(|body| NewDetail {
            kind: names,
            source: source.to_owned(),
            at,
            body: StoredJson::new(body),
        });
        values.into_iter().chain(arrived).collect()
    }

    /// A report, unless it says nothing.
    fn report(&self, kind: DetailKind, filled: &FilledAttributes) -> Option<NewDetail> {
        (!filled.report.lines.is_empty()).then(|| self.single(kind, filled.report.body()))
    }

    fn single(&self, kind: DetailKind, body: StoredJson) -> NewDetail {
        NewDetail { kind, source: String::new(), at: self.outbox.now(), body }
    }
}

/// A call at its end.
struct End<'a> {
    interaction: &'a Interaction,
    at: Option<FlowTime>,
    story: Option<CallHistory>,
    picked: &'a PickedValues,
}

impl End<'_> {
    fn fill(
        self,
        center: &CallCenter,
        name: &CallName,
        known: &[Detail],
        own: Option<&str>,
        now: Timestamp,
    ) -> FilledAttributes {
        let mut knowledge = knowledge(known, name, self.interaction);
        knowledge.add_request(now, self.picked);
        if let Some(story) = self.story {
            knowledge.set_history(story, self.at.map(FlowTime::timestamp));
        }
        let create =
            last(known, name, DetailKind::Sent).and_then(|detail| SentAttributes::read(&detail.body));
        // A record that an update has made knows nothing of what the create said.
        let has_taken = |call: &Call| call.voice_call_id.is_some() || call.deferred_at.is_some();
        let is_created = self.interaction.call(name).is_some_and(has_taken);
        let moment = FillStage::Final { create: create.as_ref(), is_created };
        fill(&form(center), &knowledge, own, moment)
    }
}

fn form(center: &CallCenter) -> FieldMapping<'_> {
    let names = center.enrichment.names();
    FieldMapping { attributes: &center.attributes, longest: center.attribute_length, names }
}

/// What was told of a call: by its own requests, and by the webhooks of the time when it had the caller.
fn knowledge(details: &[Detail], call: &CallName, interaction: &Interaction) -> KnownValues {
    let had_caller = |at| interaction.at(at).is_none_or(|had| had.name == *call);
    let mut knowledge = KnownValues::default();
    for detail in details.iter().filter(|detail| detail.is_of(call)) {
        let picked = || PickedValues::read(&detail.body).unwrap_or_default();
        match detail.kind {
            DetailKind::Request => knowledge.add_request(detail.at, &picked()),
            DetailKind::Webhook if had_caller(detail.at) => knowledge.add_webhook(detail.at, &picked()),
            DetailKind::Webhook
            | DetailKind::Sent
            | DetailKind::Arrived
            | DetailKind::Carried
            | DetailKind::AtCreate
            | DetailKind::AtEnd => {}
        }
    }
    knowledge
}

fn last<'d>(details: &'d [Detail], call: &CallName, kind: DetailKind) -> Option<&'d Detail> {
    details.iter().rev().find(|detail| detail.kind == kind && detail.is_of(call))
}
