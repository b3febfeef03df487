//! The telephony API's token: a JWT that the caller signed itself.

use super::answer::Refused;
use super::jwt::Jwt;
use super::org::{Incoming, Org};

/// How far the caller's clock may be ahead: a token issued later than that is refused.
const CLOCK_SKEW_SECONDS: i64 = 60;
/// Believed tokens and spent `jti` are tidied up beyond this number.
const TIDY_ABOVE: usize = 1_000;

/// Who a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Caller {
    pub(super) call_center: String,
    expires: i64,
}

/// 401 unless the request carries a token that the org accepts.
pub(super) fn caller(org: &Org, incoming: &Incoming) -> Result<Caller, Refused> {
    let token =
        incoming.bearer().ok_or_else(|| Refused::token("Authorization: must be `Bearer` and a JWT"))?;
    let now = org.now().as_second();
    if !org.settings.verify_every_token
        && let Some(caller) = org.state().believed.get(token)
        && caller.expires > now
    {
        return Ok(caller.clone());
    }
    let jwt = Jwt::parse(token).map_err(Refused::token)?;
    let caller = check(org, &jwt, now).map_err(Refused::token)?;
    if jwt.has("jti") {
        spend(org, &jwt, caller.expires, now).map_err(Refused::token)?;
    } else if !org.settings.verify_every_token {
        let believed = &mut org.state().believed;
        if believed.len() > TIDY_ABOVE {
            believed.retain(|_, caller| caller.expires > now);
        }
        believed.insert(token.to_owned(), caller.clone());
    }
    Ok(caller)
}

fn check(org: &Org, jwt: &Jwt<'_>, now: i64) -> Result<Caller, &'static str> {
    jwt.check_header()?;
    if !org.knows_signature(jwt) {
        return Err("JWT signature: does not fit the Telephony Integration Certificate");
    }
    if !jwt.text("iss").is_some_and(|iss| same_org(iss, &org.settings.org_id)) {
        return Err("JWT iss: must be the org id");
    }
    let call_center = jwt
        .text("sub")
        .filter(|sub| org.settings.call_centers.iter().any(|known| known == sub))
        .ok_or("JWT sub: must be the API name of a contact center of this org")?;
    if let Some(audience) = org.settings.audience.as_deref()
        && !jwt.is_for(&[audience])
    {
        return Err("JWT aud: must be what this org expects");
    }
    let issued = jwt.seconds("iat").ok_or("JWT iat: must be a whole number of seconds")?;
    let expires = jwt.seconds("exp").ok_or("JWT exp: must be a whole number of seconds")?;
    check_times(issued, expires, now, org.settings.max_token_life.as_secs())?;
    Ok(Caller { call_center: call_center.to_owned(), expires })
}

fn check_times(issued: i64, expires: i64, now: i64, max_life: u64) -> Result<(), &'static str> {
    if issued > now.saturating_add(CLOCK_SKEW_SECONDS) {
        return Err("JWT iat: in the future (seconds are needed, not milliseconds)");
    }
    if expires <= now {
        return Err("JWT exp: expired");
    }
    let life = expires.saturating_sub(issued);
    if life <= 0 || u64::try_from(life).is_ok_and(|life| life > max_life) {
        return Err("JWT exp: too long after iat");
    }
    Ok(())
}

/// An org id of 15 characters names the same org as its 18.
fn same_org(one: &str, other: &str) -> bool {
    let fits = |id: &str| matches!(id.len(), 15 | 18);
    one == other || (fits(one) && fits(other) && one.len() != other.len() && one.get(..15) == other.get(..15))
}

fn spend(org: &Org, jwt: &Jwt<'_>, expires: i64, now: i64) -> Result<(), &'static str> {
    let jti = jwt.text("jti").filter(|jti| !jti.is_empty()).ok_or("JWT jti: must be a string")?;
    let spent = &mut org.state().spent;
    if spent.len() > TIDY_ABOVE {
        spent.retain(|_, until| *until > now);
    }
    match spent.insert(jti.to_owned(), expires) {
        None => Ok(()),
        Some(_) => Err("JWT jti: already used; a token with jti serves one request"),
    }
}
