//! The front door of the APIs: token, scope, tracking id and the limit of requests.

use super::operation::Operation;
use super::refused::Refused;
use super::tenant::{Incoming, Tenant};

/// The limit counts over this time.
const MINUTE_MILLIS: i64 = 60_000;

/// 400 without a bearer token or a tracking id, 401 for a token that does not live, 403 for one with other scopes, 429
/// beyond the limit.
pub(super) fn check(tenant: &Tenant, operation: Operation, incoming: &Incoming) -> Result<(), Refused> {
    let authorization = incoming.authorization.as_deref().unwrap_or_default();
    let token = authorization
        .strip_prefix("Bearer ")
        .filter(|token| !token.is_empty())
        .ok_or_else(|| Refused::new(400, "missing_bearer", "Authorization: must be `Bearer` and a token"))?;
    let now = tenant.now();
    let scopes = tenant.state().logins.scopes_of(token, now).ok_or_else(|| {
        Refused::new(401, "invalid_token", "Authorization: the token is unknown or expired")
    })?;
    let writes = match operation {
        Operation::Subscriptions => incoming.method != "GET",
        // Documents name both scopes for `flows:validate`, which writes nothing.
        Operation::Flows => incoming.path.ends_with(":import"),
        _ => false,
    };
    let wanted = if writes { "cjp:config_write" } else { "cjp:config_read" };
    if !scopes.iter().any(|scope| scope == wanted || scope == "cjp:config") {
        return Err(Refused::new(403, "insufficient_scope", format!("scope: {wanted} is needed")));
    }
    if incoming.tracking_id.as_deref().is_none_or(str::is_empty) {
        return Err(Refused::field("TrackingId: must be sent"));
    }
    count(tenant)
}

/// 300 requests a minute and client id; the tenant has one client.
fn count(tenant: &Tenant) -> Result<(), Refused> {
    let now = tenant.now().as_millisecond();
    let limit = tenant.settings.requests_per_minute;
    let recent = &mut tenant.state().recent;
    while recent.front().is_some_and(|at| now - at >= MINUTE_MILLIS) {
        recent.pop_front();
    }
    if recent.len() < limit {
        recent.push_back(now);
        return Ok(());
    }
    let first = recent.front().copied().unwrap_or(now);
    let wait = u64::try_from(first + MINUTE_MILLIS - now).unwrap_or(0).div_ceil(1000).max(1);
    let refused = Refused::new(429, "too_many_requests", format!("more than {limit} requests in a minute"));
    Err(Refused { retry_after: Some(wait), ..refused })
}
