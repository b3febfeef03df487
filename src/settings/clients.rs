//! `[[clients]]`: who may call the bridge.

use std::collections::BTreeSet;
use std::fmt;

use super::names::Names;
use super::section::Section;

/// A caller of the bridge.
#[derive(Clone, PartialEq, Eq)]
pub struct Client {
    /// The user name of HTTP Basic, and the `client_id` of OAuth.
    pub id: String,
    /// SHA-256 of the secret; the secret itself is nowhere.
    pub secret_sha256: [u8; 32],
    /// The contact centers this client may use.
    pub call_centers: Access,
}

/// Which contact centers a client may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Access {
    /// `["*"]`: every one.
    All,
    /// These.
    Only(BTreeSet<String>),
}

impl Client {
    /// Whether this client may use the contact center.
    #[must_use]
    pub fn may_use(&self, call_center: &str) -> bool {
        match &self.call_centers {
            Access::All => true,
            Access::Only(names) => names.contains(call_center),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("id", &self.id)
            .field("call_centers", &self.call_centers)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// `call_centers`: the names that exist.
    pub(super) fn read(mut section: Section<'_>, call_centers: &Names) -> Option<Self> {
        let id = section.parsed("id", "letters, digits and signs without blanks or colons", client_id);
        let secret_sha256 = section.required("secret_sha256", HASH_HINT);
        let secret_sha256 = secret_sha256.and_then(|text| {
            let bytes = sha256(&text);
            if bytes.is_none() {
                // Not shown: somebody may have written the secret itself.
                section.problem("secret_sha256", "is not 64 hexadecimal digits", HASH_HINT);
            }
            bytes
        });
        let access = access(&mut section, call_centers);
        section.finish();
        Some(Self { id: id?, secret_sha256: secret_sha256?, call_centers: access? })
    }
}

const HASH_HINT: &str = "`scv-bridge secret new CLIENT` prints a secret and this line";

fn access(section: &mut Section<'_>, call_centers: &Names) -> Option<Access> {
    const HINT: &str = "[\"*\"] for all contact centers, or their names";
    let names = section.list("call_centers")?;
    if names.is_empty() {
        section.problem("call_centers", "is missing or empty", HINT);
        return None;
    }
    if names.iter().any(|name| name == "*") {
        if names.len() > 1 {
            section.problem("call_centers", "holds \"*\" besides names", HINT);
        }
        return Some(Access::All);
    }
    for name in &names {
        call_centers.check(section, "call_centers", name);
    }
    Some(Access::Only(names.into_iter().collect()))
}

/// The rule for a client's id. HTTP Basic ends the user name at the first colon (RFC 7617, 2).
pub(crate) fn client_id(text: &str) -> Result<String, String> {
    match text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') && text.len() <= 128 {
        true => Ok(text.to_owned()),
        false => Err("may hold at most 128 visible ASCII characters and no colon".to_owned()),
    }
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return None;
    }
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    bytes.try_into().ok()
}
