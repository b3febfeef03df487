//! The signature and the freshness of a webhook.

use jiff::{SignedDuration, Timestamp};
use openssl::error::ErrorStack;
use openssl::hash::MessageDigest;
use openssl::memcmp;
use openssl::pkey::{PKey, Private};
use openssl::sign::Signer;
use secrecy::{ExposeSecret, SecretString};

/// By how much the time of a webhook of the second version may differ from now.
const TOLERANCE: SignedDuration = SignedDuration::from_mins(5);

/// Bytes of SHA-256.
const LENGTH: usize = 32;

/// The secrets of the subscriptions; several while one is being replaced.
pub struct Signatures {
    keys: Vec<PKey<Private>>,
}

impl Signatures {
    /// The keys for `secrets`.
    ///
    /// # Errors
    /// When OpenSSL lacks HMAC.
    pub fn new(secrets: &[SecretString]) -> Result<Self, ErrorStack> {
        let key = |secret: &SecretString| PKey::hmac(secret.expose_secret().as_bytes());
        Ok(Self { keys: secrets.iter().map(key).collect::<Result<_, _>>()? })
    }

    /// Whether `signature` is the lower-case hexadecimal HMAC-SHA256 of the raw body under one of the secrets. All of
    /// them are tried, and compared in constant time.
    pub fn verify(&self, body: &[u8], signature: Option<&str>) -> bool {
        let Some(given) = signature.and_then(unhex) else { return false };
        let matches = |key: &PKey<Private>| {
            let mut own = [0; LENGTH];
            let signed = Signer::new(MessageDigest::sha256(), key)
                .and_then(|mut signer| signer.sign_oneshot(&mut own, body));
            signed.is_ok_and(|length| length == LENGTH) && memcmp::eq(&own, &given)
        };
        self.keys.iter().fold(false, |found, key| found | matches(key))
    }
}

/// Whether a webhook was sent just now. The second version signs its time: in the body (`comciscotimestamp`), which a
/// header repeats. The first version has neither.
pub fn is_fresh(body: Option<Timestamp>, header: Option<&str>, now: Timestamp) -> bool {
    match (body, header) {
        (None, None) => true,
        (Some(at), Some(header)) => {
            header.trim().parse() == Ok(at.as_millisecond()) && now.duration_since(at).abs() <= TOLERANCE
        }
        _ => false,
    }
}

/// Lower case only, as documented.
fn unhex(text: &str) -> Option<[u8; LENGTH]> {
    let mut bytes = [0; LENGTH];
    let is_lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    hex::decode_to_slice(text, &mut bytes).ok().filter(|()| is_lower).map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "key-of-the-subscription-32-chars";
    const BODY: &[u8] = b"{\"id\":\"1\"}";

    fn signatures(secrets: &[&str]) -> Signatures {
        let secrets: Vec<SecretString> = secrets.iter().map(|secret| (*secret).into()).collect();
        Signatures::new(&secrets).unwrap()
    }

    /// RFC 2104 by hand, so that the code is not compared with itself.
    fn sign(secret: &str, body: &[u8]) -> String {
        let mut key = [0; 64];
        key[..secret.len()].copy_from_slice(secret.as_bytes());
        let inner = [&key.map(|byte| byte ^ 0x36), body].concat();
        let outer = [&key.map(|byte| byte ^ 0x5c)[..], &openssl::sha::sha256(&inner)].concat();
        hex::encode(openssl::sha::sha256(&outer))
    }

    #[test]
    fn each_of_several_secrets_is_good_and_no_other() {
        let both = signatures(&["another-secret-of-32-characters!", SECRET]);
        assert!(both.verify(BODY, Some(&sign(SECRET, BODY))));
        assert!(both.verify(BODY, Some(&sign("another-secret-of-32-characters!", BODY))));
        assert!(!both.verify(BODY, Some(&sign("a-third-secret-of-32-characters!", BODY))));
        assert!(!both.verify(b"{\"id\":\"2\"}", Some(&sign(SECRET, BODY))));
        assert!(!signatures(&[]).verify(BODY, Some(&sign(SECRET, BODY))), "without a secret nothing is good");
    }

    #[test]
    fn a_signature_is_64_digits_in_lower_case() {
        let one = signatures(&[SECRET]);
        let good = sign(SECRET, BODY);
        for bad in [
            &good.to_uppercase(),
            "",
            &good.replacen(char::is_alphanumeric, "", 1),
            &format!("{good}00"),
            &"ü".repeat(32),
        ] {
            assert!(!one.verify(BODY, Some(bad)), "{bad}");
        }
        assert!(!one.verify(BODY, None));
    }

    #[test]
    fn the_second_version_is_fresh_for_five_minutes_and_says_so_twice() {
        let now = Timestamp::from_millisecond(1_795_000_000_000).unwrap();
        let at = |second: i64| Some(now + SignedDuration::from_secs(second));
        let header = |second: i64| (now + SignedDuration::from_secs(second)).as_millisecond().to_string();
        for (body, header, fresh) in [
            (None, None, true),
            (at(0), Some(header(0)), true),
            (at(-300), Some(header(-300)), true),
            (at(300), Some(header(300)), true),
            (at(-301), Some(header(-301)), false),
            (at(301), Some(header(301)), false),
            (at(0), Some(header(1)), false),
            (at(0), None, false),
            (None, Some(header(0)), false),
            (at(0), Some("now".to_owned()), false),
        ] {
            assert_eq!(is_fresh(body, header.as_deref(), now), fresh, "{body:?} {header:?}");
        }
    }
}
