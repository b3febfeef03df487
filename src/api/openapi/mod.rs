//! The API in the words of OpenAPI 3.1, made of what the routes are made of: paths and statuses of the routes, bodies by a
//! table that a test holds against the reading code, errors by [`ApiError`](super::ApiError) itself.

mod bodies;
mod errors;
mod examples;
mod page;
mod schemas;
#[cfg(test)]
mod tests;

use actix_web::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use actix_web::{HttpResponse, web};
use serde_json::Value;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, OperationBuilder, PathItem, PathItemBuilder};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::response::ResponseBuilder;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Password, Scopes,
    SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::server::ServerBuilder;
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, PathsBuilder, Ref, Required};

use self::bodies::{BODIES, Body};
use self::errors::Family;
use super::caller::TOKEN_PATHS;
use super::routes::{SHORT, WRAPPER};

/// The public URL in the document of the sources.
pub const SAMPLE_URL: &str = "https://bridge.example.com";

const FLOWS: &str = "flows";
const MOVED: &str = "flows of the wrapper";
const CONNECTORS: &str = "connectors";
const WEBEX: &str = "Webex";
const PROBES: &str = "probes";
const OPERATORS: &str = "operators";
const JSON: &str = "application/json";
const TEXT: &str = "text/plain";
const HTML: &str = "text/html";

const DESCRIPTION: &str = "The bridge between Webex Contact Center flows and Salesforce Service Cloud Voice. Every answer of \
    the voice routes has the same shape: `$.data` and `$.errors` are always there. All problems of a body are listed at once. 5xx says that the same \
    request may succeed later, 4xx that it will not. An unknown path answers 404 and another method 405, with `Allow`, in the same shape.";

/// The document, for a bridge that is known under `public_url`.
#[must_use]
pub fn document(public_url: &str) -> OpenApi {
    let mut paths = PathsBuilder::new();
    for (prefix, suffix) in [(SHORT, ""), (WRAPPER, "AsWrapper")] {
        for body in &BODIES {
            paths = paths.path(format!("{prefix}/{}", body.route.name()), voice(body, suffix));
        }
        paths = paths.path(format!("{prefix}/validate"), validate(suffix));
    }
    for (path, suffix) in TOKEN_PATHS.iter().zip(["AsSalesforce", ""]) {
        paths = paths.path(*path, token(suffix));
    }
    paths = paths.path("/webhooks/wxcc", webhook());
    for (path, item) in probes_and_operations() {
        paths = paths.path(path, item);
    }
    let tags = [
        (FLOWS, "What flows call."),
        (CONNECTORS, "How a connector gets in."),
        (
            MOVED,
            "The same under the paths of the in-org wrapper: an existing flow moves over by changing its connector.",
        ),
        (WEBEX, "What Webex sends."),
        (PROBES, "On both listeners."),
        (OPERATORS, "On the operations listener only."),
    ];
    let tag = |(name, text): (&str, &str)| TagBuilder::new().name(name).description(Some(text)).build();
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("scv-bridge")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(DESCRIPTION))
                .license(Some(
                    utoipa::openapi::LicenseBuilder::new().name("MIT").identifier(Some("MIT")).build(),
                ))
                .build(),
        )
        .servers(Some([ServerBuilder::new()
            .url(public_url)
            .description(Some("the public listener"))
            .build()]))
        .paths(paths.build())
        .components(Some(components(public_url)))
        .tags(Some(tags.map(tag)))
        .build()
}

