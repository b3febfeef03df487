//! The token endpoint and what its tokens open, as connectors use them.

mod answers;
mod assertions;
mod credentials;
mod errors;
mod grants;
mod validate;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::sha::sha256;
use openssl::sign::Signer;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::stage::{CANARIES, NOW, OTHER_CERTIFICATE, Plan, Reply, Stage, create, issued};

/// The token endpoint's paths.
const PATHS: [&str; 2] = ["/oauth2/token", "/services/oauth2/token"];
/// A connector that has every way in.
const CLIENT: (&str, &str) = ("connector", "s3cret of a connector+%");
/// Its user.
const USER: (&str, &str) = ("webex@example.com", "s3cret+pass%word");
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";
const CLIENT_ASSERTION: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// A bridge that gives tokens, known under a public address.
async fn stage() -> Stage {
    plan().start().await
}

fn plan() -> Plan {
    let hash = |secret: &str| -> String {
        sha256(secret.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
    };
    Plan::telephony().sections(&format!(
        r#"
        [oauth]
        signing_key = "{key}"
        audiences = ["https://login.salesforce.com"]
        [[clients]]
        id = "{id}"
        secret_sha256 = "{secret}"
        username = "{name}"
        password_sha256 = "{password}"
        assertion_certificates = ["{{folder}}/{OTHER_CERTIFICATE}.crt"]
        call_centers = ["*"]
        "#,
        key = "k".repeat(43),
        id = CLIENT.0,
        secret = hash(CLIENT.1),
        name = USER.0,
        password = hash(USER.1)
    ))
}

type Parameters<'a> = Vec<(&'a str, &'a str)>;

fn form(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> RequestBuilder {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let kind = "application/x-www-form-urlencoded";
    stage.request(Method::POST, path).header("content-type", kind).body(body)
}

fn json(stage: &Stage, path: &str, parameters: &[(&str, &str)]) -> RequestBuilder {
    let fields = parameters.iter().map(|(name, value)| ((*name).to_owned(), Value::from(*value)));
    let body = Value::Object(fields.collect()).to_string();
    stage.request(Method::POST, path).header("content-type", "application/json").body(body)
}

/// Asks with a form.
async fn ask(stage: &Stage, parameters: &[(&str, &str)]) -> Reply {
    Reply::of(form(stage, PATHS[0], parameters)).await
}

/// The token of an answer that gives one.
fn token(reply: &Reply) -> String {
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!((reply.header("cache-control"), reply.header("pragma")), ("no-store", "no-cache"));
    reply.body["access_token"].as_str().unwrap().to_owned()
}

/// What is said of a request that gets no token: status, code and description, in the shape of RFC 6749.
fn refused(reply: &Reply) -> String {
    assert_eq!(reply.header("content-type"), "application/json");
    assert_eq!(reply.header("cache-control"), "no-store");
    let keys: Vec<_> = reply.body.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["error", "error_description"], "{}", reply.text);
    for canary in CANARIES {
        assert!(!reply.text.contains(canary), "{canary} in {}", reply.text);
    }
    let [code, description] = ["error", "error_description"].map(|key| reply.body[key].as_str().unwrap());
    let allowed = |byte: u8| matches!(byte, 0x20..=0x21 | 0x23..=0x5B | 0x5D..=0x7E);
    assert!(description.bytes().all(allowed), "RFC 6749, 5.2: {description}");
    format!("{} {code}: {description}", reply.status)
}

/// Whether the token lets a call be made.
async fn opens(stage: &Stage, token: &str, key: &str) -> Reply {
    let request = stage.request(Method::POST, "/services/apexrest/cisco_wxcc_scv/voice/v1/createVoiceCall");
    Reply::of(request.bearer_auth(token).body(create(key).to_string())).await
}

fn seconds() -> i64 {
    NOW.parse::<jiff::Timestamp>().unwrap().as_second()
}

/// What an assertion of the connector says when all is right.
fn claims(stage: &Stage) -> Value {
    json!({
        "iss": CLIENT.0,
        "sub": CLIENT.0,
        "aud": format!("{}/services/oauth2/token", stage.public),
        "iat": seconds(),
        "exp": seconds() + 300,
        "jti": "one",
    })
}

/// Signed by the key that is registered for the connector.
fn assertion(claims: &Value) -> String {
    signed(&json!({ "alg": "RS256", "typ": "JWT" }), claims, OTHER_CERTIFICATE)
}

fn signed(header: &Value, claims: &Value, certificate: &str) -> String {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let key = PKey::private_key_from_pem(&issued(certificate).key_pem).unwrap();
    let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
    let signature = signer.sign_oneshot_to_vec(format!("{header}.{claims}").as_bytes()).unwrap();
    format!("{header}.{claims}.{}", URL_SAFE_NO_PAD.encode(signature))
}
