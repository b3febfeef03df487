//! `[call_centers.NAME.enrichment]`.

use std::time::Duration;

use super::*;

#[test]
fn enrichment_is_off_and_waits_for_nothing_unless_told_to() {
    let settings = Folder::new().load(SMALL).unwrap();
    let enrichment = &settings.call_centers["Main"].enrichment;
    assert!(!enrichment.enabled && enrichment.recording_location.is_none());
    assert_eq!(enrichment.wait_for_recording, Duration::ZERO);
}

#[test]
fn what_is_wrong_with_an_enrichment_is_told_by_its_key() {
    let toml = SMALL.to_owned()
        + r#"
[call_centers.Main.enrichment]
recording_location = "https://recordings.example.com/{taskId} {fileName}"
wait_for_recording = "11m"
queues = { "q1" = "", " q2" = "Sales" }
agents = { "" = "agent@example.com" }
"#;
    insta::assert_snapshot!(Folder::new().problems(&toml));
}

#[test]
fn enrichment_that_nobody_could_tell_of_is_a_warning() {
    let enriched = SMALL.to_owned()
        + "enrichment.enabled = true\nenrichment.recording_location = \"https://r.example.com/{fileName}\"\n";
    let warnings = |toml: String| {
        let warnings = Folder::new().load(&toml).unwrap().warnings(now());
        warnings.into_iter().filter(|line| line.contains("enrichment")).collect::<Vec<_>>().join("\n")
    };
    let integration = "client_id = \"C1\"\nclient_secret = \"c1-secret\"\n";
    let org = "api_url = \"https://api.example.com\"\norg_id = \"97cdbf45-ebe2-4687-8341-44d5c7abf101\"\n";
    for (toml, word) in [
        (enriched.clone(), "enrichment.enabled: without [webex] no webhook tells of calls"),
        (format!("{enriched}[webex]\n"), "{fileName} is asked of Webex, and webex.client_id is not set"),
        (format!("{enriched}[webex]\n{integration}"), "webex.api_url is not set"),
    ] {
        assert!(warnings(toml.clone()).contains(word), "{}", warnings(toml));
    }
    assert_eq!(warnings(format!("{enriched}[webex]\n{integration}{org}")), "");
    let plain = enriched.replace("{fileName}", "{taskId}");
    assert_eq!(warnings(format!("{plain}[webex]\n")), "", "that is known without asking");
}

#[test]
fn what_of_webex_cannot_work_is_a_warning() {
    let warnings =
        |toml: &str| Folder::new().load(&format!("{SMALL}{toml}")).unwrap().warnings(now()).join("\n");
    let fields = "attributes.Code__c = \"segments.wrapUp.code\"\nattributes.Note__c = \"request.note\"\n";
    let integration = "client_id = \"C1\"\nclient_secret = \"c1-secret\"\n";
    let secret = format!("[webex]\nwebhook_secrets = [\"{}\"]\n", "s".repeat(32));
    for (toml, warning) in [
        (fields.to_owned(), "call_centers.Main.attributes: without [webex] no webhook fills Code__c"),
        ("[webex]\n".to_owned(), "webex.webhook_secret_files: empty, so every webhook is refused"),
        (
            format!("{secret}{integration}token_key = \"{}\"\n", "k".repeat(32)),
            "webex.api_url: not set, so Webex is asked for nothing, and events that are lost stay lost",
        ),
        (format!("{fields}{secret}"), ""),
    ] {
        assert_eq!(warnings(&toml), warning, "{toml}");
    }
}
