//! `[server]`: the public listener, which Webex reaches.

use std::net::SocketAddr;
use std::time::Duration;

use super::section::Section;
use super::{BaseUrl, Inbound, Proxies, Tls};

/// The public listener.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// What the world calls us, if it differs from the listener. See [`Server::base_url`].
    pub public_url: Option<BaseUrl>,
    /// Worker threads; 0 means one per core.
    pub workers: usize,
    /// Bounds of connections and requests.
    pub inbound: Inbound,
    /// A proxy in front of us ends TLS, so plain HTTP on any address is allowed.
    pub trusted_proxy: bool,
    /// Who is believed about who calls.
    pub proxies: Proxies,
    /// How long requests in flight may take to end once we were told to stop.
    pub shutdown_timeout: Duration,
    /// TLS of the listener; none means plain HTTP.
    pub tls: Option<Tls>,
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
}

impl Server {
    /// Whether what we send to other machines is protected: by our TLS, or by a proxy's.
    #[must_use]
    pub fn is_protected(&self) -> bool {
        self.tls.is_some() || self.trusted_proxy
    }

    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let listen = address(&mut section);
        let public_url = section.parsed_if_given(
            "public_url",
            "the https URL under which Webex reaches the bridge, such as https://bridge.example.com",
            BaseUrl::parse_without_path,
        );
        let workers = section.count("workers", None, 0..=256);
        let inbound = Inbound::read(&mut section);
        let trusted_proxy = section.boolean("trusted_proxy", None);
        let proxies = Proxies::read(&mut section, trusted_proxy);
        let shutdown_timeout =
            section.duration("shutdown_timeout", None, Duration::from_secs(1)..=Duration::from_secs(600));
        let tls_given = section.has("tls");
        let tls = section.section("tls").and_then(Tls::read);
        if let (Some(listen), false, Some(false)) = (listen, tls_given, trusted_proxy) {
            plain_http_only_on_loopback(&section, listen);
        }
        section.finish();
        Some(Self {
            listen: listen?,
            public_url,
            workers: workers?,
            inbound: inbound?,
            trusted_proxy: trusted_proxy?,
            proxies: proxies?,
            shutdown_timeout: shutdown_timeout?,
            tls,
        })
    }
}

/// The key `listen` of a listener's section.
pub(super) fn address(section: &mut Section<'_>) -> Option<SocketAddr> {
    section.parsed("listen", "an IP address and a port, such as 127.0.0.1:8080 or [::]:8443", |text| {
        text.parse().map_err(|_| "is not an address with a port".to_owned())
    })
}

/// Credentials and phone numbers do not travel in the clear.
pub(super) fn plain_http_only_on_loopback(section: &Section<'_>, listen: SocketAddr) {
    if !listen.ip().is_loopback() {
        section.problem(
            "listen",
            format!("{listen} is not a loopback address, and there is no TLS"),
            "set [server.tls], or `server.trusted_proxy = true` if a proxy in front of the bridge ends TLS",
        );
    }
}
