//! A TLS handshake, and what is wrong with one that fails.

use std::net::{TcpStream, ToSocketAddrs as _};
use std::time::Duration;

use jiff::Timestamp;
use native_tls::{HandshakeError, TlsConnector};
use openssl::ssl::{SslConnector, SslMethod, SslVerifyMode};
use openssl::x509::X509;
use tokio::time::Instant;

use super::Finding;
use crate::certificate::{hosts, not_after, speaks_for};
use crate::domain::quote;

/// How long a connection and each step of a handshake may take.
const WITHIN: Duration = Duration::from_secs(4);

/// A handshake that went well.
pub(super) struct Shown {
    /// When the certificate ends.
    pub(super) ends: Timestamp,
    pub(super) took: Duration,
}

/// A handshake that did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TlsTrouble {
    /// The stable word for it.
    pub(super) fault: &'static str,
    /// What is so.
    pub(super) what: String,
    /// What was seen.
    seen: Vec<String>,
}

impl TlsTrouble {
    /// What a check finds, without causes and remedies: those depend on whose host it is.
    pub(super) fn finding(&self, subject: &str) -> Finding {
        let finding = Finding::fail(self.fault, format!("{subject} {}", self.what));
        self.seen.iter().fold(finding, |finding, seen| finding.seen(seen.as_str()))
    }
}

/// Shakes hands with a host as somebody who trusts what the connector trusts.
///
/// # Errors
/// What is wrong with it, found out by a second look that trusts everything.
pub(super) async fn shake(
    connector: &TlsConnector,
    host: &str,
    port: u16,
    now: Timestamp,
) -> Result<Shown, TlsTrouble> {
    let (connector, host) = (connector.clone(), host.to_owned());
    let done = tokio::task::spawn_blocking(move || shake_now(&connector, &host, port, now));
    done.await.unwrap_or_else(|_| Err(unreachable_trouble("the look at it broke")))
}

fn shake_now(connector: &TlsConnector, host: &str, port: u16, now: Timestamp) -> Result<Shown, TlsTrouble> {
    let started = Instant::now();
    let stream = connect(host, port).map_err(|words| unreachable_trouble(&words))?;
    let words = match connector.connect(bare(host), stream) {
        Ok(stream) => {
            let shown = stream.peer_certificate().ok().flatten();
            let shown = shown.and_then(|shown| X509::from_der(&shown.to_der().ok()?).ok());
            let ends = shown.and_then(|shown| not_after(&shown).ok()).unwrap_or(Timestamp::MAX);
            return Ok(Shown { ends, took: started.elapsed() });
        }
        Err(HandshakeError::Failure(error)) => error.to_string(),
        Err(HandshakeError::WouldBlock(_)) => format!("no answer within {} s", WITHIN.as_secs()),
    };
    Err(diagnose(&words, &chain(host, port), host, now))
}

/// A name for a connection: an address of IPv6 without brackets.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn connect(host: &str, port: u16) -> Result<TcpStream, String> {
    let words = |error: std::io::Error| format!("the system says: {error}");
    let mut last = String::from("the name has no address");
    for address in (bare(host), port).to_socket_addrs().map_err(words)? {
        match TcpStream::connect_timeout(&address, WITHIN) {
            Ok(stream) => {
                stream.set_read_timeout(Some(WITHIN)).map_err(words)?;
                stream.set_write_timeout(Some(WITHIN)).map_err(words)?;
                return Ok(stream);
            }
            Err(error) => last = words(error),
        }
    }
    Err(last)
}

fn unreachable_trouble(words: &str) -> TlsTrouble {
    TlsTrouble { fault: "unreachable", what: String::from("cannot be reached"), seen: vec![quote(words)] }
}

/// The certificates that a host shows, whether they can be trusted or not; empty where it shows none.
fn chain(host: &str, port: u16) -> Vec<X509> {
    let shown = || -> Option<Vec<X509>> {
        let mut builder = SslConnector::builder(SslMethod::tls()).ok()?;
        builder.set_verify(SslVerifyMode::NONE);
        let configured = builder.build().configure().ok()?.verify_hostname(false);
        let stream = configured.connect(bare(host), connect(host, port).ok()?).ok()?;
        Some(stream.ssl().peer_cert_chain()?.iter().map(ToOwned::to_owned).collect())
    };
    shown().unwrap_or_default()
}

