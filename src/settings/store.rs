//! `[store]`: the database.

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::section::Section;

/// Where nothing is configured.
const DEFAULT_URL: &str = "sqlite:data/bridge.db";

/// Where calls and outbox are kept.
#[derive(Debug, Clone)]
pub struct Store {
    /// `sqlite:PATH` or `postgres://...`; a secret, because it can carry a password.
    pub url: SecretString,
}

impl Store {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let given = section.has("url") || section.has("url_file");
        let url = section.secret("url");
        let url = if given { url } else { Some(DEFAULT_URL.into()) };
        if let Some(url) = &url
            && !is_database(url.expose_secret())
        {
            section.problem(
                "url",
                "is not the URL of a database (it is not shown: it could hold a password)",
                "sqlite:PATH, or postgres://user@host/database",
            );
        }
        section.finish();
        Some(Self { url: url? })
    }
}

fn is_database(text: &str) -> bool {
    if let Some(path) = text.strip_prefix("sqlite:") {
        return !path.is_empty();
    }
    Url::parse(text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"))
}
