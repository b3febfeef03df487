//! The telephony way, judged by statuses only.

use super::*;

#[actix_web::test]
async fn a_good_set_up_gives_no_finding_and_changes_nothing_in_the_org() {
    let setup = Setup::telephony(|_| {}).await;
    let report = setup.nothing_wrong().await;
    assert!(report.counts().ok > 12, "{}", report.text(true));
    assert_eq!(setup.org.voice_calls(), []);
    // Checks that need nothing of each other run beside each other.
    let mut asked: Vec<_> =
        setup.org.requests().into_iter().map(|asked| (asked.method, asked.operation)).collect();
    asked.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(
        asked,
        [("HEAD".to_owned(), Operation::Unknown), ("PATCH".to_owned(), Operation::ClearRouting)]
    );
    assert!(!setup.folder.path().join("bridge.db").exists(), "nothing was made here either");
}

#[actix_web::test]
async fn the_certificate_of_the_contact_center_is_another_one_that_is_configured() {
    let mut setup = Setup::telephony(|_| {}).await;
    setup.change(
        &format!("certificate = \"{CERTIFICATE}\"\napi"),
        &format!("certificate = \"{OTHER_CERTIFICATE}\"\napi"),
    );
    setup.fault().await.is(
        Code::TelephonyToken,
        "other-certificate",
        "the contact center in Salesforce has the certificate WebexCCSCV",
        "call_centers.WxCCContactCenterSCV.certificate = \"WebexCCSCV\"",
    );
}

#[actix_web::test]
async fn the_certificate_of_the_contact_center_is_one_that_nobody_has_here() {
    let stranger = scv_bridge::certificate::issue("Stranger", 2048, 30, NOW.parse().unwrap()).unwrap();
    let setup = Setup::telephony(|org| org.certificate_pem = stranger.certificate_pem).await;
    setup
        .fault()
        .await
        .is(
            Code::TelephonyToken,
            "token",
            "another certificate than the one that signs",
            "Telephony Integration Certificate",
        )
        .seen("WebexCCSCV has SHA-256 ")
        .seen("refused as well with token.audience")
        .hides(Code::ClearRouting);
}

#[actix_web::test]
async fn the_org_is_another_one() {
    let setup = Setup::telephony(|org| org.org_id = "00D000000000002EAA".into()).await;
    setup.fault().await.is(
        Code::TelephonyToken,
        "token",
        "call_centers.WxCCContactCenterSCV.org_id (00D000000000001EAA) is another org's: a refreshed sandbox",
        "Setup > Company Information",
    );
}

#[actix_web::test]
async fn the_org_is_another_one_and_a_session_tells_which() {
    let mut setup = Setup::telephony(|org| org.org_id = "00D000000000002EAA".into()).await;
    let session = oauth(&setup.org, "oauth.");
    setup.add(&session).add("abandonment.ask_salesforce = true");
    setup
        .fault()
        .await
        .is(
            Code::SessionOrg,
            "other-org",
            "the sandbox was refreshed",
            "call_centers.WxCCContactCenterSCV.org_id = \"00D000000000002EAA\"",
        )
        .seen("org_id is 00D000000000001EAA, the session's is 00D000000000002EAA")
        .hides(Code::TelephonyToken);
}

#[actix_web::test]
async fn the_contact_center_is_called_otherwise() {
    let setup = Setup::telephony(|org| org.call_centers = vec!["Another".into()]).await;
    setup.fault().await.is(
        Code::TelephonyToken,
        "token",
        "the section is not called as the contact center's API name",
        "[call_centers.NAME], now WxCCContactCenterSCV",
    );
}

#[actix_web::test]
async fn the_clock_is_wrong_and_hides_the_token_that_is_refused_for_it() {
    let setup = Setup::telephony(|_| {}).await;
    setup.clock.advance(Duration::from_secs(600));
    setup
        .fault()
        .await
        .is(Code::Clock, "clock", "nothing keeps the clock", "timedatectl set-ntp true")
        .seen("this machine 2026-11-21T10:10:00Z, Salesforce 2026-11-21T10:00:00Z")
        .hides(Code::TelephonyToken);
}

#[actix_web::test]
async fn the_token_lives_too_long() {
    let mut setup = Setup::telephony(|org| org.max_token_life = Duration::from_secs(180)).await;
    setup.add("token.life = \"1h\"");
    setup.fault().await.is(
        Code::TelephonyToken,
        "life",
        "three minutes at most",
        "[call_centers.WxCCContactCenterSCV.token] life = \"3m\"",
    );
}

#[actix_web::test]
async fn the_token_lacks_its_audience() {
    let setup = Setup::telephony(|org| org.audience = Some("https://scrt.salesforce.com".into())).await;
    setup
        .fault()
        .await
        .is(
            Code::TelephonyToken,
            "audience",
            "wants the claim aud",
            "[call_centers.WxCCContactCenterSCV.token] audience = \"https://scrt.salesforce.com\"",
        )
        .seen("with token.audience = \"https://scrt.salesforce.com\" the answer is HTTP 404");
}

