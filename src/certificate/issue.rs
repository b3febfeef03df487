//! New pairs of key and self-signed certificate, as Salesforce wants them.

use jiff::Timestamp;
use openssl::asn1::Asn1Time;
use openssl::bn::{BigNum, MsbOption};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::Rsa;
use openssl::x509::extension::{BasicConstraints, KeyUsage, SubjectKeyIdentifier};
use openssl::x509::{X509, X509Name};
use std::fmt;

/// A new pair, both in PEM form. `Debug` hides the key.
pub struct IssuedPair {
    /// The private key as PKCS#8, unencrypted.
    pub key_pem: Vec<u8>,
    /// The X.509 v3 certificate to give to Salesforce.
    pub certificate_pem: Vec<u8>,
}

impl fmt::Debug for IssuedPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").finish_non_exhaustive()
    }
}

/// Makes an RSA key and a certificate for it: subject and issuer `CN=name`, SHA-256, valid from `now` for
/// `days`.
///
/// # Errors
/// OpenSSL refuses, for example a key size.
pub fn issue(name: &str, bits: u32, days: u32, now: Timestamp) -> Result<IssuedPair, ErrorStack> {
    let key = PKey::from_rsa(Rsa::generate(bits)?)?;
    let certificate = self_signed(name, &key, days, now)?;
    Ok(IssuedPair { key_pem: key.private_key_to_pem_pkcs8()?, certificate_pem: certificate.to_pem()? })
}

fn self_signed(name: &str, key: &PKey<Private>, days: u32, now: Timestamp) -> Result<X509, ErrorStack> {
    let mut subject = X509Name::builder()?;
    subject.append_entry_by_text("CN", name)?;
    let subject = subject.build();
    // 159 random bits: positive and within the 20 octets that RFC 5280, 4.1.2.2 allows.
    let mut serial = BigNum::new()?;
    serial.rand(159, MsbOption::MAYBE_ZERO, false)?;
    let begin = now.as_second();
    let end = begin.saturating_add(i64::from(days) * 86_400);

    let mut builder = X509::builder()?;
    builder.set_version(2)?; // counts from zero: version 3
    builder.set_serial_number(serial.to_asn1_integer()?.as_ref())?;
    builder.set_subject_name(&subject)?;
    builder.set_issuer_name(&subject)?;
    builder.set_pubkey(key)?;
    builder.set_not_before(Asn1Time::from_unix(begin)?.as_ref())?;
    builder.set_not_after(Asn1Time::from_unix(end)?.as_ref())?;
    builder.append_extension(BasicConstraints::new().critical().ca().build()?)?;
    builder.append_extension(KeyUsage::new().critical().digital_signature().key_cert_sign().build()?)?;
    let key_identifier = SubjectKeyIdentifier::new().build(&builder.x509v3_context(None, None))?;
    builder.append_extension(key_identifier)?;
    builder.sign(key, MessageDigest::sha256())?;
    Ok(builder.build())
}
