//! The address of an upstream, parsed once.

use std::fmt;

use url::{Host, Url};

/// `https://host[:port][/path]` without a slash at the end; `http` only to loopback hosts.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    url: Url,
}

impl BaseUrl {
    /// Parses an address that somebody configured.
    ///
    /// # Errors
    /// What is wrong with it, as half a sentence that does not repeat the value: it could hold a password.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| match text.contains("://") {
            true => format!("is not a URL: {error}"),
            false => "has no https:// before the host".to_owned(),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err("is not an https URL".to_owned());
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("holds credentials".to_owned());
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err("holds a query or a fragment".to_owned());
        }
        if url.scheme() == "http" && !is_loopback(&url) {
            return Err("is http to another machine; http is only for loopback hosts".to_owned());
        }
        Ok(Self { text: url.as_str().trim_end_matches('/').to_owned(), url })
    }

    /// Parses an address below which all paths are given: it must have none itself.
    ///
    /// # Errors
    /// As [`BaseUrl::parse`].
    pub fn parse_without_path(text: &str) -> Result<Self, String> {
        let url = Self::parse(text)?;
        if url.path().is_empty() {
            return Ok(url);
        }
        Err(format!("holds a path; write {}", url.origin()))
    }

    /// The address, without a slash at the end.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address with a path after its own; both begin with a slash.
    #[must_use]
    pub fn join(&self, path: &str) -> Url {
        let mut url = self.url.clone();
        url.set_path(&format!("{}{path}", self.path()));
        url
    }

    /// The host name or address.
    #[must_use]
    pub fn host(&self) -> &str {
        self.url.host_str().unwrap_or_default()
    }

    /// The path, without a slash at the end.
    #[must_use]
    pub fn path(&self) -> &str {
        self.url.path().trim_end_matches('/')
    }

    /// Whether it is on this machine, such as a mock or a tunnel.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.url)
    }

    /// Scheme, host and port, without the path: `https://login.salesforce.com`.
    #[must_use]
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}
