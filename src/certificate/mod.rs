//! Signing certificates: read, described and made, from PEM texts that were already read and with the time passed in.
//! A key is parsed once, when the configuration is loaded, and shared from then on.

mod problem;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{Id, PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509Name, X509NameRef, X509Ref};
pub use problem::{CertificatePart, CertificateProblem, FileForm};
use secrecy::{ExposeSecret, SecretString};

/// A key and its certificate, ready to sign tokens for Salesforce.
///
/// Cheap to clone. `Debug` shows the name and the fingerprint only.
#[derive(Clone)]
pub struct SigningCertificate {
    inner: Arc<SigningParts>,
}

struct SigningParts {
    name: String,
    key: PKey<Private>,
    x509: X509,
    fingerprint: [u8; 32],
    not_after: Timestamp,
}

impl SigningCertificate {
    /// The name in the configuration, which flows send as `certDevName`.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The RSA key, parsed once.
    pub fn key(&self) -> &PKey<Private> {
        &self.inner.key
    }

    /// The certificate that Salesforce knows.
    pub fn x509(&self) -> &X509 {
        &self.inner.x509
    }

    /// SHA-256 over the DER form of the certificate.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.inner.fingerprint
    }

    /// When the certificate ends.
    pub fn not_after(&self) -> Timestamp {
        self.inner.not_after
    }

    /// Whole days until the certificate ends; negative once it has.
    pub fn days_left(&self, now: Timestamp) -> i64 {
        days_between(now, self.inner.not_after)
    }
}

impl fmt::Debug for SigningCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningCertificate")
            .field("name", &self.inner.name)
            .field("fingerprint", &hex::encode(&self.inner.fingerprint))
            .finish_non_exhaustive()
    }
}

/// Whole days from one time to another, rounded down.
pub(crate) fn days_between(from: Timestamp, to: Timestamp) -> i64 {
    (to.as_second() - from.as_second()).div_euclid(86_400)
}

/// SHA-256 over the DER form.
///
/// # Errors
/// OpenSSL cannot write the certificate.
pub fn fingerprint(x509: &X509Ref) -> Result<[u8; 32], ErrorStack> {
    let digest = x509.digest(MessageDigest::sha256())?;
    let mut bytes = [0; 32];
    for (to, from) in bytes.iter_mut().zip(digest.iter()) {
        *to = *from;
    }
    Ok(bytes)
}

/// Begin and end of a certificate's validity.
///
/// # Errors
/// OpenSSL cannot read them.
pub fn validity(x509: &X509Ref) -> Result<(Timestamp, Timestamp), ErrorStack> {
    Ok((timestamp(x509.not_before())?, timestamp(x509.not_after())?))
}

/// Times of certificates have whole seconds.
fn timestamp(time: &Asn1TimeRef) -> Result<Timestamp, ErrorStack> {
    let since_epoch = Asn1Time::from_unix(0)?.diff(time)?;
    let second = i64::from(since_epoch.days) * 86_400 + i64::from(since_epoch.secs);
    Ok(Timestamp::from_second(second).unwrap_or(Timestamp::MAX))
}

/// The sizes Salesforce takes for RSA keys.
const KEY_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

