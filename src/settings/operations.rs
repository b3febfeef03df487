//! `[operations]`: the listener for people and probes.

use std::net::SocketAddr;

/// The listener of metrics, version, documentation and console.
#[derive(Debug, Clone)]
pub struct Operations {
    /// Where to listen; loopback unless somebody decided otherwise.
    pub listen: SocketAddr,
}
