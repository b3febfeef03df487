//! The bodies of the voice routes: a table of fields, which a test holds against the code that reads them.

use serde_json::json;
use utoipa::openapi::schema::{AllOfBuilder, ObjectBuilder, Schema, SchemaType};
use utoipa::openapi::{RefOr, Required};

use super::super::Route;
use super::schemas::{one_of, reference};

/// The body of a route, and what its operation says.
pub(super) struct Body {
    /// The route.
    pub(super) route: Route,
    /// The name of its schema.
    pub(super) schema: &'static str,
    /// The name of the schema of its answer.
    pub(super) answer: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    /// What 200 means.
    pub(super) done: &'static str,
    /// The fields: name, schema, whether it must be there, what it says.
    pub(super) fields: &'static [Field],
    /// Of which fields one must be there.
    any_of: Alternatives,
}

/// A field: its name, the name of its schema, whether it must be there, and what it says.
pub(super) type Field = (&'static str, &'static str, Required, &'static str);

/// Fields of which at least one must be there, each with the schema that it then has.
type Alternatives = &'static [(&'static str, &'static str)];

const YES: Required = Required::True;
const NO: Required = Required::False;

const CENTER: Field = (
    "callCenterDevName",
    "Name",
    YES,
    "The contact center's API name in Salesforce, as in the configuration.",
);
const CERTIFICATE: Field = (
    "certDevName",
    "OptionalName",
    NO,
    "The certificate that signs; without it the contact center names its own.",
);
const KEY: Field =
    ("vendorCallKey", "OptionalName", NO, "The key of the call: `wxcc_` and the interaction id.");
const INTERACTION: Field =
    ("interactionId", "OptionalInteractionId", NO, "The interaction id, instead of `vendorCallKey`.");
const CALL: Field = ("voiceCallId", "OptionalName", NO, "The VoiceCall's id, or its vendorCallKey.");
const ATTRIBUTES: Field = (
    "callAttributes",
    "OptionalObject",
    NO,
    "Fields of VoiceCall, also as a text that holds the object; at most 16 KiB and 8 levels.",
);
const REASON: Field =
    ("disconnectReason", "DisconnectReason", NO, "Why it ended; the contact center has a default.");

const BY_KEY: Alternatives = &[("vendorCallKey", "Name"), ("interactionId", "InteractionId")];
const BY_CALL: Alternatives =
    &[("voiceCallId", "Name"), ("vendorCallKey", "Name"), ("interactionId", "InteractionId")];

/// All of them.
pub(super) const BODIES: [Body; 6] = [CREATE, UPDATE, OMNI_FLOW, CLEAR, ENDED, ANSWERED];

const CREATE: Body = Body {
    route: Route::CreateVoiceCall,
    schema: "CreateVoiceCall",
    answer: "CreateVoiceCallAnswer",
    summary: "A call has arrived: creates its VoiceCall.",
    description: "Repeated with the same key it answers the same VoiceCall. Fields that are not listed travel on to Salesforce unchanged.",
    done: "The VoiceCall exists, or is made afterwards where `on_create_failure` defers it.",
    fields: &[
        CENTER,
        CERTIFICATE,
        KEY,
        INTERACTION,
        ("to", "PhoneNumber", YES, "The dialed number."),
        ("from", "PhoneNumber", YES, "The caller's number."),
        (
            "initiationMethod",
            "OptionalText",
            NO,
            "`Inbound` or `Transfer`; not needed with `parentInteractionId`.",
        ),
        ("parentVoiceCallId", "OptionalName", NO, "The VoiceCall that a Transfer continues: its id or key."),
        ("parentInteractionId", "OptionalInteractionId", NO, "The interaction that this call continues."),
        ("queue", "OptionalText", NO, "The queue of a Transfer."),
        ("startTime", "Time", YES, "When the call began."),
        ("participants", "Participants", YES, "Who takes part."),
        ATTRIBUTES,
        ("callOrigin", "OptionalText", NO, "As Salesforce has it."),
        ("callSubtype", "OptionalText", NO, "As Salesforce has it."),
    ],
    any_of: BY_KEY,
};

const UPDATE: Body = Body {
    route: Route::UpdateVoiceCall,
    schema: "UpdateVoiceCall",
    answer: "UpdateVoiceCallAnswer",
    summary: "Times and fields of a call.",
    description: "Committed before it is tried, and sent later where Salesforce cannot be reached. Final unless `isActiveCall` is true. Fields that are not listed travel on to Salesforce unchanged.",
    done: "It is kept, or sent already.",
    fields: &[
        CENTER,
        CERTIFICATE,
        CALL,
        KEY,
        INTERACTION,
        ("startTime", "OptionalTime", NO, "When the call began."),
        ("endTime", "OptionalTime", NO, "When it ended."),
        ("enqueueTime", "OptionalTime", NO, "When it was queued."),
        ("acceptTime", "OptionalTime", NO, "When an agent accepted it."),
        ("fromNumber", "OptionalPhoneNumber", NO, "The caller's number."),
        REASON,
        ATTRIBUTES,
        ("callOrigin", "OptionalText", NO, "As Salesforce has it."),
        ("queue", "OptionalText", NO, "The queue."),
        ("agent", "OptionalText", NO, "The agent."),
        ("isActiveCall", "OptionalFlag", NO, "Whether the call goes on."),
        ("numberOfHolds", "OptionalCount", NO, "How often it was held."),
        ("longestHoldDuration", "OptionalCount", NO, "Seconds."),
        ("totalHoldDuration", "OptionalCount", NO, "Seconds."),
        ("agentInteractionDuration", "OptionalCount", NO, "Seconds; only with `recordingLocation`."),
        ("totalRecordingDuration", "OptionalCount", NO, "Seconds; only with `recordingLocation`."),
        ("recordingLocation", "OptionalText", NO, "Where the recording is."),
    ],
    any_of: &[],
};

const OMNI_FLOW: Body = Body {
    route: Route::ExecuteOmniFlow,
    schema: "ExecuteOmniFlow",
    answer: "ExecuteOmniFlowAnswer",
    summary: "Queue or agent of a call, by an Omni-Channel flow.",
    description: "Fields that are not listed travel on to Salesforce unchanged.",
    done: "Where to queue the call; either may be null.",
    fields: &[
        CENTER,
        CERTIFICATE,
        CALL,
        KEY,
        INTERACTION,
        ("dialedNumber", "PhoneNumber", YES, "The dialed number."),
        ("flowDevName", "OptionalText", NO, "The Omni-Channel flow; without it that of the phone channel."),
        ("fallbackQueue", "OptionalText", NO, "Salesforce's fallback: developer name or id of a queue."),
        ("flowInputParameters", "OptionalObject", NO, "Input of the Omni-Channel flow."),
    ],
    any_of: BY_CALL,
};

const CLEAR: Body = Body {
    route: Route::ClearRouting,
    schema: "ClearRouting",
    answer: "ClearRoutingAnswer",
    summary: "The caller does not wait any more: removes the pending routing.",
    description: "Committed before it is tried, and sent later where Salesforce cannot be reached.",
    done: "It is done (`Success`), or kept for later (`pending`).",
    fields: &[CENTER, CERTIFICATE, CALL, KEY, INTERACTION],
    any_of: &[],
};

const ENDED: Body = Body {
    route: Route::PhoneContactEnded,
    schema: "PhoneContactEnded",
    answer: "PhoneContactEndedAnswer",
    summary: "The caller has hung up: the bridge decides whether the call was abandoned.",
    description: "Without an agent, clears the routing and completes the VoiceCall; an answered call, and a hang-up reported twice, get nothing sent.",
    done: "What the call was, and whether all is sent (`Success`) or kept for later (`pending`).",
    fields: &[
        CENTER,
        CERTIFICATE,
        KEY,
        INTERACTION,
        CALL,
        ("startTime", "OptionalTime", NO, "When the call began."),
        ("endTime", "OptionalTime", NO, "When it ended; without it now."),
        ("agentId", "OptionalText", NO, "The agent; any says that the call was answered."),
        ("from", "OptionalPhoneNumber", NO, "The caller's number, for a call that was never created."),
        ("to", "OptionalPhoneNumber", NO, "The dialed number, for a call that was never created."),
        REASON,
        ATTRIBUTES,
    ],
    any_of: BY_KEY,
};

const ANSWERED: Body = Body {
    route: Route::AgentAnswered,
    schema: "AgentAnswered",
    answer: "StatusAnswer",
    summary: "An agent has accepted the call.",
    description: "Whatever reports this call as abandoned later does it no harm.",
    done: "It is kept.",
    fields: &[
        CENTER,
        CERTIFICATE,
        KEY,
        INTERACTION,
        ("agentId", "OptionalText", NO, "The agent."),
        ("queueId", "OptionalText", NO, "The queue."),
        ("acceptTime", "OptionalTime", NO, "When; without it now."),
    ],
    any_of: BY_KEY,
};

impl Body {
    /// The schema: the fields, and what must be there of them together.
    pub(super) fn schema(&self) -> RefOr<Schema> {
        let field = |object: ObjectBuilder, (name, schema, required, words): &Field| {
            let value = AllOfBuilder::new().item(reference(schema)).description(Some(*words));
            let object = object.property(*name, value);
            if *required == Required::True { object.required(*name) } else { object }
        };
        let fields: RefOr<Schema> = self.fields.iter().fold(ObjectBuilder::new(), field).into();
        let mut conditions: Vec<RefOr<Schema>> = Vec::new();
        if !self.any_of.is_empty() {
            conditions.push(one_of(self.any_of.iter().map(|(name, schema)| given(name, reference(schema)))));
        }
        match self.route {
            Route::CreateVoiceCall => conditions.push(initiation()),
            Route::UpdateVoiceCall => conditions.push(recording()),
            _ => {}
        }
        match conditions.is_empty() {
            true => fields,
            false => conditions.into_iter().fold(AllOfBuilder::new().item(fields), AllOfBuilder::item).into(),
        }
    }
}

/// An object in which this field is there.
fn given(name: &str, schema: RefOr<Schema>) -> RefOr<Schema> {
    ObjectBuilder::new().property(name, schema).required(name).into()
}

/// Exactly these values.
fn values<const N: usize>(values: [serde_json::Value; N]) -> ObjectBuilder {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some(values))
}

