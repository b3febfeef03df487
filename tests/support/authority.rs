//! Certificates as a public authority issues them: a root, one in between, and those for hosts and clients.

use openssl::asn1::Asn1Time;
use openssl::bn::BigNum;
use openssl::ec::{EcGroup, EcKey};
use openssl::hash::MessageDigest;
use openssl::nid::Nid;
use openssl::pkey::{PKey, Private};
use openssl::x509::extension::{BasicConstraints, SubjectAlternativeName};
use openssl::x509::{X509, X509Builder, X509NameBuilder};

/// Issues certificates.
pub struct Authority {
    /// What others trust.
    pub root: X509,
    between: Holder,
}

/// A certificate and its key.
pub struct Holder {
    /// The certificate.
    pub certificate: X509,
    /// Its key.
    pub key: PKey<Private>,
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let root = issue("root", None, true);
        let between = issue("between", Some(&root), true);
        Self { root: root.certificate, between }
    }

    /// A certificate for loopback.
    pub fn issue(&self, name: &str) -> Holder {
        issue(name, Some(&self.between), false)
    }

    /// Certificate and the one in between, PEM: what a server sends.
    pub fn chain(&self, holder: &Holder) -> Vec<u8> {
        [&holder.certificate, &self.between.certificate].map(|one| one.to_pem().unwrap()).concat()
    }

    /// The root and the one in between, PEM: what knows its certificates without being told the one in between.
    pub fn chain_pem(&self) -> Vec<u8> {
        [&self.root, &self.between.certificate].map(|one| one.to_pem().unwrap()).concat()
    }

    /// The root, PEM.
    pub fn root_pem(&self) -> Vec<u8> {
        self.root.to_pem().unwrap()
    }
}

impl Holder {
    /// The key, PKCS#8 in PEM.
    pub fn key_pem(&self) -> Vec<u8> {
        self.key.private_key_to_pem_pkcs8().unwrap()
    }
}

fn issue(name: &str, by: Option<&Holder>, authority: bool) -> Holder {
    let curve = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let key = PKey::from_ec_key(EcKey::generate(&curve).unwrap()).unwrap();
    let mut subject = X509NameBuilder::new().unwrap();
    subject.append_entry_by_text("CN", name).unwrap();
    let subject = subject.build();
    let mut builder = X509Builder::new().unwrap();
    builder.set_version(2).unwrap();
    let serial = BigNum::from_u32(u32::from(authority) + 1).unwrap().to_asn1_integer().unwrap();
    builder.set_serial_number(&serial).unwrap();
    builder.set_subject_name(&subject).unwrap();
    builder.set_issuer_name(by.map_or(&subject, |by| by.certificate.subject_name())).unwrap();
    builder.set_not_before(&Asn1Time::days_from_now(0).unwrap()).unwrap();
    builder.set_not_after(&Asn1Time::days_from_now(60).unwrap()).unwrap();
    builder.set_pubkey(&key).unwrap();
    if authority {
        builder.append_extension(BasicConstraints::new().critical().ca().build().unwrap()).unwrap();
    } else {
        let mut names = SubjectAlternativeName::new();
        let names =
            names.dns("localhost").ip("127.0.0.1").build(&builder.x509v3_context(None, None)).unwrap();
        builder.append_extension(names).unwrap();
    }
    builder.sign(by.map_or(&key, |by| &by.key), MessageDigest::sha256()).unwrap();
    Holder { certificate: builder.build(), key }
}
