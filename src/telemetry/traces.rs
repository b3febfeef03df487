//! Spans of requests, of what Salesforce and the database are asked for them, and of attempts of the outbox, over OTLP.
//!
//! A piece of work carries its span with what its log lines are about ([`LogSubject`]). Without `[traces]` no piece of work
//! has one, and the code below begins nothing. Attributes never hold a body, a secret or a number.

use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry::propagation::{Extractor, TextMapPropagator as _};
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue, Value};
use opentelemetry_http::{Bytes, HttpClient, HttpError};
use opentelemetry_otlp::{
    ExporterBuildError, Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use reqwest::Client;
use secrecy::ExposeSecret as _;
use tokio::runtime::Runtime;

use super::LogSubject;
use crate::domain::hide_numbers;
use crate::settings;

/// How long the collector may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long what is left may take to be sent at the end.
const LAST: Duration = Duration::from_secs(2);

/// What begins spans and sends those that have ended.
pub struct Traces {
    tracer: SdkTracer,
    provider: SdkTracerProvider,
    names_calls: bool,
}

impl Traces {
    /// By the section `[traces]`, where it names an endpoint. Spans are sent by threads of their own: a collector that does not
    /// answer costs spans and no call. The client follows no redirects.
    ///
    /// # Errors
    /// When the exporter cannot be set up.
    pub fn start(settings: &settings::Traces, client: Client) -> Result<Option<Arc<Self>>, TracesError> {
        let Some(endpoint) = &settings.endpoint else { return Ok(None) };
        let authorization = settings.authorization.as_ref();
        let headers =
            authorization.map(|secret| ("authorization".to_owned(), secret.expose_secret().to_owned()));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("traces")
            .enable_all()
            .build()
            .map_err(TracesError::Thread)?;
        let exporter = SpanExporter::builder()
            .with_http()
            .with_protocol(Protocol::HttpBinary)
            .with_endpoint(endpoint.as_str())
            .with_headers(headers.into_iter().collect::<HashMap<_, _>>())
            .with_timeout(PATIENCE)
            .with_http_client(Collector {
                client,
                runtime: Some(runtime),
                is_failing: AtomicBool::new(false),
            })
            .build()?;
        let resource = Resource::builder()
            .with_service_name(settings.service_name.clone())
            .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
            .build();
        let sampler = Sampler::TraceIdRatioBased(settings.sample_ratio);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        let tracer = provider.tracer(env!("CARGO_CRATE_NAME"));
        Ok(Some(Arc::new(Self { tracer, provider, names_calls: settings.vendor_call_key })))
    }

    /// Begins the span of a request, in the trace of the flow where its headers name one by `traceparent`.
    pub fn request<'a>(self: &Arc<Self>, header: impl Fn(&str) -> Option<&'a str>) -> TraceSpan {
        let headers = Headers(["traceparent", "tracestate"].map(|name| (name, header(name))));
        // From nothing, not from what this thread did before.
        let parent = TraceContextPropagator::new().extract_with_context(&Context::new(), &headers);
        self.begin("request", SpanKind::Server, &parent)
    }

    /// Begins the span of what nobody has asked for just now.
    pub fn work(self: &Arc<Self>, name: &'static str) -> TraceSpan {
        self.begin(name, SpanKind::Internal, &Context::new())
    }

    fn begin(self: &Arc<Self>, name: &'static str, kind: SpanKind, parent: &Context) -> TraceSpan {
        let builder = self.tracer.span_builder(name).with_kind(kind);
        let span = self.tracer.build_with_context(builder, parent);
        TraceSpan { traces: Arc::clone(self), context: parent.with_span(span) }
    }

    /// Sends what has ended. Blocks, for as long as the collector takes.
    pub fn send(&self) {
        if let Err(error) = self.provider.force_flush() {
            tracing::debug!(%error, "spans were not sent");
        }
    }

    /// Sends what has ended, for the last time. Blocks, for two seconds at most.
    pub fn finish(&self) {
        if let Err(error) = self.provider.shutdown_with_timeout(LAST) {
            tracing::warn!(%error, "the last spans were not sent");
        }
    }
}

impl Debug for Traces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traces").finish_non_exhaustive()
    }
}

