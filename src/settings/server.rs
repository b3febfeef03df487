//! `[server]`: the public listener, which Webex reaches.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::Tls;

/// The public listener.
#[derive(Debug, Clone)]
pub struct Server {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// What the world calls us, if it differs from the listener. See [`Server::base_url`].
    pub public_url: Option<Url>,
    /// Worker threads; 0 means one per core.
    pub workers: usize,
    /// The most connections each worker holds open.
    pub max_connections: usize,
    /// A proxy in front of us ends TLS, so plain HTTP on any address is allowed.
    pub trusted_proxy: bool,
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
            Some(url) => url.as_str().trim_end_matches('/').to_owned(),
            None if self.tls.is_some() => format!("https://{bound}"),
            None => format!("http://{bound}"),
        }
    }
}
