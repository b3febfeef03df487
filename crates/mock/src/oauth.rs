//! OAuth 2.0 JWT bearer: the token endpoint and its sessions.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use openssl::sha::sha256;
use serde_json::json;
use url::form_urlencoded;

use super::answer::{Answer, Refused};
use super::jwt::Jwt;
use super::org::{Incoming, Org};

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/// Salesforce accepts `exp` three minutes ahead; this much more is forgiven for clocks that differ.
const LONGEST_LIFE_SECONDS: i64 = 180;
const CLOCK_SKEW_SECONDS: i64 = 30;

/// A session that the org gave away.
#[derive(Debug, Clone)]
pub(super) struct Session {
    /// `None`: until it is revoked.
    expires: Option<Timestamp>,
}

/// The token endpoint.
pub(super) fn attend(org: &Org, incoming: &Incoming) -> Result<Answer, Refused> {
    if incoming.media_type() != "application/x-www-form-urlencoded" {
        return Err(Refused::new(400, "unsupported_grant_type", "grant type not supported"));
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&incoming.body).into_owned().collect();
    if form.get("grant_type").map(String::as_str) != Some(GRANT_TYPE) {
        return Err(Refused::new(400, "unsupported_grant_type", "grant type not supported"));
    }
    let assertion = form.get("assertion").ok_or_else(|| invalid_grant("invalid assertion"))?;
    check_assertion(org, assertion)?;
    Ok(open_session(org))
}

fn invalid_grant(description: &str) -> Refused {
    Refused::new(400, "invalid_grant", description)
}

fn check_assertion(org: &Org, assertion: &str) -> Result<(), Refused> {
    let jwt = Jwt::parse(assertion).map_err(|_| invalid_grant("invalid assertion"))?;
    jwt.check_header().map_err(|_| invalid_grant("invalid assertion"))?;
    if jwt.text("iss") != Some(org.settings.consumer_key.as_str()) {
        return Err(Refused::new(400, "invalid_client_id", "client identifier invalid"));
    }
    if !org.knows_signature(&jwt) {
        return Err(invalid_grant("invalid assertion"));
    }
    let my_domain = std::iter::once(org.url.as_str());
    let audiences: Vec<_> =
        org.settings.login_audiences.iter().map(String::as_str).chain(my_domain).collect();
    if !jwt.is_for(&audiences) {
        return Err(invalid_grant("audience is invalid"));
    }
    let now = org.now().as_second();
    let latest = now.saturating_add(LONGEST_LIFE_SECONDS + CLOCK_SKEW_SECONDS);
    if !jwt.seconds("exp").is_some_and(|exp| exp > now && exp <= latest) {
        return Err(invalid_grant("expired authorization code"));
    }
    if jwt.text("sub") != Some(org.settings.username.as_str()) {
        return Err(invalid_grant("user hasn't approved this consumer"));
    }
    Ok(())
}

/// No `expires_in` and no refresh token: the caller learns of the session's end from a 401.
fn open_session(org: &Org) -> Answer {
    let now = org.now();
    let expires = org.settings.session_life.and_then(|life| now.checked_add(life).ok());
    let mut state = org.state();
    state.sessions_made += 1;
    let org_id = &org.settings.org_id;
    let digest = STANDARD.encode(sha256(format!("{}/{}", org.url, state.sessions_made).as_bytes()));
    let token = format!("{}!AQ{digest}", org_id.get(..15).unwrap_or(org_id));
    state.sessions.insert(token.clone(), Session { expires });
    Answer::json(
        200,
        &json!({
            "access_token": token,
            "scope": "api",
            "instance_url": org.url,
            "id": format!("{}/id/{org_id}/0050000000000001AAA", org.url),
            "token_type": "Bearer",
            "issued_at": now.as_millisecond().to_string(),
            "signature": STANDARD.encode(sha256(token.as_bytes())),
        }),
    )
}

/// 401 `INVALID_SESSION_ID` unless the request carries a living session.
pub(super) fn check_session(org: &Org, incoming: &Incoming) -> Result<(), Refused> {
    let now = org.now();
    let state = org.state();
    let session = incoming.bearer().and_then(|token| state.sessions.get(token));
    match session {
        Some(session) if session.expires.is_none_or(|expires| expires > now) => Ok(()),
        _ => Err(Refused::new(401, "INVALID_SESSION_ID", "Session expired or invalid")),
    }
}
