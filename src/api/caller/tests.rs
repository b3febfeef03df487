//! Who is let in, on configurations that differ by one client.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::header::{AUTHORIZATION, HeaderMap};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use openssl::sha::sha256;
use proptest::prelude::*;
use secrecy::ExposeSecret as _;

use super::token::{AccessTokens, Sha256};
use super::*;
use crate::clock::ManualClock;
use crate::settings::{Access, FailedLogins, Proxies, SigningKeys, TokenEndpoint, User};

fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

fn client(secret: &[u8]) -> Client {
    Client {
        id: "webex-flow".into(),
        secrets: vec![sha256(secret)],
        user: None,
        assertion_keys: Vec::new(),
        certificate_names: ["flow.example.com".to_owned()].into(),
        call_centers: Access::All,
    }
}

fn endpoint(current: &str, previous: Option<&str>) -> TokenEndpoint {
    let keys = SigningKeys {
        current: current.to_owned().into(),
        previous: previous.map(|key| key.to_owned().into()),
    };
    TokenEndpoint { token_life: Duration::from_secs(3600), keys: Some(keys), audiences: Vec::new() }
}

fn callers(clients: &[Client], oauth: &TokenEndpoint) -> Callers {
    patient(clients, oauth, 1000)
}

/// Who take so many wrong credentials from one address.
fn patient(clients: &[Client], oauth: &TokenEndpoint, per_address: u32) -> Callers {
    let limits = FailedLogins { per_address, per_client: 1000, window: Duration::from_secs(60) };
    let throttle = Throttle::new(
        &limits,
        Proxies { header: None, networks: Vec::new() },
        Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH)),
    );
    let base_url = "https://bridge.example.com".into();
    Callers::of(clients, oauth, base_url, Arc::default(), Arc::new(throttle)).unwrap()
}

/// Whom these headers and names stand for.
fn identified(
    callers: &Callers,
    headers: &HeaderMap,
    names: &[String],
    now: Timestamp,
) -> Result<String, CredentialsRefused> {
    let peer = Peer { address: None, headers, names };
    callers.identify(&peer, now).map(|client| client.id.clone())
}

fn with(header: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(AUTHORIZATION, header.parse().unwrap());
    headers
}

fn basic(credentials: &str) -> HeaderMap {
    with(&format!("Basic {}", STANDARD.encode(credentials)))
}

/// A token that the client got by its secret.
fn token(callers: &Callers) -> String {
    let headers = HeaderMap::new();
    let peer = Peer { address: None, headers: &headers, names: &[] };
    let credentials = Credentials { id: "webex-flow".into(), secret: b"s:cret".to_vec() };
    let known = callers.by_secret(&credentials, &peer).unwrap();
    callers.issue(&known, now()).unwrap().unwrap().token.expose_secret().to_owned()
}

fn let_in(callers: &Callers, token: &str, after: i64) -> bool {
    let then = Timestamp::from_second(now().as_second() + after).unwrap();
    identified(callers, &with(&format!("Bearer {token}")), &[], then).is_ok()
}

#[test]
fn a_client_is_known_by_its_id_and_any_of_its_secrets() {
    let mut client = client(b"s:cret");
    client.secrets.push(sha256(b"older"));
    let callers = callers(&[client], &endpoint("key", None));
    for good in ["webex-flow:s:cret", "webex-flow:older"] {
        assert_eq!(identified(&callers, &basic(good), &[], now()).unwrap(), "webex-flow");
    }
    for wrong in ["webex-flow:", "webex-flow:s", "webex-flow:s:cret ", "other:s:cret", "webex-flow", ":"] {
        assert_eq!(
            identified(&callers, &basic(wrong), &[], now()),
            Err(CredentialsRefused::Wrong),
            "{wrong}"
        );
    }
    assert_eq!(identified(&callers, &HeaderMap::new(), &[], now()), Err(CredentialsRefused::Nothing));
}

#[test]
fn an_empty_secret_or_password_is_never_right() {
    let mut client = client(b"");
    client.user = Some(User { name: "u".into(), password_sha256: Some(sha256(b"")) });
    let callers = callers(&[client], &endpoint("key", None));
    assert_eq!(identified(&callers, &basic("webex-flow:"), &[], now()), Err(CredentialsRefused::Wrong));
    let headers = HeaderMap::new();
    let peer = Peer { address: None, headers: &headers, names: &[] };
    let known =
        IdentifiedClient { client: &callers.clients["webex-flow"], proof: CredentialProof::secret([1; 32]) };
    assert_eq!(callers.by_password(&known, "u", "", &peer).err(), Some(CredentialsRefused::Wrong));
}

