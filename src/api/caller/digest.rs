//! Secrets are kept as SHA-256 and compared in constant time.

use openssl::error::ErrorStack;
use openssl::md::Md;
use openssl::md_ctx::MdCtx;
use openssl::memcmp;
use openssl::pkey::{PKeyRef, Private};

/// SHA-256, fetched once: OpenSSL looks an algorithm up by its name, which takes longer than to use it.
pub(super) struct Sha256(Md);

impl Sha256 {
    pub(super) fn new() -> Result<Self, ErrorStack> {
        Ok(Self(Md::fetch(None, "SHA256", None)?))
    }

    /// Over the parts, one after the other.
    pub(super) fn of(&self, parts: &[&[u8]]) -> Result<[u8; 32], ErrorStack> {
        let mut digest = [0; 32];
        let mut context = MdCtx::new()?;
        context.digest_init(&self.0)?;
        for part in parts {
            context.digest_update(part)?;
        }
        context.digest_final(&mut digest)?;
        Ok(digest)
    }

    /// HMAC over the parts, one after the other.
    pub(super) fn mac(&self, key: &PKeyRef<Private>, parts: &[&[u8]]) -> Result<[u8; 32], ErrorStack> {
        let mut mac = [0; 32];
        let mut context = MdCtx::new()?;
        context.digest_sign_init(Some(&self.0), key)?;
        for part in parts {
            context.digest_sign_update(part)?;
        }
        context.digest_sign_final(Some(&mut mac))?;
        Ok(mac)
    }
}

/// Whether one of the expected digests is this one. Takes as long for any digest, and looks at something even where
/// nothing is expected.
pub(super) fn is_one_of(digest: &[u8; 32], expected: &[[u8; 32]]) -> bool {
    const NOTHING: [[u8; 32]; 1] = [[0; 32]];
    let expected = if expected.is_empty() { &NOTHING } else { expected };
    expected.iter().fold(false, |found, one| found | memcmp::eq(digest, one))
}
