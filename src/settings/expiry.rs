//! When the certificates of a configuration end.

use jiff::{SignedDuration, Timestamp};
use openssl::x509::X509;

use super::Settings;
use crate::certificate::{days_between, not_after};

/// The end of a certificate, or of the first in a file to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiry {
    /// What metrics call it: the name of a signing certificate, else its key in the configuration.
    pub name: String,
    /// Its key in the configuration.
    pub key: String,
    /// When it ends.
    pub at: Timestamp,
    /// What to do before.
    hint: &'static str,
}

impl Expiry {
    /// Whole days left, negative once it has ended.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> i64 {
        days_between(now, self.at)
    }

    fn of_file(key: &str, certificates: &[X509], hint: &'static str) -> Option<Self> {
        let ends = certificates.iter().filter_map(|certificate| not_after(certificate).ok());
        Some(Self { name: key.to_owned(), key: key.to_owned(), at: ends.min()?, hint })
    }
}

impl Settings {
    /// Every certificate that stops something when it ends, those for later included.
    #[must_use]
    pub fn expiries(&self) -> Vec<Expiry> {
        let signing = self.certificates.values().map(|certificate| Expiry {
            name: certificate.name().to_owned(),
            key: format!("certificates.{}", certificate.name()),
            at: certificate.not_after(),
            hint: "make a new pair and give it to Salesforce",
        });
        let tls = self.server.tls.iter().flat_map(|tls| {
            let own = "put a new certificate, with those up to the root, and its key into the files";
            let authorities = "put a new certificate of the authority into the file";
            [
                Expiry::of_file("server.tls", &tls.chain, own),
                Expiry::of_file("server.tls.client_ca", &tls.client_ca, authorities),
            ]
        });
        let clients = self.clients.iter().filter_map(|client| {
            let key = format!("clients.{}", client.id);
            let at = client.assertion_keys.iter().map(|key| key.valid.1).min()?;
            let hint = "register a new certificate for its signed assertions";
            Some(Expiry { name: key.clone(), key, at, hint })
        });
        signing.chain(tls.flatten()).chain(clients).collect()
    }

    /// A line for each certificate that ends within `rotation.warn_before`.
    #[must_use]
    pub fn ending(&self, now: Timestamp) -> Vec<String> {
        let warn = SignedDuration::try_from(self.rotation.warn_before).unwrap_or(SignedDuration::MAX);
        let soon = |expiry: &Expiry| expiry.at.duration_since(now) <= warn;
        let line =
            |expiry: Expiry| format!("{}: {} days left; {}", expiry.key, expiry.days_left(now), expiry.hint);
        self.expiries().into_iter().filter(soon).map(line).collect()
    }
}
