//! The values that fields have, and the answers.

use serde_json::{Value, json};
use utoipa::openapi::schema::{
    AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, SchemaFormat, SchemaType, Type,
};
use utoipa::openapi::{KnownFormat, Ref, RefOr};

use crate::domain::EPOCH_SECONDS;

/// No control characters, neither `.` nor `..`, and at least one sign that is no blank.
const NAME: &str = r"^(?!\.{1,2}$)[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
/// The same, or nothing.
const NAME_OR_NOTHING: &str = r"^(?!\.{1,2}$)[^\x00-\x1f\x7f-\x9f]*$";
/// The longest name, in characters.
const LONGEST_NAME: usize = 255;
/// The longest interaction id: `wxcc_` stands before it in the key.
const LONGEST_INTERACTION: usize = 250;

type Part = RefOr<Schema>;

pub(super) fn reference(name: &str) -> Part {
    Ref::from_schema_name(name).into()
}

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

/// Any text.
pub(super) fn any_text() -> Part {
    text().into()
}

/// What counts as left out: a flow variable that is not set.
pub(super) fn nothing() -> Part {
    ObjectBuilder::new().schema_type(SchemaType::AnyValue).enum_values(Some([json!(null), json!("")])).into()
}

fn or_nothing(parts: impl IntoIterator<Item = Part>) -> AnyOfBuilder {
    parts.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item).item(nothing())
}

/// Every value that has a name.
pub(super) fn all() -> Vec<(&'static str, Part)> {
    let mut all = values();
    all.extend(answers());
    all
}

fn values() -> Vec<(&'static str, Part)> {
    let name = |longest, words: &str| {
        text().pattern(Some(NAME)).max_length(Some(longest)).description(Some(words)).into()
    };
    let named = |longest, words: &str| {
        let name = text().pattern(Some(NAME_OR_NOTHING)).max_length(Some(longest));
        or_nothing([name.into()]).description(Some(words)).into()
    };
    let nullable = || text().schema_type(SchemaType::Array(vec![Type::String, Type::Null]));
    vec![
        ("Name", name(LONGEST_NAME, "A name: no control characters.")),
        ("OptionalName", named(LONGEST_NAME, "A name; null and an empty text count as left out.")),
        ("InteractionId", name(LONGEST_INTERACTION, "The id of a Webex interaction.")),
        (
            "OptionalInteractionId",
            named(
                LONGEST_INTERACTION,
                "The id of a Webex interaction; null and an empty text count as left out.",
            ),
        ),
        ("FilledText", text().pattern(Some(r"\S")).description(Some("A text that holds something.")).into()),
        (
            "OptionalText",
            nullable().description(Some("A text; null and an empty one count as left out.")).into(),
        ),
        (
            "PhoneNumber",
            text()
                .pattern(Some(r"\S"))
                .description(Some(
                    "At most 64 characters after the clean-up. The contact center's rules translate it.",
                ))
                .into(),
        ),
        (
            "OptionalPhoneNumber",
            nullable().description(Some("As PhoneNumber; null and an empty text count as left out.")).into(),
        ),
        ("Time", time(AnyOfBuilder::new()).into()),
        ("OptionalTime", time(or_nothing([])).into()),
        ("Flag", flag([]).into()),
        ("OptionalFlag", flag([json!(null), json!("")]).into()),
        ("OptionalCount", count()),
        (
            "OptionalObject",
            or_nothing([object().into()])
                .description(Some("An object; null and an empty text count as left out."))
                .into(),
        ),
        ("AnyObject", object().into()),
        ("DisconnectReason", disconnect_reason()),
        ("Participants", participants()),
        ("Webhook", webhook()),
        ("TokenRequest", token_request()),
    ]
}

fn object() -> ObjectBuilder {
    ObjectBuilder::new()
}

fn time(parts: AnyOfBuilder) -> AnyOfBuilder {
    let epoch = |unit: i64| {
        let end = |second: i64| isize::try_from(second * unit).ok();
        let number = ObjectBuilder::new().schema_type(Type::Number);
        number.minimum(end(EPOCH_SECONDS.start)).exclusive_maximum(end(EPOCH_SECONDS.end))
    };
    parts
        .item(text().format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime))))
        .item(text().pattern(Some("^[1-3][0-9]{9}([0-9]{3})?$")))
        .item(epoch(1))
        .item(epoch(1000))
        .description(Some(
            "RFC 3339 with an offset, also with a suffix as in `Z[UTC]`; or epoch seconds or milliseconds, as a number or a text. \
             Sent on in UTC with milliseconds.",
        ))
}

fn flag<const N: usize>(left_out: [Value; N]) -> ObjectBuilder {
    let words = [json!(true), json!(false), json!("true"), json!("false")];
    ObjectBuilder::new()
        .schema_type(SchemaType::AnyValue)
        .enum_values(Some(words.into_iter().chain(left_out)))
        .description(Some("A boolean, also as text."))
}

fn count() -> Part {
    let most: isize = 2_147_483_647;
    let number = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_isize)).maximum(Some(most));
    or_nothing([number.into(), text().pattern(Some("^[0-9]{1,9}$")).into()])
        .description(Some("A whole number from 0 on, also as text."))
        .into()
}

fn disconnect_reason() -> Part {
    let reason = object()
        .property("value", reference("FilledText"))
        .property("isError", reference("Flag"))
        .required("value")
        .required("isError");
    or_nothing([reason.into()]).description(Some("Why the call ended, as Salesforce shows it.")).into()
}

