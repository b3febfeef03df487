//! By what a client was let in.

use openssl::error::ErrorStack;

use super::digest::Sha256;
use crate::settings::Client;

/// What let a client in, as 32 bytes. A token that was got by it lives no longer than it.
#[derive(Clone, PartialEq, Eq)]
pub struct CredentialProof([u8; 32]);

impl AsRef<[u8]> for CredentialProof {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl CredentialProof {
    /// A secret, by its digest.
    pub(super) fn secret(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The certificate that fits the signature of an assertion, and whom the assertion spoke of.
    pub(super) fn assertion(
        fingerprint: &[u8; 32],
        subject: &str,
        sha256: &Sha256,
    ) -> Result<Self, ErrorStack> {
        Ok(Self(sha256.of(&[b"assertion\0", fingerprint, subject.as_bytes()])?))
    }

    /// A name in the certificate of the connection.
    pub(super) fn certificate_name(name: &str, sha256: &Sha256) -> Result<Self, ErrorStack> {
        Ok(Self(sha256.of(&[b"certificate name\0", name.as_bytes()])?))
    }

    /// What let the client in, and its user's name and password besides.
    pub(super) fn with_password(
        &self,
        name: &str,
        password: &[u8; 32],
        sha256: &Sha256,
    ) -> Result<Self, ErrorStack> {
        Ok(Self(sha256.of(&[b"password\0", &self.0, password, name.as_bytes()])?))
    }
}

/// Everything that lets the client in, or lets it have a token.
pub(super) fn proofs(client: &Client, sha256: &Sha256) -> Result<Vec<CredentialProof>, ErrorStack> {
    let mut proofs: Vec<_> = client.secrets.iter().copied().map(CredentialProof::secret).collect();
    for name in &client.certificate_names {
        proofs.push(CredentialProof::certificate_name(name, sha256)?);
    }
    for key in &client.assertion_keys {
        proofs.push(CredentialProof::assertion(&key.fingerprint, &client.id, sha256)?);
    }
    let Some(user) = &client.user else { return Ok(proofs) };
    if let Some(password) = &user.password_sha256 {
        for proof in proofs.clone() {
            proofs.push(proof.with_password(&user.name, password, sha256)?);
        }
    }
    for key in &client.assertion_keys {
        proofs.push(CredentialProof::assertion(&key.fingerprint, &user.name, sha256)?);
    }
    Ok(proofs)
}