impl SigningCertificate {
    /// Reads a pair and checks that Salesforce would take it.
    ///
    /// # Errors
    /// Everything that is wrong with the pair, not only the first.
    pub fn from_pem(
        name: &str,
        certificate: &[u8],
        private_key: &[u8],
        passphrase: Option<&SecretString>,
        now: Timestamp,
    ) -> Result<Self, Vec<CertificateProblem>> {
        let mut problems = Vec::new();
        let key = self::private_key(private_key, passphrase)
            .and_then(rsa)
            .map_err(|problem| problems.push(problem))
            .ok();
        let first = certificates(certificate)
            .map_err(|problem| problems.push(problem))
            .ok()
            .and_then(|chain| chain.into_iter().next());
        if let Some(x509) = &first
            && let Err(problem) = valid(x509, now)
        {
            problems.push(problem);
        }
        let (Some(key), Some(x509)) = (key, first) else {
            return Err(problems);
        };
        if !belongs(&key, &x509) {
            problems.push(CertificateProblem::KeyDoesNotBelong);
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let unreadable = |_| vec![CertificateProblem::CertificateUnreadable];
        Ok(Self {
            inner: Arc::new(SigningParts {
                name: name.to_owned(),
                key,
                fingerprint: fingerprint(&x509).map_err(unreadable)?,
                not_after: timestamp(x509.not_after()).map_err(unreadable)?,
                x509,
            }),
        })
    }
}

/// The private key of a PEM text: PKCS#1, PKCS#8 or SEC 1, encrypted or not, of any algorithm.
///
/// # Errors
/// No key, an encrypted key without a passphrase, a wrong passphrase.
pub fn private_key(
    pem: &[u8],
    passphrase: Option<&SecretString>,
) -> Result<PKey<Private>, CertificateProblem> {
    let mut asked = false;
    // Never the variant without a callback: on an encrypted key OpenSSL would then prompt on the terminal
    // and wait there.
    let key = PKey::private_key_from_pem_callback(pem, |buffer| {
        asked = true;
        let secret = passphrase.map_or(&b""[..], |secret| secret.expose_secret().as_bytes());
        match buffer.get_mut(..secret.len()) {
            Some(place) => {
                place.copy_from_slice(secret);
                Ok(secret.len())
            }
            None => Ok(0),
        }
    });
    key.map_err(|_| match (asked, passphrase) {
        (false, _) => unusable(pem, CertificatePart::PrivateKey, CertificateProblem::KeyUnreadable),
        (true, None) => CertificateProblem::KeyEncrypted,
        (true, Some(_)) => CertificateProblem::WrongPassphrase,
    })
}

/// The certificates of a PEM text, the server's own first; at least one.
///
/// # Errors
/// No certificate, or one that cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<X509>, CertificateProblem> {
    match X509::stack_from_pem(pem) {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(unusable(pem, CertificatePart::Certificate, CertificateProblem::CertificateUnreadable)),
    }
}

/// The form of a file that cannot be parsed; `unknown` where it is not known.
fn unusable(bytes: &[u8], part: CertificatePart, unknown: CertificateProblem) -> CertificateProblem {
    FileForm::of(bytes, part).map_or(unknown, |form| CertificateProblem::Form { part, form })
}

/// When a certificate ends.
///
/// # Errors
/// OpenSSL cannot read its end.
pub fn not_after(x509: &X509Ref) -> Result<Timestamp, ErrorStack> {
    timestamp(x509.not_after())
}

/// Whether the private key is the one the certificate speaks of.
pub fn belongs(key: &PKey<Private>, x509: &X509Ref) -> bool {
    x509.public_key().is_ok_and(|public| public.public_eq(key))
}

/// # Errors
/// The certificate has expired, or is not valid yet.
pub fn valid(x509: &X509Ref, now: Timestamp) -> Result<(), CertificateProblem> {
    let unreadable = |_| CertificateProblem::CertificateUnreadable;
    let (from, to) = validity(x509).map_err(unreadable)?;
    if now > to {
        return Err(CertificateProblem::Expired(to));
    }
    if now.as_second() < from.as_second() {
        return Err(CertificateProblem::NotYetValid(from));
    }
    Ok(())
}

fn rsa(key: PKey<Private>) -> Result<PKey<Private>, CertificateProblem> {
    if key.id() != Id::RSA {
        return Err(CertificateProblem::KeyNotRsa);
    }
    let bits = key.bits();
    if !KEY_BITS.contains(&bits) {
        return Err(CertificateProblem::KeySize { bits });
    }
    Ok(key)
}

/// A new pair, both in PEM form. `Debug` hides the key.
pub struct IssuedPair {
    /// The private key as PKCS#8, unencrypted.
    pub key_pem: Vec<u8>,
    /// The X.509 v3 certificate to give to Salesforce.
    pub certificate_pem: Vec<u8>,
}

impl fmt::Debug for IssuedPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuedPair").finish_non_exhaustive()
    }
}

/// Makes an RSA key and a certificate for it: subject and issuer `CN=name`, SHA-256, valid from `now` for
/// `days`.
///
/// # Errors
/// OpenSSL refuses, for example a key size.
pub fn issue(name: &str, bits: u32, days: u32, now: Timestamp) -> Result<IssuedPair, ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(bits)?)?;
    let certificate = self_signed(name, &key, days, now)?;
    Ok(IssuedPair { key_pem: key.private_key_to_pem_pkcs8()?, certificate_pem: certificate.to_pem()? })
}

fn self_signed(name: &str, key: &PKey<Private>, days: u32, now: Timestamp) -> Result<X509, ErrorStack> {
    let mut subject = X509Name::builder()?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    // 159 random bits: positive and within the 20 octets that RFC 5280, 4.1.2.2 allows.
    let mut serial = BigNum::new()?;
    serial.rand(159, MsbOption::MAYBE_ZERO, false)?;
    let begin = now.as_second();
    let end = begin.saturating_add(i64::from(days) * 86_400);

    let mut builder = X509::builder()?;
    builder.set_version(2)?; // counts from zero: version 3
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(Asn1Time::from_unix(begin)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(end)?.as_ref())?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().key_cert_sign().build()?)?;
    let key_identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(key_identifier)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}

