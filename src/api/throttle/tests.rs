//! What attackers may do to the throttle, and what good clients must not notice of it.

use proptest::prelude::*;

use super::*;
use crate::clock::ManualClock;

const SECONDS: u64 = 60;

fn throttle(per_address: u32, per_client: u32) -> (Throttle, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap()));
    let limits = FailedLogins { per_address, per_client, window: Duration::from_secs(SECONDS) };
    let proxies = Proxies { header: None, networks: Vec::new() };
    (Throttle::new(&limits, proxies, clock.clone()), clock)
}

fn attempt(client: &str, from: u32) -> LoginAttempt<'_> {
    LoginAttempt { client, from: IpAddr::from(from.to_be_bytes()), guessable: true }
}

/// Tries a wrong secret.
fn guess(throttle: &Throttle, attempt: LoginAttempt<'_>) -> Result<(), Throttled> {
    throttle.check(attempt)?;
    throttle.failed(attempt)
}

/// How many of so many guesses were compared.
fn compared(throttle: &Throttle, attempt: LoginAttempt<'_>, guesses: usize) -> usize {
    (0..guesses).filter(|_| guess(throttle, attempt).is_ok()).count()
}

#[test]
fn an_address_may_fail_so_often_and_then_waits() {
    let (throttle, clock) = throttle(3, 100);
    assert_eq!(compared(&throttle, attempt("flow", 1), 10), 3);
    let refused = throttle.check(attempt("flow", 1)).unwrap_err();
    assert_eq!(refused.after, Duration::from_secs(SECONDS / 3));
    assert!(throttle.check(attempt("another", 1)).is_err(), "whatever id is tried");
    assert!(throttle.check(attempt("flow", 2)).is_ok(), "another address");
    clock.advance(refused.after);
    assert_eq!(compared(&throttle, attempt("flow", 1), 10), 1);
    clock.advance(Duration::from_secs(SECONDS));
    assert_eq!(compared(&throttle, attempt("flow", 1), 10), 3);
}

#[test]
fn a_client_id_that_many_guess_at_leaves_each_address_one_try() {
    let (throttle, _) = throttle(5, 20);
    let tries: Vec<usize> = (0..100).map(|from| compared(&throttle, attempt("flow", from), 10)).collect();
    assert_eq!(tries[..4], [5, 5, 5, 5]);
    assert!(tries[4..].iter().all(|tries| *tries == 1), "{tries:?}");
    assert_eq!(compared(&throttle, attempt("another", 1000), 10), 5, "another id");
}

#[test]
fn who_succeeded_from_an_address_is_compared_from_there_for_good() {
    let (throttle, _) = throttle(3, 3);
    throttle.succeeded(attempt("flow", 1));
    assert_eq!(compared(&throttle, attempt("another", 1), 10), 3);
    assert!(throttle.check(attempt("another", 1)).is_err());
    assert!(throttle.check(attempt("flow", 1)).is_ok());
    // Somebody with wrong secrets behind that address is compared, and told to wait all the same.
    assert!(throttle.failed(attempt("flow", 1)).is_err());
}

#[test]
fn what_cannot_be_guessed_is_compared_always_and_a_wrong_one_told_to_wait() {
    let (throttle, _) = throttle(3, 3);
    let signed = LoginAttempt { guessable: false, ..attempt("flow", 1) };
    for _ in 0..10 {
        let _ = throttle.failed(signed);
    }
    assert!(throttle.check(signed).is_ok());
    assert!(throttle.failed(signed).is_err());
}

#[test]
fn only_the_shape_of_a_generated_secret_is_taken_for_one() {
    assert!(!guessable(b"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJC"));
    assert!(!guessable(b"-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-"));
    for guess in
        [&b""[..], b"secret", b"q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJ", &[b'a'; 44], &[b' '; 43]]
    {
        assert!(guessable(guess));
    }
}

#[test]
fn the_memory_is_bounded_whoever_comes() {
    let (throttle, _) = throttle(3, 3);
    for from in 0..100_000 {
        let id = from.to_string();
        let _ = guess(&throttle, attempt(&id, from));
        throttle.succeeded(attempt(&id, from));
    }
    let memory = throttle.memory.lock().unwrap();
    assert!(memory.addresses.len() <= 2 * ADDRESSES, "{}", memory.addresses.len());
    assert!(memory.proven.len() <= 2 * PROVEN, "{}", memory.proven.len());
    assert_eq!(memory.ids.len(), IDS);
}

/// What an attacker may do: guess at an id from an address, or wait.
fn attack() -> impl Strategy<Value = Vec<(usize, u32, u64)>> {
    proptest::collection::vec((0_usize..3, 0_u32..40, 0_u64..4), 0..300)
}

const NAMES: [&str; 3] = ["flow", "another", "nobody"];

proptest! {
    /// The promise of this module, against any order of guesses at the client's own id and others.
    #[test]
    fn good_clients_are_never_locked_out(attack in attack(), per_address in 1_u32..5, per_client in 1_u32..5) {
        let (throttle, clock) = throttle(per_address, per_client);
        let (known, fresh) = (attempt("flow", 7), attempt("flow", 999));
        throttle.succeeded(known);
        for (name, from, seconds) in attack {
            clock.advance(Duration::from_secs(seconds));
            let _ = guess(&throttle, attempt(NAMES[name], from));
            prop_assert!(throttle.check(known).is_ok(), "from where it succeeded, the attacker beside it");
            prop_assert!(throttle.check(fresh).is_ok(), "the first try from a new address");
            let generated = LoginAttempt { guessable: false, ..attempt("flow", from) };
            prop_assert!(throttle.check(generated).is_ok(), "with a generated secret, from anywhere");
        }
    }

    /// And the reason why there is one.
    #[test]
    fn guesses_from_one_address_are_few(
        pauses in proptest::collection::vec(0_u64..3, 1..400),
        per_address in 1_u32..10,
    ) {
        let (throttle, clock) = throttle(per_address, 1000);
        let mut compared = 0;
        for pause in &pauses {
            clock.advance(Duration::from_secs(*pause));
            compared += u64::from(guess(&throttle, attempt("flow", 1)).is_ok());
        }
        let given_back = pauses.iter().sum::<u64>() * u64::from(per_address) / SECONDS;
        prop_assert!(compared <= u64::from(per_address) + given_back + 1);
    }
}
