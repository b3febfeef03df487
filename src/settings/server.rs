//! `[server]`, `[server.tls]` and `[operations]`: the two listeners, and how much they take from whom they do not know.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use openssl::pkey::{PKey, Private};
use openssl::x509::X509;

use super::certificates::Pair;
use super::section::{Section, section};
use super::value::{HOUR, MILLISECOND, MINUTE, SECOND};
use super::{BaseUrl, Proxies};
use crate::certificate::{self, CertificateProblem};

section! {
    /// The public listener, which Webex reaches.
    #[derive(Debug, Clone)]
    pub struct Server in "server" |section| {
        /// Where to listen; port 0 takes any free port.
        listen: SocketAddr = address(), at_start;
        /// What the world calls us, if it differs from the listener. See [`Server::base_url`].
        public_url: Option<BaseUrl> = optional(
            "the https URL under which Webex reaches the bridge, such as https://bridge.example.com",
            BaseUrl::parse_without_path
        );
        /// Worker threads; 0 means one per core.
        workers: usize = count(0..=256), at_start;
        /// Bounds of connections and requests.
        inbound: Inbound = flatten(Inbound::read), each_at_start;
        /// A proxy in front of us ends TLS, so plain HTTP on any address is allowed.
        trusted_proxy: bool = boolean();
        /// Who is believed about who calls.
        proxies: Proxies = flatten(|section| Proxies::read(section, trusted_proxy));
        /// How long requests in flight may take to end once we were told to stop.
        shutdown_timeout: Duration = duration(SECOND..=10 * MINUTE), at_start;
        /// TLS of the listener; none means plain HTTP.
        tls: Option<Tls> = flatten(|section| tls(section, listen, trusted_proxy)), presence_at_start;
    }
}

section! {
    /// Bounds of connections and requests; both listeners have them.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct Inbound in "server" |section| {
        /// The most connections that are open at once.
        max_connections: usize = count(1..=1_000_000), at_start;
        /// Requests of clients, and webhooks, served at once; further ones are turned away.
        max_requests: usize = count(1..=1_000_000), at_start;
        /// The longest head of a request in bytes: method, path and all headers. Beyond 65,536 the HTTP library answers
        /// by itself.
        max_head: usize = count(1024..=65_536), at_start;
        /// The most headers of a request. Beyond 96 the HTTP library answers by itself.
        max_headers: usize = count(8..=96), at_start;
        /// How long a client may take for its TLS handshake, for the head of its first request, and to take in an answer.
        client_timeout: Duration = duration(100 * MILLISECOND..=MINUTE), at_start;
        /// How long a connection without a request stays open.
        keep_alive: Duration = duration(100 * MILLISECOND..=HOUR), at_start;
    }
}

section! {
    /// The listener of metrics, version, documentation and console, for people and probes.
    #[derive(Debug, Clone)]
    pub struct Operations in "operations" |section, server: Option<&Server>| {
        /// Where to listen; loopback unless somebody decided otherwise.
        listen: SocketAddr = address(), at_start;
    }
    check {
        if let (Some(listen), Some(server)) = (listen, server) {
            if !server.is_protected() {
                plain_http_only_on_loopback(section, listen);
            }
            if listen == server.listen && listen.port() != 0 {
                section.problem("listen", "is the address of [server]", "give each listener a port of its own");
            }
        }
    }
}

impl Server {
    /// The URL under which we are known, without a slash at the end: `public_url`, or else the address that
    /// was `bound`.
    #[must_use]
    pub fn base_url(&self, bound: SocketAddr) -> String {
        match &self.public_url {
            Some(url) => url.as_str().to_owned(),
            None if self.tls.is_some() => format!("https://{bound}"),
            None => format!("http://{bound}"),
        }
    }

    /// Whether what we send to other machines is protected: by our TLS, or by a proxy's.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.tls.is_some() || self.trusted_proxy
    }
}

impl Operations {
    /// Whether this listener uses the TLS of `[server.tls]`, if there is one: probes on the same machine
    /// speak plain HTTP, anybody else does not.
    #[must_use]
    pub fn wants_tls(&self) -> bool {
        !self.listen.ip().is_loopback()
    }
}

impl Section<'_> {
    /// The address of a listener.
    fn address(&mut self, key: &str) -> Option<SocketAddr> {
        self.parsed(key, "an IP address and a port, such as 127.0.0.1:8080 or [::]:8443", |text| {
            text.parse().map_err(|_| "is not an address with a port".to_owned())
        })
    }
}

/// Credentials and phone numbers do not travel in the clear.
fn plain_http_only_on_loopback(section: &Section<'_>, listen: SocketAddr) {
    if !listen.ip().is_loopback() {
        section.problem(
            "listen",
            format!("{listen} is not a loopback address, and there is no TLS"),
            "set [server.tls], or `server.trusted_proxy = true` if a proxy in front of the bridge ends TLS",
        );
    }
}

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

/// `[server.tls]` of a listener, if it is there.
fn tls(section: &mut Section<'_>, listen: Option<SocketAddr>, proxy: Option<bool>) -> Option<Option<Tls>> {
    let given = section.has("tls");
    let tls = section.part("tls", Tls::read);
    if let (Some(listen), false, Some(false)) = (listen, given, proxy) {
        plain_http_only_on_loopback(section, listen);
    }
    Some(tls)
}

impl Tls {
    fn read(section: &mut Section<'_>) -> Option<Self> {
        let pair = Pair::read(section);
        let client_ca =
            section.file_if_given("client_ca", "a PEM file with the authorities of client certificates");
        let report = |problem: &CertificateProblem| pair.problem(section, problem);
        let chain = pair.certificate.as_ref().and_then(|pem| {
            certificate::certificates(pem)
                .and_then(|chain| match chain.first() {
                    Some(first) => certificate::valid(first, section.report.now).map(|()| chain),
                    None => Err(CertificateProblem::CertificateUnreadable),
                })
                .map_err(|problem| report(&problem))
                .ok()
        });
        let private_key = pair.private_key.as_ref().and_then(|pem| {
            certificate::private_key(pem, pair.passphrase.as_ref()).map_err(|problem| report(&problem)).ok()
        });
        if let (Some(first), Some(key)) = (chain.as_ref().and_then(|chain| chain.first()), &private_key)
            && !certificate::belongs(key, first)
        {
            report(&CertificateProblem::KeyDoesNotBelong);
        }
        let client_ca = authorities(section, "client_ca", client_ca);
        Some(Self { chain: chain?, private_key: private_key?, client_ca: client_ca? })
    }
}

/// The certificates of authorities in a PEM file; none without a file.
pub(super) fn authorities(section: &Section<'_>, key: &str, pem: Option<Vec<u8>>) -> Option<Vec<X509>> {
    let Some(pem) = pem else { return Some(Vec::new()) };
    certificate::certificates(&pem)
        .map_err(|problem| section.problem(key, problem.to_string(), problem.hint()))
        .ok()
}
