//! `[oauth]` and the ways in of clients.

use secrecy::ExposeSecret;

use super::*;

const KEY: &str = "0123456789012345678901234567890123456789012";

/// The small configuration with more keys for its client and more sections.
fn with(client: &str, sections: &str) -> String {
    SMALL.replace("call_centers = [\"*\"]", &format!("call_centers = [\"*\"]\n{client}")) + sections
}

const TLS: &str = r#"
[server]
listen = "127.0.0.1:8443"
[server.tls]
certificate = "{dir}/good.crt"
private_key = "{dir}/good.key"
client_ca = "{dir}/good.crt"
"#;

#[test]
fn a_client_may_have_every_way_in() {
    let folder = Folder::new();
    folder.write("signing_key", format!("{KEY}\n").as_bytes());
    let client = r#"
        previous_secret_sha256 = "11112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        username = "webex@example.com"
        password_sha256 = "22112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
        assertion_certificates = ["{dir}/good.crt", "{dir}/other.crt"]
        certificate_names = ["flow.example.com"]
    "#;
    let oauth = "[oauth]\nsigning_key_file = \"{dir}/signing_key\"\ntoken_life = \"15m\"";
    let settings = folder.load(&with(client, &format!("{TLS}{oauth}"))).unwrap();
    let client = &settings.clients[0];
    assert_eq!(client.secrets.iter().map(|secret| secret[0]).collect::<Vec<_>>(), [0x00, 0x11]);
    assert_eq!(client.user.as_ref().unwrap().name, "webex@example.com");
    assert_eq!(client.assertion_keys.len(), 2);
    assert!(client.certificate_names.contains("flow.example.com"));
    assert_eq!(settings.oauth.keys.unwrap().current.expose_secret(), KEY);
    assert_eq!(settings.oauth.token_life.as_secs(), 900);
}

#[test]
fn a_secret_is_not_needed_where_there_is_another_way_in() {
    let folder = Folder::new();
    let secret = "secret_sha256 = \"00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\"\n";
    let named = with("certificate_names = [\"flow.example.com\"]", TLS).replace(secret, "");
    assert!(folder.load(&named).unwrap().clients[0].secrets.is_empty());
    let empty = with("certificate_names = []", "").replace(secret, "");
    assert!(folder.problems(&empty).contains("clients.webex-flow.secret_sha256\n  problem: is missing"));
}

#[test]
fn a_digest_that_is_a_placeholder_or_that_of_nothing_is_refused() {
    const HASH: &str = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    const NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    const LINE_END: &str = "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b";
    let folder = Folder::new();
    for (digest, problem) in [
        ("0".repeat(64), "is a placeholder, and the digest of no secret"),
        ("F".repeat(64), "is a placeholder, and the digest of no secret"),
        (NOTHING.to_owned(), "is the digest of an empty text"),
        (NOTHING.to_uppercase(), "is the digest of an empty text"),
        (LINE_END.to_owned(), "is the digest of a line end alone"),
    ] {
        let user = format!("username = \"u\"\npassword_sha256 = \"{HASH}\"");
        let previous = format!("previous_secret_sha256 = \"{}\"", HASH.replace("00", "11"));
        let sound = with(&format!("{previous}\n{user}"), &format!("[oauth]\nsigning_key = \"{KEY}\""));
        folder.load(&sound).unwrap();
        for key in ["secret_sha256", "previous_secret_sha256", "password_sha256"] {
            let line = sound.lines().find(|line| line.trim_start().starts_with(key)).unwrap();
            let told = folder.problems(&sound.replacen(line, &format!("{key} = \"{digest}\""), 1));
            let expected = format!(
                "clients.webex-flow.{key}\n  problem: {problem}\n  do:      `scv-bridge secret new CLIENT"
            );
            assert!(told.starts_with("1 problem") && told.contains(&expected), "{told}");
        }
    }
}

#[test]
fn what_is_wrong_with_the_ways_in_is_told_with_its_key() {
    let folder = Folder::new();
    folder.write("short", b"short");
    folder.write("signing_key", KEY.as_bytes());
    let problems = [
        with("username = \"webex@example.com\"", ""),
        with(&format!("password_sha256 = \"{CANARY}\""), ""),
        with(&format!("previous_secret_sha256 = \"{CANARY}\""), ""),
        with("assertion_certificates = [\"{dir}/missing.crt\", \"{dir}/good.key\"]", ""),
        with("assertion_certificates = [\"{dir}/good.crt\"]", ""),
        with("certificate_names = [\"flow.example.com\"]", ""),
        with(
            "certificate_names = [\"a\"]\n[[clients]]\nid = \"b\"\ncertificate_names = [\"a\"]\ncall_centers = [\"*\"]",
            TLS,
        ),
        with("", "[oauth]\nsigning_key_file = \"{dir}/short\""),
        with("", &format!("[oauth]\nsigning_key = \"{CANARY}\"")),
        with("", "[oauth]\nprevious_signing_key_file = \"{dir}/signing_key\""),
        with(
            "",
            "[oauth]\nsigning_key_file = \"{dir}/signing_key\"\nprevious_signing_key_file = \"{dir}/signing_key\"",
        ),
        with("", "[oauth]\ntoken_life = \"10s\""),
    ];
    let told: Vec<_> = problems.iter().map(|toml| folder.problems(toml)).collect();
    let told = told.join("\n");
    assert!(!told.contains(CANARY));
    insta::assert_snapshot!(told);
}
