//! Who may call the bridge, and by what: `[[clients]]`, and `[oauth]` for the access tokens that we give them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use openssl::pkey::{Id, PKey, Public};
use openssl::x509::X509;
use secrecy::{ExposeSecret, SecretString};

use super::Server;
use super::names::ConfiguredNames;
use super::section::{Section, section};
use super::value::{DAY, MINUTE, text_if};
use crate::certificate;

/// A caller of the bridge. `Debug` shows no hash.
#[derive(Clone)]
pub struct Client {
    /// The user name of HTTP Basic, the `client_id` of OAuth, and the `iss` of an assertion.
    pub id: String,
    /// SHA-256 of each secret that is taken: one, or two while it is being changed. The secrets themselves are nowhere.
    pub secrets: Vec<[u8; 32]>,
    /// The user that the client may ask for, besides itself.
    pub user: Option<User>,
    /// The keys that may sign assertions in this client's name.
    pub assertion_keys: Vec<AssertionKey>,
    /// The names of client certificates that stand for this client.
    pub certificate_names: BTreeSet<String>,
    /// The contact centers this client may use.
    pub call_centers: Access,
}

/// A user in whose name the client may ask.
#[derive(Clone)]
pub struct User {
    /// The `username` of the password grant, and what the `sub` of an assertion may say.
    pub name: String,
    /// SHA-256 of the password; none: no password grant.
    pub password_sha256: Option<[u8; 32]>,
}

/// A certificate that was registered for a client.
#[derive(Clone)]
pub struct AssertionKey {
    /// What it verifies with: RSA.
    pub public: PKey<Public>,
    /// SHA-256 over the certificate's DER form.
    pub fingerprint: [u8; 32],
    /// Begin and end of the certificate.
    pub valid: (Timestamp, Timestamp),
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

