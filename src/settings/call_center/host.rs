//! Hosts of Salesforce, and the samples of our own documentation, that cannot be right where they stand.

use super::super::section::Section;
use super::super::{BaseUrl, OrgId};

/// The hosts of one org, by what follows the name of its My Domain.
const ORG: &str = ".my.salesforce.com";
const TELEPHONY: &str = ".my.salesforce-scrt.com";
const OTHERS: [&str; 2] = [".lightning.force.com", ".my.salesforce-setup.com"];

/// The path of the telephony API; a proxy may have something before it.
const API: &str = "/telephony/v1";

/// The My Domain of the samples.
const SAMPLE_DOMAIN: &str = "example";
/// The user name of the samples.
const SAMPLE_USER: &str = "scv.integration@example.com";
/// What no org's id begins with but that of the samples.
const SAMPLE_ORG: &str = "00D00000000000";

const SAMPLE: &str = "is still the sample of the documentation";

/// Reports a `telephony_url` with another host of the org or another path, and samples. A mock or a tunnel on this machine may have
/// anything.
pub(super) fn check_telephony(section: &Section<'_>, org_id: Option<&OrgId>, url: Option<&BaseUrl>) {
    if url.is_some_and(BaseUrl::is_loopback) {
        return;
    }
    if org_id.is_some_and(|id| id.as_str().starts_with(SAMPLE_ORG)) {
        section.problem(
            "org_id",
            SAMPLE,
            "Setup > Company Information > Salesforce.com Organization ID of your own org",
        );
    }
    let Some(url) = url else { return };
    match Host::of(url) {
        Host::Sample => {
            let hint =
                "https://<MyDomain>.my.salesforce-scrt.com/telephony/v1, with the My Domain of your own org";
            section.problem("telephony_url", SAMPLE, hint);
        }
        Host::OfOrg(domain) => section.problem(
            "telephony_url",
            format!("{} is not the host of the org's telephony API", url.host()),
            format!("did you mean https://{domain}{TELEPHONY}/telephony/v1?"),
        ),
        Host::OfLogin => section.problem(
            "telephony_url",
            format!("{} is Salesforce's login, not the telephony API of an org", url.host()),
            "https://<MyDomain>.my.salesforce-scrt.com/telephony/v1",
        ),
        Host::OfTelephony(_) | Host::Other if url.path().ends_with(API) => {}
        Host::OfTelephony(_) | Host::Other => {
            let problem = match url.path() {
                "" => String::from("has no path"),
                path => format!("has the path {path:?}, which is not that of the telephony API"),
            };
            section.problem("telephony_url", problem, format!("{}{API}", url.origin()));
        }
    }
}

/// Reports a `login_url` with a path, or with a host that gives no tokens, and samples.
pub(super) fn check_login(section: &Section<'_>, url: Option<&BaseUrl>, username: Option<&str>) {
    let Some(url) = url else { return };
    if !url.path().is_empty() {
        let problem = format!("holds the path {:?}", url.path());
        section.problem("login_url", problem, format!("{}, without a path", url.origin()));
    }
    if url.is_loopback() {
        return;
    }
    if username == Some(SAMPLE_USER) {
        section.problem("username", SAMPLE, "the user name of the integration user in your own org");
    }
    match Host::of(url) {
        Host::Sample => {
            let hint = "https://<MyDomain>.my.salesforce.com, with the My Domain of your own org";
            section.problem("login_url", SAMPLE, hint);
        }
        Host::OfTelephony(domain) => section.problem(
            "login_url",
            format!("{} is the host of the telephony API, which gives no tokens", url.host()),
            format!("did you mean https://{domain}{ORG}?"),
        ),
        Host::OfOrg(domain) if !url.host().ends_with(ORG) => section.problem(
            "login_url",
            format!("{} gives no tokens", url.host()),
            format!("did you mean https://{domain}{ORG}?"),
        ),
        Host::OfOrg(_) | Host::OfLogin | Host::Other => {}
    }
}

/// What a host is in Salesforce.
enum Host<'u> {
    /// One that stands in our samples.
    Sample,
    /// The telephony API of the org with this My Domain.
    OfTelephony(&'u str),
    /// Another host of that org.
    OfOrg(&'u str),
    /// `login.salesforce.com` and its like.
    OfLogin,
    /// Not Salesforce's: a proxy, perhaps.
    Other,
}

impl<'u> Host<'u> {
    fn of(url: &'u BaseUrl) -> Self {
        let host = url.host();
        let telephony = host.strip_suffix(TELEPHONY);
        let org = std::iter::once(ORG).chain(OTHERS).find_map(|suffix| host.strip_suffix(suffix));
        match (telephony, org) {
            (Some(SAMPLE_DOMAIN), _) | (_, Some(SAMPLE_DOMAIN)) => Self::Sample,
            (Some(domain), _) => Self::OfTelephony(domain),
            (_, Some(domain)) => Self::OfOrg(domain),
            _ if host == "salesforce.com" || host.ends_with(".salesforce.com") => Self::OfLogin,
            _ => Self::Other,
        }
    }
}
