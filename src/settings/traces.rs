//! `[traces]`: where spans go.

use config::ValueKind;
use secrecy::SecretString;
use url::Url;

use super::section::{Section, section};
use super::value::is_loopback;

section! {
    /// Spans over OTLP; none, where no endpoint is named.
    #[derive(Debug, Clone)]
    pub struct Traces in "traces" |section| {
        /// Takes spans as OTLP over HTTP, in protocol buffers.
        endpoint: Option<Url> = optional(ENDPOINT, endpoint), at_start;
        /// What the header `authorization` holds, where the collector wants one.
        authorization: Option<SecretString> = flatten(|section| Some(section.secret("authorization"))), secret_at_start;
        /// What the service is called there.
        service_name: String = text_or(section.default_text("service_name"), "scv-bridge"), at_start;
        /// Of how many traces that begin here spans are sent, from 0 to 1.
        sample_ratio: f64 = ratio(), at_start;
        /// Whether spans name the call.
        vendor_call_key: bool = boolean(), at_start;
    }
    check {
        let in_clear = endpoint.iter().flatten().any(|url| url.scheme() == "http" && !is_loopback(url));
        if in_clear && matches!(authorization, Some(Some(_))) {
            section.problem("authorization", "would be sent over http to another machine", "an endpoint with https");
        }
    }
}

const ENDPOINT: &str = "the address of a collector, such as http://127.0.0.1:4318/v1/traces";
const RATIO: &str = "a number from 0 to 1";
/// Where collectors take spans, below their address.
const PATH: &str = "/v1/traces";

/// Spans hold no secret, so that a collector in the same network may be reached over http.
fn endpoint(text: &str) -> Result<Url, String> {
    let mut url = Url::parse(text).map_err(|error| format!("is not a URL: {error}"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err("is neither http:// nor https://".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("holds credentials, which belong into `authorization`".to_owned());
    }
    if url.path() == "/" {
        url.set_path(PATH);
    }
    Ok(url)
}

impl Section<'_> {
    /// A share; from the environment as text.
    fn ratio(&mut self, key: &str) -> Option<f64> {
        let value = self.take_or_default(key)?;
        let number = match (&value, self.report.is_from_environment(&self.path(key))) {
            (ValueKind::Float(number), _) => Some(*number),
            (ValueKind::I64(0), _) => Some(0.0),
            (ValueKind::I64(1), _) => Some(1.0),
            (ValueKind::I64(_), _) => None,
            (ValueKind::String(text), true) => text.parse().ok(),
            _ => {
                self.wrong_type(key, RATIO, &value);
                return None;
            }
        };
        let within = number.filter(|number| (0.0..=1.0).contains(number));
        if within.is_none() {
            self.problem(key, "is out of range", RATIO);
        }
        within
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_without_a_path_is_that_of_a_collector() {
        for (text, reads) in [
            ("http://127.0.0.1:4318", Some("http://127.0.0.1:4318/v1/traces")),
            ("https://collector.example.com/", Some("https://collector.example.com/v1/traces")),
            ("http://collector:4318/tenant/v1/traces", Some("http://collector:4318/tenant/v1/traces")),
            ("http://user:password@collector:4318", None),
            ("grpc://collector:4317", None),
            ("collector", None),
        ] {
            assert_eq!(endpoint(text).ok().as_ref().map(Url::as_str), reads, "{text}");
        }
    }
}
