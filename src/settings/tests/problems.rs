use super::*;

/// At least one fault of every kind.
const BROKEN: &str = r#"
[server]
listen = "0.0.0.0:8080"
publc_url = "https://bridge.example.com"
workers = "four"
shutdown_timeout = "25"

[server.tls]
certificate = "{dir}/good.crt"
private_key = "{dir}/other.key"
client_ca = "{dir}/missing.pem"

[operations]
listen = "localhost"

[deadlines]
create_voice_call = "0ms"
clear_routing = "2 minutes"
agent_answered = 1800

[logs]
format = "xml"
level = "info,=loud="

[http_client]
ca_file = "{dir}/good.key"

[token]
life = "25h"

[[clients]]
id = "a:b"
secret_sha256 = "1234"
call_centers = ["Mian"]

[[clients]]
id = "twice"
secret_sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
call_centers = ["*"]

[[clients]]
id = "twice"
secret_sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
call_centers = ["*"]

[certificates.Expired]
certificate = "{dir}/expired.crt"
private_key = "{dir}/expired.key"

[certificates.Foreign]
certificate = "{dir}/good.crt"
private_key = "{dir}/other.key"

[certificates.Encrypted]
certificate = "{dir}/good.crt"
private_key = "{dir}/encrypted.key"

[certificates.Swapped]
certificate = "{dir}/good.key"
private_key = "{dir}/good.crt"

[certificates.Missing]
private_key = "{dir}/nowhere.key"

[certificates."Not a name"]
certificate = "{dir}/good.crt"
private_key = "{dir}/good.key"

[call_centers.Main]
certificate = "Encryptd"
api = "telephony"
org_id = "00D000000000001EAB"
telephony_url = "http://example.my.salesforce-scrt.com/telephony/v1"
provider_name = "two words"
login_url = "https://test.salesforce.com"
on_create_failure = "ignore"

[call_centers.Main.translations]
from = '{"Open group":"[1,17]->(\\d","Runs away":"[1,17]->^(\\d+)+$","No brackets":"1,17->x"}'
to = '{"open":'
too = '{}'

[call_centers.Main.abandonment]
reason = ""
is_error = "yes"

[call_centers.Main.enrichment]
recording_location = "https://recordings.example.com/{callId}"

[call_centers.Main.attributes]
"1st" = "serviceData.callRecordingId"
Second__c = "service data"
Third__c = "segments.queue.durations"
Fourth__c = "Data.queueId"
Fifth__c = "segments"
Sixth__c = "request.callCenterDevName"

[call_centers.Sandbox]
certificate = "Expired"
api = "apex"
login_url = "test.salesforce.com"
consumer_key_file = "{dir}/nowhere"
username = "somebody"
path_prefix = "services/apexrest"
org_id = "00D000000000001EAA"

[call_centers.NoWay]
certificate = "Foreign"
org_id = "anything"

[webex]
webhook_secrets = ["short"]
bad_signature_status = 403
org_id = "1234"
client_id = "C123"
call_center = "Elsewhere"

[salesforce]
url = "https://example.com"
"#;

#[test]
fn everything_that_is_wrong_is_in_one_report() {
    insta::assert_snapshot!(Folder::new().problems(BROKEN));
}

#[test]
fn as_json_a_problem_has_key_problem_and_hint() {
    let broken = SMALL.replace("\"telephony\"", "\"telephon\"");
    let problems = Folder::new().load(&broken).unwrap_err();
    insta::assert_json_snapshot!(problems);
}

#[test]
fn an_empty_configuration_lacks_contact_centers_and_clients() {
    insta::assert_snapshot!(Folder::new().problems(""));
}

#[test]
fn a_file_that_cannot_be_read_is_the_only_problem() {
    let folder = Folder::new();
    let mut source = folder.source(SMALL);
    source.file = Some(folder.dir.path().join("absent.toml"));
    let problems = load(&source).unwrap_err();
    insta::assert_snapshot!(folder.neutral(&problems.to_string()));
}

#[test]
fn a_syntax_error_is_told_by_line_and_column_without_the_line() {
    let folder = Folder::new();
    for broken in [
        format!("[webex]\nclient_secret = {CANARY}\n"),
        format!("[webex]\nclient_secret = \"{CANARY}\nclient_id = \"x\"\n"),
        format!("[webex]\nclient_secret = \"{CANARY}\" {CANARY}\n"),
        format!("[webex]\nclient_secret = \"\\q{CANARY}\"\n"),
        format!("client_secret {CANARY}\n"),
        format!("[{CANARY}\n"),
    ] {
        let report = folder.load(&broken).unwrap_err().to_string();
        assert!(report.contains("line ") && report.contains(", column "), "{report}");
        assert!(!report.contains(CANARY), "{report}");
    }
    let twice = folder.load("[server]\nworkers = 1\n[server]\nworkers = 2\n").unwrap_err().to_string();
    assert!(twice.contains("each section and each key stands once"), "{twice}");
    insta::assert_snapshot!(folder.problems("[server]\nlisten = \"127.0.0.1:0\"\nworkers = = 3\n"));
}