/// Parts of OpenSSL's reasons where an authority is not trusted; the third where another one has its name.
const UNTRUSTED: [&str; 4] = ["issuer", "self-signed", "signature failure", "self signed"];

/// What is wrong with a chain that was refused with these words.
fn diagnose(words: &str, chain: &[X509], host: &str, now: Timestamp) -> TlsTrouble {
    let trouble = |fault, what: String| TlsTrouble { fault, what, seen: vec![openssls(words)] };
    let Some((leaf, above)) = chain.split_first() else {
        return trouble("no-tls", String::from("speaks no TLS that the bridge could use"));
    };
    let ended = chain.iter().filter_map(|one| not_after(one).ok()).find(|end| *end < now);
    if let Some(end) = ended {
        return trouble("ended", format!("shows a certificate that ended {end:.0}"));
    }
    let last = above.last().unwrap_or(leaf);
    let is_root = |one: &X509| is_issuer(one, one);
    let mut found = if is_root(leaf) {
        trouble("self-signed", String::from("shows a certificate that it signed itself"))
    } else if words.contains("hostname mismatch") || words.contains("IP address mismatch") {
        let names = hosts(leaf).join(", ");
        trouble("other-name", format!("shows a certificate for {names}"))
    } else if above.is_empty() && words.contains("issuer") || is_gap(chain) {
        trouble("incomplete-chain", String::from("shows its own certificate without those above it"))
    } else if UNTRUSTED.iter().any(|part| words.contains(part)) || is_root(last) {
        trouble("untrusted", String::from("shows a certificate of an authority that is not trusted here"))
    } else if !speaks_for(leaf, host) {
        trouble("other-name", format!("shows a certificate for {}", hosts(leaf).join(", ")))
    } else {
        trouble("refused", String::from("shows a certificate that is refused"))
    };
    let issuer = common_name(last);
    found.seen.push(match above.is_empty() {
        true => format!("its certificate was shown alone, issued by {issuer}"),
        false => format!("{} certificates were shown, the last issued by {issuer}", chain.len()),
    });
    found
}

/// Whether a certificate is missing between two that were shown.
fn is_gap(chain: &[X509]) -> bool {
    chain.windows(2).any(|pair| matches!(pair, [below, above] if !is_issuer(above, below)))
}

fn is_issuer(above: &X509, below: &X509) -> bool {
    let names = [above.subject_name().to_der(), below.issuer_name().to_der()];
    matches!(names, [Ok(above), Ok(below)] if above == below)
}

/// The name of who issued it.
fn common_name(x509: &X509) -> String {
    let entry = x509.issuer_name().entries_by_nid(openssl::nid::Nid::COMMONNAME).next();
    let name = entry.and_then(|entry| entry.data().to_string().ok());
    name.map_or_else(|| String::from("somebody without a name"), |name| quote(&name))
}

/// OpenSSL's reason without the places in its code.
fn openssls(words: &str) -> String {
    let reason = words.rsplit_once('(').and_then(|(_, rest)| rest.strip_suffix(')'));
    let reason = reason.filter(|reason| reason.contains(' '));
    let reason = reason.or_else(|| words.rsplit(':').map(str::trim).find(|part| part.contains(' ')));
    format!("OpenSSL says: {}", quote(reason.unwrap_or(words)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssls_reason_is_told_without_the_places_in_its_code() {
        for (words, told) in [
            (
                "error:0A000086:SSL routines:tls_post_process_server_certificate:certificate verify failed:../ssl/statem/statem_clnt.c:1889: (unable to get local issuer certificate)",
                "OpenSSL says: unable to get local issuer certificate",
            ),
            ("no answer within 4 s", "OpenSSL says: no answer within 4 s"),
            (
                "error:0A00010B:SSL routines:ssl3_get_record:wrong version number:../ssl/record/ssl3_record.c:354:",
                "OpenSSL says: wrong version number",
            ),
        ] {
            assert_eq!(openssls(words), told);
        }
    }

    #[test]
    fn who_shows_no_certificate_speaks_no_tls() {
        let now = "2026-11-21T10:00:00Z".parse().unwrap();
        assert_eq!(diagnose("wrong version number", &[], "a", now).fault, "no-tls");
    }
}
