//! `[server.tls]`: the certificate of our own listener.

use std::fmt;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

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
