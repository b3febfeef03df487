//! The header Authorization: Basic (RFC 7617) and Bearer (RFC 6750).

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode;

/// The content of the header. No `Debug`: it contains secrets.
pub enum Authorization<'a> {
    /// There is none.
    Missing,
    /// User name and password.
    Basic(Credentials),
    /// An access token.
    Bearer(&'a [u8]),
    /// Another scheme, malformed, or more than one header.
    Unreadable,
}

/// Id and secret of a client. No `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The client's id.
    pub id: String,
    /// Its secret, as it was sent.
    pub secret: Vec<u8>,
}

impl<'a> Authorization<'a> {
    /// Parses the header.
    pub fn of(headers: &'a HeaderMap) -> Self {
        let mut all = headers.get_all(AUTHORIZATION);
        match (all.next(), all.next()) {
            (None, _) => Self::Missing,
            (Some(one), None) => Self::read(one.as_bytes()),
            _ => Self::Unreadable,
        }
    }

    /// In which way credentials come, as metrics call it.
    pub fn way(headers: &'a HeaderMap) -> &'static str {
        match Self::of(headers) {
            Self::Missing => "none",
            Self::Bearer(_) => "bearer",
            Self::Basic(_) | Self::Unreadable => "basic",
        }
    }

    fn read(header: &'a [u8]) -> Self {
        let (scheme, rest) = match header.iter().position(|&byte| byte == b' ') {
            Some(blank) => header.split_at(blank),
            None => (header, &[][..]),
        };
        let rest = rest.trim_ascii();
        if scheme.eq_ignore_ascii_case(b"basic") {
            return Credentials::decode(rest).map_or(Self::Unreadable, Self::Basic);
        }
        match scheme.eq_ignore_ascii_case(b"bearer") && !rest.is_empty() {
            true => Self::Bearer(rest),
            false => Self::Unreadable,
        }
    }
}

impl Credentials {
    /// The id ends at the first colon (RFC 7617, 2).
    fn decode(encoded: &[u8]) -> Option<Self> {
        let decoded = STANDARD.decode(encoded).ok()?;
        let colon = decoded.iter().position(|&byte| byte == b':')?;
        let (id, secret) = decoded.split_at_checked(colon)?;
        Some(Self { id: String::from_utf8(id.to_vec()).ok()?, secret: secret.get(1..)?.to_vec() })
    }

    /// The same, form-decoded: OAuth wants both parts encoded before they become Basic (RFC 6749, 2.3.1), and half of the
    /// clients do it. None where that makes no difference.
    pub fn form_decoded(&self) -> Option<Self> {
        let id = form_decoded(self.id.as_bytes());
        let id = String::from_utf8(id).ok()?;
        let decoded = Self { id, secret: form_decoded(&self.secret) };
        (decoded != *self).then_some(decoded)
    }
}

fn form_decoded(bytes: &[u8]) -> Vec<u8> {
    let blanks: Vec<u8> = bytes.iter().map(|&byte| if byte == b'+' { b' ' } else { byte }).collect();
    percent_decode(&blanks).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(AUTHORIZATION, value.parse().unwrap());
        }
        headers
    }

    fn shown(headers: &HeaderMap) -> String {
        match Authorization::of(headers) {
            Authorization::Missing => String::from("missing"),
            Authorization::Unreadable => String::from("unreadable"),
            Authorization::Bearer(token) => format!("bearer {}", String::from_utf8_lossy(token)),
            Authorization::Basic(Credentials { id, secret }) => {
                format!("basic {id} {}", String::from_utf8_lossy(&secret))
            }
        }
    }

    #[test]
    fn both_schemes_are_read_in_every_case_and_with_any_blanks() {
        for (header, expected) in [
            ("Basic d2ViZXgtZmxvdzpzOmNyZXQ=", "basic webex-flow s:cret"),
            ("bASIC  d2ViZXgtZmxvdzpzOmNyZXQ= ", "basic webex-flow s:cret"),
            ("Basic Og==", "basic  "),
            ("bearer  scvb_abc", "bearer scvb_abc"),
        ] {
            assert_eq!(shown(&headers(&[header])), expected);
        }
    }

    #[test]
    fn what_is_no_header_of_ours_is_unreadable_and_not_missing() {
        for header in
            ["", "Basic", "Basic ", "Basic ???", "Basic d2ViZXg", "Bearer", "Digest abc", "Basicd2Vi"]
        {
            assert_eq!(shown(&headers(&[header])), "unreadable", "{header}");
        }
        assert_eq!(shown(&headers(&[])), "missing");
        assert_eq!(shown(&headers(&["Bearer a", "Bearer a"])), "unreadable");
    }

    #[test]
    fn form_encoded_credentials_are_decoded() {
        let credentials = |id: &str, secret: &str| Credentials { id: id.into(), secret: secret.into() };
        let decoded = credentials("webex%2Dflow", "a+b%25%3A").form_decoded().unwrap();
        assert_eq!((decoded.id.as_str(), decoded.secret.as_slice()), ("webex-flow", &b"a b%:"[..]));
        assert!(credentials("webex-flow", "s:cret").form_decoded().is_none());
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(header in proptest::collection::vec(any::<u8>(), 0..80)) {
            if let Authorization::Basic(credentials) = Authorization::read(&header) {
                let _ = credentials.form_decoded();
            }
        }

        #[test]
        fn whatever_is_encoded_comes_back(id in "[^:]{0,20}", secret in ".{0,40}") {
            let header = format!("Basic {}", STANDARD.encode(format!("{id}:{secret}")));
            match Authorization::read(header.as_bytes()) {
                Authorization::Basic(read) => {
                    prop_assert_eq!(read.id, id);
                    prop_assert_eq!(read.secret, secret.into_bytes());
                }
                _ => prop_assert!(false, "not read"),
            }
        }
    }
}
