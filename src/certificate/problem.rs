//! What can be wrong with a key and its certificate.

use jiff::Timestamp;
use thiserror::Error;

use super::form::FileForm;

/// The piece of the set-up that a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificatePart {
    /// The certificate itself.
    Certificate,
    /// The private key.
    PrivateKey,
    /// The passphrase of the private key.
    Passphrase,
}

/// Why a key and a certificate cannot be used. No variant carries a part of the key.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CertificateProblem {
    /// The file is something else than PEM, or PEM that was spoilt on its way.
    #[error("{}", form.problem(*part))]
    Form {
        /// What it should hold.
        part: CertificatePart,
        /// What it is.
        form: FileForm,
    },
    /// The text holds no private key that OpenSSL understands.
    #[error("holds no private key in PEM form")]
    KeyUnreadable,
    /// The key is encrypted and nobody told the passphrase. We never ask on the terminal.
    #[error("is encrypted, and no passphrase is configured")]
    KeyEncrypted,
    /// The passphrase does not open the key.
    #[error("does not open the private key")]
    WrongPassphrase,
    /// Salesforce takes RS256 only.
    #[error("is not an RSA key")]
    KeyNotRsa,
    /// Salesforce takes RSA keys of 2048 to 4096 bits.
    #[error("is an RSA key of {bits} bits; Salesforce takes 2048 to 4096")]
    KeySize {
        /// What was found.
        bits: u32,
    },
    /// The text holds no X.509 certificate.
    #[error("holds no X.509 certificate in PEM form")]
    CertificateUnreadable,
    /// Key and certificate are of different pairs.
    #[error("does not belong to the certificate")]
    KeyDoesNotBelong,
    /// The certificate has ended.
    #[error("expired on {0:.0}")]
    Expired(Timestamp),
    /// The certificate has not begun.
    #[error("is not valid before {0:.0}")]
    NotYetValid(Timestamp),
}

impl CertificateProblem {
    /// The piece to look at.
    #[must_use]
    pub fn part(&self) -> CertificatePart {
        match self {
            Self::Form { part, .. } => *part,
            Self::KeyUnreadable
            | Self::KeyEncrypted
            | Self::KeyNotRsa
            | Self::KeySize { .. }
            | Self::KeyDoesNotBelong => CertificatePart::PrivateKey,
            Self::WrongPassphrase => CertificatePart::Passphrase,
            Self::CertificateUnreadable | Self::Expired(_) | Self::NotYetValid(_) => {
                CertificatePart::Certificate
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Form { part, form } => form.hint(*part),
            Self::KeyUnreadable => "name a PEM file that begins with -----BEGIN PRIVATE KEY----- or alike",
            Self::KeyEncrypted => {
                "set `private_key_passphrase_file` to a file with the passphrase, or store the key unencrypted"
            }
            Self::WrongPassphrase => "the passphrase must be the one the key was encrypted with",
            Self::KeyNotRsa | Self::KeySize { .. } => {
                "make a new pair: `scv-bridge certificate new NAME`, and give its certificate to Salesforce"
            }
            Self::CertificateUnreadable => {
                "name a PEM file that begins with -----BEGIN CERTIFICATE-----; ours is the first in it"
            }
            Self::KeyDoesNotBelong => "name the key and the certificate of the same pair",
            Self::Expired(_) => "make a new pair with `scv-bridge certificate new`, or renew the certificate",
            Self::NotYetValid(_) => "check this machine's clock, or use a certificate that is valid now",
        }
    }
}
