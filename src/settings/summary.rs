//! A configuration in a few lines, for `check` and for the log of a start.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Api, CallCenter, Problem, Settings, Webex};
use crate::certificate::{hosts, speaks_for};
use crate::domain::{Attribute, PathRoot};

impl Settings {
    /// Listeners, contact centers and certificates, one a line, without secrets.
    #[must_use]
    pub fn summary(&self, now: Timestamp) -> String {
        let mut text = String::new();
        // Writing to a String does not fail.
        let _ = self.write_summary(&mut text, now);
        text
    }

    fn write_summary(&self, text: &mut String, now: Timestamp) -> std::fmt::Result {
        let scheme = |tls: bool| if tls { "https" } else { "http" };
        let tls = self.server.tls.is_some();
        writeln!(text, "public       {}://{}", scheme(tls), self.server.listen)?;
        if let Some(public_url) = &self.server.public_url {
            writeln!(text, "known as     {public_url}")?;
        }
        let operations = scheme(tls && self.operations.wants_tls());
        writeln!(text, "operations   {operations}://{}", self.operations.listen)?;
        for expiry in self.expiries() {
            let days = expiry.days_left(now);
            writeln!(text, "certificate  {}: {days} days left, until {:.0}", expiry.name, expiry.at)?;
        }
        for center in self.call_centers.values() {
            let CallCenter { name, api, certificate, next_certificate, .. } = center;
            let (way, host) = (api.name(), api.host());
            write!(text, "call center  {name}: {way} at {host}, signed by {}", certificate.name())?;
            match next_certificate {
                Some(next) => writeln!(text, ", from {:.0} on by {}", next.from, next.certificate.name())?,
                None => writeln!(text)?,
            }
        }
        let ids: Vec<&str> = self.clients.iter().map(|client| client.id.as_str()).collect();
        writeln!(text, "clients      {}", ids.join(", "))
    }

    /// What works today and will not for long, or what is allowed and probably not meant.
    #[must_use]
    pub fn warnings(&self, now: Timestamp) -> Vec<String> {
        let examples = self.wrong_examples().into_iter().map(|wrong| {
            let Problem { key, problem, hint } = wrong.problem();
            format!("{key}: {problem}; {hint}")
        });
        let hosts = self.call_centers.values().filter_map(CallCenter::unusual_host);
        let ending = self.ending(now).into_iter();
        ending.chain(self.remarks()).chain(self.other_host()).chain(hosts).chain(examples).collect()
    }

    /// Those of the warnings that can be told from the configuration alone, and from nothing outside of it: neither the
    /// ends of certificates nor hosts nor examples.
    #[must_use]
    pub fn remarks(&self) -> Vec<String> {
        let centers = || self.call_centers.values();
        let sample = self.server.public_url.as_ref().filter(|url| is_sample(url.host())).map(|url| {
            format!(
                "server.public_url: {} is a name for samples, under which nobody reaches the bridge",
                url.host()
            )
        });
        let other = centers().filter_map(gap);
        let webex = self.webex.iter().flat_map(of_webex);
        let untold = centers().filter_map(|center| untold(center, self.webex.as_ref()));
        let unfilled = centers().filter(|_| self.webex.is_none()).filter_map(unfilled);
        let silence = self.logs.silence().map(|silence| format!("logs.level: {silence}"));
        self.notes
            .iter()
            .cloned()
            .chain(silence)
            .chain(sample)
            .chain(other)
            .chain(webex)
            .chain(untold)
            .chain(unfilled)
            .collect()
    }

    /// A TLS certificate of ours that does not speak for the host under which we are reached. A proxy in front can
    /// have another name for us than the world has.
    #[must_use]
    pub fn other_host(&self) -> Option<String> {
        let (server, url) = (&self.server, self.server.public_url.as_ref()?);
        let own = server.tls.as_ref()?.chain.first()?;
        if server.trusted_proxy || speaks_for(own, url.host()) {
            return None;
        }
        let names = match hosts(own) {
            names if names.is_empty() => "no host (it has no subjectAltName)".to_owned(),
            names => names.join(", "),
        };
        let host = url.host();
        Some(format!(
            "server.tls.certificate: speaks for {names}, not for {host}, the host of public_url: clients refuse it"
        ))
    }
}

