//! The caller is gone, and no agent had the call: it is completed with a reason.

use jiff::Timestamp;
use serde_json::Value;

use super::deliver::{Fresh, promise};
use super::end::{Ended, ended};
use super::{Bridge, Delivered, Trouble, in_time};
use crate::domain::{
    Call, CallName, CallReference, DisconnectReason, FlowTime, PhoneContactEnded, Stage, UpdateVoiceCall,
    Verdict,
};
use crate::salesforce::{Ask, Budget, Failure, Operation, Stored};
use crate::store::{Enqueued, EntryKind, NewEvent, Note, Subject};

/// What keeps an abandonment from being sent as soon as it is kept.
pub(super) enum Hurdle {
    /// Nothing.
    None,
    /// A create in flight: an update that came before it would make a record of its own.
    Create,
    /// Salesforce could not be asked whether an agent had the call.
    Unasked(Failure),
}

/// A hang-up that looks like an abandonment.
pub(super) struct Abandonment<'a> {
    pub(super) request: &'a PhoneContactEnded,
    pub(super) call: Option<&'a Call>,
    pub(super) name: CallName,
    pub(super) reference: CallReference,
    pub(super) verdict: Verdict,
    pub(super) mark: Option<NewEvent>,
}

impl Bridge {
    /// The vendors' recipe: clear routing, then one final update with start, end and reason. The update alone clears
    /// the routing too, so a first step that is refused is no harm. Before a hurdle it is left to the outbox.
    pub(super) async fn abandon(
        &self,
        abandonment: Abandonment<'_>,
        hurdle: Hurdle,
        budget: &Budget,
    ) -> Result<Ended, Trouble> {
        let Abandonment { request, call, name, reference, verdict, mark } = abandonment;
        let mut update = self.final_update(request, call, verdict.stage());
        let mark = mark.or_else(|| self.told_plainly(&name, &update, verdict == Verdict::Callback));
        let report = self.fill_final(&mut update, &name, call, budget).await?;
        let asks = [Ask::ClearRouting(&reference, &request.origin), Ask::Update(&reference, &update)];
        let entries = vec![self.outbox.entry(asks[0], false, true), self.outbox.entry(asks[1], true, true)];
        let now = self.outbox.now();
        let is_early =
            matches!(hurdle, Hurdle::Create) || call.is_some_and(|call| call.is_being_created(now));
        let hold = is_early.then(|| self.hold());
        let note = Note {
            start_time: start_of(request, call),
            ended_at: Some(request.end_time.timestamp()),
            ..Note::of(name.clone(), now)
        };
        let abandoned = |delivered| Ok(ended(verdict, delivered));
        let subject = Subject::Known(Box::new(note));
        let put = self.outbox.put_marked(subject, entries, true, hold.as_ref(), mark);
        match in_time(budget, put).await? {
            Enqueued::Duplicate => Ok(ended(Verdict::Duplicate, Delivered::Withheld)),
            Enqueued::Answered => Ok(ended(Verdict::Answered, Delivered::Withheld)),
            Enqueued::Accepted { behind, ids, call } => {
                self.keep_details(Some(&name), &report, budget).await;
                if behind {
                    return abandoned(Delivered::Later);
                }
                if let Some(hold) = hold {
                    self.let_go_after_create(hold, name);
                    return abandoned(Delivered::Later);
                }
                let fresh = |at: usize, kind, is_final| ids.get(at).map(|&id| Fresh { id, kind, is_final });
                let pair = fresh(0, EntryKind::Clear, false).zip(fresh(1, EntryKind::Update, true));
                // A create that another replica has begun in the meantime.
                if call.is_some_and(|call| call.is_being_created(now)) {
                    self.give_back_after_create(ids, name);
                    return abandoned(Delivered::Later);
                }
                match (hurdle, pair) {
                    (Hurdle::None, Some(pair)) => abandoned(self.try_both(pair, asks, budget).await?),
                    (Hurdle::Unasked(failure), Some((clear, last))) => {
                        self.settle(clear, Some(&failure), asks[0]);
                        self.settle(last, Some(&failure), asks[1]);
                        abandoned(Delivered::Later)
                    }
                    _ => abandoned(Delivered::Later),
                }
            }
        }
    }

