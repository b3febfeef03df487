//! The telephony API: one probe, judged by its status.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::Timestamp;

use super::super::engine::Check;
use super::super::known::Speaker;
use super::super::network::{Host, reached};
use super::super::site::Site;
use super::super::{CheckId, Code, Finding};
use super::{elsewhere, flows_fail, nobody, origin, recognized, said, unanswered, unavailable};
use crate::certificate::{Description, SigningCertificate};
use crate::salesforce::{AnswerOutcome, Operation, Orgs, ProbeAnswer, SalesforceApi};
use crate::settings::{Api, CallCenter, Settings, Telephony, Token};

type Probed = Arc<OnceLock<ProbeAnswer>>;

pub(super) fn checks(site: &Arc<Site>, center: &CallCenter, api: &Telephony) -> Vec<Check> {
    let id = |code| CheckId::new(code, center.name.as_str());
    let probed: Probed = Arc::default();
    let clock = CheckId::new(Code::Clock, Host::subject(&api.url));
    let (address, token) = (id(Code::TelephonyAddress), id(Code::TelephonyToken));
    let right = id(Code::TelephonyRight);
    let shared = || (Arc::clone(site), center.name.clone(), Arc::clone(&probed));
    let [one, other] = [shared(), shared()];
    vec![
        Check::new(address.clone(), async move { probe(&one.0, &one.1, &one.2).await })
            .after([reached(&api.url)]),
        Check::new(token.clone(), async move { judge_token(&other.0, &other.1, &other.2).await })
            .after([address])
            .unless_failed([clock, id(Code::SessionOrg)]),
        judge(right.clone(), shared(), judge_right).after([token]),
        judge(id(Code::ClearRouting), shared(), judge_clearing).after([right]),
    ]
}

/// A check that only looks at what the probe was answered.
fn judge(
    id: CheckId,
    (site, center, probed): (Arc<Site>, String, Probed),
    look: fn(&CallCenter, &ProbeAnswer) -> Finding,
) -> Check {
    Check::new(id, async move {
        match (site.settings.call_centers.get(&center), probed.get()) {
            (Some(center), Some(answer)) => look(center, answer),
            _ => Finding::skipped("the probe was not made"),
        }
    })
}

/// Sends the probe, and judges whether a telephony API answers there at all.
async fn probe(site: &Site, name: &str, probed: &Probed) -> Finding {
    let Some(center) = site.settings.call_centers.get(name) else { return Finding::skipped("it is gone") };
    let answer = match ask(site, &site.orgs, center).await {
        Some(Ok(answer)) => answer,
        Some(Err(fault)) => return unanswered(&fault),
        None => return Finding::skipped("no request can be made for a contact center of this name"),
    };
    let key = format!("call_centers.{name}.telephony_url");
    let is = "the telephony API, https://NAME.my.salesforce-scrt.com/telephony/v1";
    let finding = elsewhere(&answer, &key, is)
        .map(|finding| finding.means(flows_fail(name)))
        .or_else(|| unavailable(&answer))
        .or_else(|| other_path(&answer, &key).map(|finding| finding.means(flows_fail(name))))
        .or_else(|| other_server(&answer, center, &key).map(|finding| finding.means(flows_fail(name))))
        .unwrap_or_else(|| in_time(site, &answer));
    // It was not set before: there is one such check.
    let _ = probed.set(answer);
    finding
}

/// A server that has no telephony API under this path.
fn other_path(answer: &ProbeAnswer, key: &str) -> Option<Finding> {
    let outcome = answer.outcome(SalesforceApi::Telephony, Operation::ClearRouting);
    (matches!(answer.status, 404 | 405) && matches!(outcome, AnswerOutcome::Misconfigured { .. })).then(|| {
        Finding::fail("address", format!("nothing of a telephony API is at {key}"))
            .cause("the host is my.salesforce.com or lightning.force.com in place of my.salesforce-scrt.com")
            .cause("the path is not /telephony/v1")
            .step(format!("{key} = \"https://NAME.my.salesforce-scrt.com/telephony/v1\", with the name of Setup > My Domain"))
            .seen(said(answer))
    })
}

/// A server that says yes, in words that are no answer of an API: it would say so to anything. What Salesforce itself says is
/// taken as it is, because nobody has published it; its certificate has shown before that it is Salesforce.
fn other_server(answer: &ProbeAnswer, center: &CallCenter, key: &str) -> Option<Finding> {
    let is_yes = (200..300).contains(&answer.status);
    let is_salesforce = match &center.api {
        Api::Telephony(api) => api.url.host().ends_with(".my.salesforce-scrt.com"),
        Api::Apex(_) => false,
    };
    (is_yes && !is_salesforce && !answer.is_of_an_api()).then(|| {
        Finding::fail("garbage", format!("what answers at {key} is no telephony API"))
            .cause("the host is that of another program, which answers 200 to whatever it is asked")
            .cause("a proxy, a firewall or the page of a guest network answers in Salesforce's place")
            .step(format!("{key} = \"https://NAME.my.salesforce-scrt.com/telephony/v1\", with the name of Setup > My Domain"))
            .step("run `scv-bridge doctor` from where nothing stands between this machine and Salesforce")
            .seen(said(answer))
    })
}

