//! `[token]` and `[session]`: our credentials towards Salesforce.

use std::time::Duration;

use super::section::Section;
use super::value::duration_text;

/// The JWT that we sign for the telephony API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// From `iat` to `exp`.
    pub life: Duration,
    /// Send a `jti`. Salesforce checks it for replay, so every request then needs its own signature.
    pub jti: bool,
    /// The claim `aud`; none leaves it out.
    pub audience: Option<String>,
}

/// The OAuth session of the Apex way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// How long an access token is used; Salesforce does not say when it ends.
    pub keep: Duration,
}

impl Token {
    /// `base`: what a key that is left out stands for.
    pub(super) fn read(mut section: Section<'_>, base: Option<&Self>) -> Option<Self> {
        let life = base.map(|base| duration_text(base.life));
        // A day is the longest that Salesforce takes.
        let life =
            section.duration("life", life.as_deref(), Duration::from_secs(30)..=Duration::from_secs(86_400));
        let jti = section.boolean("jti", base.map(|base| base.jti));
        let audience = match section.has("audience") {
            true => section.text("audience").filter(|audience| !audience.is_empty()),
            false => {
                section.take("audience");
                base.and_then(|base| base.audience.clone())
            }
        };
        section.finish();
        Some(Self { life: life?, jti: jti?, audience })
    }
}

impl Session {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let keep = section.duration("keep", None, Duration::from_secs(60)..=Duration::from_secs(86_400));
        section.finish();
        Some(Self { keep: keep? })
    }
}