    /// The final update clears the routing too. So it is tried even if the clearing failed, with half of the time for
    /// itself, and once it is delivered nothing is left to clear.
    async fn try_both(
        &self,
        (clear, last): (Fresh, Fresh),
        [clearing, update]: [Ask<'_>; 2],
        budget: &Budget,
    ) -> Result<Delivered, Trouble> {
        let org = self.org(&update.origin().call_center)?;
        let half = budget.half();
        let cleared = org.ask(&self.client, clearing, &half).await.map(drop);
        budget.waited(half.upstream().unwrap_or_default());
        let updated = org.ask(&self.client, update, budget).await.map(drop);
        let left = if updated.is_ok() { None } else { cleared.as_ref().err() };
        self.settle(clear, left, clearing);
        self.settle(last, updated.as_ref().err(), update);
        promise(updated)
    }

    /// The final update of an abandonment.
    pub(super) fn final_update(
        &self,
        request: &PhoneContactEnded,
        call: Option<&Call>,
        stage: Stage,
    ) -> UpdateVoiceCall {
        let mut update = UpdateVoiceCall {
            origin: request.origin.clone(),
            call: None,
            start_time: request.start_time,
            end_time: Some(end_of(request, call)),
            enqueue_time: request.enqueue_time,
            accept_time: None,
            from_number: None,
            disconnect_reason: Some(self.reason(request, stage)),
            call_attributes: request.call_attributes.clone(),
            rest: request.rest.clone(),
            picked: request.picked.clone(),
        };
        // A call that Salesforce may not know by an id: the update makes its record, and then wants to know what a
        // create would have said.
        let has_id = request.voice_call.as_ref().is_some_and(|call| matches!(call, CallReference::Id(_)))
            || call.is_some_and(|call| call.voice_call_id.is_some());
        if !has_id {
            complete(&mut update, request, call);
        }
        update
    }

    /// What the request says, else what is configured for where the caller gave up.
    pub(super) fn reason(&self, request: &PhoneContactEnded, stage: Stage) -> DisconnectReason {
        let configured = || {
            let abandonment = &self.call_center(request.origin.call_center.as_ref())?.abandonment;
            let value = stage.choose(&abandonment.reason, &abandonment.reason_in_ivr).clone();
            Some(DisconnectReason { value, is_error: abandonment.is_error })
        };
        let default = || DisconnectReason { value: String::from("Abandoned"), is_error: true };
        request.disconnect_reason.clone().or_else(configured).unwrap_or_else(default)
    }
}

/// When the call began, where no create has told: that is what tells flow runs apart.
fn start_of(request: &PhoneContactEnded, call: Option<&Call>) -> Option<Timestamp> {
    let is_told = call.is_some_and(|call| call.fingerprint.is_some());
    request.start_time.map(FlowTime::timestamp).filter(|_| !is_told)
}

/// What a create would have said: from the request, else from the create that failed.
fn complete(update: &mut UpdateVoiceCall, request: &PhoneContactEnded, call: Option<&Call>) {
    let failed = call
        .and_then(|call| call.create_body.as_ref())
        .and_then(|body| serde_json::from_str::<Stored>(body.expose()).ok())
        .and_then(|stored| stored.read(Operation::Create).ok());
    let said = |name: &str| failed.as_ref().and_then(|create| create.body.get(name)).and_then(Value::as_str);
    let method = said("initiationMethod").unwrap_or("Inbound").to_uppercase();
    update.rest.insert("callCenterApiName".into(), Value::from(request.origin.call_center.as_ref()));
    update.rest.entry("initiationMethod").or_insert(Value::from(method));
    let to = request.to.as_ref().map(|number| number.expose()).or_else(|| said("to"));
    if let Some(to) = to {
        update.rest.insert("toNumber".into(), Value::from(to));
    }
    update.from_number = request.from.clone().or_else(|| said("from").map(Into::into));
    update.start_time =
        update.start_time.or_else(|| said("startTime").and_then(|time| FlowTime::parse(time).ok()));
    if update.call_attributes.is_none() {
        update.call_attributes = said("callAttributes").map(str::to_owned);
    }
}

/// A call does not end before it began: Webex's clock, which gives the start, may be ahead of ours, which gives the end.
fn end_of(request: &PhoneContactEnded, call: Option<&Call>) -> FlowTime {
    let began = request.start_time.or_else(|| call.and_then(Call::began).map(FlowTime::new));
    began.filter(|began| began.timestamp() > request.end_time.timestamp()).unwrap_or(request.end_time)
}
