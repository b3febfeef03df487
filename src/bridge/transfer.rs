//! A call that continues another: a later flow run for the same interaction, or a Transfer by the flow's own word.

use std::borrow::Cow;

use super::{Bridge, BridgeError, in_time, or_nothing};
use crate::domain::{
    CallName, CallReference, Continuation, CreatePlacement, CreateVoiceCall, Initiation, Interaction,
};
use crate::salesforce::{Budget, Failure};
use crate::store::{CreateBody, Note};

impl Bridge {
    /// The name of the call that a create is about. Only where it may be that of a later flow run, the journal is asked.
    ///
    /// # Errors
    /// When it is a Transfer by the flow's word, and the journal knows no call that it could continue, or nothing at all.
    pub(super) async fn name_of(
        &self,
        request: &CreateVoiceCall,
        budget: &Budget,
    ) -> Result<CallName, BridgeError> {
        match (&request.initiation, request.continues) {
            (Initiation::Transfer { parent }, _) => Ok(named(request, Some(parent))),
            (Initiation::Inbound, Continuation::NotStated) => Ok(named(request, None)),
            (Initiation::Inbound, Continuation::Itself | Continuation::Earlier) => {
                let key = CallReference::Key(request.vendor_call_key.clone());
                let interaction = self.interaction(&request.origin.call_center, &key, budget).await?;
                Self::place_in(&interaction, request)
            }
        }
    }

    /// The name of the call among the VoiceCalls of its key: one that is there, or a new one behind them.
    ///
    /// # Errors
    /// When it is a Transfer by the flow's word, and the journal knows no call that it could continue.
    pub(super) fn place_in(
        interaction: &Interaction,
        request: &CreateVoiceCall,
    ) -> Result<CallName, BridgeError> {
        let (center, key) = (&request.origin.call_center, &request.vendor_call_key);
        let began = request.start_time.timestamp();
        let later = || CallName::later_run(center.clone(), key.clone(), began);
        if request.continues == Continuation::Earlier && interaction.parent_of(&later()).is_none() {
            return Err(BridgeError::Contradiction(String::from(
                "parentVoiceCallId: missing or wrong; a Transfer names the call it continues, by id or \
                 vendorCallKey, or has the vendorCallKey of an earlier call that the bridge has created",
            )));
        }
        match interaction.place(began, request.continues) {
            CreatePlacement::Existing(call) => Ok(call.name.clone()),
            CreatePlacement::First if request.continues != Continuation::Earlier => Ok(named(request, None)),
            CreatePlacement::First | CreatePlacement::New => {
                tracing::info!(call_center = %center, vendor_call_key = %key, "another flow run for the same interaction: a Transfer");
                Ok(later())
            }
        }
    }

    /// The request as Salesforce is to read it: a Transfer names its parent by id where the journal knows one. And why it
    /// cannot be sent yet: the parent's own record was promised, and is still to be made.
    pub(super) async fn with_parent<'a>(
        &self,
        name: &CallName,
        request: &'a CreateVoiceCall,
        budget: &Budget,
    ) -> (Cow<'a, CreateVoiceCall>, Option<Failure>) {
        let key = match (&request.initiation, name.run_began()) {
            (Initiation::Transfer { parent: CallReference::Key(key) }, _) => key,
            (Initiation::Inbound, Some(_)) => &request.vendor_call_key,
            _ => return (Cow::Borrowed(request), None),
        };
        let key = CallReference::Key(key.clone());
        let interaction = or_nothing(self.interaction(name.call_center(), &key, budget).await);
        let Some(parent) = interaction.parent_of(name) else { return (Cow::Borrowed(request), None) };
        let failure = parent.is_only_promised().then(|| Failure::Again {
            after: None,
            words: String::from("the VoiceCall that it continues is still to be created"),
        });
        let initiation = Initiation::Transfer { parent: parent.reference() };
        (Cow::Owned(CreateVoiceCall { initiation, ..request.clone() }), failure)
    }

    /// The hang-up of the newest call is the end of the interaction: those before it, which agents had, ended where the
    /// next began, and nothing of them is needed any more.
    ///
    /// # Errors
    /// When it cannot be written down.
    pub(super) async fn leave_earlier(
        &self,
        interaction: &Interaction,
        budget: &Budget,
    ) -> Result<(), BridgeError> {
        for (call, ended_at) in interaction.left_behind() {
            let name = call.name.clone();
            let note = Note { ended_at, create_body: CreateBody::Done, ..Note::of(name, self.outbox.now()) };
            in_time(budget, self.store().note(note)).await?;
        }
        Ok(())
    }
}

fn named(request: &CreateVoiceCall, parent: Option<&CallReference>) -> CallName {
    CallName::new(request.origin.call_center.clone(), request.vendor_call_key.clone(), parent)
}
