//! `[http_client]`: connections to Salesforce.

use std::time::Duration;

use openssl::x509::X509;

use super::section::Section;
use super::tls::authorities;

/// The pool of connections to Salesforce. The time of a whole request is the route's deadline.
#[derive(Debug, Clone, PartialEq)]
pub struct HttpClient {
    /// How long connecting may take, TLS included.
    pub connect_timeout: Duration,
    /// How long an unused connection is kept.
    pub pool_idle_timeout: Duration,
    /// How many unused connections are kept for each host.
    pub pool_max_idle_per_host: usize,
    /// Roots to trust besides the system's.
    pub extra_roots: Vec<X509>,
}

impl HttpClient {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let connect_timeout =
            section.duration("connect_timeout", None, Duration::from_millis(1)..=Duration::from_secs(30));
        let pool_idle_timeout =
            section.duration("pool_idle_timeout", None, Duration::from_secs(1)..=Duration::from_secs(3600));
        let pool_max_idle_per_host = section.count("pool_max_idle_per_host", None, 0..=10_000);
        let extra_roots = match section.file_if_given("ca_file", "a PEM file of certificates to trust") {
            Some(pem) => authorities(&section, "ca_file", &pem),
            None => Some(Vec::new()),
        };
        section.finish();
        Some(Self {
            connect_timeout: connect_timeout?,
            pool_idle_timeout: pool_idle_timeout?,
            pool_max_idle_per_host: pool_max_idle_per_host?,
            extra_roots: extra_roots?,
        })
    }
}
