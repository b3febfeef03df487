//! Around every request: its id, its time, its line in the log and its count; and whether it is taken at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, HttpRequest, web};
use tokio::time::Instant;

use super::ApiError;
use super::notes::Notes;
use crate::domain::quote;
use crate::ids::Ids;
use crate::listener::{Served, Traffic};
use crate::settings::Inbound;
use crate::telemetry::Metrics;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// They tell whether we live, however busy we are.
const PROBES: [&str; 2] = ["/livez", "/readyz"];
/// What stands between and after the name and value of a header.
const SEPARATORS: usize = 4;
/// The longest id that is taken over from a request.
const LONGEST_ID: usize = 64;

/// When a request came.
pub struct Arrival {
    /// The moment its head was read.
    pub started: Instant,
}

/// What the line needs besides the request.
pub struct Access {
    /// Ids for requests that bring none.
    pub ids: Arc<Ids>,
    /// Counts and times.
    pub metrics: Arc<Metrics>,
    /// Who is being served.
    pub in_flight: Arc<InFlight>,
    /// How much is taken.
    pub inbound: Inbound,
}

/// How many requests are being served at this moment.
#[derive(Debug, Default)]
pub struct InFlight(AtomicUsize);

impl InFlight {
    /// Whether there are any.
    #[must_use]
    pub fn any(&self) -> bool {
        self.count() > 0
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }

    fn enter(self: &Arc<Self>) -> Entered {
        self.0.fetch_add(1, Ordering::AcqRel);
        Entered(Arc::clone(self))
    }
}

/// One request in flight, until it is dropped: also when its connection breaks.
struct Entered(Arc<InFlight>);

impl Drop for Entered {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Serves the request and writes its line.
///
/// # Errors
/// As the service behind it.
pub async fn access<B: MessageBody>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<EitherBody<B>>, Error> {
    let started = Instant::now();
    request.extensions_mut().insert(Arrival { started });
    let _served = served(&request);
    let access = request.app_data::<web::Data<Access>>().cloned();
    let _entered = access.as_ref().map(|access| access.in_flight.enter());
    let given = request.headers().get(&REQUEST_ID).and_then(sound);
    let id = given.or_else(|| access.as_ref().map(|access| access.ids.request())).unwrap_or_default();
    let refusal = access.as_ref().and_then(|access| access.refuse(&request));
    let mut response = match refusal {
        Some(refusal) => refused(request, &refusal).map_into_right_body(),
        None => next.call(request).await?.map_into_left_body(),
    };
    if let Ok(value) = HeaderValue::from_str(&id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    let took = started.elapsed();
    let status = response.status().as_u16();
    let notes = response.request().extensions_mut().remove::<Notes>();
    if let Some(access) = access {
        access.metrics.request(notes.as_ref().map_or("other", |notes| notes.route), status, took);
    }
    match notes {
        Some(notes) => line(&id, status, took, &notes),
        None => plain(&id, status, took, response.request().path()),
    }
    Ok(response)
}

/// Tells the connection that it is used, where nothing else is told of a request.
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

fn served(request: &ServiceRequest) -> Option<Served> {
    request.conn_data::<Traffic>().map(Traffic::serve)
}

impl Access {
    /// Why the request is not taken, whatever it wants.
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
        let busy = self.in_flight.count() > bounds.max_requests && !PROBES.contains(&request.path());
        busy.then_some(ApiError::Busy)
    }
}

/// The answer to a request that is not taken.
fn refused(request: ServiceRequest, refusal: &ApiError) -> ServiceResponse<BoxBody> {
    let notes = Notes {
        route: "other",
        outcome: refusal.label(),
        error: Some(refusal.messages().join("; ")),
        ..Notes::default()
    };
    request.extensions_mut().insert(notes);
    let request: HttpRequest = request.into_parts().0;
    ServiceResponse::new(request, refusal.response())
}

/// An id that somebody in front of us gave, if it can stand in a header and a log line.
fn sound(id: &HeaderValue) -> Option<String> {
    let id = id.to_str().ok()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(&byte));
    (plain && !id.is_empty() && id.len() <= LONGEST_ID).then(|| id.to_owned())
}

fn line(id: &str, status: u16, took: Duration, notes: &Notes) {
    macro_rules! write_line {
        ($level:ident) => {
            tracing::$level!(
                request_id = id,
                route = notes.route,
                client = notes.client,
                call_center = notes.call_center,
                vendor_call_key = notes.vendor_call_key,
                voice_call_id = notes.voice_call_id,
                status,
                outcome = notes.outcome,
                milliseconds = milliseconds(took),
                upstream_milliseconds = notes.upstream.map(milliseconds),
                error = notes.error,
                "request"
            )
        };
    }
    // What somebody has to act upon stands out: a fault of the set-up, or a caller who had to wait in vain.
    if status == 424 || status >= 500 {
        write_line!(warn);
    } else {
        write_line!(info);
    }
}

/// Probes are not worth a line each; a path that does not exist is, without the numbers it may hold.
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
