//! The Apex way: the words of the token endpoint and of the REST API.

use super::*;

/// The token endpoint refuses with these words.
async fn refused(error: &str, description: &str) -> Found {
    let setup = Setup::apex(|_| {}).await;
    setup.answers(400, json!({ "error": error, "error_description": description }), Operation::Token);
    setup.fault().await
}

/// The class is refused with these words.
async fn class_refused(status: u16, code: &str, message: &str) -> Found {
    let setup = Setup::apex(|_| {}).await;
    setup.answers(status, rest_error(code, message), Operation::ClearRouting);
    setup.fault().await
}

#[actix_web::test]
async fn a_good_set_up_gives_no_finding() {
    let setup = Setup::apex(|_| {}).await;
    setup.nothing_wrong().await;
    assert_eq!(setup.org.voice_calls(), []);
}

#[actix_web::test]
async fn the_user_is_not_pre_approved() {
    let setup = Setup::apex(|org| org.username = "another@example.com".into()).await;
    setup
        .fault()
        .await
        .is(Code::Session, "not-approved", "not pre-approved", "Admin approved users are pre-authorized")
        .seen("invalid_grant: user hasn't approved this consumer (HTTP 400")
        .hides(Code::ApexRight);
}

#[actix_web::test]
async fn the_app_is_restricted_to_others() {
    let found = refused("invalid_app_access", "user is not admin approved to access this app").await;
    found.is(
        Code::Session,
        "not-admin-approved",
        "neither a profile nor a permission set",
        "Policies: assign",
    );
}

#[actix_web::test]
async fn the_consumer_key_is_another_apps() {
    let setup = Setup::apex(|org| org.consumer_key = "another".into()).await;
    let found = setup.fault().await;
    found.is(
        Code::Session,
        "consumer-key",
        "call_centers.WxCCContactCenterSCV.consumer_key is mistyped",
        "OAuth Settings > Consumer Key",
    );
    assert!(!found.report.text(true).contains("3MVG9"), "the key itself is not shown");
}

#[actix_web::test]
async fn the_audience_is_that_of_another_kind_of_org() {
    let mut setup = Setup::apex(|_| {}).await;
    setup.add("oauth_audience = \"https://login.example.com\"");
    setup.fault().await.is(
        Code::Session,
        "audience",
        "the audience is that of production and the org a sandbox",
        "call_centers.WxCCContactCenterSCV.oauth_audience = \"https://login.salesforce.com\"",
    );
}

#[actix_web::test]
async fn the_app_has_another_certificate() {
    let mut setup = Setup::apex(|_| {}).await;
    setup.change(
        &format!("certificate = \"{CERTIFICATE}\"\napi"),
        &format!("certificate = \"{OTHER_CERTIFICATE}\"\napi"),
    );
    setup.fault().await.is(
        Code::Session,
        "certificate",
        "another certificate was uploaded",
        "certificates.OtherSCV.certificate",
    );
}

#[actix_web::test]
async fn the_clock_is_wrong() {
    let setup = Setup::apex(|_| {}).await;
    setup.clock.advance(Duration::from_secs(300));
    setup
        .fault()
        .await
        .is(Code::Clock, "clock", "nothing keeps the clock", "timedatectl")
        .hides(Code::Session)
        .hides(Code::ApexRight);
}

#[actix_web::test]
async fn the_assertion_is_expired_although_the_clock_is_right() {
    let found = refused("invalid_grant", "expired authorization code").await;
    found.is(Code::Session, "expired", "the clock of this machine is behind", "NTP");
}

#[actix_web::test]
async fn the_app_does_not_offer_the_flow() {
    let found = refused("unsupported_grant_type", "grant type not supported").await;
    found.is(Code::Session, "flow-off", "not enabled in the app", "Enable JWT Bearer Flow");
}

#[actix_web::test]
async fn the_address_of_this_machine_is_not_allowed() {
    let found = refused("invalid_grant", "ip restricted").await;
    found.is(Code::Session, "ip", "Login IP Ranges", "Login History");
}

#[actix_web::test]
async fn the_user_is_deactivated() {
    let found = refused("invalid_grant", "inactive user").await;
    found.is(Code::Session, "user", "deactivated", "Setup > Users > scv.integration@example.com");
}

#[actix_web::test]
async fn the_app_lives_in_another_org() {
    let found = refused("invalid_client", "External client app is not installed in this org").await;
    found.is(
        Code::Session,
        "app-elsewhere",
        "made in another org",
        "install or make the app in the org of 127.0.0.1",
    );
}

#[actix_web::test]
async fn the_app_is_blocked() {
    let found = refused("OAUTH_APP_BLOCKED", "this app is blocked by admin").await;
    found.is(Code::Session, "app-blocked", "the app is blocked", "Connected Apps OAuth Usage");
}