#[test]
fn two_spellings_of_one_secret_are_one_attempt() {
    let callers = patient(&[client(b"a+b")], &endpoint("key", None), 2);
    let headers = HeaderMap::new();
    let address = Some("192.0.2.1:4711".parse().unwrap());
    let peer = Peer { address, headers: &headers, names: &[] };
    let of = |secret: &str| Credentials { id: "webex-flow".into(), secret: secret.into() };
    let tried = |secret: &str| {
        let sent = of(secret);
        callers.by_either(&sent, sent.form_decoded().as_ref(), &peer).map(|(_, right)| right.secret.clone())
    };
    // The right spelling and the other give the same result, and neither counts as a failure.
    for _ in 0..5 {
        assert_eq!(tried("a+b").unwrap(), b"a+b");
        assert_eq!(tried("a%2Bb").unwrap(), b"a+b");
    }
    let unknown = Credentials { id: "other".into(), secret: b"x".to_vec() };
    assert_eq!(callers.by_secret(&unknown, &peer).err(), Some(CredentialsRefused::Wrong));
    assert_eq!(
        callers.by_either(&of("x+y"), of("x+y").form_decoded().as_ref(), &peer).err(),
        Some(CredentialsRefused::Wrong)
    );
    assert!(matches!(callers.by_secret(&unknown, &peer).err(), Some(CredentialsRefused::Throttled(_))));
}

#[test]
fn a_client_with_the_secret_cannot_guess_at_its_password_for_ever() {
    let mut client = client(b"s:cret");
    client.user = Some(User { name: "webex".into(), password_sha256: Some(sha256(b"right")) });
    let callers = patient(&[client], &endpoint("key", None), 2);
    let headers = HeaderMap::new();
    let address = Some("192.0.2.1:4711".parse().unwrap());
    let peer = Peer { address, headers: &headers, names: &[] };
    let credentials = Credentials { id: "webex-flow".into(), secret: b"s:cret".to_vec() };
    let guess = |password: &str| {
        let known = callers.by_secret(&credentials, &peer).unwrap();
        callers.by_password(&known, "webex", password, &peer).map(|_| ())
    };
    assert_eq!(guess("wrong"), Err(CredentialsRefused::Wrong));
    assert_eq!(guess("wrong"), Err(CredentialsRefused::Wrong));
    assert!(matches!(guess("right"), Err(CredentialsRefused::Throttled(_))));
}

#[test]
fn a_client_without_a_secret_is_not_let_in_by_any() {
    let mut client = client(b"");
    client.secrets.clear();
    let callers = callers(&[client], &endpoint("key", None));
    assert_eq!(identified(&callers, &basic("webex-flow:"), &[], now()), Err(CredentialsRefused::Wrong));
}

#[test]
fn a_certificate_names_its_client_unless_the_header_names_another() {
    let mut other = client(b"other");
    (other.id, other.certificate_names) = ("other".into(), ["other.example.com".to_owned()].into());
    let callers = callers(&[client(b"s:cret"), other], &endpoint("key", None));
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let of = |shown: &[&str], headers: &HeaderMap| identified(&callers, headers, &names(shown), now());
    let none = HeaderMap::new();
    assert_eq!(of(&["x", "flow.example.com", "flow.example.com"], &none).unwrap(), "webex-flow");
    assert_eq!(of(&["flow.example.com"], &basic("other:other")).unwrap(), "other");
    assert_eq!(of(&["flow.example.com"], &basic("other:wrong")), Err(CredentialsRefused::Wrong));
    assert_eq!(of(&["flow.example.com", "other.example.com"], &none), Err(CredentialsRefused::Nothing));
    assert_eq!(of(&["Flow.example.com"], &none), Err(CredentialsRefused::Nothing));
}

#[test]
fn a_token_is_good_on_every_replica_until_the_second_in_which_it_ends() {
    let [here, there] = [(), ()].map(|()| callers(&[client(b"s:cret")], &endpoint("key", None)));
    let token = token(&here);
    assert!(token.len() < 100, "{} characters", token.len());
    for (after, good) in [(0, true), (3599, true), (3600, false), (10_000_000, false)] {
        assert_eq!(let_in(&there, &token, after), good, "after {after} s");
    }
}