/// An Inbound call, a Transfer with its parent, or the continuation of an interaction.
fn initiation() -> RefOr<Schema> {
    let method = "initiationMethod";
    let no_interaction = || values([json!(null), json!("")]);
    let inbound = ObjectBuilder::new()
        .property(method, values([json!("Inbound")]))
        .property("parentInteractionId", no_interaction())
        .required(method);
    let transfer = ObjectBuilder::new()
        .property(method, values([json!("Transfer")]))
        .property("parentVoiceCallId", reference("Name"))
        .property("parentInteractionId", no_interaction())
        .required(method)
        .required("parentVoiceCallId");
    let either = values([json!("Inbound"), json!("Transfer"), json!(null), json!("")]);
    let continued = ObjectBuilder::new()
        .property(method, either)
        .property("parentInteractionId", reference("InteractionId"))
        .property("parentVoiceCallId", no_interaction())
        .required("parentInteractionId");
    one_of([inbound.into(), transfer.into(), continued.into()])
}

/// Salesforce takes two of the counts only together with a `recordingLocation`.
fn recording() -> RefOr<Schema> {
    let none = || values([json!(null), json!("")]);
    let without = ObjectBuilder::new()
        .property("agentInteractionDuration", none())
        .property("totalRecordingDuration", none());
    one_of([given("recordingLocation", reference("FilledText")), without.into()])
}
