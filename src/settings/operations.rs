//! `[operations]`: the listener for people and probes.

use std::net::SocketAddr;

use super::section::Section;
use super::server::{self, Server};

/// The listener of metrics, version, documentation and console.
#[derive(Debug, Clone)]
pub struct Operations {
    /// Where to listen; loopback unless somebody decided otherwise.
    pub listen: SocketAddr,
}

impl Operations {
    /// `server`: the public listener, if it could be read.
    pub(super) fn read(mut section: Section<'_>, server: Option<&Server>) -> Option<Self> {
        let listen = server::address(&mut section);
        if let (Some(listen), Some(server)) = (listen, server) {
            if !server.is_protected() {
                server::plain_http_only_on_loopback(&section, listen);
            }
            if listen == server.listen && listen.port() != 0 {
                section.problem(
                    "listen",
                    "is the address of [server]",
                    "give each listener a port of its own",
                );
            }
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
