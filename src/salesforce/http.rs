//! One request over HTTPS: pooled, bounded in time and size, no redirects followed.

use std::error::Error;
use std::time::Duration;

use bytes::Bytes;
use jiff::fmt::rfc2822;
use native_tls::{Certificate, Protocol, TlsConnector};
use openssl::x509::X509;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, Method};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::Budget;
use crate::settings::HttpClient;

/// The most bytes of an answer that are read.
const ANSWER_LIMIT: usize = 64 * 1024;
/// The longest `Retry-After` that counts.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// `count` clients, each with a pool of its own. They share the TLS connector, because reading the system's roots takes
/// longer than the rest of the start.
///
/// # Errors
/// When the TLS library or a configured root certificate cannot be used.
pub fn clients(settings: &HttpClient, count: usize) -> Result<Vec<Client>, ClientError> {
    clients_trusting(settings, &tls_connector(&settings.extra_roots)?, count)
}

/// The same with a connector that was set up before.
///
/// # Errors
/// When the client cannot be set up.
pub fn clients_trusting(
    settings: &HttpClient,
    tls: &TlsConnector,
    count: usize,
) -> Result<Vec<Client>, ClientError> {
    (0..count).map(|_| client(settings, tls.clone())).collect()
}

/// What begins a TLS connection that trusts the system's roots and these.
///
/// # Errors
/// When the TLS library or one of the roots cannot be used.
pub fn tls_connector(extra_roots: &[X509]) -> Result<TlsConnector, ClientError> {
    let mut tls = TlsConnector::builder();
    tls.request_alpns(&["h2", "http/1.1"]).min_protocol_version(Some(Protocol::Tlsv12));
    for root in extra_roots {
        tls.add_root_certificate(Certificate::from_der(&root.to_der()?)?);
    }
    Ok(tls.build()?)
}

fn client(settings: &HttpClient, tls: TlsConnector) -> Result<Client, ClientError> {
    let builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(settings.connect_timeout)
        .pool_idle_timeout(settings.pool_idle_timeout)
        .pool_max_idle_per_host(settings.pool_max_idle_per_host)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .user_agent(concat!("scv-bridge/", env!("CARGO_PKG_VERSION")));
    Ok(builder.build()?)
}

/// Why there is no HTTPS client.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// A root certificate has no DER form.
    #[error("a root certificate of http_client.ca_file cannot be used")]
    Root(#[from] openssl::error::ErrorStack),
    /// The TLS library refuses.
    #[error("the HTTPS client cannot be set up: {0}")]
    Tls(#[from] native_tls::Error),
    /// The client refuses.
    #[error("the HTTPS client cannot be set up: {0}")]
    Client(#[from] reqwest::Error),
}

/// A request to send.
#[derive(Debug)]
pub struct HttpRequest {
    /// GET, POST or PATCH.
    pub method: Method,
    /// The whole URL.
    pub url: Url,
    /// All headers.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

/// A complete answer, of any status.
#[derive(Debug)]
pub struct HttpAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The header `Retry-After`.
    pub retry_after: Option<Duration>,
    /// Whether its content type is HTML.
    pub html: bool,
    /// At most 64 KiB of the body.
    pub body: Vec<u8>,
}

/// Why no complete answer came.
#[derive(Debug, thiserror::Error)]
pub enum HttpFault {
    /// The route's deadline passed first.
    #[error("no answer within the deadline")]
    Late,
    /// No connection: the request was not sent.
    #[error("no connection: {0}")]
    Connect(String),
    /// The connection broke before the answer was complete.
    #[error("the connection broke: {0}")]
    Broken(String),
}

/// Sends a request and reads the answer within the budget.
///
/// # Errors
/// When no whole answer arrived in time.
pub async fn exchange(
    client: &Client,
    request: HttpRequest,
    budget: &Budget,
) -> Result<HttpAnswer, HttpFault> {
    exchange_with_headers(client, request, budget).await.map(|(answer, _)| answer)
}

/// The same, with all headers of the answer.
///
/// # Errors
/// When no whole answer arrived in time.
pub(super) async fn exchange_with_headers(
    client: &Client,
    request: HttpRequest,
    budget: &Budget,
) -> Result<(HttpAnswer, HeaderMap), HttpFault> {
    let started = Instant::now();
    let host = request.url.host_str().map(str::to_owned);
    budget.sends();
    let result = timeout_at(budget.deadline(), send(client, request)).await;
    budget.waited(started.elapsed());
    let result = result.unwrap_or(Err(HttpFault::Late));
    match &result {
        Ok((answer, _)) => budget.answered(answer.status),
        Err(fault) => tracing::warn!(%fault, host, "no answer from Salesforce"),
    }
    result
}

async fn send(client: &Client, request: HttpRequest) -> Result<(HttpAnswer, HeaderMap), HttpFault> {
    let mut built = reqwest::Request::new(request.method, request.url);
    *built.headers_mut() = request.headers;
    *built.body_mut() = Some(request.body.into());
    let mut response = client.execute(built).await.map_err(fault)?;
    let status = response.status().as_u16();
    let retry_after = retry_after(response.headers());
    let html = text(response.headers().get(CONTENT_TYPE)).is_some_and(|kind| kind.contains("html"));
    let headers = std::mem::take(response.headers_mut());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(fault)? {
        let room = ANSWER_LIMIT - body.len();
        match chunk.get(..room) {
            None => body.extend_from_slice(&chunk),
            Some(last) => {
                body.extend_from_slice(last);
                break;
            }
        }
    }
    Ok((HttpAnswer { status, retry_after, html, body }, headers))
}

pub(super) fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}

/// `Retry-After` in seconds, or as a date against the answer's own `Date`.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let asked = text(headers.get(RETRY_AFTER))?.trim();
    let seconds = match asked.parse::<u64>() {
        Ok(seconds) => seconds,
        Err(_) => {
            let until = rfc2822::parse(asked).ok()?.timestamp();
            let now = rfc2822::parse(text(headers.get(DATE))?).ok()?.timestamp();
            u64::try_from(until.as_second() - now.as_second()).unwrap_or(0)
        }
    };
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

fn fault(error: reqwest::Error) -> HttpFault {
    let is_connect = error.is_connect();
    let words = causes(error);
    if is_connect { HttpFault::Connect(words) } else { HttpFault::Broken(words) }
}

/// An error with its causes, without the URL: its path contains the id of a call or of a subscription, and the log has
/// the call in a field of its own.
pub(crate) fn causes(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(retry: &str, date: Option<&str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        headers
    }

    #[test]
    fn a_pause_is_read_as_seconds_or_as_a_date() {
        let date = Some("Sat, 21 Nov 2026 10:00:00 GMT");
        assert_eq!(retry_after(&headers("7", None)), Some(Duration::from_secs(7)));
        assert_eq!(
            retry_after(&headers("Sat, 21 Nov 2026 10:00:30 GMT", date)),
            Some(Duration::from_secs(30))
        );
        assert_eq!(retry_after(&headers("Sat, 21 Nov 2026 09:00:00 GMT", date)), Some(Duration::ZERO));
        assert_eq!(retry_after(&headers("999999999", None)), Some(LONGEST_PAUSE));
        assert_eq!(retry_after(&headers("soon", date)), None);
        assert_eq!(retry_after(&HeaderMap::new()), None);
    }
}
