//! OAuth 2.0: the authorization code flow, and refresh tokens that rotate.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use openssl::sha::sha256;
use serde_json::json;
use url::{Url, form_urlencoded};

use super::super::answer::Answer;
use super::refused::Refused;
use super::tenant::{Incoming, Tenant};

/// How long a code lives.
const CODE_LIFE: Duration = Duration::from_secs(600);

/// A code that was not exchanged yet.
struct Code {
    redirect_uri: String,
    scopes: Vec<String>,
    challenge: Option<String>,
    expires: Timestamp,
}

/// What one administrator agreed to, with the refresh tokens that still work: the one used last, and those that came
/// from it. The first of these that is used makes all others worthless.
struct Grant {
    scopes: Vec<String>,
    used: String,
    successors: Vec<String>,
    expires: Timestamp,
}

/// Codes, grants and access tokens.
#[derive(Default)]
pub(super) struct Logins {
    codes: HashMap<String, Code>,
    grants: Vec<Grant>,
    access: BTreeMap<String, (Vec<String>, Timestamp)>,
}

impl Logins {
    /// The scopes of a token that lives.
    pub(super) fn scopes_of(&self, token: &str, now: Timestamp) -> Option<Vec<String>> {
        self.access.get(token).filter(|(_, expires)| *expires > now).map(|(scopes, _)| scopes.clone())
    }

    /// All access tokens die; refresh tokens live.
    pub(super) fn revoke_access(&mut self) {
        self.access.clear();
    }

    /// Everything dies.
    pub(super) fn revoke_all(&mut self) {
        *self = Self::default();
    }
}

/// The administrator agrees at once and is sent back with a code.
pub(super) fn authorize(tenant: &Tenant, incoming: &Incoming) -> Result<Answer, Refused> {
    let asked: HashMap<String, String> =
        form_urlencoded::parse(incoming.query.as_bytes()).into_owned().collect();
    let field = |name: &str| {
        let text = asked.get(name).filter(|text| !text.is_empty());
        text.ok_or_else(|| Refused::new(400, "invalid_request", format!("{name}: missing")))
    };
    if field("response_type")? != "code" {
        return Err(Refused::new(400, "unsupported_response_type", "response_type: must be code"));
    }
    if *field("client_id")? != tenant.settings.client_id {
        return Err(Refused::new(400, "invalid_client", "client_id: unknown"));
    }
    let redirect_uri = field("redirect_uri")?;
    if !tenant.settings.redirect_uris.contains(redirect_uri) {
        return Err(Refused::new(400, "invalid_request", "redirect_uri: not registered"));
    }
    let scopes: Vec<String> = field("scope")?.split(' ').map(str::to_owned).collect();
    if let Some(unknown) = scopes.iter().find(|scope| !tenant.settings.scopes.contains(scope)) {
        return Err(Refused::new(400, "invalid_scope", format!("scope: {unknown} is not the integration's")));
    }
    let state = field("state")?;
    let challenge = asked.get("code_challenge").cloned();
    if challenge.is_some() && asked.get("code_challenge_method").map(String::as_str) != Some("S256") {
        return Err(Refused::new(400, "invalid_request", "code_challenge_method: must be S256"));
    }
    let code = secret(tenant, "code");
    let mut back =
        Url::parse(redirect_uri).map_err(|_| Refused::new(400, "invalid_request", "redirect_uri: no URL"))?;
    back.query_pairs_mut().append_pair("code", &code).append_pair("state", state);
    let expires = later(tenant, CODE_LIFE);
    let code_of = Code { redirect_uri: redirect_uri.clone(), scopes, challenge, expires };
    tenant.state().logins.codes.insert(code, code_of);
    Ok(Answer { status: 302, ..Answer::json(302, &json!({ "location": back.as_str() })) })
}

