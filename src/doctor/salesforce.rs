//! Contact centers in Salesforce: the address, the token, what it allows, and whether a harmless request is understood.

mod oauth;
mod telephony;

use std::sync::Arc;

use super::engine::Check;
use super::known::Speaker;
use super::site::Site;
use super::{Finding, known};
use crate::domain::{CallCenterName, Origin, VendorCallKey};
use crate::salesforce::{HttpFault, ProbeAnswer, ProbeFault};
use crate::settings::{Api, CallCenter};

pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let of = |center: &CallCenter| match &center.api {
        Api::Telephony(api) => {
            let mut checks = telephony::checks(site, center, api);
            if let Some(oauth) = &api.oauth {
                let section = format!("call_centers.{}.oauth", center.name);
                checks.extend(oauth::session_checks(site, center, oauth, &section));
                checks.push(oauth::query_check(site, center, &section));
            }
            checks
        }
        Api::Apex(api) => oauth::apex_checks(site, center, api),
    };
    site.settings.call_centers.values().flat_map(of).collect()
}

/// A call that nobody knows.
fn nobody(site: &Site) -> Option<VendorCallKey> {
    let id = site.ids.unique();
    let part = |from: usize, to: usize| id.get(from..to).unwrap_or_default();
    let uuid = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-");
    VendorCallKey::parse(format!("doctor_{uuid}")).ok()
}

/// A request of nobody's flow.
fn origin(center: &CallCenter) -> Option<Origin> {
    Some(Origin { call_center: CallCenterName::parse(center.name.as_str()).ok()?, certificate: None })
}

/// What means that requests of flows fail.
fn flows_fail(center: &str) -> String {
    format!(
        "flows get 424 for every request for {center}: no VoiceCall is made, no call is routed by Salesforce"
    )
}

/// Salesforce's own words.
fn said(answer: &ProbeAnswer) -> String {
    format!("Salesforce says: {} (HTTP {}, {} ms)", answer.words, answer.status, answer.elapsed.as_millis())
}

/// What is not an answer of an API: a page, a redirect.
fn elsewhere(answer: &ProbeAnswer, key: &str, is: &str) -> Option<Finding> {
    let finding = match answer.status {
        300..=399 => {
            let to = answer.location.as_ref().map_or_else(String::new, |to| format!(" to {to}"));
            Finding::fail("redirect", format!("{key} answers with a redirect{to}")).cause(
                "My Domain was renamed, or enhanced domains changed it: a sandbox is NAME--SANDBOX.sandbox.my.salesforce.com",
            )
        }
        _ if answer.is_page => Finding::fail("page", format!("{key} answers with a page for people")),
        _ => return None,
    };
    let finding = finding
        .cause(format!("{key} is not the host of {is}"))
        .cause("logins by login.salesforce.com or test.salesforce.com are turned off for the org")
        .cause("a proxy or firewall between answers in its place");
    Some(finding.step(format!("take the host from Setup > My Domain: {is}")).seen(said(answer)))
}

/// Salesforce itself cannot.
fn unavailable(answer: &ProbeAnswer) -> Option<Finding> {
    match answer.status {
        429 => Some(
            Finding::warn("limited", "Salesforce limits the requests of this org at the moment")
                .means("creates wait or fail while it lasts")
                .cause("more requests than the org may make")
                .step("run `scv-bridge doctor` again in a minute")
                .seen(said(answer)),
        ),
        500.. => Some(
            Finding::fail("unavailable", "Salesforce cannot answer at the moment")
                .means("a service that runs answers flows 503 (or as on_create_failure and fallback_queue say); what can wait it keeps in the outbox and sends later")
                .cause("an incident, or maintenance of the instance")
                .step("https://status.salesforce.com tells of incidents; run `scv-bridge doctor` again")
                .seen(said(answer)),
        ),
        _ => None,
    }
}

/// No answer at all, although the host was reached.
fn unanswered(fault: &ProbeFault) -> Finding {
    match fault {
        ProbeFault::Unsigned | ProbeFault::NoSession => Finding::fail("unsigned", fault.to_string())
            .means("no token can be made")
            .step("`scv-bridge check` names what is wrong with the pair"),
        ProbeFault::Http(HttpFault::Late) => {
            Finding::fail("slow", "Salesforce gave no answer to a harmless request within 4 s")
                .means(
                    "requests of flows run into their deadlines; after a few such answers the breaker opens",
                )
                .cause("Salesforce is slow at the moment, or something between drops what is sent")
                .step("https://status.salesforce.com tells of incidents; run `scv-bridge doctor` again")
        }
        ProbeFault::Http(fault @ (HttpFault::Connect(_) | HttpFault::Broken(_))) => {
            Finding::fail("broken", "the connection broke before Salesforce had answered")
                .means("it is not known what became of such requests; a service that runs answers flows 503")
                .cause("something between ends connections, such as a firewall that looks into them")
                .step("ask who runs the network between; run `scv-bridge doctor` again")
                .seen(fault.to_string())
        }
    }
}

/// What is known of these words; else a finding that repeats them.
fn recognized(
    speaker: Speaker,
    answer: &ProbeAnswer,
    names: known::Names<'_>,
    otherwise: impl FnOnce() -> Finding,
) -> Finding {
    let known = known::recognize(speaker, answer.status, &answer.words);
    known.map_or_else(otherwise, |known| known.finding(names)).seen(said(answer))
}