#[test]
fn a_token_dies_with_its_client_and_with_the_secret_it_was_got_by() {
    let token = token(&callers(&[client(b"s:cret")], &endpoint("key", None)));
    let after = |clients: &[Client]| let_in(&callers(clients, &endpoint("key", None)), &token, 1);
    let mut renamed = client(b"s:cret");
    renamed.id = "other".into();
    let mut rotated = client(b"new");
    assert!(!after(&[rotated.clone()]), "the secret is gone");
    rotated.secrets.push(sha256(b"s:cret"));
    assert!(after(&[rotated]), "the secret is still taken");
    assert!(!after(&[renamed]), "the client is gone");
    assert!(!after(&[]));
}

#[test]
fn two_signing_keys_are_good_at_once_and_a_third_is_not() {
    let of = |key: &str, previous| callers(&[client(b"s:cret")], &endpoint(key, previous));
    let token = token(&of("old", None));
    for (key, previous, good) in [
        ("new", Some("old"), true),
        ("old", Some("new"), true),
        ("new", None, false),
        ("new", Some("x"), false),
    ] {
        assert_eq!(let_in(&of(key, previous), &token, 1), good, "{key} {previous:?}");
    }
}

#[test]
fn a_password_binds_the_token_to_the_user_too() {
    let with_user = |name: &str, password: &[u8]| {
        let mut client = client(b"s:cret");
        client.user = Some(User { name: name.into(), password_sha256: Some(sha256(password)) });
        callers(&[client], &endpoint("key", None))
    };
    let callers = with_user("webex@example.com", b"word");
    let headers = HeaderMap::new();
    let peer = Peer { address: None, headers: &headers, names: &[] };
    let credentials = Credentials { id: "webex-flow".into(), secret: b"s:cret".to_vec() };
    let known = callers.by_secret(&credentials, &peer).unwrap();
    for (name, password) in [("webex@example.com", "w"), ("webex", "word"), ("", "")] {
        assert_eq!(callers.by_password(&known, name, password, &peer).err(), Some(CredentialsRefused::Wrong));
    }
    let known = callers.by_password(&known, "webex@example.com", "word", &peer).unwrap();
    let token = callers.issue(&known, now()).unwrap().unwrap().token;
    for (name, password, good) in [
        ("webex@example.com", "word", true),
        ("webex@example.com", "new", false),
        ("new@example.com", "word", false),
    ] {
        assert_eq!(let_in(&with_user(name, password.as_bytes()), token.expose_secret(), 1), good);
    }
}

#[test]
fn without_a_key_no_token_is_given_or_taken() {
    let token = token(&callers(&[client(b"s:cret")], &endpoint("key", None)));
    let mut silent = endpoint("key", None);
    silent.keys = None;
    let callers = callers(&[client(b"s:cret")], &silent);
    assert!(!callers.gives_tokens());
    assert!(!let_in(&callers, &token, 1));
}

proptest! {
    #[test]
    fn a_token_that_was_changed_anywhere_is_not_taken(at in any::<prop::sample::Index>(), flip in 1_u8..=255) {
        let callers = callers(&[client(b"s:cret")], &endpoint("key", None));
        let token = token(&callers);
        let mut bytes = URL_SAFE_NO_PAD.decode(token.strip_prefix("scvb_").unwrap()).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        let changed = format!("scvb_{}", URL_SAFE_NO_PAD.encode(bytes));
        prop_assert!(!let_in(&callers, &changed, 0));
    }

    #[test]
    fn no_bytes_are_taken_for_a_token_and_none_make_it_panic(
        prefix in any::<bool>(),
        bytes in proptest::collection::vec(any::<u8>(), 0..120),
    ) {
        let sha256 = Sha256::new().unwrap();
        let tokens = AccessTokens::new(&endpoint("key", None), &[client(b"s:cret")], &sha256).unwrap().unwrap();
        let token = match prefix {
            true => format!("scvb_{}", URL_SAFE_NO_PAD.encode(&bytes)).into_bytes(),
            false => bytes,
        };
        prop_assert_eq!(tokens.client(&token, now(), &sha256), None);
    }

    #[test]
    fn no_text_is_taken_for_an_assertion_and_none_makes_it_panic(
        parts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..40), 0..5),
        encode in any::<bool>(),
    ) {
        let parts = parts.iter().map(|part| match encode {
            true => URL_SAFE_NO_PAD.encode(part),
            false => String::from_utf8_lossy(part).into_owned(),
        });
        let text = parts.collect::<Vec<_>>().join(".");
        let callers = callers(&[client(b"s:cret")], &endpoint("key", None));
        let headers = HeaderMap::new();
        let peer = Peer { address: None, headers: &headers, names: &[] };
        prop_assert!(callers.by_assertion(&text, |_, _| Ok(()), &peer, now()).is_err());
    }
}