/// The content of a certificate. `Display` prints it as aligned lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Who it is for, such as `CN=WebexCCSCV`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Begin of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
    /// Whole days left, negative once it has expired.
    pub days_left: i64,
    /// Algorithm and size of its key, such as `RSA 2048`.
    pub key: String,
    /// SHA-256 over its DER form, as Salesforce and browsers print it: `AB:CD:...`.
    pub fingerprint: String,
}

impl Description {
    /// Reads it out of a certificate.
    ///
    /// # Errors
    /// OpenSSL cannot read a field of the certificate.
    pub fn of(x509: &X509Ref, now: Timestamp) -> Result<Self, ErrorStack> {
        let key = x509.public_key()?;
        let algorithm = match key.id() {
            Id::RSA => "RSA",
            Id::EC => "EC",
            Id::ED25519 => "Ed25519",
            _ => "other",
        };
        let not_after = timestamp(x509.not_after())?;
        let fingerprint = fingerprint(x509)?.map(|byte| format!("{byte:02X}"));
        Ok(Self {
            subject: distinguished_name(x509.subject_name()),
            issuer: distinguished_name(x509.issuer_name()),
            serial: x509.serial_number().to_bn()?.to_hex_str()?.to_string(),
            not_before: timestamp(x509.not_before())?,
            not_after,
            days_left: days_between(now, not_after),
            key: format!("{algorithm} {}", key.bits()),
            fingerprint: fingerprint.join(":"),
        })
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "subject      {}", self.subject)?;
        writeln!(f, "issuer       {}", self.issuer)?;
        writeln!(f, "serial       {}", self.serial)?;
        writeln!(f, "valid from   {:.0}", self.not_before)?;
        writeln!(f, "valid to     {:.0}", self.not_after)?;
        writeln!(f, "days left    {}", self.days_left)?;
        writeln!(f, "key          {}", self.key)?;
        writeln!(f, "SHA-256      {}", self.fingerprint)
    }
}

fn distinguished_name(name: &X509NameRef) -> String {
    let entries: Vec<String> = name
        .entries()
        .map(|entry| {
            let field = entry.object().nid().short_name().unwrap_or("?");
            let value = entry.data().to_string().unwrap_or_else(|_| "?".to_owned());
            format!("{field}={value}")
        })
        .collect();
    entries.join(", ")
}

/// The names and addresses in a certificate's subjectAltName. Its common name does not count any more
/// (RFC 9525, 2).
pub fn hosts(x509: &X509Ref) -> Vec<String> {
    let address = |bytes: &[u8]| -> Option<IpAddr> {
        let four = <[u8; 4]>::try_from(bytes).map(IpAddr::from);
        four.or_else(|_| <[u8; 16]>::try_from(bytes).map(IpAddr::from)).ok()
    };
    x509.subject_alt_names()
        .into_iter()
        .flatten()
        .filter_map(|name| {
            let host = name.dnsname().map(str::to_ascii_lowercase);
            host.or_else(|| name.ipaddress().and_then(address).map(|address| address.to_string()))
        })
        .collect()
}

/// Whether a certificate is valid for this host, a name or an address; `*` stands for the first label of a name.
pub fn speaks_for(x509: &X509Ref, host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    if let Ok(address) = host.parse::<IpAddr>() {
        return hosts(x509).contains(&address.to_string());
    }
    let after_first = host.split_once('.').map(|(_, rest)| rest);
    hosts(x509)
        .iter()
        .any(|name| *name == host || name.strip_prefix("*.").is_some_and(|rest| Some(rest) == after_first))
}

/// The longest name Salesforce takes for a certificate.
const LONGEST_NAME: usize = 40;

/// Whether Salesforce takes `name` as a developer name (its "API name" or "unique name").
///
/// The rule is the one its set-up pages print: only letters, digits and underscores, beginning with a
/// letter, no underscore at the end, no two in a row. Certificates allow 40 characters.
///
/// # Errors
/// What is wrong with the name, as a half sentence.
pub fn developer_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("is empty");
    }
    if name.len() > LONGEST_NAME {
        return Err("is longer than 40 characters");
    }
    if !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        return Err("may hold only letters, digits and underscores");
    }
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err("must begin with a letter");
    }
    if name.ends_with('_') {
        return Err("must not end with an underscore");
    }
    if name.contains("__") {
        return Err("must not hold two underscores in a row");
    }
    Ok(())
}
