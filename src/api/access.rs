//! Middleware around every request: its id, its duration, its line in the log and its metrics; and limits on its head.
//! The work of a request is a task of its own, and the connection only waits for it. Flows give up after two seconds and
//! proxies close connections; the result of a request to Salesforce must be known nevertheless.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, rt, web};
use tokio::time::Instant;

use super::ApiError;
use super::notes::RequestNotes;
use crate::domain::quote;
use crate::ids::Ids;
use crate::listener::{ConnectionActivity, ServedRequest};
use crate::settings::Inbound;
use crate::telemetry::{AnsweredRequest, LogSubject, Metrics, TraceSpan, Traces};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The bytes between and after the name and value of a header.
const SEPARATORS: usize = 4;
/// The longest request id that is accepted from outside.
const LONGEST_ID: usize = 64;

/// When a request arrived.
pub struct Arrival {
    /// The moment its head was read.
    pub started: Instant,
    /// Its id, its own or one that it was given.
    pub request_id: String,
}

impl Arrival {
    /// That of a request; now, where the middleware has not seen it.
    pub(super) fn of(request: &HttpRequest) -> Self {
        let arrival = request.extensions_mut().remove::<Self>();
        arrival.unwrap_or_else(|| Self { started: Instant::now(), request_id: String::new() })
    }
}

/// What the middleware needs besides the request.
pub struct AccessContext {
    /// Gives an id to requests without one.
    pub ids: Arc<Ids>,
    /// Counts requests and durations.
    pub metrics: Arc<Metrics>,
    /// Begins a span for each request, where traces are on.
    pub traces: Option<Arc<Traces>>,
    /// All requests in flight.
    pub in_flight: Arc<InFlight>,
    /// The requests in flight of authenticated clients: those that `max_requests` limits. A client without right
    /// credentials takes no place of theirs, however many of its requests wait for a body.
    pub of_clients: Arc<InFlight>,
    /// The webhooks in flight with a right signature; limited by the same number.
    pub of_webex: Arc<InFlight>,
    /// The limits.
    pub inbound: Inbound,
}

/// How many requests are in flight.
#[derive(Debug, Default)]
pub struct InFlight(AtomicUsize);

