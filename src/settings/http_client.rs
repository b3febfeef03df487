//! `[http_client]`: connections to Salesforce.

use std::time::Duration;

use openssl::x509::X509;

/// The pool of connections to Salesforce. The time of a whole request is the route's deadline.
#[derive(Debug, Clone)]
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