#[actix_web::test]
async fn the_contact_center_may_not_use_the_api() {
    let setup = Setup::telephony(|org| org.provider_name = "another".into()).await;
    setup
        .fault()
        .await
        .is(
            Code::TelephonyRight,
            "forbidden",
            "provider_name (webex-contact-center)",
            "Permission Set Licenses",
        )
        .hides(Code::ClearRouting);
}

#[actix_web::test]
async fn the_host_is_not_known_and_hides_everything_behind_it() {
    let mut setup = Setup::telephony(|_| {}).await;
    let url = setup.org.telephony_url();
    setup.change("00D000000000001EAA", "00D5g000007AbCdEAK");
    setup.change(&url, "https://nowhere.my.salesforce-scrt.com.invalid/telephony/v1");
    let report = setup.examine().await;
    let problems: Vec<_> = report.problems().iter().map(|row| (row.id.code, row.finding.fault)).collect();
    let expected = [(Code::Name, Some("unknown-name")), (Code::HostKind, Some("other-host"))];
    assert_eq!(problems, expected, "{}", report.text(true));
    let hidden = |row: &&Row| row.because_of.as_ref().is_some_and(|root| root.code == Code::Name);
    assert_eq!(report.rows.iter().filter(hidden).count(), 7, "{}", report.text(true));
}

#[actix_web::test]
async fn nobody_listens_at_the_host() {
    let setup = Setup::telephony(|_| {}).await;
    setup.org.stop().await;
    setup
        .fault()
        .await
        .is(Code::Connection, "refused", "the host is up, and nothing listens at its port", "on TCP port")
        .hides(Code::TelephonyAddress);
}

#[actix_web::test]
async fn the_host_answers_with_a_page() {
    let setup = Setup::telephony(|_| {}).await;
    setup.script(BadDay::Html { status: 404 }, Operation::ClearRouting);
    setup
        .fault()
        .await
        .is(Code::TelephonyAddress, "page", "is not the host of the telephony API", "Setup > My Domain")
        .hides(Code::TelephonyToken);
}

#[actix_web::test]
async fn the_path_is_not_that_of_the_telephony_api() {
    let mut setup = Setup::telephony(|_| {}).await;
    setup.change("/telephony/v1", "/services/telephony");
    setup
        .fault()
        .await
        .is(Code::TelephonyAddress, "address", "my.salesforce.com or lightning.force.com", "/telephony/v1\"")
        .seen("Could not find a match for URL");
}

#[actix_web::test]
async fn salesforce_cannot_answer_or_not_in_time() {
    let setup = Setup::telephony(|_| {}).await;
    setup.script(BadDay::Unavailable { retry_after: None }, Operation::ClearRouting);
    setup.fault().await.is(Code::TelephonyAddress, "unavailable", "an incident", "status.salesforce.com");
    let setup = Setup::telephony(|_| {}).await;
    setup.script(BadDay::DropConnection { after_work: false }, Operation::ClearRouting);
    setup.fault().await.is(
        Code::TelephonyAddress,
        "broken",
        "something between",
        "run `scv-bridge doctor` again",
    );
    let setup = Setup::telephony(|_| {}).await;
    setup.answers(
        422,
        json!({ "errors": ["dialedNumber 4693150217: no phone channel"] }),
        Operation::ClearRouting,
    );
    let found = setup.fault().await;
    found.is(Code::ClearRouting, "unexpected", "its phone channel", "Omni-Channel").seen("no phone channel");
    assert!(!found.report.json().to_string().contains("4693150217"));
}

#[actix_web::test]
async fn a_server_that_says_yes_to_everything_is_no_telephony_api() {
    let setup = Setup::telephony(|_| {}).await;
    for body in [json!("welcome to the guest network"), json!(42), json!(true)] {
        setup.org.forget_scripts();
        setup.answers(200, body, Operation::ClearRouting);
        setup
            .fault()
            .await
            .is(
                Code::TelephonyAddress,
                "garbage",
                "another program, which answers 200 to whatever it is asked",
                "https://NAME.my.salesforce-scrt.com/telephony/v1",
            )
            .hides(Code::TelephonyToken);
    }
    setup.org.forget_scripts();
    setup.script(BadDay::Garbage, Operation::ClearRouting);
    setup.fault().await.is(
        Code::TelephonyAddress,
        "garbage",
        "another program, which answers 200 to whatever it is asked",
        "from where nothing stands between",
    );
    for body in [json!({}), json!({ "status": "Success" }), json!([])] {
        setup.org.forget_scripts();
        setup.answers(200, body, Operation::ClearRouting);
        setup.nothing_wrong().await;
    }
}