fn components(public_url: &str) -> utoipa::openapi::Components {
    let scope = || Scopes::one("api", "the only scope, whatever is asked for");
    let token_url = format!("{public_url}{}", TOKEN_PATHS[1]);
    let oauth = OAuth2::with_description(
        [
            Flow::ClientCredentials(ClientCredentials::new(token_url.as_str(), scope())),
            Flow::Password(Password::new(token_url.as_str(), scope())),
        ],
        "An access token of this bridge; the JWT bearer grant works too.",
    );
    let mut basic = Http::new(HttpAuthScheme::Basic);
    basic.description = Some("Id and secret of a configured client.".to_owned());
    let signature = ApiKeyValue::with_description(
        "X-WebexCC-Signature",
        "HMAC-SHA256 of the body under the subscription's secret, in lower-case hexadecimal digits.",
    );
    let certificate = SecurityScheme::MutualTls {
        description: Some("A client certificate whose name is a client's.".to_owned()),
        deprecated: None,
        extensions: None,
    };
    let mut components = ComponentsBuilder::new()
        .security_scheme("basic", SecurityScheme::Http(basic))
        .security_scheme("oauth", SecurityScheme::OAuth2(oauth))
        .security_scheme("certificate", certificate)
        .security_scheme("signature", SecurityScheme::ApiKey(ApiKey::Header(signature)));
    for (name, schema) in schemas::all() {
        components = components.schema(name, schema);
    }
    for (name, response) in errors::all() {
        components = components.response(name, response);
    }
    for body in &BODIES {
        components = components.schema(body.schema, body.schema());
    }
    components.build()
}

/// What any of these lets in.
fn credentials() -> [SecurityRequirement; 3] {
    ["basic", "oauth", "certificate"].map(|name| SecurityRequirement::new(name, [""; 0]))
}

fn operation(tag: &str, id: String, summary: &str, family: Option<Family>) -> OperationBuilder {
    let operation = OperationBuilder::new().tag(tag).operation_id(Some(id)).summary(Some(summary));
    family.into_iter().flat_map(Family::statuses).fold(operation, |operation, (status, name)| {
        operation.response(status.to_string(), Ref::from_response_name(name))
    })
}

fn answer(description: &str, schema: &str, example: Value) -> ResponseBuilder {
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).example(Some(example)).build();
    ResponseBuilder::new().description(description).content(JSON, content)
}

fn done(operation: OperationBuilder, response: ResponseBuilder) -> Operation {
    operation.response("200", response.build()).build()
}

fn voice(body: &Body, suffix: &str) -> PathItem {
    let id = format!("{}{suffix}", body.route.name());
    let tag = if suffix.is_empty() { FLOWS } else { MOVED };
    let operation = operation(tag, id, body.summary, Some(Family::of(body.route)))
        .description(Some(body.description))
        .request_body(Some(json_body(body.schema, examples::request(body.route))))
        .securities(Some(credentials()));
    let answered = errors::with_request_id(answer(body.done, body.answer, examples::answer(body.route)));
    PathItem::new(HttpMethod::Post, done(operation, answered))
}

fn json_body(schema: &str, example: Value) -> RequestBody {
    let content =
        ContentBuilder::new().schema(Some(Ref::from_schema_name(schema))).example(Some(example)).build();
    RequestBodyBuilder::new().required(Some(Required::True)).content(JSON, content).build()
}

fn validate(suffix: &str) -> PathItem {
    let tag = if suffix.is_empty() { CONNECTORS } else { MOVED };
    let methods = [(HttpMethod::Get, "Get"), (HttpMethod::Head, "Head"), (HttpMethod::Post, "Post")];
    methods
        .into_iter()
        .fold(PathItemBuilder::new(), |item, (method, name)| {
            let summary = "Whether a voice route would take these credentials.";
            let operation =
                operation(tag, format!("validate{name}{suffix}"), summary, Some(Family::Validate))
                    .securities(Some(credentials()));
            let success = errors::with_request_id(answer(
                "The credentials are right.",
                "StatusAnswer",
                examples::success(),
            ));
            item.operation(method, done(operation, success))
        })
        .build()
}

fn token(suffix: &str) -> PathItem {
    let content = |example| {
        ContentBuilder::new()
            .schema(Some(Ref::from_schema_name("TokenRequest")))
            .example(Some(example))
            .build()
    };
    let body = RequestBodyBuilder::new()
        .required(Some(Required::True))
        .content("application/x-www-form-urlencoded", content(examples::token_request()))
        .content(JSON, content(examples::token_request()))
        .build();
    let operation = operation(
        CONNECTORS,
        format!("token{suffix}"),
        "An access token (RFC 6749).",
        Some(Family::Token),
    )
    .description(Some(
        "Client credentials, password or JWT bearer grant. Id and secret stand in the header or in the body.",
    ))
    .request_body(Some(body))
    .securities(Some([SecurityRequirement::default(), SecurityRequirement::new("basic", [""; 0])]));
    let success = answer("The token.", "TokenAnswer", examples::token());
    PathItem::new(HttpMethod::Post, done(operation, errors::with_request_id(success)))
}