    /// Whether something of this client leads to an access token and to nothing else.
    #[must_use]
    pub fn needs_tokens(&self) -> bool {
        self.user.as_ref().is_some_and(|user| user.password_sha256.is_some())
            || !self.assertion_keys.is_empty()
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

const HASH_HINT: &str = "`scv-bridge secret new CLIENT` prints a secret and this line";
const PASSWORD_HINT: &str = "`scv-bridge secret new CLIENT --username NAME` prints a password and both lines";
const CERTIFICATE_HINT: &str = "name PEM files, each with the client's certificate: RSA, 2048 bits or more";

impl Client {
    /// `call_centers`: the names that exist.
    fn read(section: &mut Section<'_>, call_centers: &ConfiguredNames) -> Option<Self> {
        let id = section.parsed("id", "letters, digits and signs without blanks or colons", client_id);
        let secret_given = section.has("secret_sha256");
        let secret = hash(section, "secret_sha256", HASH_HINT);
        let previous = hash(section, "previous_secret_sha256", HASH_HINT);
        let user = user(section, secret.is_some());
        let files = section.files("assertion_certificates", CERTIFICATE_HINT);
        let names = section.list("certificate_names");
        if !secret_given
            && files.as_ref().is_some_and(Vec::is_empty)
            && names.as_ref().is_some_and(Vec::is_empty)
        {
            section.problem("secret_sha256", "is missing", HASH_HINT);
        }
        let access = access(section, call_centers);
        let assertion_keys = assertion_keys(section, files.as_deref().unwrap_or_default());
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
    let name = section.optional("username", "a name without control characters", user_name).flatten();
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
    certificate::certificates(pem)
        .map_err(|problem| (problem.to_string(), problem.hint()))?
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

fn access(section: &mut Section<'_>, call_centers: &ConfiguredNames) -> Option<Access> {
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
    let fits = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':') && text.len() <= 128;
    text_if(fits, text, "may hold at most 128 visible ASCII characters and no colon")?;
    text_if(!text.is_empty(), text, "is empty")
}

/// The rule for the name of a client's user.
pub(crate) fn user_name(text: &str) -> Result<String, String> {
    let fits = !text.chars().any(char::is_control) && text.len() <= 128;
    text_if(fits, text, "is longer than 128 bytes or holds a control character")?;
    text_if(!text.trim().is_empty(), text, "is empty")
}

fn sha256(text: &str) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    hex::decode_to_slice(text, &mut digest).ok().map(|()| digest)
}

/// `[[clients]]`; at least one.
pub(super) fn read_all(root: &mut Section<'_>, call_centers: &ConfiguredNames) -> Vec<Client> {
    let before = root.report.count();
    let sections = root.items("clients");
    if sections.is_empty() && root.report.count() == before {
        root.problem(
            "clients",
            "there is no client, so nobody could call the bridge",
            "`scv-bridge secret new CLIENT` prints a secret and the section to add",
        );
    }
    let mut ids = BTreeSet::new();
    let mut clients = Vec::new();
    for section in sections {
        let Some(client) = section.read(|section| Client::read(section, call_centers)) else { continue };
        if !ids.insert(client.id.clone()) {
            root.problem(
                "clients",
                format!("the id {:?} is given twice", client.id),
                "give each client an id of its own",
            );
        }
        clients.push(client);
    }
    clients
}

/// What clients need of other sections. A section that could not be read has problems of its own.
pub(super) fn check_surroundings(
    root: &Section<'_>,
    clients: &[Client],
    server: Option<&Server>,
    oauth: Option<&TokenEndpoint>,
) {
    certificate_names(root, clients);
    let takes_certificates =
        server.is_none_or(|server| server.tls.as_ref().is_some_and(|tls| !tls.client_ca.is_empty()));
    for client in clients {
        if !client.certificate_names.is_empty() && !takes_certificates {
            root.problem(
                &format!("clients.{}.certificate_names", client.id),
                "is given, but no client can show a certificate",
                "set `client_ca` of [server.tls] to the authorities of the clients' certificates",
            );
        }
        if client.needs_tokens() && oauth.is_some_and(|oauth| oauth.keys.is_none()) {
            root.problem(
                "oauth.signing_key_file",
                format!("is missing, and the client {:?} gets in by an access token", client.id),
                "`scv-bridge secret signing-key` prints a key: write it into a file and name that here",
            );
        }
    }
}

/// A name in a certificate stands for one client.
fn certificate_names(root: &Section<'_>, clients: &[Client]) {
    let mut owners: BTreeMap<&str, &str> = BTreeMap::new();
    for client in clients {
        for name in &client.certificate_names {
            if let Some(owner) = owners.insert(name, &client.id) {
                root.problem(
                    &format!("clients.{}.certificate_names", client.id),
                    format!("holds {name:?}, as that of the client {owner:?} does"),
                    "a name in a certificate stands for one client",
                );
            }
        }
    }
}

/// The shortest key, in characters: HS256 wants as many bits as it gives (RFC 7518, 3.2), and a character of base64
/// holds six.
const SHORTEST_KEY: usize = 43;
const KEY_HINT: &str = "`scv-bridge secret signing-key` prints one; the same for every replica";

section! {
    /// The token endpoint.
    #[derive(Debug, Clone)]
    pub struct TokenEndpoint in "oauth" |section| {
        /// How long an access token is taken.
        token_life: Duration = duration(MINUTE..=DAY);
        /// What access tokens are signed with; none: there are no tokens.
        keys: Option<SigningKeys> = flatten(|section| Some(SigningKeys::read(section)));
        /// What the `aud` of an assertion may say besides our own addresses.
        audiences: Vec<String> = list();
    }
}

/// Keys that all replicas share. `Debug` hides them.
#[derive(Debug, Clone)]
pub struct SigningKeys {
    /// Signs.
    pub current: SecretString,
    /// Is taken too, while the key is being changed.
    pub previous: Option<SecretString>,
}

impl SigningKeys {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let current = key(section, "signing_key");
        let previous = key(section, "previous_signing_key");
        let (problem, hint) = match (&current, &previous) {
            (None, Some(_)) => (
                "is given, and `signing_key` is not",
                "set `signing_key_file`; the previous key signs nothing",
            ),
            (Some(current), Some(previous)) if current.expose_secret() == previous.expose_secret() => (
                "is the same as `signing_key`",
                "keep the old key here for as long as a token lives, then leave it out",
            ),
            _ => return current.map(|current| Self { current, previous }),
        };
        section.problem("previous_signing_key", problem, hint);
        None
    }
}

/// A key that is long enough. No problem repeats it.
fn key(section: &mut Section<'_>, name: &str) -> Option<SecretString> {
    let (given, key) = section.secret_and_key(name)?;
    if key.expose_secret().chars().count() < SHORTEST_KEY {
        section.problem(&given, format!("is shorter than {SHORTEST_KEY} characters"), KEY_HINT);
        return None;
    }
    Some(key)
}
