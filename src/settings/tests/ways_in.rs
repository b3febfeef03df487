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