fn webhook() -> PathItem {
    let operation = operation(WEBEX, "webhook".to_owned(), "An event of a subscription.", Some(Family::Webhook))
        .description(Some(
            "404 without `[webex]` in the configuration. With `bad_signature_status = 200` a wrong signature is answered 200, `ignored`.",
        ))
        .request_body(Some(json_body("Webhook", examples::webhook())))
        .security(SecurityRequirement::new("signature", [""; 0]));
    let kept = answer("The event is kept.", "WebhookAnswer", examples::success());
    PathItem::new(HttpMethod::Post, done(operation, errors::with_request_id(kept)))
}

/// GET routes without credentials.
fn probes_and_operations() -> Vec<(&'static str, PathItem)> {
    let get = |tag, id: &str, summary: &str, answers: Vec<(u16, ResponseBuilder)>| {
        let operation = operation(tag, id.to_owned(), summary, None);
        let operation = answers.into_iter().fold(operation, |operation, (status, response)| {
            operation.response(status.to_string(), response.build())
        });
        let operation = operation.securities(Some([SecurityRequirement::default()])).build();
        let item = PathItemBuilder::new().operation(HttpMethod::Get, operation);
        let here = ServerBuilder::new().url("/").description(Some("the operations listener")).build();
        if tag == OPERATORS { item.servers(Some([here])).build() } else { item.build() }
    };
    let text = |description: &str, kind: &str| {
        let content = ContentBuilder::new().schema(Some(schemas::any_text())).build();
        ResponseBuilder::new().description(description).content(kind, content)
    };
    let [ready, not_ready] = examples::readiness();
    vec![
        (
            "/livez",
            get(
                PROBES,
                "livez",
                "Whether the process lives.",
                vec![(200, answer("It does.", "Liveness", examples::alive()))],
            ),
        ),
        (
            "/readyz",
            get(
                PROBES,
                "readyz",
                "Whether requests may come. On the operations listener with what is not ready, and what of the configuration is not in use.",
                vec![
                    (200, answer("They may.", "Readiness", ready)),
                    (503, answer("They may not.", "Readiness", not_ready)),
                ],
            ),
        ),
        (
            "/version",
            get(
                OPERATORS,
                "version",
                "Which version runs.",
                vec![(200, answer("This one.", "Version", examples::version()))],
            ),
        ),
        (
            "/metrics",
            get(OPERATORS, "metrics", "Metrics for Prometheus.", vec![(200, text("Its text format.", TEXT))]),
        ),
        (
            "/openapi.json",
            get(
                OPERATORS,
                "openapi",
                "This document.",
                vec![(200, answer("OpenAPI 3.1.", "AnyObject", serde_json::json!({ "openapi": "3.1.0" })))],
            ),
        ),
        ("/docs", get(OPERATORS, "docs", "This document as a page.", vec![(200, text("The page.", HTML))])),
    ]
}

/// The document and its page, made once at the start.
pub struct Documentation {
    json: web::Bytes,
    page: web::Bytes,
}

impl Documentation {
    /// For a bridge that is known under `public_url`.
    #[must_use]
    pub fn new(public_url: &str) -> Self {
        let document = serde_json::to_value(document(public_url)).unwrap_or_default();
        Self { json: document.to_string().into(), page: page::render(&document).into() }
    }
}

/// GET /openapi.json.
pub async fn openapi(documentation: web::Data<Documentation>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, JSON))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(documentation.json.clone())
}

/// GET /docs: one file without scripts, and nothing of other hosts.
pub async fn docs(documentation: web::Data<Documentation>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((CONTENT_SECURITY_POLICY, page::POLICY))
        .insert_header((REFERRER_POLICY, "no-referrer"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(documentation.page.clone())
}

/// GET /docs/style.css.
pub async fn style() -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/css; charset=utf-8"))
        .insert_header((X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .body(page::STYLE)
}
