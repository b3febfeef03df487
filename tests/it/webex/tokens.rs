//! One login for all processes: renewed in time, by one of them, and kept before it is used.

use scv_bridge::mock::BadDay;
use scv_bridge::mock::webex::{MockWebexSettings, Operation};
use scv_bridge::store::{Memo, Turn};
use scv_bridge::webex::TokenError;

use super::*;

const DAY: u64 = 86_400;
/// 80 % of the twelve hours that an access token lives.
const RENEWAL: u64 = 34_560;

#[actix_web::test]
async fn without_a_login_the_error_names_the_command() {
    let tenant = Tenant::new().await;
    let error = tenant.tokens("one").await.bearer().await.err().unwrap();
    assert_eq!(error.to_string(), "nobody has logged in to Webex: run `scv-bridge webex login`");
}

#[actix_web::test]
async fn a_token_is_renewed_at_80_percent_of_the_life_that_webex_gave_it() {
    let tenant = Tenant::new().await;
    let tokens = tenant.tokens("one").await;
    tenant.log_in(&tokens).await;
    tenant.wait(RENEWAL - 1);
    tokens.bearer().await.unwrap();
    assert_eq!(tenant.grants(), ["authorization_code"]);
    tenant.wait(1);
    for _ in 0..2 {
        tokens.bearer().await.unwrap();
    }
    assert_eq!(tenant.grants(), ["authorization_code", "refresh_token"]);
}

#[actix_web::test]
async fn processes_share_what_one_of_them_renewed() {
    let tenant = Tenant::new().await;
    let (one, other) = (tenant.tokens("one").await, tenant.tokens("other").await);
    tenant.log_in(&one).await;
    other.bearer().await.unwrap();
    for _ in 0..3 {
        tenant.wait(RENEWAL);
        one.bearer().await.unwrap();
        other.bearer().await.unwrap();
    }
    assert_eq!(tenant.grants().len(), 4, "three renewals for six that asked");
    assert_eq!(tenant.webex.refusals(), []);
}

#[actix_web::test]
async fn many_who_ask_at_once_cause_one_renewal() {
    let tenant = Tenant::new().await;
    let tokens = Arc::new(tenant.tokens("one").await);
    tenant.log_in(&tokens).await;
    tenant.wait(RENEWAL);
    let asking: Vec<_> = (0..20)
        .map(|_| {
            let tokens = Arc::clone(&tokens);
            actix_web::rt::spawn(async move { tokens.bearer().await.map(drop) })
        })
        .collect();
    for asked in asking {
        asked.await.unwrap().unwrap();
    }
    assert_eq!(tenant.grants().len(), 2);
}

#[actix_web::test]
async fn a_process_that_dies_between_the_answer_and_the_keeping_of_it_leaves_a_login_that_works() {
    let tenant = Tenant::new().await;
    let tokens = tenant.tokens("one").await;
    tenant.log_in(&tokens).await;
    tenant.wait(RENEWAL);
    // Webex has rotated the token, and nobody got the new one.
    tenant.webex.script(BadDay::DropConnection { after_work: true }, 1, Operation::Token);
    tokens.bearer().await.unwrap();
    let kept = tenant.store().await.recall(Memo::WebexLogin).await.unwrap();
    let next = tenant.tokens("two").await;
    next.bearer().await.unwrap();
    assert_ne!(tenant.store().await.recall(Memo::WebexLogin).await.unwrap(), kept);
    tenant.wait(RENEWAL);
    next.bearer().await.unwrap();
    assert_eq!(tenant.webex.refusals(), []);
}

#[actix_web::test]
async fn an_old_token_serves_while_webex_gives_no_other() {
    let tenant = Tenant::new().await;
    let tokens = tenant.tokens("one").await;
    tenant.log_in(&tokens).await;
    tenant.webex.script(BadDay::Unavailable { retry_after: None }, 2, Operation::Token);
    tenant.wait(RENEWAL);
    tokens.bearer().await.unwrap();
    tenant.wait(43_200 - RENEWAL);
    assert!(matches!(tokens.bearer().await, Err(TokenError::Unavailable(_))));
    tokens.bearer().await.unwrap();
}

#[actix_web::test]
async fn while_another_process_has_the_turn_nobody_else_renews() {
    let tenant = Tenant::new().await;
    let tokens = tenant.tokens("one").await;
    tenant.log_in(&tokens).await;
    tenant.wait(43_200);
    let (store, now) = (tenant.store().await, tenant.clock.now());
    let until = now.checked_add(Duration::from_secs(60)).unwrap();
    assert!(store.take_turn(Turn::WebexRefresh, "other", until, now).await.unwrap());
    assert!(matches!(tokens.bearer().await, Err(TokenError::Busy)));
    tenant.wait(60);
    tokens.bearer().await.unwrap();
    assert_eq!(tenant.grants().len(), 2);
}

#[actix_web::test]
async fn a_login_that_was_taken_back_says_what_to_do() {
    let tenant = Tenant::new().await;
    let tokens = tenant.tokens("one").await;
    tenant.log_in(&tokens).await;
    tenant.webex.revoke_logins();
    tenant.wait(43_200);
    let words = tokens.bearer().await.err().unwrap().to_string();
    assert!(words.contains("HTTP 400: refresh_token: unknown") && words.contains("webex login"), "{words}");
    tenant.log_in(&tokens).await;
    tokens.bearer().await.unwrap();
}

#[actix_web::test]
async fn the_end_of_the_login_shows_in_the_metrics_and_moves_with_each_renewal() {
    let tenant = Tenant::new().await;
    let tokens = tenant.tokens("one").await;
    tenant.log_in(&tokens).await;
    tokens.bearer().await.unwrap();
    let days_left = |tenant: &Tenant| {
        let end = tenant.metric("scv_bridge_webex_login_expiration_timestamp_seconds ").unwrap();
        let seconds = end.split('.').next().unwrap().parse::<i64>().unwrap();
        (seconds - tenant.clock.now().as_second()).div_euclid(86_400)
    };
    assert_eq!(days_left(&tenant), 90);
    tenant.wait(60 * DAY);
    tokens.bearer().await.unwrap();
    assert_eq!(days_left(&tenant), 90, "renewed with use");
    let settings = MockWebexSettings { refresh_life: Duration::from_secs(29 * DAY), ..Default::default() };
    let tenant = Tenant::of(settings).await;
    let tokens = tenant.tokens("one").await;
    tenant.log_in(&tokens).await;
    tokens.bearer().await.unwrap();
    assert_eq!(days_left(&tenant), 29);
}

#[actix_web::test]
async fn with_a_key_no_token_lies_in_the_database_and_without_it_nothing_opens() {
    const KEY: &str = "0123456789abcdef0123456789abcdef";
    let tenant = Tenant::new().await;
    let tokens = tenant.tokens_with("one", Some(KEY)).await;
    tenant.log_in(&tokens).await;
    tenant.wait(RENEWAL);
    tokens.bearer().await.unwrap();
    tenant.store().await.checkpoint().await.unwrap();
    for file in std::fs::read_dir(tenant.folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        for word in ["access-", "refresh-"] {
            assert!(!bytes.windows(word.len()).any(|window| window == word.as_bytes()), "{word}");
        }
    }
    tenant.tokens_with("two", Some(KEY)).await.bearer().await.unwrap();
    for key in [None, Some("another key of thirty-two letters")] {
        let error = tenant.tokens_with("two", key).await.bearer().await.err().unwrap();
        assert!(error.to_string().contains("webex.token_key_file"), "{error}");
    }
}
