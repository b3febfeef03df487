//! The OAuth session, and what it is for: the Apex wrapper, and questions about VoiceCalls.

use std::sync::{Arc, OnceLock};

use super::super::engine::Check;
use super::super::known::Speaker;
use super::super::network::{Host, reached};
use super::super::site::Site;
use super::super::{CheckId, Code, Finding};
use super::{elsewhere, flows_fail, nobody, origin, recognized, said, unanswered, unavailable};
use crate::salesforce::{AnswerOutcome, Failure, Operation, ProbeAnswer, SalesforceApi};
use crate::settings::{Apex, Api, CallCenter, OAuth};

/// What the token endpoint answered, and whether its session can be used.
struct LoggedIn {
    answer: ProbeAnswer,
    kept: Result<(), Failure>,
}

/// The contact center whose session is looked at, and its names in texts.
#[derive(Clone)]
struct Subject {
    site: Arc<Site>,
    center: String,
    section: String,
    logged_in: Arc<OnceLock<LoggedIn>>,
    probed: Arc<OnceLock<ProbeAnswer>>,
}

impl Subject {
    fn new(site: &Arc<Site>, center: &CallCenter, section: &str) -> Self {
        Self {
            site: Arc::clone(site),
            center: center.name.clone(),
            section: section.to_owned(),
            logged_in: Arc::default(),
            probed: Arc::default(),
        }
    }

    fn settings(&self) -> Option<(&CallCenter, &OAuth)> {
        let center = self.site.settings.call_centers.get(&self.center)?;
        let oauth = match &center.api {
            Api::Apex(api) => &api.oauth,
            Api::Telephony(api) => api.oauth.as_ref()?,
        };
        Some((center, oauth))
    }

    /// A finding of words, filled with the names of this contact center.
    fn told(&self, speaker: Speaker, answer: &ProbeAnswer, otherwise: impl FnOnce() -> Finding) -> Finding {
        let Some((center, oauth)) = self.settings() else { return otherwise() };
        let instance = self.logged_in.get().and_then(|logged_in| logged_in.answer.instance());
        let (audience_key, prefix, in_org) = match &center.api {
            Api::Apex(api) => ("oauth_audience", api.path_prefix.as_str(), api.certificate_in_org.as_str()),
            Api::Telephony(_) => ("audience", "", ""),
        };
        let names = [
            ("username", oauth.username.as_str()),
            ("section", self.section.as_str()),
            ("login", oauth.login_url.host()),
            ("audience", oauth.audience.as_str()),
            ("audience_key", audience_key),
            ("certificate", center.certificate.name()),
            ("instance", instance.as_deref().unwrap_or("the instance")),
            ("prefix", prefix),
            ("certificate_in_org", in_org),
            ("center", center.name.as_str()),
        ];
        recognized(speaker, answer, &names, otherwise).means(self.means())
    }

    fn means(&self) -> String {
        match self.settings().map(|(center, _)| &center.api) {
            Some(Api::Telephony(_)) => format!(
                "whether an agent had a call of {} cannot be asked: abandonments are kept and not sent",
                self.center
            ),
            _ => flows_fail(&self.center),
        }
    }
}

/// Checks of the session of a contact center, with either way to Salesforce.
pub(super) fn session_checks(
    site: &Arc<Site>,
    center: &CallCenter,
    oauth: &OAuth,
    section: &str,
) -> Vec<Check> {
    checks_of(&Subject::new(site, center, section), oauth)
}

fn checks_of(subject: &Subject, oauth: &OAuth) -> Vec<Check> {
    let id = |code| CheckId::new(code, subject.center.as_str());
    let (address, session) = (id(Code::LoginAddress), id(Code::Session));
    let clock = CheckId::new(Code::Clock, Host::subject(&oauth.login_url));
    let [one, two, three] = [subject.clone(), subject.clone(), subject.clone()];
    vec![
        Check::new(address.clone(), async move { log_in(&one).await }).after([reached(&oauth.login_url)]),
        Check::new(session.clone(), async move { judge_session(&two) })
            .after([address])
            .unless_failed([clock]),
        Check::new(id(Code::SessionOrg), async move { judge_org(&three) }).after([session]),
    ]
}

