//! `[operations]`: the listener for people and probes.

use std::net::SocketAddr;

use super::section::Section;
use super::server;

/// The listener of metrics, version, documentation and console.
#[derive(Debug, Clone)]
pub struct Operations {
    /// Where to listen; loopback unless somebody decided otherwise.
    pub listen: SocketAddr,
}

impl Operations {
    /// `protected`: the public listener has TLS, or a trusted proxy stands in front of us.
    pub(super) fn read(mut section: Section<'_>, protected: bool) -> Option<Self> {
        let listen = server::address(&mut section);
        if let (Some(listen), false) = (listen, protected) {
            server::plain_http_only_on_loopback(&section, listen);
        }
        section.finish();
        Some(Self { listen: listen? })
    }

    /// Whether this listener uses the TLS of `[server.tls]`, if there is one: probes on the same machine
    /// speak plain HTTP, anybody else does not.
    #[must_use]
    pub fn wants_tls(&self) -> bool {
        !self.listen.ip().is_loopback()
    }
}
