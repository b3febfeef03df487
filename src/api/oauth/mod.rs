//! The token endpoint (RFC 6749, 3.2): credentials in, access token out.

mod answer;
mod error;
mod grant;
mod parameters;

use std::time::Duration;

use actix_web::http::header::{CACHE_CONTROL, PRAGMA};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, HttpResponseBuilder, web};
use jiff::Timestamp;
use tokio::time::timeout;

use self::answer::TokenResponse;
use self::grant::TokenRequest;
use self::parameters::TokenParameters;
use super::ApiError;
use super::access::mark_authenticated;
use super::body;
use super::caller::{Callers, Peer};
use super::context::ApiContext;
use super::notes::RequestNotes;

pub use error::OAuthError;

/// How long a body may take to arrive.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// Gives an access token, or says why not.
pub async fn token(
    request: HttpRequest,
    payload: web::Payload,
    context: web::Data<ApiContext>,
) -> HttpResponse {
    let mut notes = RequestNotes { route: "token", outcome: "ok", ..RequestNotes::default() };
    let response = match serve(&request, payload, &context, &mut notes).await {
        Ok(answer) => never_stored(HttpResponse::Ok()).json(answer),
        Err(error) => {
            notes.outcome = error.code();
            notes.error = Some(error.description().to_owned());
            error.response()
        }
    };
    request.extensions_mut().insert(notes);
    response
}

async fn serve(
    request: &HttpRequest,
    payload: web::Payload,
    context: &ApiContext,
    notes: &mut RequestNotes,
) -> Result<TokenResponse, OAuthError> {
    let bytes =
        timeout(BODY_WITHIN, body::read(request, payload)).await.map_err(|_| ApiError::SlowBody)??;
    let parameters = TokenParameters::read(request.headers(), &bytes)?;
    let (configured, now) = (context.configured(), context.now());
    let callers = configured.callers();
    let grant = TokenRequest { callers, parameters: &parameters, peer: Peer::of(request), now };
    let granted = grant.decide()?;
    mark_authenticated(request);
    notes.client = Some(granted.known.client.id.clone());
    let issued = callers.issue(&granted.known, now).ok_or_else(grant::no_key)?;
    let issued = issued.map_err(|_| OAuthError::unable())?;
    TokenResponse::new(callers, &granted, &issued, now)
}

/// Reads and judges a request for a token, and gives none.
///
/// # Errors
/// What the connector would be answered.
pub fn rehearse_token(
    callers: &Callers,
    peer: Peer<'_>,
    body: &[u8],
    now: Timestamp,
) -> Result<(), OAuthError> {
    let parameters = TokenParameters::read(peer.headers, body)?;
    TokenRequest { callers, parameters: &parameters, peer, now }.decide().map(drop)
}

/// "The authorization server MUST include the HTTP Cache-Control response header field with a value of no-store"
/// (RFC 6749, 5.1).
fn never_stored(mut builder: HttpResponseBuilder) -> HttpResponseBuilder {
    builder.insert_header((CACHE_CONTROL, "no-store")).insert_header((PRAGMA, "no-cache"));
    builder
}
