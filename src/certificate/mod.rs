//! Signing certificates: read, described and made, from PEM texts that were already read and with the time passed in.
//! A key is parsed once, when the configuration is loaded, and shared from then on.

mod describe;
mod form;
mod hosts;
mod issue;
mod load;
mod name;
mod problem;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;

use jiff::Timestamp;
use openssl::asn1::{Asn1Time, Asn1TimeRef};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::x509::{X509, X509Ref};

pub use describe::Description;
pub use form::FileForm;
pub use hosts::{hosts, speaks_for};
pub use issue::{IssuedPair, issue};
pub use load::{belongs, certificates, not_after, private_key, valid};
pub use name::developer_name;
pub use problem::{CertificatePart, CertificateProblem};

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
    #[must_use]
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The RSA key, parsed once.
    #[must_use]
    pub fn key(&self) -> &PKey<Private> {
        &self.inner.key
    }

    /// The certificate that Salesforce knows.
    #[must_use]
    pub fn x509(&self) -> &X509 {
        &self.inner.x509
    }

    /// SHA-256 over the DER form of the certificate.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        self.inner.fingerprint
    }

    /// When the certificate ends.
    #[must_use]
    pub fn not_after(&self) -> Timestamp {
        self.inner.not_after
    }

    /// Whole days until the certificate ends; negative once it has.
    #[must_use]
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