/// Names that belong to nobody (RFC 2606).
fn is_sample(host: &str) -> bool {
    let names = ["example.com", "example.net", "example.org"];
    names
        .iter()
        .any(|name| host.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
}

/// What of `[webex]` cannot work, and a login that whoever reads the database can use.
fn of_webex(webex: &Webex) -> impl Iterator<Item = String> + use<> {
    let asks = webex.oauth_client.is_some();
    let warnings = [
        (
            asks && webex.token_key.is_none(),
            "webex.token_key_file: not set, so the login at Webex lies in clear text in the database",
        ),
        (webex.webhook_secrets.is_empty(), "webex.webhook_secret_files: empty, so every webhook is refused"),
        (
            asks && webex.api_url.is_none(),
            "webex.api_url: not set, so Webex is asked for nothing, and events that are lost stay lost",
        ),
    ];
    warnings.into_iter().filter(|(holds, _)| *holds).map(|(_, warning)| warning.to_owned())
}

/// Fields of which only webhooks could tell.
fn unfilled(center: &CallCenter) -> Option<String> {
    let of_webhooks =
        |attribute: &&Attribute| matches!(attribute.path.root(), PathRoot::Data | PathRoot::Segments(_));
    let fields: Vec<&str> =
        center.attributes.iter().filter(of_webhooks).map(|attribute| attribute.field.as_str()).collect();
    (!fields.is_empty()).then(|| {
        let (name, fields) = (&center.name, fields.join(", "));
        format!("call_centers.{name}.attributes: without [webex] no webhook fills {fields}")
    })
}

/// Enrichment that lacks what it is to tell of.
fn untold(center: &CallCenter, webex: Option<&Webex>) -> Option<String> {
    let (name, enrichment) = (&center.name, &center.enrichment);
    if !enrichment.enabled {
        return None;
    }
    let Some(webex) = webex else {
        return Some(format!(
            "call_centers.{name}.enrichment.enabled: without [webex] no webhook tells of calls, so none is enriched"
        ));
    };
    enrichment.recording_location.as_ref().filter(|template| template.needs_file())?;
    let keys = [
        ("webex.client_id", webex.oauth_client.is_none()),
        ("webex.api_url", webex.api_url.is_none()),
        ("webex.org_id", webex.org_id.is_none()),
    ];
    let (key, _) = keys.into_iter().find(|(_, is_missing)| *is_missing)?;
    Some(format!(
        "call_centers.{name}.enrichment.recording_location: {{fileName}} is asked of Webex, and {key} is not set, so no location is sent"
    ))
}

/// A certificate that ends before the next one signs leaves Salesforce without a valid token.
fn gap(center: &CallCenter) -> Option<String> {
    let (name, certificate) = (&center.name, &center.certificate);
    let from = center.next_certificate.as_ref()?.from;
    (certificate.not_after() < from).then(|| {
        format!(
            "call_centers.{name}.next_certificate_from: {from:.0} is after the end of {}, {:.0}",
            certificate.name(),
            certificate.not_after()
        )
    })
}

impl CallCenter {
    /// A host that is not Salesforce's: it can be a proxy, but mostly it is the wrong one of an org's two hosts.
    #[must_use]
    pub fn unusual_host(&self) -> Option<String> {
        let (key, url, usual) = match &self.api {
            Api::Telephony(api) => ("telephony_url", &api.url, ".my.salesforce-scrt.com"),
            Api::Apex(api) => ("login_url", &api.oauth.login_url, ".salesforce.com"),
        };
        if url.host().ends_with(usual) || url.is_loopback() {
            return None;
        }
        let (name, host) = (&self.name, url.host());
        Some(format!("call_centers.{name}.{key}: {host} is not a host under *{usual}"))
    }
}
