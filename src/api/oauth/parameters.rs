//! The body of a token request: a form, as OAuth has it (RFC 6749, 3.2), or a JSON object with the same names.

use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use serde_json::Value;
use url::form_urlencoded;

use super::super::body;
use super::OAuthError;

/// The parameters that are known; others are ignored. No `Debug`: they are secrets.
#[derive(Default)]
pub struct TokenParameters {
    /// What is asked for.
    pub grant_type: Option<String>,
    /// The client's id.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<String>,
    /// The kind of `client_assertion`.
    pub client_assertion_type: Option<String>,
    /// A signed assertion instead of a secret.
    pub client_assertion: Option<String>,
    /// The user of the password grant.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<String>,
    /// The grant of the JWT bearer grant.
    pub assertion: Option<String>,
}

impl TokenParameters {
    /// Reads a body by its content type; one that says nothing, or something vague, by how it begins.
    ///
    /// # Errors
    /// When it is neither form nor JSON, or says something twice.
    pub fn read(headers: &HeaderMap, bytes: &[u8]) -> Result<Self, OAuthError> {
        let kinds: Vec<u8> =
            headers.get_all(CONTENT_TYPE).flat_map(|kind| kind.as_bytes().to_ascii_lowercase()).collect();
        let says = |word: &[u8]| kinds.windows(word.len()).any(|part| part == word);
        let begins_as_json = bytes.trim_ascii_start().starts_with(b"{");
        match (says(b"json"), says(b"x-www-form-urlencoded")) {
            (true, false) => Self::json(bytes),
            (false, true) => Self::form(bytes),
            _ if says(b"multipart") || says(b"xml") => Err(OAuthError::invalid_request(
                "content type: expected application/x-www-form-urlencoded or application/json",
            )),
            _ if begins_as_json => Self::json(bytes),
            _ => Self::form(bytes),
        }
    }

    fn form(bytes: &[u8]) -> Result<Self, OAuthError> {
        let mut this = Self::default();
        for (name, value) in form_urlencoded::parse(bytes) {
            this.set(&name, value.into_owned())?;
        }
        Ok(this)
    }

    fn json(bytes: &[u8]) -> Result<Self, OAuthError> {
        let invalid = || OAuthError::invalid_request("body: expected a JSON object");
        let (fields, stray) = body::object(bytes).map_err(|_| invalid())?;
        if stray {
            return Err(invalid());
        }
        let mut this = Self::default();
        for (name, value) in fields.0 {
            match value {
                Value::Null => {}
                Value::String(value) => this.set(&name, value)?,
                _ => this.refuse_if_known(&name)?,
            }
        }
        Ok(this)
    }

    fn set(&mut self, name: &str, value: String) -> Result<(), OAuthError> {
        let Some((name, place)) = self.place(name) else { return Ok(()) };
        // "Parameters sent without a value MUST be treated as if they were omitted" (RFC 6749, 3.2).
        if value.is_empty() {
            return Ok(());
        }
        match place {
            Some(_) => Err(OAuthError::invalid_request(format!("{name}: given twice"))),
            None => {
                *place = Some(value);
                Ok(())
            }
        }
    }

    fn refuse_if_known(&mut self, name: &str) -> Result<(), OAuthError> {
        match self.place(name) {
            Some((name, _)) => Err(OAuthError::invalid_request(format!("{name}: expected a text"))),
            None => Ok(()),
        }
    }

    fn place(&mut self, name: &str) -> Option<(&'static str, &mut Option<String>)> {
        match name {
            "grant_type" => Some(("grant_type", &mut self.grant_type)),
            "client_id" => Some(("client_id", &mut self.client_id)),
            "client_secret" => Some(("client_secret", &mut self.client_secret)),
            "client_assertion_type" => Some(("client_assertion_type", &mut self.client_assertion_type)),
            "client_assertion" => Some(("client_assertion", &mut self.client_assertion)),
            "username" => Some(("username", &mut self.username)),
            "password" => Some(("password", &mut self.password)),
            "assertion" => Some(("assertion", &mut self.assertion)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(kind: &str, body: &str) -> Result<TokenParameters, OAuthError> {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
        }
        TokenParameters::read(&headers, body.as_bytes())
    }

    #[test]
    fn form_and_json_are_the_same_with_every_content_type_that_fits() {
        let form = "grant_type=client_credentials&client_id=a&client_secret=s%2B+%25&scope=api&username=";
        let json = r#"{"grant_type":"client_credentials","client_id":"a","client_secret":"s+ %","scope":["api"],"username":null}"#;
        for (kind, body) in [
            ("application/x-www-form-urlencoded", form),
            ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", form),
            ("application/json", json),
            ("Application/JSON;charset=utf-8", json),
            ("", form),
            ("", json),
            ("text/plain", json),
        ] {
            let read = read(kind, body).unwrap_or_else(|error| panic!("{kind}: {error:?}"));
            assert_eq!(read.grant_type.as_deref(), Some("client_credentials"), "{kind}");
            assert_eq!(read.client_id.as_deref(), Some("a"));
            assert_eq!(read.client_secret.as_deref(), Some("s+ %"));
            assert_eq!(read.username, None);
        }
    }

    #[test]
    fn what_is_neither_or_says_something_twice_is_an_invalid_request() {
        for (kind, body) in [
            ("application/json", "grant_type=client_credentials"),
            ("application/json", "[]"),
            ("application/json", r#"{"grant_type":"a"} x"#),
            ("application/json", r#"{"grant_type":1}"#),
            ("application/json", r#"{"password":{"a":1}}"#),
            ("application/json", r#"{"password":"a","password":"a"}"#),
            ("application/x-www-form-urlencoded", "client_id=a&client_id=a"),
            ("multipart/form-data; boundary=x", "--x"),
            ("application/xml", "<a/>"),
        ] {
            let error = read(kind, body).err().unwrap_or_else(|| panic!("{kind} {body}"));
            assert_eq!(error.code(), "invalid_request", "{kind} {body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(
            kind in "(|application/json|application/x-www-form-urlencoded|[a-z/;]{0,20})",
            body in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, kind.parse().unwrap());
            let _ = TokenParameters::read(&headers, &body);
        }

        #[test]
        fn whatever_is_form_encoded_comes_back(secret in "\\PC{1,40}") {
            let body = form_urlencoded::Serializer::new(String::new()).append_pair("client_secret", &secret).finish();
            let read = read("application/x-www-form-urlencoded", &body).unwrap();
            prop_assert_eq!(read.client_secret, Some(secret));
        }
    }
}
