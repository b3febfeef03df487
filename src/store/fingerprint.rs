//! Keyed hashes, so that what a create says can be compared without being kept.

use openssl::rand::rand_bytes;
use openssl::sha::{Sha256, sha256};

use super::StoreError;
use super::meta::{Get, SetOnce};
use super::sql::Connection;
use crate::domain::Fingerprint;

/// Under which the key lies in the database.
const NAME: &str = "fingerprint_key";

/// The block of SHA-256, in bytes.
const BLOCK: usize = 64;

/// What HMAC-SHA256 (RFC 2104) has taken in of its key: this way a hash costs a tenth of what OpenSSL's interface for any
/// algorithm takes to set one up.
pub(super) struct Key {
    inner: Sha256,
    outer: Sha256,
}

impl Key {
    /// The database's key; whoever opens it first makes it.
    pub(super) async fn of(connection: &mut impl Connection) -> Result<Self, StoreError> {
        let mut random = [0; 32];
        rand_bytes(&mut random).map_err(|_| cannot())?;
        connection.query(&SetOnce { key: NAME, value: &hex::encode(random) }).await?;
        Self::read(connection).await
    }

    /// The key that the database has.
    pub(super) async fn read(connection: &mut impl Connection) -> Result<Self, StoreError> {
        let rows = connection.query(&Get { key: NAME }).await?;
        rows.first()
            .and_then(|text| hex::decode(text).ok())
            .map(|secret| Self::new(&secret))
            .ok_or(StoreError::Corrupt)
    }

    fn new(secret: &[u8]) -> Self {
        let hashed = sha256(secret);
        let short = if secret.len() > BLOCK { &hashed } else { secret };
        let taken_in = |pad: u8| {
            let mut block = [pad; BLOCK];
            block.iter_mut().zip(short).for_each(|(byte, key)| *byte ^= key);
            let mut hash = Sha256::new();
            hash.update(&block);
            hash
        };
        Self { inner: taken_in(0x36), outer: taken_in(0x5c) }
    }

    /// The length before each part keeps `["ab", "c"]` and `["a", "bc"]` apart.
    pub(super) fn fingerprint(&self, parts: &[&str]) -> Fingerprint {
        let (mut inner, mut outer) = (self.inner.clone(), self.outer.clone());
        for part in parts {
            inner.update(&part.len().to_be_bytes());
            inner.update(part.as_bytes());
        }
        outer.update(&inner.finish());
        Fingerprint(outer.finish())
    }
}

fn cannot() -> StoreError {
    StoreError::Refused("no randomness".to_owned())
}

#[cfg(test)]
mod tests {
    use openssl::hash::MessageDigest;
    use openssl::pkey::PKey;
    use openssl::sign::Signer;

    use super::*;

    #[test]
    fn it_is_hmac_sha256() {
        for secret in [vec![7; 32], vec![9; 64], vec![11; 65]] {
            let key = PKey::hmac(&secret).unwrap();
            let mut signer = Signer::new(MessageDigest::sha256(), &key).unwrap();
            for part in ["+4930123456", ""] {
                signer.update(&part.len().to_be_bytes()).unwrap();
                signer.update(part.as_bytes()).unwrap();
            }
            let fingerprint = Key::new(&secret).fingerprint(&["+4930123456", ""]);
            assert_eq!(fingerprint.0.as_slice(), signer.sign_to_vec().unwrap());
        }
    }
}
