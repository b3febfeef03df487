//! Keyed hashes, so that what a create says can be compared without being kept.

use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rand::rand_bytes;
use openssl::sign::Signer;

use super::StoreError;
use super::engine::Connection;
use super::row::{hex, json, read, unhex};
use crate::domain::Fingerprint;

/// Under which the key lies in the database.
const NAME: &str = "fingerprint_key";

/// The key of HMAC-SHA256.
pub(super) struct Key(PKey<Private>);

impl Key {
    /// The database's key; whoever opens it first makes it.
    pub(super) async fn of(connection: &mut Connection) -> Result<Self, StoreError> {
        let mut random = [0; 32];
        rand_bytes(&mut random).map_err(|_| cannot())?;
        let fresh = serde_json::json!({ "key": NAME, "value": hex(&Fingerprint(random)) });
        connection.rows(connection.dialect().set, &json(&fresh)?).await?;
        let ask = json(&serde_json::json!({ "key": NAME }))?;
        let rows: Vec<String> = read(&connection.rows(connection.dialect().get, &ask).await?)?;
        let secret = rows.first().and_then(|text| unhex(text)).ok_or(StoreError::Corrupt)?;
        PKey::hmac(&secret).map(Self).map_err(|_| cannot())
    }

    pub(super) fn fingerprint(&self, parts: &[&str]) -> Fingerprint {
        // HMAC-SHA256 over memory fails only if memory does; an empty fingerprint then equals no stored one.
        Fingerprint(self.hash(parts).unwrap_or_default())
    }

    /// The length before each part keeps `["ab", "c"]` and `["a", "bc"]` apart.
    fn hash(&self, parts: &[&str]) -> Result<[u8; 32], openssl::error::ErrorStack> {
        let mut signer = Signer::new(MessageDigest::sha256(), &self.0)?;
        for part in parts {
            signer.update(&part.len().to_be_bytes())?;
            signer.update(part.as_bytes())?;
        }
        let mut hash = [0; 32];
        signer.sign(&mut hash)?;
        Ok(hash)
    }
}

fn cannot() -> StoreError {
    StoreError::Refused("no randomness".to_owned())
}