/// An answer that is none of those, and whether flows can wait for it.
fn in_time(site: &Site, answer: &ProbeAnswer) -> Finding {
    let deadline = site.settings.deadlines.clear_routing;
    let took = answer.elapsed.as_millis();
    if answer.elapsed < deadline {
        return Finding::ok(format!("it answers, {took} ms"));
    }
    Finding::warn("slow", format!("the telephony API took {took} ms for a harmless request"))
        .means("flows run into their deadlines; what can wait is sent later")
        .cause("Salesforce is slow at the moment, or far away")
        .step("run `scv-bridge doctor` again; https://status.salesforce.com tells of incidents")
        .seen(format!("deadlines.clear_routing is {} ms", deadline.as_millis()))
}

async fn ask(
    site: &Site,
    orgs: &Orgs,
    center: &CallCenter,
) -> Option<Result<ProbeAnswer, crate::salesforce::ProbeFault>> {
    let (org, origin, key) = (orgs.get(&center.name)?, origin(center)?, nobody(site)?);
    Some(org.probe(&site.http, &origin, key, &Site::budget()).await)
}

async fn judge_token(site: &Site, name: &str, probed: &Probed) -> Finding {
    let (Some(center), Some(answer)) = (site.settings.call_centers.get(name), probed.get()) else {
        return Finding::skipped("the probe was not made");
    };
    if answer.status != 401 {
        return Finding::ok("the token is taken");
    }
    let Api::Telephony(api) = &center.api else { return Finding::skipped("it is not the telephony way") };
    let variants = variants(center, api, &site.settings);
    for variant in &variants {
        let orgs = Orgs::new(&variant.settings, None, (&site.clock, &site.ids), &site.metrics);
        let Some(changed) = variant.settings.call_centers.get(name) else { continue };
        if let Some(Ok(again)) = ask(site, &orgs, changed).await
            && !matches!(again.status, 401 | 300..=399 | 500..)
        {
            return Finding::fail(variant.fault, format!("Salesforce takes another token: {}", variant.what))
                .means(flows_fail(name))
                .cause(variant.cause.clone())
                .step(variant.step.clone())
                .seen(said(answer))
                .seen(format!("with {} the answer is HTTP {}", variant.what, again.status));
        }
    }
    refused(center, api, answer, &variants)
}

/// The finding where none of the variants passes. Nobody has published what the API says, so its words only choose which of
/// the causes is told first.
fn refused(center: &CallCenter, api: &Telephony, answer: &ProbeAnswer, tried: &[Variant]) -> Finding {
    let certificate = center.certificate.name();
    let told = Description::of(center.certificate.x509(), Timestamp::UNIX_EPOCH);
    let digest = told.map(|told| told.fingerprint).unwrap_or_default();
    let words = answer.words.to_lowercase();
    let mut causes = causes(center, api);
    causes.sort_by_key(|cause| !cause.marks.iter().any(|mark| words.contains(mark)));
    let finding = Finding::fail("token", format!("the telephony API refuses the token of {}", center.name))
        .means(flows_fail(&center.name));
    let finding =
        causes.into_iter().fold(finding, |finding, cause| finding.cause(cause.cause).step(cause.step));
    let tried: Vec<&str> = tried.iter().map(|variant| variant.what.as_str()).collect();
    finding
        .seen(said(answer))
        .seen(format!("{certificate} has SHA-256 {digest}"))
        .seen(format!("refused as well with {}", tried.join("; with ")))
}

/// Why a token may be refused.
struct RefusalCause {
    /// What in the words of the API would point to it.
    marks: &'static [&'static str],
    cause: String,
    step: String,
}

/// The causes of a refused token, the likeliest first.
fn causes(center: &CallCenter, api: &Telephony) -> [RefusalCause; 4] {
    let (name, certificate) = (&center.name, center.certificate.name());
    let page = "Setup > Partner Telephony > Contact Centers";
    [
        RefusalCause {
            marks: &["signature", "certificate"],
            cause: "another certificate than the one that signs is pasted into the contact center".to_owned(),
            step: format!(
                "compare {page} > {name} > Telephony Integration Certificate with `scv-bridge certificate show`; paste the file of certificates.{certificate}.certificate there"
            ),
        },
        RefusalCause {
            marks: &["iss", "org id", "organization"],
            cause: format!(
                "call_centers.{name}.org_id ({}) is another org's: a refreshed sandbox has a new id",
                api.org_id
            ),
            step: format!(
                "call_centers.{name}.org_id = Setup > Company Information > Salesforce.com Organization ID"
            ),
        },
        RefusalCause {
            marks: &["sub:", "sub ", "subject", "contact center", "call center"],
            cause: format!("the section is not called as the contact center's API name: {name}"),
            step: format!("{page} shows the API name: [call_centers.NAME], now {name}"),
        },
        RefusalCause {
            marks: &["exp:", "expired", "iat", "clock"],
            cause: "the clocks differ by more than Salesforce allows".to_owned(),
            step: "`scv-bridge doctor --only SCV-CLOCK-01 -v` shows both clocks".to_owned(),
        },
    ]
}

