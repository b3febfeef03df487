//! `[certificates.NAME]`: what tokens are signed with.

use secrecy::SecretString;

use super::section::Section;
use crate::certificate::{CertificatePart, CertificateProblem, SigningCertificate, developer_name};

/// The keys of a certificate and its private key, as every section with a pair spells them.
pub(super) struct Pair {
    /// PEM text of the certificate.
    pub(super) certificate: Option<Vec<u8>>,
    /// PEM text of the key.
    pub(super) private_key: Option<Vec<u8>>,
    /// What opens the key.
    pub(super) passphrase: Option<SecretString>,
    passphrase_key: &'static str,
}

impl Pair {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let passphrase_key = match section.has("private_key_passphrase") {
            true => "private_key_passphrase",
            false => "private_key_passphrase_file",
        };
        Self {
            certificate: section.file("certificate", "name the PEM file of the certificate"),
            private_key: section.secret_file("private_key", "name the PEM file of the private key"),
            passphrase: section.secret("private_key_passphrase"),
            passphrase_key,
        }
    }

    /// Reports a problem under the key that it belongs to.
    pub(super) fn problem(&self, section: &Section<'_>, problem: &CertificateProblem) {
        let key = match problem.part() {
            CertificatePart::Certificate => "certificate",
            CertificatePart::PrivateKey => "private_key",
            CertificatePart::Passphrase => self.passphrase_key,
        };
        section.problem(key, problem.to_string(), problem.hint());
    }
}

/// Reads a signing certificate and checks that Salesforce would take it.
pub(super) fn read(name: &str, section: &mut Section<'_>) -> Option<SigningCertificate> {
    check_name(name, section);
    let pair = Pair::read(section);
    let (Some(certificate), Some(private_key)) = (&pair.certificate, &pair.private_key) else {
        return None;
    };
    let (passphrase, now) = (pair.passphrase.as_ref(), section.report.now);
    SigningCertificate::from_pem(name, certificate, private_key, passphrase, now)
        .map_err(|problems| problems.iter().for_each(|problem| pair.problem(section, problem)))
        .ok()
}

/// Names of certificates and contact centers are developer names in Salesforce.
pub(super) fn check_name(name: &str, section: &Section<'_>) {
    if let Err(problem) = developer_name(name) {
        section.whole(
            format!("the name {problem}"),
            "use the name it has in Salesforce: letters, digits and single underscores, at most 40",
        );
    }
}