impl InFlight {
    /// Whether there are any.
    pub fn any(&self) -> bool {
        self.count() > 0
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn enter(self: &Arc<Self>) -> InFlightGuard {
        self.0.fetch_add(1, Ordering::AcqRel);
        InFlightGuard(Arc::clone(self))
    }
}

/// One request in flight, until it is dropped: also when its connection breaks.
pub(super) struct InFlightGuard(Arc<InFlight>);

impl Drop for InFlightGuard {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Whether the client of a request has closed its connection.
#[derive(Clone, Default)]
struct ClientPresence(Rc<Cell<bool>>);

/// Held by the connection while it waits; dropped before the answer, the client has gone.
struct ConnectionWait {
    presence: ClientPresence,
    is_answered: bool,
}

impl ClientPresence {
    fn is_gone(&self) -> bool {
        self.0.get()
    }
}

impl Drop for ConnectionWait {
    fn drop(&mut self) {
        self.presence.0.set(!self.is_answered);
    }
}

/// Serves the request in a task of its own, which ends whatever happens to the connection.
///
/// # Errors
/// As the service behind it; and when that panics.
pub async fn access<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let mut waiting = ConnectionWait { presence: ClientPresence::default(), is_answered: false };
    let served = served(&request);
    let work = rt::spawn(serve(request, next, served, waiting.presence.clone()));
    let served = work.await;
    waiting.is_answered = true;
    served.unwrap_or_else(|error| {
        tracing::error!(%error, "a request was not served to its end: this is a fault of the bridge");
        Err(InternalError::from_response(error, ApiError::Internal.response()).into())
    })
}

/// Serves the request and logs its line.
async fn serve<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
    _served: Option<ServedRequest>,
    presence: ClientPresence,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let started = Instant::now();
    let access = request.app_data::<web::Data<AccessContext>>().cloned();
    let _entered = access.as_ref().map(|access| access.in_flight.enter());
    let given = request.headers().get(&REQUEST_ID).and_then(sound);
    let id = given.or_else(|| access.as_ref().map(|access| access.ids.request())).unwrap_or_default();
    let span = access.as_ref().and_then(|access| access.span(&request));
    let subject = LogSubject::of_request(&id, span.clone());
    request.extensions_mut().insert(Arrival { started, request_id: id.clone() });
    let refusal = access.as_ref().and_then(|access| access.refuse(&request));
    let mut response = match refusal {
        Some(refusal) => refused(request, &refusal).map_into_right_body(),
        None => subject.about(next.call(request)).await?.map_into_left_body(),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let (took, status) = (started.elapsed(), response.status());
    let notes = response.request().extensions_mut().remove::<RequestNotes>();
    if let Some(access) = access {
        access.count(notes.as_ref(), status.as_str(), took, &presence);
    }
    if let Some(span) = span {
        end_span(&span, &id, status, notes.as_ref());
    }
    let status = status.as_u16();
    subject.about_now(|| match notes {
        Some(notes) => line(&id, status, took, &notes, &presence),
        None => plain(&id, status, took, response.request().path()),
    });
    Ok(response)
}

/// Marks the connection as in use, for listeners without the rest of this middleware.
///
/// # Errors
/// As the service behind it.
pub async fn attended<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, Error> {
    let _served = served(&request);
    next.call(request).await
}

fn served(request: &ServiceRequest) -> Option<ServedRequest> {
    request.conn_data::<ConnectionActivity>().map(ConnectionActivity::serve)
}

/// Tells the span of a request what became of it.
fn end_span(span: &TraceSpan, id: &str, status: StatusCode, notes: Option<&RequestNotes>) {
    let (route, outcome) = notes.map_or(("other", ""), |notes| (notes.route, notes.outcome));
    span.rename(format!("{route} request"));
    span.set("http.route", route);
    span.set("http.response.status_code", i64::from(status.as_u16()));
    span.set("scv.request_id", id.to_owned());
    span.set("scv.outcome", outcome);
    if status.is_server_error() {
        span.fail(outcome);
    }
}

impl AccessContext {
    /// Begins the span of a request, where traces are on.
    fn span(&self, request: &ServiceRequest) -> Option<TraceSpan> {
        let traces = self.traces.as_ref()?;
        let span = traces.request(|name| request.headers().get(name)?.to_str().ok());
        span.set("http.request.method", request.method().to_string());
        Some(span)
    }

    /// Tells the metrics of an answer.
    fn count(&self, notes: Option<&RequestNotes>, status: &str, took: Duration, presence: &ClientPresence) {
        let (route, outcome) = notes.map_or(("other", ""), |notes| (notes.route, notes.outcome));
        let call_center = notes.and_then(|notes| notes.call_center.as_ref()).map_or("", AsRef::as_ref);
        self.metrics.request(&AnsweredRequest { route, status, call_center, outcome, took });
        if notes.is_some_and(|notes| notes.is_late(took)) {
            self.metrics.deadline_missed(route);
        }
        if let Some(way) = notes.and_then(|notes| notes.failed_login) {
            self.metrics.failed_login(way);
        }
        if presence.is_gone() {
            self.metrics.client_gone(route);
        }
    }

    /// Why the head of the request is refused.
    fn refuse(&self, request: &ServiceRequest) -> Option<ApiError> {
        let (bounds, headers) = (&self.inbound, request.headers());
        if headers.len() > bounds.max_headers {
            let problem = format!("headers: more than {}", bounds.max_headers);
            return Some(ApiError::LongHead { problem });
        }
        let lines = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + SEPARATORS);
        let path = request.uri().path_and_query().map_or(0, |path| path.as_str().len());
        let length = path + lines.sum::<usize>();
        if length > bounds.max_head {
            let problem = format!("headers: path and headers are longer than {} bytes", bounds.max_head);
            return Some(ApiError::LongHead { problem });
        }
        None
    }
}

/// Whose places a request takes.
#[derive(Clone, Copy)]
pub(super) enum PlaceKind {
    Clients,
    Webex,
}

