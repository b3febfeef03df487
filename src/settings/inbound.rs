//! How much a listener takes from whom it does not know, and how long it waits for them.

use std::time::Duration;

use super::section::Section;

/// Bounds of connections and requests; both listeners have them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inbound {
    /// The most connections that are open at once.
    pub max_connections: usize,
    /// Requests of clients, and webhooks, served at once; further ones are turned away.
    pub max_requests: usize,
    /// The longest head of a request in bytes: method, path and all headers.
    pub max_head: usize,
    /// The most headers of a request.
    pub max_headers: usize,
    /// How long a client may take for its TLS handshake, for the head of its first request, and to take in an answer.
    pub client_timeout: Duration,
    /// How long a connection without a request stays open.
    pub keep_alive: Duration,
}

impl Inbound {
    /// Of `[server]`.
    pub(super) fn read(section: &mut Section<'_>) -> Option<Self> {
        let max_connections = section.count("max_connections", None, 1..=1_000_000);
        let max_requests = section.count("max_requests", None, 1..=1_000_000);
        // The upper bounds are those of the HTTP library, which answers by itself beyond them.
        let max_head = section.count("max_head", None, 1024..=65_536);
        let max_headers = section.count("max_headers", None, 8..=96);
        let client_timeout =
            section.duration("client_timeout", None, Duration::from_millis(100)..=Duration::from_secs(60));
        let keep_alive =
            section.duration("keep_alive", None, Duration::from_millis(100)..=Duration::from_secs(3600));
        Some(Self {
            max_connections: max_connections?,
            max_requests: max_requests?,
            max_head: max_head?,
            max_headers: max_headers?,
            client_timeout: client_timeout?,
            keep_alive: keep_alive?,
        })
    }
}
