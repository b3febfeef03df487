//! Values of more than one section: durations, addresses of upstreams, ids of orgs, and how a value may be shown.

use std::fmt;
use std::time::Duration;

use url::{Host, Url};

pub(super) const MILLISECOND: Duration = Duration::from_millis(1);
pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
pub(super) const HOUR: Duration = Duration::from_secs(3600);
pub(super) const DAY: Duration = Duration::from_secs(86_400);

/// How much of a wrong value a problem repeats.
const SHOWN: usize = 60;

/// Reads a duration such as `4500ms`, `10s`, `5m`, `1h`, `30d`: a whole number and a unit, nothing else.
///
/// # Errors
/// What is wrong, as half a sentence.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).unwrap_or((text, ""));
    let per_unit: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err("is not a duration".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "is not a duration".to_owned())?;
    let milliseconds = number.checked_mul(per_unit).ok_or_else(|| "is out of range".to_owned())?;
    Ok(Duration::from_millis(milliseconds))
}

/// A duration as the configuration spells it.
pub(super) fn duration_text(duration: Duration) -> String {
    match duration.as_millis() {
        ms if ms % 86_400_000 == 0 && ms > 86_400_000 => format!("{}d", ms / 86_400_000),
        ms if ms % 3_600_000 == 0 && ms > 0 => format!("{}h", ms / 3_600_000),
        ms if ms % 60_000 == 0 && ms > 0 => format!("{}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{}s", ms / 1_000),
        ms => format!("{ms}ms"),
    }
}

/// A text as it was given, where it `fits`.
///
/// # Errors
/// The problem, where it does not.
pub(super) fn text_if(fits: bool, text: &str, problem: &str) -> Result<String, String> {
    if fits { Ok(text.to_owned()) } else { Err(problem.to_owned()) }
}

/// A wrong value as a problem may repeat it: quoted and cut; not at all if it looks like holding a secret.
pub(super) fn shown(value: &str) -> String {
    if hides(value) {
        return "the value (not shown)".to_owned();
    }
    if value.chars().count() <= SHOWN {
        return format!("{value:?}");
    }
    let cut: String = value.chars().take(SHOWN).collect();
    format!("{:?}", format!("{cut}..."))
}

/// Whether a value looks like holding a secret.
pub(super) fn hides(value: &str) -> bool {
    let credentials = value.contains("://") && value.contains(['@', '?', '#']);
    credentials || value.contains("-----BEGIN")
}

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

/// Whether it names this machine.
pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// An organisation id: `00D`, 15 characters, or 18 with the check letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgId(String);

impl OrgId {
    /// Parses an id and verifies its check letters, if it has them.
    ///
    /// # Errors
    /// What is wrong, as half a sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err("may hold only letters and digits".to_owned());
        }
        if !text.starts_with("00D") {
            return Err("does not begin with 00D".to_owned());
        }
        let (id, check) = match text.len() {
            15 => (text, None),
            18 => text.split_at_checked(15).map_or((text, None), |(id, check)| (id, Some(check))),
            other => return Err(format!("has {other} characters instead of 15 or 18")),
        };
        match check {
            Some(check) if !check.eq_ignore_ascii_case(&check_letters(id)) => Err(
                "has check letters (its last three) that do not fit: an upper or lower case letter is wrong"
                    .to_owned(),
            ),
            _ => Ok(Self(text.to_owned())),
        }
    }

    /// The id as it was configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Salesforce's rule: each group of five characters gives five bits, one for every upper case letter, the
/// first character lowest; the bits pick one of `A`-`Z`, `0`-`5`.
fn check_letters(id: &str) -> String {
    id.as_bytes()
        .chunks(5)
        .map(|group| {
            let bits = group
                .iter()
                .enumerate()
                .filter(|(_, byte)| byte.is_ascii_uppercase())
                .fold(0_u8, |bits, (place, _)| bits | (1 << place));
            char::from(if bits < 26 { b'A' + bits } else { b'0' + (bits - 26) })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn check_letters_are_those_salesforce_prints() {
        assert_eq!(check_letters("001A0000006Vm9r"), "IAC");
        assert_eq!(check_letters("00D000000000001"), "EAA");
        assert_eq!(check_letters("ABCDEabcdeABCDe"), "5AP");
    }
}
