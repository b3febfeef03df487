//! `[oauth]`: the access tokens that we give to those who call us.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::section::Section;

/// The shortest key, in characters: HS256 wants as many bits as it gives (RFC 7518, 3.2), and a character of base64
/// holds six.
const SHORTEST_KEY: usize = 43;
const KEY_HINT: &str = "`scv-bridge secret signing-key` prints one; the same for every replica";

/// The token endpoint.
#[derive(Debug, Clone)]
pub struct TokenEndpoint {
    /// How long an access token is taken.
    pub token_life: Duration,
    /// What access tokens are signed with; none: there are no tokens.
    pub keys: Option<SigningKeys>,
    /// What the `aud` of an assertion may say besides our own addresses.
    pub audiences: Vec<String>,
}

/// Keys that all replicas share. `Debug` hides them.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    /// Signs.
    pub current: SecretString,
    /// Is taken too, while the key is being changed.
    pub previous: Option<SecretString>,
}

impl TokenEndpoint {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let token_life =
            section.duration("token_life", None, Duration::from_secs(60)..=Duration::from_secs(86_400));
        let keys = SigningKeys::read(&mut section);
        let audiences = section.list("audiences");
        section.finish();
        Some(Self { token_life: token_life?, keys, audiences: audiences? })
    }
}

impl SigningKeys {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let current = key(section, "signing_key");
        let previous = key(section, "previous_signing_key");
        match (current, previous) {
            (None, Some(_)) => {
                section.problem(
                    "previous_signing_key",
                    "is given, and `signing_key` is not",
                    "set `signing_key_file`; the previous key signs nothing",
                );
                None
            }
            (Some(current), Some(previous)) if current.expose_secret() == previous.expose_secret() => {
                section.problem(
                    "previous_signing_key",
                    "is the same as `signing_key`",
                    "keep the old key here for as long as a token lives, then leave it out",
                );
                None
            }
            (current, previous) => current.map(|current| Self { current, previous }),
        }
    }
}

/// A key that is long enough. No problem repeats it.
fn key(section: &mut Section<'_>, name: &str) -> Option<SecretString> {
    let file = format!("{name}_file");
    let given = if section.has(&file) { &file } else { name };
    let given = given.to_owned();
    let key = section.secret(name)?;
    if key.expose_secret().chars().count() < SHORTEST_KEY {
        section.problem(&given, format!("is shorter than {SHORTEST_KEY} characters"), KEY_HINT);
        return None;
    }
    Some(key)
}
