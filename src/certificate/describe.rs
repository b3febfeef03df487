//! What a certificate says, for people.

use std::fmt;

use jiff::Timestamp;
use openssl::error::ErrorStack;
use openssl::pkey::Id;
use openssl::x509::{X509NameRef, X509Ref};

use super::{days_between, fingerprint, timestamp};

/// What a certificate says. `Display` prints it as aligned lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Description {
    /// Who it is for, such as `CN=WebexCCSCV`.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Begin of its validity.
    pub not_before: Timestamp,
    /// End of its validity.
    pub not_after: Timestamp,
    /// Whole days left, negative once it has expired.
    pub days_left: i64,
    /// Algorithm and size of its key, such as `RSA 2048`.
    pub key: String,
    /// SHA-256 over its DER form, as Salesforce and browsers print it: `AB:CD:...`.
    pub fingerprint: String,
}

impl Description {
    /// Reads it out of a certificate.
    ///
    /// # Errors
    /// OpenSSL cannot read a field of the certificate.
    pub fn of(x509: &X509Ref, now: Timestamp) -> Result<Self, ErrorStack> {
        let key = x509.public_key()?;
        let algorithm = match key.id() {
            Id::RSA => "RSA",
            Id::EC => "EC",
            Id::ED25519 => "Ed25519",
            _ => "other",
        };
        let not_after = timestamp(x509.not_after())?;
        let fingerprint = fingerprint(x509)?.map(|byte| format!("{byte:02X}"));
        Ok(Self {
            subject: name(x509.subject_name()),
            issuer: name(x509.issuer_name()),
            serial: x509.serial_number().to_bn()?.to_hex_str()?.to_string(),
            not_before: timestamp(x509.not_before())?,
            not_after,
            days_left: days_between(now, not_after),
            key: format!("{algorithm} {}", key.bits()),
            fingerprint: fingerprint.join(":"),
        })
    }
}

impl fmt::Display for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "subject      {}", self.subject)?;
        writeln!(f, "issuer       {}", self.issuer)?;
        writeln!(f, "serial       {}", self.serial)?;
        writeln!(f, "valid from   {:.0}", self.not_before)?;
        writeln!(f, "valid to     {:.0}", self.not_after)?;
        writeln!(f, "days left    {}", self.days_left)?;
        writeln!(f, "key          {}", self.key)?;
        writeln!(f, "SHA-256      {}", self.fingerprint)
    }
}

fn name(name: &X509NameRef) -> String {
    let entries: Vec<String> = name
        .entries()
        .map(|entry| {
            let field = entry.object().nid().short_name().unwrap_or("?");
            let value = entry.data().to_string().unwrap_or_else(|_| "?".to_owned());
            format!("{field}={value}")
        })
        .collect();
    entries.join(", ")
}
