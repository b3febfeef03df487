//! Who calls: a configured client, by HTTP Basic.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use openssl::memcmp;

use super::ApiError;
use super::throttle::{Attempt, Throttle, guessable};
use crate::settings::Client;

/// The configured clients by id.
pub struct Callers {
    clients: HashMap<String, Client>,
    /// Fetched once: OpenSSL looks an algorithm up by its name, which takes longer than to use it.
    sha256: Md,
    throttle: Arc<Throttle>,
}

impl Callers {
    /// Of the configuration.
    ///
    /// # Errors
    /// When this OpenSSL has no SHA-256.
    pub fn new(clients: &[Client], throttle: Arc<Throttle>) -> Result<Self, ErrorStack> {
        let clients = clients.iter().map(|client| (client.id.clone(), client.clone())).collect();
        Ok(Self { clients, sha256: Md::fetch(None, "SHA256", None)?, throttle })
    }

    /// The client whose credentials the request carries. An unknown id takes as long as a wrong secret.
    ///
    /// # Errors
    /// When there are none, when they are wrong, or when too many were wrong.
    pub fn identify(&self, headers: &HeaderMap, peer: Option<SocketAddr>) -> Result<&Client, ApiError> {
        let credentials = headers.get(AUTHORIZATION).and_then(|value| basic(value.as_bytes()));
        let (id, secret) = credentials.ok_or(ApiError::Unauthorized)?;
        let from = self.throttle.caller(peer, headers);
        let attempt = Attempt { client: &id, from, guessable: guessable(&secret) };
        self.throttle.check(attempt)?;
        let Some(client) = self.known(&id, &secret) else {
            self.throttle.failed(attempt)?;
            return Err(ApiError::Unauthorized);
        };
        self.throttle.succeeded(attempt);
        Ok(client)
    }

    fn known(&self, id: &str, secret: &[u8]) -> Option<&Client> {
        let client = self.clients.get(id);
        let expected = client.map_or([0; 32], |client| client.secret_sha256);
        let equal = self.sha256(secret).is_some_and(|digest| memcmp::eq(&digest, &expected));
        client.filter(|_| equal)
    }

    fn sha256(&self, secret: &[u8]) -> Option<[u8; 32]> {
        let mut digest = [0; 32];
        let mut context = MdCtx::new().ok()?;
        context.digest_init(&self.sha256).ok()?;
        context.digest_update(secret).ok()?;
        context.digest_final(&mut digest).ok()?;
        Some(digest)
    }
}

/// Id and secret of `Basic <base64>` (RFC 7617); the id ends at the first colon.
fn basic(header: &[u8]) -> Option<(String, Vec<u8>)> {
    let (scheme, credentials) = header.split_at_checked(6)?;
    if !scheme.eq_ignore_ascii_case(b"basic ") {
        return None;
    }
    let decoded = STANDARD.decode(credentials.trim_ascii()).ok()?;
    let colon = decoded.iter().position(|&byte| byte == b':')?;
    let (id, secret) = decoded.split_at_checked(colon)?;
    let id = String::from_utf8(id.to_vec()).ok()?;
    Some((id, secret.get(1..)?.to_vec()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use std::time::Duration;

    use openssl::sha::sha256;

    use super::*;
    use crate::clock::SystemClock;
    use crate::settings::{Access, FailedLogins, Proxies};

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    fn callers() -> Callers {
        let client =
            Client { id: "webex-flow".into(), secret_sha256: sha256(b"s:cret"), call_centers: Access::All };
        let limits = FailedLogins { per_address: 5, per_client: 100, window: Duration::from_secs(60) };
        let proxies = Proxies { header: None, networks: Vec::new() };
        Callers::new(&[client], Arc::new(Throttle::new(&limits, proxies, Arc::new(SystemClock)))).unwrap()
    }

    fn peer() -> Option<SocketAddr> {
        Some(SocketAddr::from(([192, 0, 2, 1], 4711)))
    }

    fn identify(credentials: &str) -> bool {
        callers().identify(&headers(&format!("Basic {}", STANDARD.encode(credentials))), peer()).is_ok()
    }

    #[test]
    fn a_client_is_known_by_its_id_and_secret() {
        assert!(identify("webex-flow:s:cret"));
        assert!(callers().identify(&headers("bASIC  d2ViZXgtZmxvdzpzOmNyZXQ="), peer()).is_ok());
    }

    #[test]
    fn anything_else_is_unauthorized() {
        for wrong in ["webex-flow:", "webex-flow:s", "webex-flow:s:cret ", "other:s:cret", "webex-flow", ":"]
        {
            assert!(!identify(wrong), "{wrong}");
        }
        for wrong in ["Basic", "Basic ", "Basic ???", "Bearer d2ViZXgtZmxvdzpzOmNyZXQ=", ""] {
            assert_eq!(
                callers().identify(&headers(wrong), peer()).unwrap_err(),
                ApiError::Unauthorized,
                "{wrong}"
            );
        }
        assert!(callers().identify(&HeaderMap::new(), peer()).is_err());
    }

    #[test]
    fn after_so_many_wrong_secrets_none_is_looked_at() {
        let callers = callers();
        let ask = |credentials: &str| {
            let header = headers(&format!("Basic {}", STANDARD.encode(credentials)));
            callers.identify(&header, peer()).map(|client| client.id.clone())
        };
        for _ in 0..5 {
            assert_eq!(ask("webex-flow:guess"), Err(ApiError::Unauthorized));
        }
        for guess in ["webex-flow:guess", "webex-flow:s:cret", "nobody:guess"] {
            assert!(matches!(ask(guess), Err(ApiError::Throttled { .. })), "{guess}");
        }
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = basic(&header);
        }
    }
}
