//! Keys and certificates out of PEM texts.

use std::sync::Arc;

use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::pkey::{Id, PKey, Private};
use openssl::x509::{X509, X509Ref};
use secrecy::{ExposeSecret, SecretString};

use super::{
    CertificatePart, CertificateProblem, FileForm, SigningCertificate, SigningParts, fingerprint, timestamp,
    validity,
};

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

/// The certificates of a PEM text, ours first; at least one.
///
/// # Errors
/// No certificate, or one that cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<X509>, CertificateProblem> {
    match X509::stack_from_pem(pem) {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        _ => Err(unusable(pem, CertificatePart::Certificate, CertificateProblem::CertificateUnreadable)),
    }
}

/// What a file is that could not be read; `unknown` where nobody can tell.
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
#[must_use]
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
