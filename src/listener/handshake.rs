//! What the log and the metrics are told of TLS handshakes that fail.

use std::net::SocketAddr;
use std::sync::Arc;

use openssl::ssl;

use crate::telemetry::Metrics;

/// Why a handshake failed, as the metrics call it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HandshakeProblem {
    /// The client closed the connection: a probe of the port does so before it says anything.
    Closed,
    /// The client took too long.
    Timeout,
    /// The connection made room for others.
    Crowded,
    /// What the client said is no TLS.
    NotTls,
    /// Client and listener share no version, cipher or protocol.
    Version,
    /// The client refused our certificate, or we refused its, or it has none.
    Certificate,
    /// Anything else.
    Other,
}

/// Reasons of OpenSSL, in lower case, and what they mean. An alert is what the client says.
const REASONS: [(&str, HandshakeProblem); 14] = [
    ("http request", HandshakeProblem::NotTls),
    ("wrong version number", HandshakeProblem::NotTls),
    ("packet length too long", HandshakeProblem::NotTls),
    ("record layer failure", HandshakeProblem::NotTls),
    ("unsupported protocol", HandshakeProblem::Version),
    ("version too low", HandshakeProblem::Version),
    ("alert protocol version", HandshakeProblem::Version),
    ("no shared cipher", HandshakeProblem::Version),
    ("no application protocol", HandshakeProblem::Version),
    ("no suitable", HandshakeProblem::Version),
    ("certificate", HandshakeProblem::Certificate),
    ("unknown ca", HandshakeProblem::Certificate),
    ("unexpected eof", HandshakeProblem::Closed),
    ("close notify", HandshakeProblem::Closed),
];

impl HandshakeProblem {
    /// The label of the metrics.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Timeout => "timeout",
            Self::Crowded => "crowded",
            Self::NotTls => "not_tls",
            Self::Version => "version",
            Self::Certificate => "certificate",
            Self::Other => "other",
        }
    }

    /// Of what OpenSSL says.
    fn of(error: &ssl::Error) -> Self {
        match error.ssl_error().and_then(|stack| stack.errors().first()) {
            Some(first) => Self::of_reason(first.reason().unwrap_or_default()),
            // Without words of OpenSSL it is the connection that ended.
            None => Self::Closed,
        }
    }

    fn of_reason(reason: &str) -> Self {
        let reason = reason.to_ascii_lowercase();
        let known = REASONS.iter().find(|(part, _)| reason.contains(part));
        known.map_or(Self::Other, |(_, problem)| *problem)
    }
}

/// Tells of the handshakes of one listener.
#[derive(Clone)]
pub struct HandshakeLog {
    /// The listener: `public` or `operations`.
    pub listener: &'static str,
    /// Where they are counted.
    pub metrics: Arc<Metrics>,
}

impl HandshakeLog {
    /// Of a handshake that OpenSSL broke off.
    pub(super) fn refused(&self, from: Option<SocketAddr>, error: &ssl::Error) {
        self.failed(from, HandshakeProblem::of(error), Some(&error.to_string()));
    }

    /// Tells of a handshake that failed. Whoever only looks whether the port is open is not worth a line.
    pub(super) fn failed(&self, from: Option<SocketAddr>, problem: HandshakeProblem, words: Option<&str>) {
        let (listener, reason) = (self.listener, problem.label());
        self.metrics.handshake_failed(listener, reason);
        let address = from.map(|from| from.ip().to_string());
        match problem {
            HandshakeProblem::Closed => {
                tracing::debug!(listener, address, reason, words, "a TLS handshake failed");
            }
            _ => tracing::info!(listener, address, reason, words, "a TLS handshake failed"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_of_openssl_says_whose_matter_a_failed_handshake_is() {
        for (reason, expected) in [
            ("http request", HandshakeProblem::NotTls),
            ("wrong version number", HandshakeProblem::NotTls),
            ("unsupported protocol", HandshakeProblem::Version),
            ("no shared cipher", HandshakeProblem::Version),
            ("peer did not return a certificate", HandshakeProblem::Certificate),
            ("certificate verify failed", HandshakeProblem::Certificate),
            ("tlsv1 alert unknown ca", HandshakeProblem::Certificate),
            ("sslv3 alert bad certificate", HandshakeProblem::Certificate),
            ("unexpected eof while reading", HandshakeProblem::Closed),
            ("internal error", HandshakeProblem::Other),
        ] {
            assert_eq!(HandshakeProblem::of_reason(reason), expected, "{reason}");
        }
    }
}