/// Another way to make the token, and what to do should it pass.
struct Variant {
    fault: &'static str,
    what: String,
    cause: String,
    step: String,
    settings: Settings,
}

/// The documented variants, each with one thing changed.
fn variants(center: &CallCenter, api: &Telephony, settings: &Settings) -> Vec<Variant> {
    const THREE_MINUTES: Duration = Duration::from_secs(180);
    const OLD_AUDIENCE: &str = "https://scrt.salesforce.com";
    let (name, token) = (&center.name, &api.token);
    let with =
        |token: Token, certificate: Option<&SigningCertificate>| changed(settings, name, &token, certificate);
    let mut variants = Vec::new();
    if token.life > THREE_MINUTES {
        variants.push(Variant {
            fault: "life",
            what: "token.life = \"3m\"".to_owned(),
            cause: "this version of Salesforce takes tokens of three minutes at most".to_owned(),
            step: format!("[call_centers.{name}.token] life = \"3m\""),
            settings: with(Token { life: THREE_MINUTES, ..token.clone() }, None),
        });
    }
    let (audience, text) = match &token.audience {
        None => (Some(OLD_AUDIENCE.to_owned()), OLD_AUDIENCE),
        Some(_) => (None, ""),
    };
    variants.push(Variant {
        fault: "audience",
        what: format!("token.audience = \"{text}\""),
        cause: "this version of Salesforce wants the claim aud otherwise".to_owned(),
        step: format!("[call_centers.{name}.token] audience = \"{text}\""),
        settings: with(Token { audience, ..token.clone() }, None),
    });
    variants.push(Variant {
        fault: "jti",
        what: format!("token.jti = {}", !token.jti),
        cause: "this version of Salesforce wants the claim jti otherwise".to_owned(),
        step: format!("[call_centers.{name}.token] jti = {}", !token.jti),
        settings: with(Token { jti: !token.jti, ..token.clone() }, None),
    });
    let others = settings.certificates.values();
    let others = others.filter(|other| other.fingerprint() != center.certificate.fingerprint());
    variants.extend(others.take(3).map(|other| Variant {
        fault: "other-certificate",
        what: format!("the certificate {}", other.name()),
        cause: format!(
            "the contact center in Salesforce has the certificate {}, and {} signs",
            other.name(),
            center.certificate.name()
        ),
        step: format!(
            "call_centers.{name}.certificate = \"{}\", or paste {} into Setup > Partner Telephony > Contact Centers > {name} > Telephony Integration Certificate",
            other.name(),
            center.certificate.name()
        ),
        settings: with(token.clone(), Some(other)),
    }));
    variants
}

/// The same configuration with another token for one contact center.
fn changed(
    settings: &Settings,
    name: &str,
    token: &Token,
    certificate: Option<&SigningCertificate>,
) -> Settings {
    let mut settings = settings.clone();
    if let Some(center) = settings.call_centers.get_mut(name) {
        if let Api::Telephony(api) = &mut center.api {
            api.token = token.clone();
        }
        if let Some(certificate) = certificate {
            center.certificate = certificate.clone();
            center.next_certificate = None;
        }
    }
    settings
}

fn judge_right(center: &CallCenter, answer: &ProbeAnswer) -> Finding {
    if answer.status != 403 {
        return Finding::ok("the contact center may use it");
    }
    let provider = match &center.api {
        Api::Telephony(api) => api.provider_name.as_str(),
        Api::Apex(_) => "",
    };
    let names = [
        ("center", center.name.as_str()),
        ("provider", provider),
        ("certificate", center.certificate.name()),
    ];
    let otherwise = || Finding::fail("forbidden", "Salesforce does not let the token use the telephony API");
    recognized(Speaker::Telephony, answer, &names, otherwise).means(flows_fail(&center.name))
}

fn judge_clearing(center: &CallCenter, answer: &ProbeAnswer) -> Finding {
    match answer.status {
        404 => Finding::ok("as for a call that it does not know (404)"),
        200..=299 => Finding::ok("clear routing is done"),
        _ => Finding::warn("unexpected", "a clear routing of an unknown call is refused in a way nobody documented")
            .means(format!("it is not certain that requests for {} will be taken", center.name))
            .cause("the contact center, its phone channel or its Omni-Channel flow is not active")
            .step("Setup > Omni-Channel Settings, and Phone Channels of the contact center: active, with an active flow")
            .seen(said(answer)),
    }
}