#[test]
fn a_number_too_large_for_toml_is_a_problem_and_not_a_panic() {
    let report = Folder::new().problems("[server]\nworkers = 99999999999999999999\n");
    assert!(report.contains("number too large"), "{report}");
}

#[test]
fn a_key_that_looks_like_a_path_is_not_taken_for_one() {
    for key in ["server.listen", "clients[0]", "clients[999999999999]", ""] {
        let report = Folder::new().problems(&format!("\"{key}\" = \"127.0.0.1:1\"\n{SMALL}"));
        assert!(report.starts_with(&format!("1 problem in the configuration\n\n{key}\n")), "{report}");
    }
}

proptest::proptest! {
    /// Whatever a line is replaced by, there is an answer and no panic.
    #[test]
    fn no_change_of_a_line_makes_loading_panic(line in 0_usize..140, text in "[a-z\\[\\]\"'{}=.# 0-9-]{0,20}") {
        let folder = Folder { dir: TempDir::new().unwrap() };
        let mut lines: Vec<&str> = BROKEN.lines().collect();
        if let Some(place) = lines.get_mut(line) {
            *place = &text;
        }
        let problems = folder.load(&lines.join("\n")).unwrap_err();
        proptest::prop_assert!(!problems.as_slice().is_empty());
    }
}

#[test]
fn a_fault_in_a_certificate_is_not_reported_again_where_it_is_used() {
    let broken = SMALL.replace("good.key", "other.key");
    let problems = Folder::new().load(&broken).unwrap_err();
    let keys: Vec<&str> = problems.as_slice().iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(keys, ["certificates.WebexCCSCV.private_key"]);
}

#[test]
fn no_secret_is_in_any_report() {
    let folder = Folder::new();
    let broken = r#"
        CANARY = "CANARY"
        [server]
        listen = "https://user:CANARY@host"
        CANARYx = { CANARY = "CANARY" }
        [store]
        url = "mysql://user:CANARY@host/db"
        [[clients]]
        id = "a"
        secret_sha256 = "CANARY"
        secret = "CANARY"
        call_centers = ["*"]
        [certificates.A]
        certificate = "-----BEGIN CERTIFICATE-----CANARY"
        private_key = "-----BEGIN PRIVATE KEY-----CANARY"
        private_key_passphrase_file = "CANARY"
        [certificates.B]
        certificate = "{dir}/good.crt"
        private_key = "{dir}/encrypted.key"
        private_key_passphrase = "CANARY"
        [call_centers.X]
        certificate = "B"
        api = "apex"
        login_url = "https://CANARY@test.salesforce.com"
        consumer_key = "CANARY"
        consumer_key_file = "CANARY"
        username = ["CANARY"]
        [webex]
        api_url = "https://x?CANARY"
        webhook_secrets = ["CANARY", 3]
        webhook_secret_files = ["CANARY"]
        client_secret = { x = "CANARY" }
        client_secret_file = "CANARY"
    "#;
    // A key is not a secret: only values are looked at.
    let broken = broken.replace("CANARY = ", "key = ").replace("CANARYx", "other");
    let mut source = folder.source(&broken.replace("CANARY", CANARY));
    source.environment = vec![
        ("SCV_BRIDGE__STORE__URL".to_owned(), CANARY.to_owned()),
        ("SCV_BRIDGE__WEBEX__CLIENT_SECRT".to_owned(), CANARY.to_owned()),
        ("SCV_BRIDGE__CALL_CENTERS__X__CONSUMER_KEY".to_owned(), CANARY.to_owned()),
    ];
    let problems = load(&source).unwrap_err();
    assert!(problems.as_slice().len() > 12, "{problems}");
    let json = serde_json::to_string(&problems).unwrap();
    for text in [problems.to_string(), format!("{problems:?}"), json, format!("{source:?}")] {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn no_secret_is_in_the_printed_settings() {
    let folder = Folder::new();
    folder.write("secret", format!("{CANARY}\n").as_bytes());
    let toml = SMALL.replace("api = \"telephony\"", "api = \"apex\"");
    let toml: String = toml
        .lines()
        .filter(|line| !line.contains("org_id") && !line.contains("telephony_url"))
        .map(|line| format!("{line}\n"))
        .collect();
    let rest = r#"
        login_url = "https://test.salesforce.com"
        consumer_key_file = "{dir}/secret"
        username = "scv@example.com"
        [store]
        url = "postgres://user:CANARY@host/db"
        [webex]
        webhook_secrets = ["CANARY"]
        webhook_secret_files = ["{dir}/secret"]
        client_id = "C1"
        client_secret = "CANARY"
    "#;
    let settings = folder.load(&(toml + &rest.replace("CANARY", CANARY))).unwrap();
    for text in [format!("{settings:?}"), settings.summary(now())] {
        assert!(!text.contains(CANARY), "{text}");
        assert!(!text.contains("PRIVATE KEY"), "{text}");
    }
}
