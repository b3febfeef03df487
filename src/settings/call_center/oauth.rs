//! A user's session by OAuth: for the Apex wrapper, and for questions about a VoiceCall on the telephony way.

use secrecy::SecretString;

use super::super::BaseUrl;
use super::super::section::Section;
use super::api::not_empty;
use super::host::check_login;

/// The JWT bearer flow of OAuth 2.0: an app and a user who pre-authorised it.
#[derive(Debug, Clone)]
pub struct OAuth {
    /// Where the session is asked for.
    pub login_url: BaseUrl,
    /// The assertion's `iss`.
    pub consumer_key: SecretString,
    /// The assertion's `sub`.
    pub username: String,
    /// The assertion's `aud`.
    pub audience: String,
}

impl OAuth {
    /// `[call_centers.NAME.oauth]`.
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let oauth = Self::take_from(&mut section, "audience");
        section.finish();
        oauth
    }

    /// The keys of it among others of a section.
    pub(super) fn take_from(section: &mut Section<'_>, audience_key: &str) -> Option<Self> {
        let login_url = section.parsed(
            "login_url",
            "https://login.salesforce.com, https://test.salesforce.com or https://<MyDomain>.my.salesforce.com",
            BaseUrl::parse,
        );
        let given = section.has("consumer_key") || section.has("consumer_key_file");
        let consumer_key = section.secret_without_blanks("consumer_key");
        if !given {
            section.problem(
                "consumer_key",
                "is missing",
                "set `consumer_key_file` to a file with the consumer key of the external client app",
            );
        }
        let username =
            section.parsed("username", "the integration user's name, like an e-mail address", user);
        check_login(section, login_url.as_ref(), username.as_deref());
        let origin = login_url.as_ref().map(BaseUrl::origin);
        let audience = section.parsed_or(
            audience_key,
            Some(origin.as_deref().unwrap_or("unknown")),
            "https://login.salesforce.com, https://test.salesforce.com or the My Domain URL",
            not_empty,
        );
        Some(Self {
            login_url: login_url?,
            consumer_key: consumer_key?,
            username: username?,
            audience: audience?,
        })
    }
}

fn user(text: &str) -> Result<String, String> {
    match text.contains('@') && !text.chars().any(char::is_whitespace) {
        true => Ok(text.to_owned()),
        false => Err("is not a Salesforce user name".to_owned()),
    }
}
