//! The way to Salesforce: the telephony API or the Apex wrapper.

use super::super::section::Section;
use super::super::{BaseUrl, OrgId, Token};
use super::OAuth;
use super::host::check_telephony;

/// The way to Salesforce.
#[derive(Debug, Clone)]
pub enum Api {
    /// The Telephony Integration REST API.
    Telephony(Telephony),
    /// The Apex wrapper inside the org.
    Apex(Apex),
}

/// The Telephony Integration REST API.
#[derive(Debug, Clone)]
pub struct Telephony {
    /// The token's `iss`.
    pub org_id: OrgId,
    /// `https://<MyDomain>.my.salesforce-scrt.com/telephony/v1`.
    pub url: BaseUrl,
    /// The header `Telephony-Provider-Name`.
    pub provider_name: String,
    /// How the token is made.
    pub token: Token,
    /// The session in which a VoiceCall can be asked about, if one is configured.
    pub oauth: Option<OAuth>,
}

/// The Apex wrapper inside the org.
#[derive(Debug, Clone)]
pub struct Apex {
    /// The session of the user who calls the wrapper.
    pub oauth: OAuth,
    /// The path of the wrapper's REST class, with a slash in front and none at the end.
    pub path_prefix: String,
    /// The `certDevName` sent when a request names none: a certificate stored in the org.
    pub certificate_in_org: String,
}

#[derive(Clone, Copy)]
enum Kind {
    Telephony,
    Apex,
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
        let kinds = [("telephony", Kind::Telephony), ("apex", Kind::Apex)];
        match section.choice("api", None, &kinds) {
            Some(Kind::Telephony) => {
                refuse(section, &APEX_KEYS, "apex");
                Telephony::read(section, token).map(Self::Telephony)
            }
            Some(Kind::Apex) => {
                refuse(section, &TELEPHONY_KEYS, "telephony");
                Apex::read(section, certificate).map(Self::Apex)
            }
            None => {
                // One problem is enough: these keys are right for one of the two.
                for key in TELEPHONY_KEYS.iter().chain(&APEX_KEYS) {
                    section.take(key);
                }
                None
            }
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

impl Telephony {
    fn read(section: &mut Section<'_>, token: Option<&Token>) -> Option<Self> {
        let org_id = section.parsed(
            "org_id",
            "Setup > Company Information > Salesforce.com Organization ID, 15 or 18 characters",
            OrgId::parse,
        );
        let url = section.parsed(
            "telephony_url",
            "https://<MyDomain>.my.salesforce-scrt.com/telephony/v1",
            BaseUrl::parse,
        );
        check_telephony(section, org_id.as_ref(), url.as_ref());
        let provider_name = section.parsed_or(
            "provider_name",
            Some("webex-contact-center"),
            "the name of the telephony provider in Salesforce, in visible ASCII characters",
            header_value,
        );
        let token = match section.section("token") {
            Some(own) => Token::read(own, token),
            None => token.cloned(),
        };
        let oauth = section.section("oauth").map(OAuth::read);
        Some(Self {
            org_id: org_id?,
            url: url?,
            provider_name: provider_name?,
            token: token?,
            oauth: match oauth {
                Some(oauth) => Some(oauth?),
                None => None,
            },
        })
    }
}

impl Apex {
    fn read(section: &mut Section<'_>, certificate: Option<&str>) -> Option<Self> {
        let oauth = OAuth::take_from(section, "oauth_audience");
        let path_prefix = section.parsed_or(
            "path_prefix",
            Some("/services/apexrest/cisco_wxcc_scv/voice/v1"),
            "the path of the wrapper, such as /services/apexrest/cisco_wxcc_scv/voice/v1",
            path,
        );
        let certificate_in_org = section.parsed_or(
            "certificate_in_org",
            certificate.or(Some("unknown")),
            "the name of a certificate in Setup > Certificate and Key Management",
            not_empty,
        );
        Some(Self { oauth: oauth?, path_prefix: path_prefix?, certificate_in_org: certificate_in_org? })
    }
}

pub(super) fn not_empty(text: &str) -> Result<String, String> {
    match text.trim().is_empty() {
        true => Err("is empty".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn header_value(text: &str) -> Result<String, String> {
    match !text.is_empty() && text.len() <= 255 && text.bytes().all(|byte| byte.is_ascii_graphic()) {
        true => Ok(text.to_owned()),
        false => Err("cannot be sent as a header".to_owned()),
    }
}

fn path(text: &str) -> Result<String, String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'_' | b'-' | b'.' | b'~');
    if !text.starts_with('/') || !text.bytes().all(allowed) || text.contains("..") || text.contains("//") {
        return Err("is not a path".to_owned());
    }
    Ok(text.trim_end_matches('/').to_owned())
}