/// The credentials of a request were right: its connection is not closed for others any more.
pub(super) fn mark_authenticated(request: &HttpRequest) {
    if let Some(traffic) = request.conn_data::<ConnectionActivity>() {
        traffic.mark_authenticated();
    }
}

/// The credentials of a request were right: it takes a place until the result is dropped.
///
/// # Errors
/// When all places are taken.
pub(super) fn take_place(
    request: &HttpRequest,
    places: PlaceKind,
) -> Result<Option<InFlightGuard>, ApiError> {
    mark_authenticated(request);
    let Some(access) = request.app_data::<web::Data<AccessContext>>() else { return Ok(None) };
    let served = match places {
        PlaceKind::Clients => &access.of_clients,
        PlaceKind::Webex => &access.of_webex,
    };
    let place = served.enter();
    match served.count() > access.inbound.max_requests {
        true => Err(ApiError::Busy),
        false => Ok(Some(place)),
    }
}

/// The answer to a request that is refused.
fn refused(request: ServiceRequest, refusal: &ApiError) -> ServiceResponse<BoxBody> {
    let notes = RequestNotes {
        route: "other",
        outcome: refusal.label(),
        error: Some(refusal.messages().join("; ")),
        ..RequestNotes::default()
    };
    request.extensions_mut().insert(notes);
    let request: HttpRequest = request.into_parts().0;
    ServiceResponse::new(request, refusal.response())
}

/// A request id from outside, if it can be part of a header and a log line.
fn sound(id: &HeaderValue) -> Option<String> {
    let id = id.to_str().ok()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    (plain && !id.is_empty() && id.len() <= LONGEST_ID).then(|| id.to_owned())
}

fn line(id: &str, status: u16, took: Duration, notes: &RequestNotes, presence: &ClientPresence) {
    let client_gone = presence.is_gone().then_some(true);
    let call_center = notes.call_center.as_ref().map(AsRef::<str>::as_ref);
    let vendor_call_key = notes.vendor_call_key.as_ref().map(AsRef::<str>::as_ref);
    macro_rules! write_line {
        ($level:ident) => {
            tracing::$level!(
                request_id = id,
                route = notes.route,
                client = notes.client,
                call_center,
                vendor_call_key,
                voice_call_id = notes.voice_call_id,
                status,
                outcome = notes.outcome,
                milliseconds = milliseconds(took),
                upstream_milliseconds = notes.upstream.map(milliseconds),
                client_gone,
                address = notes.address,
                error = notes.error,
                cause = notes.cause,
                "request"
            )
        };
    }
    // Warnings are for an operator to act on: a fault of the configuration, or a caller who waited in vain.
    if status == 424 || status >= 500 {
        write_line!(warn);
    } else if notes.is_frequent && status < 300 && notes.error.is_none() && client_gone.is_none() {
        write_line!(debug);
    } else {
        write_line!(info);
    }
}

/// Probes are not worth a line each; an unknown path is, without the phone numbers it may contain.
fn plain(id: &str, status: u16, took: Duration, path: &str) {
    let milliseconds = milliseconds(took);
    if status == 200 {
        tracing::debug!(request_id = id, path, status, milliseconds, "request");
    } else {
        tracing::info!(request_id = id, path = quote(path), status, milliseconds, "request");
    }
}

/// With three decimals.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1_000_000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::http::StatusCode;
    use actix_web::middleware::from_fn;
    use actix_web::test::{TestRequest, init_service, try_call_service};
    use actix_web::{App, HttpResponse};

    use super::*;

    #[actix_web::test]
    async fn a_request_whose_work_panics_is_answered_500_in_our_shape() {
        let handler = async || -> HttpResponse { panic!("a fault of ours") };
        let app = App::new().wrap(from_fn(access)).default_service(web::to(handler));
        let app = init_service(app).await;
        let error = try_call_service(&app, TestRequest::get().to_request()).await.unwrap_err();
        let response = error.error_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let body = String::from_utf8(to_bytes(response.into_body()).await.unwrap().to_vec()).unwrap();
        assert!(body.contains("the bridge itself failed at this request"), "{body}");
    }
}
