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
