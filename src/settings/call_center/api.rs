//! The way to Salesforce: the telephony API or the Apex wrapper, with the OAuth session and the hosts of each.

use secrecy::SecretString;

use super::super::section::{Section, section};
use super::super::value::text_if;
use super::super::{BaseUrl, OrgId, Token};
use super::not_empty;

/// The way to Salesforce.
#[derive(Debug, Clone)]
pub enum Api {
    /// The Telephony Integration REST API.
    Telephony(Telephony),
    /// The Apex wrapper inside the org.
    Apex(Apex),
}

section! {
    /// The Telephony Integration REST API.
    #[derive(Debug, Clone)]
    pub struct Telephony in "call_centers.NAME" |section, base: Option<&Token>| {
        /// The token's `iss`.
        org_id: OrgId = parsed(
            "Setup > Company Information > Salesforce.com Organization ID, 15 or 18 characters",
            OrgId::parse
        );
        /// `https://<MyDomain>.my.salesforce-scrt.com/telephony/v1`.
        url as "telephony_url": BaseUrl = telephony_url(org_id.as_ref());
        /// The header `Telephony-Provider-Name`.
        provider_name: String = parsed(
            "the name of the telephony provider in Salesforce, in visible ASCII characters",
            header_value
        );
        /// How the token is made.
        token: Token = flatten(|section| match section.section("token") {
            Some(own) => own.read(|own| Token::read(own, base)),
            None => base.cloned(),
        });
        /// The session in which a VoiceCall can be asked about, if one is configured.
        oauth: Option<OAuth> = optional_part(|section| OAuth::read(section, "audience"));
    }
}

section! {
    /// The Apex wrapper inside the org.
    #[derive(Debug, Clone)]
    pub struct Apex in "call_centers.NAME" |section, certificate: Option<&str>| {
        /// The session of the user who calls the wrapper.
        oauth: OAuth = flatten(|section| OAuth::read(section, "oauth_audience"));
        /// The path of the wrapper's REST class, with a slash in front and none at the end.
        path_prefix: String = parsed(
            "the path of the wrapper, such as /services/apexrest/cisco_wxcc_scv/voice/v1",
            path
        );
        /// The `certDevName` sent when a request names none: a certificate stored in the org. Without the key it is
        /// called as the contact center's own.
        certificate_in_org: String = parsed_or(
            Some(certificate.unwrap_or("unknown").to_owned()),
            "the name of a certificate in Setup > Certificate and Key Management",
            not_empty
        );
    }
}

section! {
    /// A user's session by the JWT bearer flow of OAuth 2.0, with an app that the user pre-authorised: for the Apex
    /// wrapper, and for questions about a VoiceCall on the telephony way. Beside the keys of the Apex wrapper the key of
    /// the audience is `oauth_audience`.
    #[derive(Debug, Clone)]
    pub struct OAuth in "call_centers.NAME.oauth" |section, audience_key: &str| {
        /// Where the session is asked for.
        login_url: BaseUrl = parsed(
            "https://login.salesforce.com, https://test.salesforce.com or https://<MyDomain>.my.salesforce.com",
            BaseUrl::parse
        );
        /// The assertion's `iss`.
        consumer_key: SecretString = consumer_key();
        /// The assertion's `sub`.
        username: String = salesforce_user(login_url.as_ref());
        /// The assertion's `aud`.
        audience: String = flatten(|section| section.parsed_or(
            audience_key,
            Some(login_url.as_ref().map_or("unknown".to_owned(), BaseUrl::origin)),
            "https://login.salesforce.com, https://test.salesforce.com or the My Domain URL",
            not_empty
        ));
    }
}

const TELEPHONY_KEYS: [&str; 5] = ["org_id", "telephony_url", "provider_name", "token", "oauth"];
const APEX_KEYS: [&str; 7] = [
    "login_url",
    "consumer_key",
    "consumer_key_file",
    "username",
    "oauth_audience",
    "path_prefix",
    "certificate_in_org",
];

