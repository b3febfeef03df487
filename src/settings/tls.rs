//! `[server.tls]`: the certificate of our own listener.

use std::fmt;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::certificates::Pair;
use super::section::Section;
use crate::certificate::{self, CertificateProblem};

/// What a TLS listener needs, already parsed and checked. `Debug` shows no key.
#[derive(Clone)]
pub struct Tls {
    /// Our certificate first, then those up to the root, as in the file.
    pub chain: Vec<X509>,
    /// The key of the first certificate.
    pub private_key: PKey<Private>,
    /// The authorities of client certificates: not empty means mutual TLS.
    pub client_ca: Vec<X509>,
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("chain", &self.chain.len())
            .field("client_ca", &self.client_ca.len())
            .finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let pair = Pair::read(&mut section);
        let client_ca =
            section.file_if_given("client_ca", "a PEM file with the authorities of client certificates");
        let report = |problem: &CertificateProblem| pair.problem(&section, problem);
        let chain = pair.certificate.as_ref().and_then(|pem| {
            certificate::certificates(pem)
                .and_then(|chain| match chain.first() {
                    Some(first) => certificate::valid(first, section.report.now).map(|()| chain),
                    None => Err(CertificateProblem::CertificateUnreadable),
                })
                .map_err(|problem| report(&problem))
                .ok()
        });
        let private_key = pair.private_key.as_ref().and_then(|pem| {
            certificate::private_key(pem, pair.passphrase.as_ref()).map_err(|problem| report(&problem)).ok()
        });
        if let (Some(first), Some(key)) = (chain.as_ref().and_then(|chain| chain.first()), &private_key)
            && !certificate::belongs(key, first)
        {
            report(&CertificateProblem::KeyDoesNotBelong);
        }
        let client_ca = client_ca.map_or(Some(Vec::new()), |pem| authorities(&section, "client_ca", &pem));
        section.finish();
        Some(Self { chain: chain?, private_key: private_key?, client_ca: client_ca? })
    }
}

/// The certificates of authorities in a PEM file.
pub(super) fn authorities(section: &Section<'_>, key: &str, pem: &[u8]) -> Option<Vec<X509>> {
    certificate::certificates(pem)
        .map_err(|problem| section.problem(key, problem.to_string(), problem.hint()))
        .ok()
}
