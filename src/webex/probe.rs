//! One look at a tenant for who checks a set-up from outside: with the login as it is, once, nothing renewed.

use reqwest::{Client, Method, Request};

use super::WebexLogin;
use super::client::WebexError;
use super::http::{ExchangeLimits, error_text, exchange, headers};
use super::subscriptions::{Subscription, read_list};
use super::token::Bearer;
use crate::ids::Ids;
use crate::settings::BaseUrl;

/// The subscriptions of a tenant.
///
/// # Errors
/// When Webex gives none.
pub async fn list_once(
    http: &Client,
    api: &BaseUrl,
    login: &WebexLogin,
    ids: &Ids,
    within: std::time::Duration,
) -> Result<Vec<Subscription>, WebexError> {
    let bearer = Bearer::of(login)?;
    let mut request = Request::new(Method::GET, api.join("/v2/subscriptions"));
    *request.headers_mut() = headers(&bearer.header(), &format!("scv-bridge_{}", ids.unique()));
    let bounds = ExchangeLimits { within, bytes: 8 * 1024 * 1024 };
    let answer = exchange(http, request, bounds)
        .await
        .map_err(|fault| WebexError::Unavailable { words: fault.to_string() })?;
    match answer.status {
        200..300 => read_list(&answer.body)
            .ok_or_else(|| WebexError::Unreadable(String::from("GET /v2/subscriptions"))),
        408 | 429 | 500.. => Err(WebexError::Unavailable { words: error_text(&answer) }),
        status => Err(WebexError::Refused { status, words: error_text(&answer) }),
    }
}