impl Api {
    /// The name in the configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Telephony(_) => "telephony",
            Self::Apex(_) => "apex",
        }
    }

    /// The host that is asked first.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Telephony(telephony) => telephony.url.host(),
            Self::Apex(apex) => apex.oauth.login_url.host(),
        }
    }

    /// `certificate`: the name of the contact center's certificate.
    pub(super) fn read(
        section: &mut Section<'_>,
        token: Option<&Token>,
        certificate: Option<&str>,
    ) -> Option<Self> {
        match section.choice("api", &[("telephony", true), ("apex", false)]) {
            Some(true) => {
                refuse(section, &APEX_KEYS, "apex");
                Telephony::read(section, token).map(Self::Telephony)
            }
            Some(false) => {
                refuse(section, &TELEPHONY_KEYS, "telephony");
                Apex::read(section, certificate).map(Self::Apex)
            }
            None => {
                Self::read_undecided(section, token, certificate);
                None
            }
        }
    }

    /// Reports what is wrong with the keys where `api` says nothing that is known: they tell which way is meant. Keys of
    /// both ways are right for one of the two, and which one is asked for already.
    fn read_undecided(section: &mut Section<'_>, token: Option<&Token>, certificate: Option<&str>) {
        let has = |keys: &[&str]| keys.iter().any(|key| section.has(key));
        match (has(&TELEPHONY_KEYS), has(&APEX_KEYS)) {
            (true, false) => drop(Telephony::read(section, token)),
            (false, true) => drop(Apex::read(section, certificate)),
            _ => {}
        }
        for key in TELEPHONY_KEYS.iter().chain(&APEX_KEYS) {
            section.take(key);
        }
    }
}

fn refuse(section: &mut Section<'_>, keys: &[&str], api: &str) {
    for key in keys {
        if section.take(key).is_some() {
            let problem = format!("belongs to api = \"{api}\"");
            section.problem(key, problem, "remove it, or change `api`");
        }
    }
}

impl Section<'_> {
    fn telephony_url(&mut self, key: &str, org_id: Option<&OrgId>) -> Option<BaseUrl> {
        let url = self.parsed(key, "https://<MyDomain>.my.salesforce-scrt.com/telephony/v1", BaseUrl::parse);
        check_telephony(self, org_id, url.as_ref());
        url
    }

    /// The name of the user who asks for a session at `login_url`.
    fn salesforce_user(&mut self, key: &str, login_url: Option<&BaseUrl>) -> Option<String> {
        let username = self.parsed(key, "the integration user's name, like an e-mail address", user_name);
        check_login(self, login_url, username.as_deref());
        username
    }

    /// The consumer key of an external client app.
    fn consumer_key(&mut self, key: &str) -> Option<SecretString> {
        let given = self.has(key) || self.has(&format!("{key}_file"));
        let consumer_key = self.secret_without_blanks(key);
        if !given {
            let hint = "set `consumer_key_file` to a file with the consumer key of the external client app";
            self.problem(key, "is missing", hint);
        }
        consumer_key
    }
}

fn header_value(text: &str) -> Result<String, String> {
    let fits = !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic());
    text_if(fits, text, "cannot be sent as a header")
}

fn path(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.' | b'~');
    if !text.starts_with('/') || !text.bytes().all(allowed) || text.contains("..") || text.contains("//") {
        return Err("is not a path".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}

fn user_name(text: &str) -> Result<String, String> {
    let fits = text.contains('@') && !text.chars().any(char::is_whitespace);
    text_if(fits, text, "is not a Salesforce user name")
}

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
fn check_telephony(section: &Section<'_>, org_id: Option<&OrgId>, url: Option<&BaseUrl>) {
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
fn check_login(section: &Section<'_>, url: Option<&BaseUrl>, username: Option<&str>) {
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
