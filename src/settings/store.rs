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
        let (in_place, in_file) = (section.has("url"), section.has("url_file"));
        let url = section.secret("url");
        let url = if in_place || in_file { url } else { Some(DEFAULT_URL.into()) };
        let given = if in_place { "url" } else { "url_file" };
        if let Some(Err((problem, hint))) = url.as_ref().map(|url| check(url.expose_secret())) {
            let problem = format!("{problem} (it is not shown: it could hold a password)");
            section.problem(given, problem, hint);
        }
        section.finish();
        Some(Self { url: url? })
    }
}

/// # Errors
/// What is wrong with the URL, and what to do.
fn check(text: &str) -> Result<(), (&'static str, &'static str)> {
    const USE: &str = "sqlite:PATH, or postgres://user@host/database";
    if text.trim() != text {
        return Err(("begins or ends with a blank", "copy it alone"));
    }
    if let Some(path) = text.strip_prefix("sqlite:") {
        return if path.is_empty() { Err(("names no file", USE)) } else { Ok(()) };
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Err(("is not the URL of a database", USE));
    };
    if !matches!(scheme, "postgres" | "postgresql") {
        return Err(("is not the URL of a database", USE));
    }
    // User and password end at the @ before the host: one that comes after a sign that ends the host was meant to.
    let (host, after) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let of_password = after.split_once('@').is_some_and(|(before, _)| !before.contains('='));
    if of_password || Url::parse(text).is_err() && host.contains(':') && rest.contains('@') {
        return Err((
            "has a user or password with a sign in it that ends the host",
            "write in user and password %2F for /, %3F for ?, %23 for #, %40 for @, %3A for : and %25 for %",
        ));
    }
    match Url::parse(text) {
        Ok(_) => Ok(()),
        Err(_) => Err(("is not the URL of a database", USE)),
    }
}
