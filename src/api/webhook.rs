//! POST /webhooks/wxcc. The signature is the credential.

use std::time::Duration;

use actix_web::http::header::HeaderMap;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde_json::json;
use tokio::time::timeout_at;

use super::access::{Arrival, PlaceKind, take_place};
use super::context::{ApiContext, Webhooks};
use super::notes::RequestNotes;
use super::{ApiError, body, envelope};
use crate::bridge::Bridge;
use crate::salesforce::Budget;
use crate::settings::BadSignatureStatus;
use crate::webex::{Webhook, WebhookSubject, is_fresh};

/// Webex takes an answer within 5 s for success.
const DEADLINE: Duration = Duration::from_secs(4);

/// Stores the event of a webhook; it is durable with the answer 200.
pub async fn webhook(
    request: HttpRequest,
    payload: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    let configured = context.configured();
    let Some(webhooks) = configured.webhooks() else { return ApiError::NotFound.response() };
    let started = Arrival::of(&request).started;
    let budget = Budget::new(started, DEADLINE);
    let mut notes =
        RequestNotes { route: "webhook", outcome: "ok", is_frequent: true, ..RequestNotes::default() };
    let mut label = "none";
    let result = take(
        &request,
        payload,
        (&context, context.bridge(&configured)),
        webhooks,
        &budget,
        (&mut notes, &mut label),
    )
    .await;
    let response = match result {
        Ok(()) => envelope::success(json!({ "status": "Success" })),
        Err(error) => {
            notes.outcome = error.label();
            notes.error = Some(error.messages().join("; "));
            match (&error, webhooks.bad_signature_status) {
                (ApiError::Signature, BadSignatureStatus::TakeAndIgnore) => {
                    envelope::success(json!({ "status": "ignored" }))
                }
                _ => error.response(),
            }
        }
    };
    webhooks.metrics.webhook(label, notes.outcome);
    request.extensions_mut().insert(notes);
    response
}

async fn take(
    request: &HttpRequest,
    payload: web::Payload,
    (context, bridge): (&ApiContext, &Bridge),
    webhooks: &Webhooks,
    budget: &Budget,
    (notes, label): (&mut RequestNotes, &mut &'static str),
) -> Result<(), ApiError> {
    if body::announced_length(request).is_some_and(|length| length > body::BODY_LIMIT) {
        return Err(ApiError::TooLarge);
    }
    let bytes = timeout_at(budget.deadline(), body::read(request, payload))
        .await
        .map_err(|_| ApiError::SlowBody)??;
    let signature = header(request.headers(), "x-webexcc-signature");
    if !webhooks.signatures.verify(&bytes, signature) {
        return Err(ApiError::Signature);
    }
    let webhook = Webhook::parse(&bytes).map_err(|problem| ApiError::Invalid(vec![problem.to_string()]))?;
    *label = webhook.label();
    webhooks.metrics.webhook_at(context.now());
    if !is_fresh(webhook.sent_at, header(request.headers(), "x-webexcc-timestamp"), context.now()) {
        return Err(ApiError::Signature);
    }
    let _place = take_place(request, PlaceKind::Webex)?;
    match webhook.about {
        _ if !webhooks.is_ours(webhook.org.as_deref()) => notes.outcome("other_org"),
        WebhookSubject::OtherChannel => notes.outcome("other_channel"),
        WebhookSubject::NoTask => notes.outcome("no_task"),
        WebhookSubject::Task { task, event, numbers } => {
            if let Some(key) = task.vendor_call_key() {
                notes.vendor_call_key(&key);
            }
            let carried = bridge.carried(&task, &event, || Webhook::data(&bytes));
            let details = bridge.keep_carried(carried, budget);
            // Boxed, so that the future of a request that still waits for its body is small.
            let (details, event) =
                Box::pin(async { tokio::join!(details, bridge.keep_event(task, *event, numbers, budget)) })
                    .await;
            event.and(details)?;
        }
    }
    Ok(())
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