#[actix_web::test]
async fn the_login_refuses_in_words_that_nobody_knows() {
    let found = refused("invalid_grant", "something new").await;
    found
        .is(Code::Session, "refused", "is not as the configuration says", "Login History")
        .seen("something new");
}

#[actix_web::test]
async fn a_fresh_session_is_refused_at_its_instance() {
    let found = class_refused(401, "INVALID_SESSION_ID", "Session expired or invalid").await;
    found
        .is(
            Code::ApexRight,
            "session",
            "the host is not the instance of the org",
            "login_url name the My Domain",
        )
        .hides(Code::ClearRouting);
}

#[actix_web::test]
async fn the_app_lacks_the_scope_for_apis() {
    let found =
        class_refused(401, "INVALID_SESSION_ID", "This session is not valid for use with the REST API").await;
    found.is(Code::ApexRight, "scope", "the app lacks the scope `api`", "Manage user data via APIs (api)");
}

#[actix_web::test]
async fn the_user_may_not_use_apis() {
    let found =
        class_refused(403, "API_DISABLED_FOR_ORG", "The REST API is not enabled for this Organization").await;
    found.is(
        Code::ApexRight,
        "api-off",
        "lacks the permission API Enabled",
        "System Permissions: API Enabled",
    );
}

#[actix_web::test]
async fn the_package_has_another_path() {
    let mut setup = Setup::apex(|_| {}).await;
    setup.add("path_prefix = \"/services/apexrest/cnxscv/voice/v1\"");
    setup.fault().await.is(
        Code::ApexRight,
        "no-class",
        "the package is not installed",
        "call_centers.WxCCContactCenterSCV.path_prefix = \"/services/apexrest/NAMESPACE/voice/v1\"",
    );
}

#[actix_web::test]
async fn the_user_may_not_run_the_class() {
    let words = "You do not have access to the Apex class named: ServiceRouting";
    let found = class_refused(403, "FORBIDDEN", words).await;
    found.is(Code::ApexRight, "class-access", "in no permission set", "Apex Class Access: ServiceRouting");
}

#[actix_web::test]
async fn the_orgs_requests_are_used_up() {
    let found = class_refused(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.").await;
    found.is(Code::ApexRight, "limit", "24 hours", "API Usage");
}

#[actix_web::test]
async fn the_org_was_renamed() {
    let setup = Setup::apex(|_| {}).await;
    setup.script(BadDay::Html { status: 200 }, Operation::Token);
    setup
        .fault()
        .await
        .is(Code::LoginAddress, "page", "login_url is not the host", "Setup > My Domain")
        .hides(Code::Session);
    let setup = Setup::apex(|_| {}).await;
    setup.answers(302, json!({}), Operation::Token);
    setup.fault().await.is(Code::LoginAddress, "redirect", "My Domain was renamed", "Setup > My Domain");
}

#[actix_web::test]
async fn the_login_names_an_instance_that_is_not_salesforces() {
    let setup = Setup::apex(|_| {}).await;
    let body = json!({ "access_token": "canary-token", "instance_url": "https://evil.example.com" });
    setup.answers(200, body, Operation::Token);
    let found = setup.fault().await;
    found
        .is(
            Code::SessionOrg,
            "instance",
            "something between answers",
            "login_url = \"https://NAME.my.salesforce.com\"",
        )
        .seen("evil.example.com")
        .hides(Code::ApexRight);
    assert!(!found.report.text(true).contains("canary-token"));
}

#[actix_web::test]
async fn a_name_that_the_wrapper_wants_is_not_the_orgs() {
    let setup = Setup::apex(|org| org.known_certificates = vec!["Another".into()]).await;
    setup.fault().await.is(
        Code::ClearRouting,
        "certificate-name",
        "certificate_in_org is not the unique name",
        "Certificate and Key Management",
    );
    let setup = Setup::apex(|org| org.call_centers = vec!["Another".into()]).await;
    setup.fault().await.is(Code::ClearRouting, "call-center-name", "API name", "Setup > Call Centers");
}

#[actix_web::test]
async fn voice_calls_cannot_be_asked_about() {
    let mut setup = Setup::telephony(|_| {}).await;
    let session = oauth(&setup.org, "oauth.");
    setup.add(&session).add("abandonment.ask_salesforce = true");
    setup.nothing_wrong().await;
    setup.answers(
        400,
        rest_error("INVALID_TYPE", "sObject type 'VoiceCall' is not supported."),
        Operation::Query,
    );
    setup
        .fault()
        .await
        .is(Code::QueryRight, "fields", "may not read the object VoiceCall", "View All")
        .seen("INVALID_TYPE");
}
