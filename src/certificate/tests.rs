use std::sync::OnceLock;

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkey::PKey;
use openssl::rsa::Rsa;
use openssl::symm::Cipher;

use super::*;

const DAY: i64 = 86_400;

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn later(days: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + days * DAY).unwrap()
}

/// One pair for all tests: making a key takes a while.
fn pair() -> &'static Issued {
    static PAIR: OnceLock<Issued> = OnceLock::new();
    PAIR.get_or_init(|| issue("WebexCCSCV", 2048, 730, now()).unwrap())
}

fn load(
    key: &[u8],
    passphrase: Option<&str>,
    at: Timestamp,
) -> Result<SigningCertificate, Vec<CertificateProblem>> {
    let passphrase = passphrase.map(|text| text.to_owned().into());
    SigningCertificate::from_pem("WebexCCSCV", &pair().certificate_pem, key, passphrase.as_ref(), at)
}

fn key() -> PKey<Private> {
    PKey::private_key_from_pem(&pair().key_pem).unwrap()
}

#[test]
fn a_new_pair_is_taken_and_lasts_as_long_as_asked() {
    let certificate = load(&pair().key_pem, None, now()).unwrap();
    assert_eq!(certificate.days_left(now()), 730);
    assert_eq!(certificate.not_after(), later(730));
    assert_eq!(certificate.name(), "WebexCCSCV");
    assert_eq!(certificate.x509().version(), 2, "counts from zero: version 3");
    assert!(certificate.x509().verify(certificate.key()).unwrap(), "self-signed");
}

#[test]
fn pkcs1_and_encrypted_keys_are_read() {
    let pkcs1 = key().rsa().unwrap().private_key_to_pem().unwrap();
    assert!(pkcs1.starts_with(b"-----BEGIN RSA PRIVATE KEY-----"));
    load(&pkcs1, None, now()).unwrap();
    let aes = Cipher::aes_256_cbc();
    let pkcs8 = key().private_key_to_pem_pkcs8_passphrase(aes, b"open sesame").unwrap();
    load(&pkcs8, Some("open sesame"), now()).unwrap();
    let old = key().rsa().unwrap().private_key_to_pem_passphrase(aes, b"open sesame").unwrap();
    load(&old, Some("open sesame"), now()).unwrap();
}

#[test]
fn an_encrypted_key_without_its_passphrase_is_a_problem_and_never_a_prompt() {
    let pem = key().private_key_to_pem_pkcs8_passphrase(Cipher::aes_256_cbc(), b"open sesame").unwrap();
    let problems = load(&pem, None, now()).unwrap_err();
    assert_eq!(problems, [CertificateProblem::KeyEncrypted]);
    assert!(problems[0].hint().contains("private_key_passphrase_file"));
    assert_eq!(load(&pem, Some("wrong"), now()).unwrap_err(), [CertificateProblem::WrongPassphrase]);
    let longer_than_any_buffer = "x".repeat(5000);
    let problems = load(&pem, Some(&longer_than_any_buffer), now()).unwrap_err();
    assert_eq!(problems, [CertificateProblem::WrongPassphrase]);
}

#[test]
fn only_rsa_keys_of_a_size_salesforce_takes_are_taken() {
    let small = PKey::from_rsa(Rsa::generate(1024).unwrap()).unwrap();
    let small = small.private_key_to_pem_pkcs8().unwrap();
    let problems = load(&small, None, now()).unwrap_err();
    assert_eq!(problems, [CertificateProblem::KeySize { bits: 1024 }]);
    let group = EcGroup::from_curve_name(Nid::X9_62_PRIME256V1).unwrap();
    let ec = PKey::from_ec_key(EcKey::generate(&group).unwrap()).unwrap();
    let ec = ec.private_key_to_pem_pkcs8().unwrap();
    assert_eq!(load(&ec, None, now()).unwrap_err(), [CertificateProblem::KeyNotRsa]);
}

#[test]
fn a_key_of_another_pair_is_refused() {
    let other = issue("Other", 2048, 1, now()).unwrap();
    let problems = load(&other.key_pem, None, now()).unwrap_err();
    assert_eq!(problems, [CertificateProblem::KeyDoesNotBelong]);
}

#[test]
fn a_certificate_is_taken_from_its_first_second_to_its_last() {
    let second = |at: Timestamp, by| Timestamp::from_second(at.as_second() + by).unwrap();
    load(&pair().key_pem, None, now()).unwrap();
    load(&pair().key_pem, None, later(730)).unwrap();
    let early = load(&pair().key_pem, None, second(now(), -1)).unwrap_err();
    assert_eq!(early, [CertificateProblem::NotYetValid(now())]);
    let late = load(&pair().key_pem, None, second(later(730), 1)).unwrap_err();
    assert_eq!(late, [CertificateProblem::Expired(later(730))]);
}

#[test]
fn all_problems_of_a_pair_are_told_at_once() {
    let problems = load(b"no key", None, later(731)).unwrap_err();
    assert_eq!(problems, [CertificateProblem::KeyUnreadable, CertificateProblem::Expired(later(730))]);
    let nothing = SigningCertificate::from_pem("X", b"", b"", None, now()).unwrap_err();
    assert_eq!(nothing, [CertificateProblem::KeyUnreadable, CertificateProblem::CertificateUnreadable]);
}

#[test]
fn of_a_chain_the_first_is_ours() {
    let mut chain = pair().certificate_pem.clone();
    chain.extend(issue("Root", 2048, 1, now()).unwrap().certificate_pem);
    let certificate = SigningCertificate::from_pem("N", &chain, &pair().key_pem, None, now()).unwrap();
    assert_eq!(certificate.days_left(now()), 730);
    assert_eq!(certificates(&chain).unwrap().len(), 2);
}

#[test]
fn the_debug_form_shows_name_and_fingerprint_only() {
    let certificate = load(&pair().key_pem, None, now()).unwrap();
    let fingerprint = hex(&certificate.fingerprint());
    assert_eq!(
        format!("{certificate:?}"),
        format!("SigningCertificate {{ name: \"WebexCCSCV\", fingerprint: \"{fingerprint}\", .. }}")
    );
    assert_eq!(format!("{:?}", pair()), "Issued { .. }");
}

#[test]
fn a_description_says_what_openssl_says() {
    let x509 = certificates(&pair().certificate_pem).unwrap().remove(0);
    let description = Description::of(&x509, later(1)).unwrap();
    assert_eq!(description.subject, "CN=WebexCCSCV");
    assert_eq!(description.issuer, "CN=WebexCCSCV");
    assert_eq!(description.days_left, 729);
    assert_eq!(description.key, "RSA 2048");
    assert_eq!(description.fingerprint.len(), 32 * 3 - 1);
    assert!(description.to_string().contains("valid to     2028-11-20T10:00:00Z\n"));
}

#[test]
fn names_follow_the_rule_of_developer_names() {
    for good in ["WebexCCSCV", "a", "A_1", &"x".repeat(40)] {
        assert_eq!(developer_name(good), Ok(()), "{good}");
    }
    for bad in ["", "1a", "_a", "a_", "a__b", "a-b", "a b", "ä", "a.b", &"x".repeat(41)] {
        assert!(developer_name(bad).is_err(), "{bad}");
    }
}