/// A span that has begun; it ends when it is dropped.
#[derive(Debug, Clone)]
pub struct TraceSpan {
    traces: Arc<Traces>,
    context: Context,
}

impl TraceSpan {
    /// Begins a span within this one, unless nobody wants this one.
    pub(super) fn child(&self, name: &'static str, kind: SpanKind) -> Option<Self> {
        let is_wanted = self.context.span().is_recording();
        is_wanted.then(|| self.traces.begin(name, kind, &self.context))
    }

    /// Names it anew: what it is about was not known when it began.
    pub fn rename(&self, name: String) {
        self.context.span().update_name(name);
    }

    /// Adds what it is about.
    pub fn set(&self, name: &'static str, value: impl Into<Value>) {
        self.context.span().set_attribute(KeyValue::new(name, value.into()));
    }

    /// Adds the key of the call, where the setting allows it.
    pub(super) fn set_call(&self, key: &str) {
        if self.traces.names_calls {
            self.set("scv.vendor_call_key", hide_numbers(key).into_owned());
        }
    }

    /// What it stands for failed.
    pub fn fail(&self, why: &'static str) {
        self.context.span().set_status(Status::error(why));
    }
}

/// Begins a span for what Salesforce is asked, within the current work, where traces are on.
#[must_use]
pub fn salesforce_span(operation: &'static str) -> Option<TraceSpan> {
    let span = LogSubject::child_span("salesforce", SpanKind::Client)?;
    span.rename(format!("salesforce {operation}"));
    Some(span)
}

/// Begins a span for what the database is asked, within the current work, where traces are on.
#[must_use]
pub fn store_span(name: &'static str) -> Option<TraceSpan> {
    LogSubject::child_span(name, SpanKind::Client)
}

/// Why there are no traces.
#[derive(Debug, thiserror::Error)]
pub enum TracesError {
    /// The library refuses.
    #[error("spans cannot be sent: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// The system gives no thread.
    #[error("spans cannot be sent: {0}")]
    Thread(std::io::Error),
}

/// The headers of a request, for the library.
struct Headers<'a>([(&'static str, Option<&'a str>); 2]);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.iter().find(|(name, _)| *name == key)?.1
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }
}

/// The collector, reached from the library's thread by a runtime of our own: it has none.
#[derive(Debug)]
struct Collector {
    client: Client,
    /// Taken when this is dropped.
    runtime: Option<Runtime>,
    /// Whether the last batch was not taken: only the first and the last of several is told.
    is_failing: AtomicBool,
}

impl Drop for Collector {
    /// A runtime that is dropped waits for its threads, which asynchronous work must not.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(
        &self,
        request: opentelemetry_http::Request<Bytes>,
    ) -> Result<opentelemetry_http::Response<Bytes>, HttpError> {
        let result = self.send(request).await;
        let refused = result.as_ref().ok().filter(|answer| !answer.status().is_success());
        match (&result, refused) {
            (Err(error), _) if !self.is_failing.swap(true, Ordering::Relaxed) => {
                tracing::warn!(%error, "the collector does not take spans; those until it does are lost");
            }
            (Ok(_), Some(answer)) if !self.is_failing.swap(true, Ordering::Relaxed) => {
                let status = answer.status().as_u16();
                tracing::warn!(status, "the collector refuses spans; those until it does not are lost");
            }
            (Ok(_), None) if self.is_failing.swap(false, Ordering::Relaxed) => {
                tracing::info!("the collector takes spans again");
            }
            _ => {}
        }
        result
    }
}

impl Collector {
    async fn send(
        &self,
        request: opentelemetry_http::Request<Bytes>,
    ) -> Result<opentelemetry_http::Response<Bytes>, HttpError> {
        let mut request = reqwest::Request::try_from(request)?;
        *request.timeout_mut() = Some(PATIENCE);
        let Some(runtime) = &self.runtime else { return Err("the service stops".into()) };
        let client = self.client.clone();
        let sending = runtime.spawn(async move {
            // What a collector answers is not read: only its status counts.
            client.execute(request).await.map(|answer| answer.status())
        });
        let status = sending.await?.map_err(reqwest::Error::without_url)?;
        let mut answer = opentelemetry_http::Response::new(Bytes::new());
        *answer.status_mut() = status;
        Ok(answer)
    }
}