/// The token endpoint.
pub(super) fn token(tenant: &Tenant, incoming: &Incoming) -> Result<Answer, Refused> {
    if incoming.media_type() != "application/x-www-form-urlencoded" {
        return Err(Refused::new(400, "invalid_request", "Content-Type: must be a form"));
    }
    let form: HashMap<String, String> = form_urlencoded::parse(&incoming.body).into_owned().collect();
    let field = |name: &str| form.get(name).map(String::as_str).unwrap_or_default();
    if field("client_id") != tenant.settings.client_id
        || field("client_secret") != tenant.settings.client_secret
    {
        return Err(Refused::new(401, "invalid_client", "client_id or client_secret: wrong"));
    }
    match field("grant_type") {
        "authorization_code" => {
            exchange(tenant, field("code"), field("redirect_uri"), form.get("code_verifier"))
        }
        "refresh_token" => refresh(tenant, field("refresh_token")),
        _ => Err(Refused::new(400, "unsupported_grant_type", "grant_type: not supported")),
    }
}

fn exchange(
    tenant: &Tenant,
    code: &str,
    redirect_uri: &str,
    verifier: Option<&String>,
) -> Result<Answer, Refused> {
    let refused = |reason| Refused::new(400, "invalid_grant", reason);
    let known = tenant.state().logins.codes.remove(code);
    let known =
        known.filter(|code| code.expires > tenant.now()).ok_or_else(|| refused("code: unknown or used"))?;
    if known.redirect_uri != redirect_uri {
        return Err(refused("redirect_uri: not that of the code"));
    }
    let proof = verifier.map(|verifier| URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes())));
    if proof != known.challenge {
        return Err(refused("code_verifier: does not fit the challenge"));
    }
    Ok(grant(tenant, known.scopes))
}

/// A new grant, whose refresh token nobody has used yet.
pub(super) fn grant(tenant: &Tenant, scopes: Vec<String>) -> Answer {
    let refresh_token = secret(tenant, "refresh");
    let expires = later(tenant, tenant.settings.refresh_life);
    let used = refresh_token.clone();
    let grant = Grant { scopes: scopes.clone(), used, successors: Vec::new(), expires };
    tenant.state().logins.grants.push(grant);
    tokens(tenant, scopes, &refresh_token)
}

fn refresh(tenant: &Tenant, refresh_token: &str) -> Result<Answer, Refused> {
    let now = tenant.now();
    let next = if tenant.settings.rotate { secret(tenant, "refresh") } else { refresh_token.to_owned() };
    let mut state = tenant.state();
    let is_its = |grant: &&mut Grant| {
        grant.expires > now
            && (grant.used == refresh_token || grant.successors.iter().any(|token| token == refresh_token))
    };
    let grant =
        state.logins.grants.iter_mut().find(is_its).ok_or_else(|| {
            Refused::new(400, "invalid_grant", "refresh_token: unknown, replaced or expired")
        })?;
    if grant.used != refresh_token {
        refresh_token.clone_into(&mut grant.used);
        grant.successors.clear();
    }
    if tenant.settings.rotate {
        grant.successors.push(next.clone());
    }
    grant.expires = now.checked_add(tenant.settings.refresh_life).unwrap_or(Timestamp::MAX);
    let scopes = grant.scopes.clone();
    drop(state);
    Ok(tokens(tenant, scopes, &next))
}

fn tokens(tenant: &Tenant, scopes: Vec<String>, refresh_token: &str) -> Answer {
    let access_token = secret(tenant, "access");
    let scope = scopes.join(" ");
    let expires = later(tenant, tenant.settings.access_life);
    tenant.state().logins.access.insert(access_token.clone(), (scopes, expires));
    Answer::json(
        200,
        &json!({
            "access_token": access_token,
            "expires_in": tenant.settings.access_life.as_secs(),
            "refresh_token": refresh_token,
            "refresh_token_expires_in": tenant.settings.refresh_life.as_secs(),
            "token_type": "Bearer",
            "scope": scope,
        }),
    )
}

fn later(tenant: &Tenant, life: Duration) -> Timestamp {
    tenant.now().checked_add(life).unwrap_or(Timestamp::MAX)
}

/// A text that nobody guesses and that tests can find: `access-...`.
fn secret(tenant: &Tenant, kind: &str) -> String {
    let number = tenant.state().number();
    let digest = sha256(format!("{}/{kind}/{number}", tenant.url).as_bytes());
    format!("{kind}-{}", URL_SAFE_NO_PAD.encode(digest))
}
