//! What a login gave: both tokens and how long they live.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

/// An access token is renewed when this part of its life is over, in percent.
const RENEW_AT: i64 = 80;

/// Both tokens and their times.
#[derive(Clone)]
pub struct WebexLogin {
    access: SecretString,
    refresh: SecretString,
    fetched: Timestamp,
    expires: Timestamp,
    /// Webex may leave it out.
    refresh_expires: Option<Timestamp>,
}

impl fmt::Debug for WebexLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Login").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// What the token endpoint answers.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
    /// Left out where the old one stays good.
    refresh_token: Option<String>,
    refresh_token_expires_in: Option<i64>,
}

/// As it is kept.
#[derive(Serialize, Deserialize)]
struct StoredLogin {
    access: String,
    refresh: String,
    fetched: i64,
    expires: i64,
    refresh_expires: Option<i64>,
}

impl WebexLogin {
    /// Reads the answer of the token endpoint, which came at `now`. `used`: the refresh token that led to it.
    pub(super) fn read(body: &[u8], used: Option<&Self>, now: Timestamp) -> Option<Self> {
        let answered: TokenAnswer = serde_json::from_slice(body).ok()?;
        let after = |seconds: i64| {
            let seconds = u64::try_from(seconds).unwrap_or(0);
            now.checked_add(Duration::from_secs(seconds)).unwrap_or(Timestamp::MAX)
        };
        let refresh = answered.refresh_token.filter(|token| !token.is_empty()).map(SecretString::from);
        if answered.access_token.is_empty() {
            return None;
        }
        Some(Self {
            access: answered.access_token.into(),
            refresh: refresh.or_else(|| used.map(|used| used.refresh.clone()))?,
            fetched: now,
            expires: after(answered.expires_in),
            refresh_expires: answered
                .refresh_token_expires_in
                .map(after)
                .or_else(|| used.and_then(|used| used.refresh_expires)),
        })
    }

    /// For the store.
    pub(super) fn json(&self) -> String {
        let row = StoredLogin {
            access: self.access.expose_secret().to_owned(),
            refresh: self.refresh.expose_secret().to_owned(),
            fetched: self.fetched.as_millisecond(),
            expires: self.expires.as_millisecond(),
            refresh_expires: self.refresh_expires.map(Timestamp::as_millisecond),
        };
        serde_json::to_string(&row).unwrap_or_default()
    }

    /// From the store.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let row: StoredLogin = serde_json::from_str(text).ok()?;
        let at = |millisecond| Timestamp::from_millisecond(millisecond).ok();
        Some(Self {
            access: row.access.into(),
            refresh: row.refresh.into(),
            fetched: at(row.fetched)?,
            expires: at(row.expires)?,
            refresh_expires: row.refresh_expires.and_then(at),
        })
    }

    pub(super) fn access(&self) -> &SecretString {
        &self.access
    }

    pub(super) fn refresh(&self) -> &SecretString {
        &self.refresh
    }

    /// Whether the access token has so much of its life left that nobody need renew it.
    pub(super) fn is_fresh(&self, now: Timestamp) -> bool {
        let life = self.expires.as_millisecond().saturating_sub(self.fetched.as_millisecond());
        let age = now.as_millisecond().saturating_sub(self.fetched.as_millisecond());
        age.saturating_mul(100) < life.saturating_mul(RENEW_AT)
    }

    /// Whether the access token still works.
    pub(super) fn works(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// When the refresh token ends unless it is used before.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.refresh_expires
    }

    /// Whole days until then.
    #[must_use]
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        self.refresh_expires.map(|ends| (ends.as_second() - now.as_second()).div_euclid(86_400))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_795_000_000 + second).unwrap()
    }

    #[test]
    fn an_access_token_is_fresh_for_80_percent_of_the_life_that_webex_gave_it() {
        let body =
            br#"{"access_token":"a","expires_in":1000,"refresh_token":"r","refresh_token_expires_in":86400}"#;
        let login = WebexLogin::read(body, None, at(0)).unwrap();
        assert!(login.is_fresh(at(799)) && !login.is_fresh(at(800)));
        assert!(login.works(at(999)) && !login.works(at(1000)));
        assert_eq!(
            (login.days_left(at(0)), login.days_left(at(1)), login.days_left(at(86_401))),
            (Some(1), Some(0), Some(-1))
        );
        let kept = WebexLogin::parse(&login.json()).unwrap();
        assert_eq!(kept.json(), login.json());
        assert!(!format!("{login:?}").contains('r') || !format!("{login:?}").contains("refresh: "));
    }

    #[test]
    fn what_an_answer_leaves_out_stays_as_it_was() {
        let body =
            br#"{"access_token":"a","expires_in":10,"refresh_token":"r","refresh_token_expires_in":20}"#;
        let first = WebexLogin::read(body, None, at(0)).unwrap();
        let short = br#"{"access_token":"b","expires_in":10}"#;
        let second = WebexLogin::read(short, Some(&first), at(5)).unwrap();
        assert_eq!((second.refresh().expose_secret(), second.ends()), ("r", Some(at(20))));
        assert!(WebexLogin::read(short, None, at(5)).is_none());
        assert!(WebexLogin::read(br#"{"access_token":"","expires_in":1}"#, Some(&first), at(5)).is_none());
    }
}
