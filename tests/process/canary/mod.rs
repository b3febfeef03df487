//! Marked secrets and phone numbers go through everything that can happen; none may come out anywhere but in the
//! requests to Salesforce.

mod configuration;
mod kept;
mod scenario;
mod tokens;
mod webhooks;

use std::fs;

use super::flow::{ANI, DNIS, Flow};
use super::site::{CONSUMER_KEY, PASSPHRASE, PASSWORD, SECRET, SIGNING_KEY, Service, Site};

const CENTERS: [&str; 2] = ["WxCCContactCenterSCV", "Sandbox"];
/// What somebody sends who is not let in.
const WRONG_SECRET: &str = "canary-wrong-secret-Vy07";
/// What Salesforce may say of its own and of ours.
const SAID_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.canarysaid.Tn55";
const SAID_SESSION: &str = "00D000000000001!AQcanarysaid.Rk66";
/// What Webex signs with.
const WEBHOOK_SECRET: &str = "canary-webhook-secret-Bn73-0123456789";
/// The password of a database.
const DATABASE_PASSWORD: &str = "canary-database-password-Hd12";

#[actix_web::test]
async fn nothing_marked_comes_out_anywhere_with_a_log_in_json() {
    play("json", "\"message\":\"request\"").await;
}

#[actix_web::test]
async fn nothing_marked_comes_out_anywhere_with_a_log_in_text() {
    play("text", " request request_id=").await;
}

#[actix_web::test]
async fn no_command_repeats_a_secret_that_stands_in_the_wrong_place_of_the_configuration() {
    let site = Site::open().await;
    let marks = marks(&site, Vec::new());
    let said = configuration::everything_wrong(&site);
    assert!(said.len() > 20, "{} reports", said.len());
    for (what, said) in &said {
        assert_silent(&marks, what, said);
    }
}

/// The whole scenario. `line` stands in every access line.
async fn play(format: &str, line: &str) {
    let site = Site::open().await;
    // Tried again soon, and then not before this test is over.
    let schedule = "\n[outbox]\nschedule = [\"100ms\", \"24h\"]\n";
    site.write("bridge.toml", site.configuration() + schedule + &webhooks::section());
    let service = site.serve(&everything_logged(format)).await;
    let flow = service.flow();
    let mut said = scenario::play(&flow, &service, &site.org).await;
    webhooks::tell(&flow).await;
    said.extend(kept::leave_behind(&flow, &site).await);
    said.extend(pages(&service).await);
    said.push(("what flows were answered", flow.heard()));
    // A flow of its own: what it is answered are the tokens.
    let connector = service.flow();
    let given = tokens::ask(&connector).await;
    let requests = flow.count() + connector.count();

    // What Salesforce has not taken holds numbers, and has to: they are gone with the last of it.
    let number = ANI.trim_start_matches('+');
    assert!(holds(&site, number), "nothing was kept, so nothing is proved");
    said.extend(kept::clear_away(&site));
    let hang_ups = scenario::hang_up(&flow).await;

    let tokens: Vec<_> = site.org.requests().into_iter().filter_map(|request| request.token).collect();
    assert!(tokens.len() > 20, "the org has seen {} tokens", tokens.len());
    let (code, log) = service.stop().await;
    assert_eq!(code, Some(0));
    assert_eq!(log.matches(line).count(), requests + hang_ups, "a line for every request");
    assert!(!log.contains("panicked"), "{log}");
    said.push(("the log", log));
    let marks: Vec<_> = marks(&site, tokens).into_iter().chain(given).collect();
    for (what, said) in &said {
        assert_silent(&marks, what, said);
    }
    for mark in &marks {
        assert!(!holds(&site, mark), "the database holds {mark}");
    }
}

/// The lowest level, with deadlines that do not make this test slow.
fn everything_logged(format: &str) -> Vec<(&str, &str)> {
    vec![
        ("SCV_BRIDGE__LOGS__LEVEL", "trace"),
        ("SCV_BRIDGE__LOGS__FORMAT", format),
        ("SCV_BRIDGE__DEADLINES__CREATE_VOICE_CALL", "1s"),
        ("SCV_BRIDGE__BREAKER__FAILURES", "1000"),
        ("RUST_LOG", "trace"),
        ("RUST_BACKTRACE", "full"),
    ]
}

/// What operators see.
async fn pages(service: &Service) -> Vec<(&'static str, String)> {
    let mut said = Vec::new();
    for page in ["/metrics", "/readyz", "/livez", "/version", &format!("/{ANI}?secret={SECRET}")] {
        let url = format!("http://{}{page}", service.operations);
        said.push(("a page for operators", reqwest::get(url).await.unwrap().text().await.unwrap()));
    }
    said
}

/// Everything that may stand nowhere, in the forms in which it could.
fn marks(site: &Site, tokens: Vec<String>) -> Vec<String> {
    let own = [
        SECRET,
        PASSWORD,
        SIGNING_KEY,
        WEBHOOK_SECRET,
        WRONG_SECRET,
        CONSUMER_KEY,
        PASSPHRASE,
        SAID_TOKEN,
        SAID_SESSION,
        "canarysaid",
    ];
    let credentials = openssl::base64::encode_block(format!("webex-flow:{SECRET}").as_bytes());
    let numbers = [ANI, DNIS].map(|number| number.trim_start_matches("+1").to_owned());
    let key = site.key_pem.lines().filter(|line| !line.starts_with('-')).map(str::to_owned);
    let signatures = tokens.iter().filter_map(|token| token.rsplit(['.', '!']).next()).map(str::to_owned);
    own.map(str::to_owned)
        .into_iter()
        .chain([credentials, "469) 555-0101".into(), "469 555 0101".into(), DATABASE_PASSWORD.into()])
        .chain(numbers)
        .chain(key)
        .chain(signatures.collect::<Vec<_>>())
        .chain(tokens)
        .collect()
}

fn assert_silent(marks: &[String], what: &str, said: &str) {
    for mark in marks {
        if said.contains(mark) {
            panic!("{what} holds {mark}: {:?}", said.lines().find(|line| line.contains(mark)));
        }
    }
}

/// Whether any file of the database holds this text.
fn holds(site: &Site, text: &str) -> bool {
    let files = fs::read_dir(site.path().join("data")).unwrap();
    let contents: Vec<_> = files.map(|file| fs::read(file.unwrap().path()).unwrap()).collect();
    assert!(!contents.is_empty());
    contents.iter().any(|bytes| String::from_utf8_lossy(bytes).contains(text))
}