/// Checks of the Apex way.
pub(super) fn apex_checks(site: &Arc<Site>, center: &CallCenter, api: &Apex) -> Vec<Check> {
    let subject = Subject::new(site, center, &format!("call_centers.{}", center.name));
    let mut checks = checks_of(&subject, &api.oauth);
    let id = |code| CheckId::new(code, subject.center.as_str());
    let [one, two] = [subject.clone(), subject.clone()];
    checks.push(
        Check::new(id(Code::ApexRight), async move { run_class(&one).await }).after([id(Code::SessionOrg)]),
    );
    let names = Check::new(id(Code::ClearRouting), async move { judge_names(&two) });
    checks.push(names.after([id(Code::ApexRight)]));
    checks
}

/// The check of what `ask_salesforce` asks.
pub(super) fn query_check(site: &Arc<Site>, center: &CallCenter, section: &str) -> Check {
    let subject = Subject::new(site, center, section);
    let id = |code| CheckId::new(code, subject.center.as_str());
    let (query, org) = (id(Code::QueryRight), id(Code::SessionOrg));
    Check::new(query, async move { query_nothing(&subject).await }).after([org])
}

/// Asks for a session, and judges whether a token endpoint answers there at all.
async fn log_in(subject: &Subject) -> Finding {
    let Some(org) = subject.site.orgs.get(&subject.center) else { return Finding::skipped("it is gone") };
    let (answer, kept) = match org.probe_login(&subject.site.http, &Site::budget()).await {
        Ok(answered) => answered,
        Err(fault) => return unanswered(&fault),
    };
    let key = format!("{}.login_url", subject.section);
    let is = "the org's login, https://NAME.my.salesforce.com";
    let elsewhere = elsewhere(&answer, &key, is).or_else(|| no_endpoint(&answer, &key));
    let finding = elsewhere.map(|finding| finding.means(subject.means()));
    let finding = finding
        .or_else(|| unavailable(&answer))
        .unwrap_or_else(|| Finding::ok(format!("it answers, {} ms", answer.elapsed.as_millis())));
    // It was not set before: there is one such check for a contact center.
    let _ = subject.logged_in.set(LoggedIn { answer, kept });
    finding
}

/// A server without a token endpoint.
fn no_endpoint(answer: &ProbeAnswer, key: &str) -> Option<Finding> {
    (matches!(answer.status, 404 | 405) || !answer.is_json).then(|| {
        Finding::fail("address", format!("nothing of a token endpoint is at {key}"))
            .cause(format!("{key} names a host that gives no tokens"))
            .step(format!("{key} = \"https://NAME.my.salesforce.com\", with the name of Setup > My Domain"))
            .seen(said(answer))
    })
}

fn judge_session(subject: &Subject) -> Finding {
    let Some(LoggedIn { answer, .. }) = subject.logged_in.get() else {
        return Finding::skipped("the login was not asked");
    };
    if answer.status == 200 {
        return Finding::ok("a session is given");
    }
    subject.told(Speaker::Login, answer, || {
        Finding::fail("refused", "Salesforce refuses the login in words that are not known yet")
            .cause("the app, the user or the certificate is not as the configuration says")
            .step("Setup > Users > the user > Login History tells more")
            .step(format!(
                "compare login_url, consumer_key, username and certificate of [{}] with the app in Setup > External Client App Manager",
                subject.section
            ))
    })
}

fn judge_org(subject: &Subject) -> Finding {
    let Some(LoggedIn { answer, kept }) = subject.logged_in.get() else {
        return Finding::skipped("the login was not asked");
    };
    if let Err(failure) = kept {
        let instance = answer.instance().unwrap_or_else(|| "none".to_owned());
        return Finding::fail("instance", "the login names an instance_url that is not Salesforce's")
            .means(subject.means())
            .cause("something between answers in place of Salesforce's login")
            .cause(format!("{}.login_url is not the org's", subject.section))
            .step(format!(
                "{}.login_url = \"https://NAME.my.salesforce.com\", with the name of Setup > My Domain",
                subject.section
            ))
            .seen(format!("instance_url is at {instance}: {failure}"));
    }
    let configured = match subject.settings().map(|(center, _)| &center.api) {
        Some(Api::Telephony(api)) => Some(api.org_id.as_str().to_owned()),
        _ => None,
    };
    let short = |id: &String| id.get(..15).map(str::to_owned);
    match (configured, answer.org_id()) {
        (Some(ours), Some(theirs)) if short(&ours) != short(&theirs) => {
            let center = &subject.center;
            Finding::fail("other-org", "the session belongs to another org than org_id names")
                .means(flows_fail(center))
                .cause("the sandbox was refreshed: it has a new id since")
                .cause("telephony_url and login_url lead to different orgs")
                .step(format!(
                    "call_centers.{center}.org_id = \"{theirs}\", if that is the org of telephony_url"
                ))
                .seen(format!("org_id is {ours}, the session's is {theirs}"))
        }
        (_, theirs) => {
            let finding = Finding::ok("it is Salesforce's");
            match theirs {
                Some(theirs) => finding.seen(format!("org {theirs}")),
                None => finding,
            }
        }
    }
}

