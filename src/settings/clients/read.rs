//! Reading a client.

use std::collections::BTreeSet;

use openssl::pkey::Id;
use openssl::x509::X509;

use super::{Access, AssertionKey, Client, Names, Section, User};
use crate::certificate;

const HASH_HINT: &str = "`scv-bridge secret new CLIENT` prints a secret and this line";
const PASSWORD_HINT: &str = "`scv-bridge secret new CLIENT --username NAME` prints a password and both lines";
const CERTIFICATE_HINT: &str = "name PEM files, each with the client's certificate: RSA, 2048 bits or more";

impl Client {
    /// `call_centers`: the names that exist.
    pub(in crate::settings) fn read(mut section: Section<'_>, call_centers: &Names) -> Option<Self> {
        let id = section.parsed("id", "letters, digits and signs without blanks or colons", client_id);
        let secret_given = section.has("secret_sha256");
        let secret = hash(&mut section, "secret_sha256", HASH_HINT);
        let previous = hash(&mut section, "previous_secret_sha256", HASH_HINT);
        let user = user(&mut section, secret.is_some());
        let files = section.files("assertion_certificates", CERTIFICATE_HINT);
        let names = section.list("certificate_names");
        if !secret_given
            && files.as_ref().is_some_and(Vec::is_empty)
            && names.as_ref().is_some_and(Vec::is_empty)
        {
            section.problem("secret_sha256", "is missing", HASH_HINT);
        }
        let access = access(&mut section, call_centers);
        let assertion_keys = assertion_keys(&section, files.as_deref().unwrap_or_default());
        section.finish();
        Some(Self {
            id: id?,
            secrets: secret.into_iter().chain(previous).collect(),
            user,
            assertion_keys,
            certificate_names: names?.into_iter().collect(),
            call_centers: access?,
        })
    }
}

/// A key that holds SHA-256, if it is there.
fn hash(section: &mut Section<'_>, key: &str, hint: &str) -> Option<[u8; 32]> {
    if !section.has(key) {
        section.take(key);
        return None;
    }
    let text = section.required(key, hint)?;
    // Not shown: somebody may have written the secret itself.
    let bytes = sha256(&text).ok_or("is not 64 hexadecimal digits").and_then(of_a_secret);
    bytes.map_err(|problem| section.problem(key, problem, hint)).ok()
}

/// A digest that a secret can have. An example's stands for none, and one of nothing would let in whoever sends nothing.
fn of_a_secret(digest: [u8; 32]) -> Result<[u8; 32], &'static str> {
    let [first, ..] = digest;
    let is_one_digit = first >> 4 == first & 0x0F && digest.iter().all(|byte| *byte == first);
    match digest {
        _ if is_one_digit => Err("is a placeholder, and the digest of no secret"),
        _ if digest == openssl::sha::sha256(b"") => Err("is the digest of an empty text"),
        // What `echo | sha256sum` makes of a variable that is empty.
        _ if [&b"\n"[..], b"\r\n"].map(openssl::sha::sha256).contains(&digest) => {
            Err("is the digest of a line end alone")
        }
        _ => Ok(digest),
    }
}

fn user(section: &mut Section<'_>, has_secret: bool) -> Option<User> {
    let name_given = section.has("username");
    let name = section.parsed_if_given("username", "a name without control characters", user_name);
    let password_given = section.has("password_sha256");
    let password_sha256 = hash(section, "password_sha256", PASSWORD_HINT);
    match (name_given, password_given) {
        (true, false) if has_secret => {
            section.problem("password_sha256", "is missing beside `username`", PASSWORD_HINT);
        }
        (false, true) => section.problem("username", "is missing beside `password_sha256`", PASSWORD_HINT),
        _ => {}
    }
    Some(User { name: name?, password_sha256 })
}

/// The certificates registered for the client; those that cannot be used are reported.
fn assertion_keys(section: &Section<'_>, files: &[Option<Vec<u8>>]) -> Vec<AssertionKey> {
    let mut keys = Vec::new();
    for pem in files.iter().flatten() {
        match certificates(pem) {
            Ok(found) => keys.extend(found),
            Err((problem, hint)) => section.problem("assertion_certificates", problem, hint),
        }
    }
    keys
}

fn certificates(pem: &[u8]) -> Result<Vec<AssertionKey>, (String, &'static str)> {
    let certificates =
        certificate::certificates(pem).map_err(|problem| (problem.to_string(), problem.hint()))?;
    certificates
        .iter()
        .map(|x509| assertion_key(x509).map_err(|problem| (problem, CERTIFICATE_HINT)))
        .collect()
}

fn assertion_key(x509: &X509) -> Result<AssertionKey, String> {
    let unreadable = |_| String::from("holds a certificate that cannot be read");
    let public = x509.public_key().map_err(unreadable)?;
    if public.id() != Id::RSA || public.bits() < 2048 {
        return Err(String::from("holds a certificate whose key is not RSA of 2048 bits or more"));
    }
    Ok(AssertionKey {
        public,
        fingerprint: certificate::fingerprint(x509).map_err(unreadable)?,
        valid: certificate::validity(x509).map_err(unreadable)?,
    })
}

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
    Some(Access::Only(names.into_iter().collect::<BTreeSet<_>>()))
}

/// The rule for a client's id. HTTP Basic ends the user name at the first colon (RFC 7617, 2).
pub(crate) fn client_id(text: &str) -> Result<String, String> {
    match text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') && text.len() <= 128 {
        true if text.is_empty() => Err("is empty".to_owned()),
        true => Ok(text.to_owned()),
        false => Err("may hold at most 128 visible ASCII characters and no colon".to_owned()),
    }
}

/// The rule for the name of a client's user.
pub(crate) fn user_name(text: &str) -> Result<String, String> {
    match text.chars().any(char::is_control) || text.len() > 128 {
        true => Err("is longer than 128 bytes or holds a control character".to_owned()),
        false if text.trim().is_empty() => Err("is empty".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok().map(|()| digest)
}
