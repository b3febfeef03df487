//! Who calls: a configured client, by HTTP Basic.

use std::collections::HashMap;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use openssl::memcmp;

use super::ApiError;
use crate::settings::Client;

/// The configured clients by id.
pub struct Callers {
    clients: HashMap<String, Client>,
    /// Fetched once: OpenSSL looks an algorithm up by its name, which takes longer than to use it.
    sha256: Md,
}

impl Callers {
    /// Of the configuration.
    ///
    /// # Errors
    /// When this OpenSSL has no SHA-256.
    pub fn new(clients: &[Client]) -> Result<Self, ErrorStack> {
        let clients = clients.iter().map(|client| (client.id.clone(), client.clone())).collect();
        Ok(Self { clients, sha256: Md::fetch(None, "SHA256", None)? })
    }

    /// The client whose credentials the request carries. An unknown id takes as long as a wrong secret.
    ///
    /// # Errors
    /// When there are none, or they are wrong.
    pub fn identify(&self, headers: &HeaderMap) -> Result<&Client, ApiError> {
        let credentials = headers.get(AUTHORIZATION).and_then(|value| basic(value.as_bytes()));
        let (id, secret) = credentials.ok_or(ApiError::Unauthorized)?;
        let client = self.clients.get(&id);
        let expected = client.map_or([0; 32], |client| client.secret_sha256);
        let equal = self.sha256(&secret).is_some_and(|digest| memcmp::eq(&digest, &expected));
        client.filter(|_| equal).ok_or(ApiError::Unauthorized)
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

    use openssl::sha::sha256;

    use super::*;
    use crate::settings::Access;

    fn headers(value: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, value.parse().unwrap());
        headers
    }

    fn callers() -> Callers {
        let client =
            Client { id: "webex-flow".into(), secret_sha256: sha256(b"s:cret"), call_centers: Access::All };
        Callers::new(&[client]).unwrap()
    }

    fn identify(credentials: &str) -> bool {
        callers().identify(&headers(&format!("Basic {}", STANDARD.encode(credentials)))).is_ok()
    }

    #[test]
    fn a_client_is_known_by_its_id_and_secret() {
        assert!(identify("webex-flow:s:cret"));
        assert!(callers().identify(&headers("bASIC  d2ViZXgtZmxvdzpzOmNyZXQ=")).is_ok());
    }

    #[test]
    fn anything_else_is_unauthorized() {
        for wrong in ["webex-flow:", "webex-flow:s", "webex-flow:s:cret ", "other:s:cret", "webex-flow", ":"]
        {
            assert!(!identify(wrong), "{wrong}");
        }
        for wrong in ["Basic", "Basic ", "Basic ???", "Bearer d2ViZXgtZmxvdzpzOmNyZXQ=", ""] {
            assert_eq!(callers().identify(&headers(wrong)).unwrap_err(), ApiError::Unauthorized, "{wrong}");
        }
        assert!(callers().identify(&HeaderMap::new()).is_err());
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in proptest::collection::vec(any::<u8>(), 0..80)) {
            let _ = basic(&header);
        }
    }
}
