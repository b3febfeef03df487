//! How tokens lie in the database: encrypted, where there is a key for it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::TokenError;

/// What the key is for, so that the same secret elsewhere gives another key.
const PURPOSE: &[u8] = b"scv-bridge webex login";
const NONCE: usize = 12;
const TAG: usize = 16;

/// Encrypts with AES-256-GCM under `webex.token_key`, or leaves open without one.
#[derive(Clone)]
pub struct TokenCipher(Option<SecretString>);

/// As it lies in the database.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredText {
    Open(String),
    Sealed(String),
}

impl TokenCipher {
    /// With this key, of any length.
    #[must_use]
    pub fn new(key: Option<SecretString>) -> Self {
        Self(key)
    }

    pub(super) fn encrypt(&self, text: &str) -> Result<String, TokenError> {
        let stored = match &self.0 {
            None => StoredText::Open(text.to_owned()),
            Some(key) => StoredText::Sealed(STANDARD.encode(seal(key, text).map_err(|_| cannot())?)),
        };
        serde_json::to_string(&stored).map_err(|_| cannot())
    }

    pub(super) fn decrypt(&self, stored: &str) -> Result<String, TokenError> {
        match (serde_json::from_str(stored), &self.0) {
            (Ok(StoredText::Open(text)), _) => Ok(text),
            (Ok(StoredText::Sealed(_)), None) => Err(TokenError::Sealed("webex.token_key_file is not set")),
            (Ok(StoredText::Sealed(sealed)), Some(key)) => {
                unseal(key, &sealed).ok_or(TokenError::Sealed("webex.token_key_file names another key"))
            }
            (Err(_), _) => Err(TokenError::Sealed("it cannot be read")),
        }
    }
}

fn cannot() -> TokenError {
    TokenError::Sealed("OpenSSL cannot encrypt")
}

/// 256 bits, whatever the secret's length.
fn key(secret: &SecretString) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let key = PKey::hmac(secret.expose_secret().as_bytes())?;
    Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(PURPOSE)
}

/// Nonce, tag and text in one.
fn seal(secret: &SecretString, text: &str) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let (mut nonce, mut tag) = ([0; NONCE], [0; TAG]);
    rand_bytes(&mut nonce)?;
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(cipher, &key(secret)?, Some(&nonce), PURPOSE, text.as_bytes(), &mut tag)?;
    Ok([nonce.as_slice(), &tag, &sealed].concat())
}

fn unseal(secret: &SecretString, sealed: &str) -> Option<String> {
    let all = STANDARD.decode(sealed).ok()?;
    let (nonce, rest) = all.split_at_checked(NONCE)?;
    let (tag, sealed) = rest.split_at_checked(TAG)?;
    let cipher = Cipher::aes_256_gcm();
    let text = decrypt_aead(cipher, &key(secret).ok()?, Some(nonce), PURPOSE, sealed, tag).ok()?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seal(key: &str) -> TokenCipher {
        TokenCipher::new(Some(key.to_owned().into()))
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let stored = seal("one").encrypt("the token").unwrap();
        assert!(!stored.contains("token"));
        assert_ne!(stored, seal("one").encrypt("the token").unwrap());
        assert_eq!(seal("one").decrypt(&stored).unwrap(), "the token");
        let why = |seal: TokenCipher, stored: &str| seal.decrypt(stored).unwrap_err().to_string();
        assert!(why(seal("two"), &stored).contains("names another key"));
        assert!(why(TokenCipher::new(None), &stored).contains("is not set"));
        assert!(why(seal("one"), "garbage").contains("cannot be read"));
        assert!(why(seal("one"), r#"{"sealed":"AAAA"}"#).contains("names another key"));
    }

    #[test]
    fn a_key_that_came_later_reads_what_was_kept_without_one() {
        let stored = TokenCipher::new(None).encrypt("the token").unwrap();
        assert_eq!(seal("one").decrypt(&stored).unwrap(), "the token");
    }
}