/// Runs the class for a call that does not exist, and judges whether it was reached.
async fn run_class(subject: &Subject) -> Finding {
    let site = &subject.site;
    let asked = subject.settings().and_then(|(center, _)| Some((origin(center)?, nobody(site)?)));
    let (Some((origin, key)), Some(org)) = (asked, site.orgs.get(&subject.center)) else {
        return Finding::skipped("no request can be made for a contact center of this name");
    };
    let answer = match org.probe(&site.http, &origin, key, &Site::budget()).await {
        Ok(answer) => answer,
        Err(fault) => return unanswered(&fault),
    };
    let finding = refused_class(subject, &answer);
    // It was not set before: there is one such check for a contact center.
    let _ = subject.probed.set(answer);
    finding
}

fn refused_class(subject: &Subject, answer: &ProbeAnswer) -> Finding {
    let elsewhere = elsewhere(answer, "instance_url", "the org, https://NAME.my.salesforce.com");
    if let Some(finding) = elsewhere {
        return finding.means(subject.means());
    }
    let outcome = answer.outcome(SalesforceApi::Apex, Operation::ClearRouting);
    let is_refusal = matches!(
        outcome,
        AnswerOutcome::Reauthenticate { .. }
            | AnswerOutcome::Misconfigured { .. }
            | AnswerOutcome::Again { .. }
    );
    let known = super::super::known::recognize(Speaker::Rest, answer.status, &answer.words);
    let is_known = known.is_some_and(|known| !known.statuses.is_empty());
    if is_known || matches!(answer.status, 401 | 403 | 405) || answer.status == 404 && is_refusal {
        return subject.told(Speaker::Rest, answer, || {
            Finding::fail("refused", "the session may not run the Apex class of the wrapper")
                .cause("a permission of the user or a policy of the app is missing")
                .step("a permission set of the user: Apex Class Access ServiceRouting; Apex REST Services; API Enabled")
        });
    }
    unavailable(answer).unwrap_or_else(|| Finding::ok(format!("it runs, {} ms", answer.elapsed.as_millis())))
}

fn judge_names(subject: &Subject) -> Finding {
    let Some(answer) = subject.probed.get() else { return Finding::skipped("the class was not asked") };
    let refusal = match answer.outcome(SalesforceApi::Apex, Operation::ClearRouting) {
        AnswerOutcome::Done(_) => return Finding::ok("clear routing is done"),
        AnswerOutcome::Refused { words } => words,
        _ => String::new(),
    };
    if answer.status == 404 || refusal.to_lowercase().contains("voicecall") {
        return Finding::ok("as for a call that it does not know");
    }
    subject.told(Speaker::Rest, answer, || {
        Finding::warn("unexpected", "the wrapper refuses a clear routing of an unknown call in a way nobody documented")
            .cause("the certificate that certDevName names in the org is not the contact center's Telephony Integration Certificate")
            .cause("the contact center is not active")
            .step("Setup > Certificate and Key Management: its certificate must be that of the contact center")
    })
}

/// Asks for a VoiceCall that does not exist.
async fn query_nothing(subject: &Subject) -> Finding {
    let site = &subject.site;
    let (Some(org), Some(key)) = (site.orgs.get(&subject.center), nobody(site)) else {
        return Finding::skipped("it is gone");
    };
    let answer = match org.probe_query(&site.http, &key, &Site::budget()).await {
        Ok(answer) => answer,
        Err(fault) => return unanswered(&fault),
    };
    if answer.status == 200 && answer.is_json {
        return Finding::ok(format!("VoiceCalls can be asked about, {} ms", answer.elapsed.as_millis()));
    }
    if let Some(finding) = elsewhere(&answer, "instance_url", "the org, https://NAME.my.salesforce.com") {
        return finding.means(subject.means());
    }
    if let Some(finding) = unavailable(&answer) {
        return finding;
    }
    subject.told(Speaker::Rest, &answer, || {
        Finding::fail("fields", "the user of the session may not query VoiceCalls")
            .cause("the user may not read the object VoiceCall, or its fields CallAcceptDateTime and CallDisposition")
            .step("a permission set of the user: Read and View All of VoiceCall, Read of both fields; API Enabled")
    })
}
