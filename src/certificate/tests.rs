use std::sync::OnceLock;

use openssl::ec::{EcGroup, EcKey};
use openssl::nid::Nid;
use openssl::pkcs12::Pkcs12;
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
fn pair() -> &'static IssuedPair {
    static PAIR: OnceLock<IssuedPair> = OnceLock::new();
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
fn all_problems_of_a_pair_are_reported_at_once() {
    let problems = load(b"no key", None, later(731)).unwrap_err();
    assert_eq!(problems, [CertificateProblem::KeyUnreadable, CertificateProblem::Expired(later(730))]);
    let nothing = SigningCertificate::from_pem("X", b"", b"", None, now()).unwrap_err();
    let empty = |part| CertificateProblem::Form { part, form: FileForm::Empty };
    assert_eq!(nothing, [empty(CertificatePart::PrivateKey), empty(CertificatePart::Certificate)]);
}

/// Every form that a key or certificate may be in, and what it is called.
fn forms(part: CertificatePart) -> Vec<(Vec<u8>, FileForm)> {
    let pem = match part {
        CertificatePart::Certificate => pair().certificate_pem.clone(),
        _ => pair().key_pem.clone(),
    };
    let text = String::from_utf8(pem).unwrap();
    let x509 = X509::from_pem(&pair().certificate_pem).unwrap();
    let der = match part {
        CertificatePart::Certificate => x509.to_der().unwrap(),
        _ => key().private_key_to_pkcs8().unwrap(),
    };
    let pfx = Pkcs12::builder().name("x").pkey(&key()).cert(&x509).build2("").unwrap().to_der().unwrap();
    let utf16 = |little: bool| -> Vec<u8> {
        let units = std::iter::once(0xFEFF).chain(text.encode_utf16());
        units.flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    };
    let body: String = text.lines().filter(|line| !line.starts_with("-----")).collect();
    let cut = text.rsplit_once("-----END").unwrap().0.to_owned();
    let damaged = text.replacen("MII", "M$I", 1);
    let indented: String = text.lines().map(|line| format!("    {line}\n")).collect();
    let other = match part {
        CertificatePart::Certificate => (pair().key_pem.clone(), FileForm::PrivateKey),
        _ => (pair().certificate_pem.clone(), FileForm::Certificate),
    };
    let texts = [
        (String::new(), FileForm::Empty),
        (text.replace('\n', "\\n"), FileForm::Escaped),
        (text.replace('\n', ""), FileForm::OneLine),
        (text.replace('\n', " "), FileForm::OneLine),
        (indented, FileForm::Indented),
        (cut.clone(), FileForm::Cut),
        (cut.chars().take(100).collect(), FileForm::Cut),
        (text.split_once('\n').unwrap().1.to_owned(), FileForm::Cut),
        (damaged, FileForm::Damaged),
        (body, FileForm::Bare),
        (text.replace("-----", "\u{2014}\u{2014}-"), FileForm::Dashes),
    ];
    let texts = texts.into_iter().map(|(text, form)| (text.into_bytes(), form));
    let public = (key().public_key_to_pem().unwrap(), FileForm::PublicKey);
    let binary = [
        (der, FileForm::Der),
        (pfx, FileForm::Pkcs12),
        (utf16(true), FileForm::Utf16),
        (utf16(false), FileForm::Utf16),
        other,
        public,
    ];
    texts.chain(binary).collect()
}

#[test]
fn what_is_no_pem_is_named_by_its_format() {
    for part in [CertificatePart::Certificate, CertificatePart::PrivateKey] {
        for (content, expected) in forms(part) {
            let problem = match part {
                CertificatePart::Certificate => certificates(&content).map(drop).unwrap_err(),
                _ => private_key(&content, None).map(drop).unwrap_err(),
            };
            assert_eq!(problem, CertificateProblem::Form { part, form: expected });
        }
    }
}

#[test]
fn the_suggested_command_makes_pem_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut made = 0;
    for part in [CertificatePart::Certificate, CertificatePart::PrivateKey] {
        for (content, form) in forms(part) {
            let line = CertificateProblem::Form { part, form }.hint();
            let is_command = ["openssl", "sed", "printf", "iconv"].iter().any(|word| line.starts_with(word));
            if !is_command {
                continue;
            }
            std::fs::write(folder.path().join("FILE"), &content).unwrap();
            // The archive of this test has an empty password, for which openssl would ask.
            let line = line.replace("pkcs12 ", "pkcs12 -passin pass: ");
            let mut shell = std::process::Command::new("sh");
            let output = shell.args(["-c", &line]).current_dir(folder.path()).output().unwrap();
            assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
            let new = std::fs::read(folder.path().join("NEW")).unwrap();
            match part {
                CertificatePart::Certificate => assert_eq!(certificates(&new).unwrap().len(), 1, "{line}"),
                _ => assert!(private_key(&new, None).unwrap().public_eq(&key()), "{line}"),
            }
            made += 1;
        }
    }
    assert_eq!(made, 18);
}

proptest::proptest! {
    #[test]
    fn no_file_makes_the_look_at_it_panic(content in proptest::collection::vec(proptest::num::u8::ANY, 0..200), at in 0_usize..2000) {
        let _ = certificates(&content);
        let _ = private_key(&content, None);
        let mut cut = pair().certificate_pem.clone();
        cut.truncate(at);
        let _ = certificates(&cut);
    }
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
    let fingerprint = hex::encode(certificate.fingerprint());
    assert_eq!(
        format!("{certificate:?}"),
        format!("SigningCertificate {{ name: \"WebexCCSCV\", fingerprint: \"{fingerprint}\", .. }}")
    );
    assert_eq!(format!("{:?}", pair()), "IssuedPair { .. }");
}

#[test]
fn a_description_agrees_with_openssl() {
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
