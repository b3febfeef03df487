//! Outbox, journal, breaker, limits, and the session that a VoiceCall is asked about in.

use std::time::Duration;

use super::*;

#[test]
fn what_else_is_wrong_keeps_nobody_from_the_database() {
    let folder = Folder::new();
    let toml = "[store]\nurl = \"sqlite:here.db\"\n[call_centers.Main]\napi = 7\n[serverr]\nx = 1\n";
    let load = |toml: &str| Settings::load_store(&folder.source(toml), &ManualClock::new(now()));
    let (store, names) = load(toml).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&store.url), "sqlite:here.db");
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Main"]);
    let problems = load(&toml.replace("sqlite:", "mysql://")).unwrap_err();
    assert_eq!(
        problems.as_slice().iter().map(|problem| problem.key.as_str()).collect::<Vec<_>>(),
        ["store.url"]
    );
    let problems = load(&toml.replace("url", "ulr")).unwrap_err();
    assert_eq!(problems.as_slice()[0].key, "store.ulr");
}

#[test]
fn what_else_is_wrong_keeps_nobody_from_asking_the_service_that_runs() {
    let folder = Folder::new();
    let load = |toml: &str| Settings::load_operations(&folder.source(toml), &ManualClock::new(now()));
    assert_eq!(load("[serverr]\nx = 1\n").unwrap().to_string(), "127.0.0.1:8081");
    let set = "[server]\nlisten = 7\n[operations]\nlisten = \"10.0.0.1:9090\"\n";
    assert_eq!(load(set).unwrap().to_string(), "10.0.0.1:9090");
    let problems = load("[operations]\nlisten = \"here\"\n").unwrap_err();
    assert_eq!(problems.as_slice()[0].key, "operations.listen");
}

#[test]
fn a_wrong_api_hides_nothing_of_the_way_that_the_other_keys_tell() {
    let folder = Folder::new();
    let keys = |toml: &str| -> Vec<String> {
        let problems = folder.load(toml).unwrap_err();
        problems.as_slice().iter().map(|problem| problem.key.replace("call_centers.Main.", "")).collect()
    };
    let wrong = SMALL.replace("00D5g000007AbCdEAK", "00D");
    assert_eq!(keys(&wrong.replace("\"telephony\"", "\"telefony\"")), ["api", "org_id"]);
    assert_eq!(keys(&wrong.replace("api =", "#")), ["api", "org_id"]);
    let both = wrong.replace("\"telephony\"", "\"?\"\nusername = \"x\"");
    assert_eq!(keys(&both), ["api"], "which of the two is right is for `api` to say");
}

#[test]
fn the_defaults_of_outbox_journal_breaker_and_limits_are_the_documented_ones() {
    let settings = Folder::new().load(SMALL).unwrap();
    let seconds = Duration::from_secs;
    let outbox = Outbox {
        schedule: [1, 5, 15, 60, 300, 900, 3600].map(seconds).to_vec(),
        give_up_after: seconds(72 * 3600),
        lease: seconds(30),
        keep_buried: seconds(30 * 86_400),
        concurrency: 16,
    };
    assert_eq!(settings.outbox, outbox);
    assert_eq!(settings.journal.keep, seconds(7 * 86_400));
    let breaker = Breaker {
        failures: 5,
        slow: seconds(3),
        slow_calls: 5,
        pause: seconds(1),
        longest_pause: seconds(30),
        probes: 1,
    };
    assert_eq!(settings.breaker, breaker);
    let failed_logins = FailedLogins { per_address: 20, per_client: 100, window: seconds(60) };
    let limits = Limits { creates_per_second: 50, concurrent_requests: 256, failed_logins };
    assert_eq!(settings.limits, limits);
    let abandonment = &settings.call_centers["Main"].abandonment;
    assert!(abandonment.guard && !abandonment.ask_salesforce);
}

#[test]
fn a_schedule_of_ones_own_replaces_the_default_as_a_whole() {
    let toml = format!("[outbox]\nschedule = [\"2s\", \"2s\"]\n{SMALL}");
    assert_eq!(Folder::new().load(&toml).unwrap().outbox.schedule, [Duration::from_secs(2); 2]);
}

#[test]
fn the_telephony_way_can_have_an_oauth_session_of_its_own() {
    let folder = Folder::new();
    folder.write("secret", b"3MVG9\n");
    let toml = format!(
        "{SMALL}abandonment.ask_salesforce = true\n[call_centers.Main.oauth]\n\
         login_url = \"https://login.salesforce.com/\"\nconsumer_key_file = \"{{dir}}/secret\"\n\
         username = \"scv@example.com\"\n"
    );
    let settings = folder.load(&toml).unwrap();
    let Api::Telephony(Telephony { oauth: Some(oauth), .. }) = &settings.call_centers["Main"].api else {
        panic!("api = telephony with a session");
    };
    assert_eq!(oauth.audience, "https://login.salesforce.com");
    assert_eq!(oauth.username, "scv@example.com");
    assert!(settings.call_centers["Main"].abandonment.ask_salesforce);
}

#[test]
fn what_is_wrong_with_outbox_guards_and_oauth_is_told() {
    let toml = r#"
[outbox]
schedule = ["5s", "soon", "1ms", "1s"]
give_up_after = "31d"
lease = 30

[journal]
keep = "1m"

[breaker]
failures = 0
pause = "40s"

[limits]
creates_per_second = "fifty"
"#;
    let oauth = "abandonment.ask_salesforce = true\n";
    insta::assert_snapshot!(Folder::new().problems(&format!("{toml}{SMALL}{oauth}")));
}

#[test]
fn a_schedule_is_neither_empty_nor_descending() {
    let problems = |list: &str| {
        let toml = format!("[outbox]\nschedule = {list}\n{SMALL}");
        Folder::new().load(&toml).unwrap_err().as_slice()[0].problem.clone()
    };
    assert_eq!(problems("[]"), "is empty");
    assert_eq!(problems(r#"["5m", "1m"]"#), "holds a pause that is shorter than the one before");
    assert_eq!(problems("[5]"), "holds something that is not a text");
}

#[test]
fn a_lease_outlasts_every_attempt_that_is_made_under_it() {
    let problems = |lease: &str, update: &str| {
        let toml =
            format!("[outbox]\nlease = {lease:?}\n[deadlines]\nupdate_voice_call = {update:?}\n{SMALL}");
        Folder::new().problems(&toml)
    };
    let both = [problems("14s", "4s"), problems("24s", "20s")].concat();
    insta::assert_snapshot!(both);
    for (lease, update) in [("15s", "4s"), ("25s", "20s")] {
        let toml =
            format!("[outbox]\nlease = {lease:?}\n[deadlines]\nupdate_voice_call = {update:?}\n{SMALL}");
        assert!(Folder::new().load(&toml).is_ok(), "{lease}");
    }
}

#[test]
fn a_broken_oauth_section_is_reported_once_and_one_beside_apex_not_taken() {
    let oauth = "abandonment.ask_salesforce = true\noauth.login_url = \"https://login.salesforce.com\"\n";
    let toml = format!("{SMALL}{oauth}");
    let keys = |toml: &str| -> Vec<String> {
        let problems = Folder::new().load(toml).unwrap_err();
        problems.as_slice().iter().map(|problem| problem.key.clone()).collect()
    };
    assert_eq!(keys(&toml), ["call_centers.Main.oauth.consumer_key", "call_centers.Main.oauth.username"]);
    let apex = toml.replace("\"telephony\"", "\"apex\"");
    assert!(keys(&apex).contains(&"call_centers.Main.oauth".to_owned()));
}