fn participants() -> Part {
    let participant = object()
        .property("participantKey", reference("PhoneNumber"))
        .property("type", reference("FilledText"))
        .required("participantKey")
        .required("type");
    ArrayBuilder::new()
        .items(participant)
        .min_items(Some(1))
        .description(Some(
            "Who takes part; the caller has the type `END_USER`, and the number is translated as `from`.",
        ))
        .into()
}

fn webhook() -> Part {
    let field = || text();
    object()
        .property("id", field())
        .property("type", field())
        .property("data", reference("AnyObject"))
        .description(Some("The envelope of Webex, version 1 or 2; the signature is that of its bytes."))
        .into()
}

fn token_request() -> Part {
    let grants = ["client_credentials", "password", "urn:ietf:params:oauth:grant-type:jwt-bearer"];
    let optional = || text().schema_type(SchemaType::Array(vec![Type::String, Type::Null]));
    let names = [
        "client_id",
        "client_secret",
        "client_assertion_type",
        "client_assertion",
        "username",
        "password",
        "assertion",
    ];
    let request = object().property("grant_type", text().enum_values(Some(grants))).required("grant_type");
    names.into_iter().fold(request, |request, name| request.property(name, optional())).into()
}

/// The envelope around `data`.
fn envelope(data: impl Into<Part>) -> Part {
    object()
        .property("data", data)
        .property("errors", ObjectBuilder::new().schema_type(Type::Null))
        .property("success", ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([true])))
        .required("data")
        .required("errors")
        .required("success")
        .into()
}

fn words<const N: usize>(words: [&'static str; N]) -> ObjectBuilder {
    text().enum_values(Some(words))
}

fn warnings() -> ArrayBuilder {
    ArrayBuilder::new().items(text()).description(Some("What the flow designer should know."))
}

fn status<const N: usize>(statuses: [&'static str; N]) -> ObjectBuilder {
    object().property("status", words(statuses)).required("status")
}

fn answers() -> Vec<(&'static str, Part)> {
    let nullable = || text().schema_type(SchemaType::Array(vec![Type::String, Type::Null]));
    let created = object()
        .property(
            "voiceCallId",
            text().description(Some(
                "The VoiceCall's id; where `on_create_failure` defers it, its vendorCallKey.",
            )),
        )
        .property("warnings", warnings())
        .required("voiceCallId");
    let routed = object()
        .property("queue", nullable())
        .property("agent", nullable())
        .property(
            "fallback",
            ObjectBuilder::new()
                .schema_type(Type::Boolean)
                .description(Some("The configured queue, because Salesforce could not be asked.")),
        )
        .required("queue")
        .required("agent");
    let ended = object()
        .property("outcome", words(OUTCOMES))
        .property("status", words(["Success", "pending"]))
        .required("outcome")
        .required("status");
    let kept = status(["Success", "pending"]).property("warnings", warnings());
    let updated = status(["pending"]).property("warnings", warnings());
    let mut answers = vec![
        ("CreateVoiceCallAnswer", envelope(created)),
        ("ExecuteOmniFlowAnswer", envelope(routed)),
        ("UpdateVoiceCallAnswer", envelope(updated)),
        ("ClearRoutingAnswer", envelope(kept)),
        ("PhoneContactEndedAnswer", envelope(ended)),
        ("StatusAnswer", envelope(status(["Success"]))),
        ("WebhookAnswer", envelope(status(["Success", "ignored"]))),
        ("Failure", failure()),
        ("TokenAnswer", token_answer()),
        ("TokenError", token_error()),
    ];
    answers.extend(operations());
    answers
}

/// What a hang-up may turn out to be: the labels of [`HangUpDecision`](crate::domain::HangUpDecision).
pub(super) const OUTCOMES: [&str; 4] = ["abandoned", "answered", "callback", "duplicate"];

fn failure() -> Part {
    object()
        .property("data", ObjectBuilder::new().schema_type(Type::Null))
        .property(
            "errors",
            ArrayBuilder::new()
                .items(text())
                .min_items(Some(1))
                .description(Some("`field: what is wrong`, each.")),
        )
        .property("success", ObjectBuilder::new().schema_type(Type::Boolean).enum_values(Some([false])))
        .required("data")
        .required("errors")
        .required("success")
        .into()
}

fn token_answer() -> Part {
    let names = ["access_token", "token_type", "scope", "instance_url", "id", "issued_at", "signature"];
    let answer = object()
        .property("expires_in", ObjectBuilder::new().schema_type(Type::Integer).description(Some("Seconds.")))
        .required("expires_in");
    names.into_iter().fold(answer, |answer, name| answer.property(name, text()).required(name)).into()
}

fn token_error() -> Part {
    object()
        .property("error", text())
        .property("error_description", text())
        .required("error")
        .required("error_description")
        .into()
}

fn operations() -> [(&'static str, Part); 3] {
    let problems = ArrayBuilder::new().items(reference("AnyObject"));
    let configuration = object()
        .property("status", words(["current", "refused"]))
        .property("problems", problems)
        .property("after_restart", ArrayBuilder::new().items(text()));
    let readiness = object()
        .property("status", words(["ready", "not ready"]))
        .property("not_ready", ArrayBuilder::new().items(text()))
        .property("configuration", configuration)
        .required("status");
    let version =
        object().property("name", text()).property("version", text()).required("name").required("version");
    [("Liveness", status(["alive"]).into()), ("Readiness", readiness.into()), ("Version", version.into())]
}

/// One of several bodies.
pub(super) fn one_of(parts: impl IntoIterator<Item = Part>) -> Part {
    let parts = parts.into_iter().fold(AnyOfBuilder::new(), AnyOfBuilder::item);
    parts.into()
}
