//! Tokens of the integration: renewed in time by one process, and stored, encrypted, before they are used.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use openssl::hash::MessageDigest;
use openssl::pkey::PKey;
use openssl::rand::rand_bytes;
use openssl::sign::Signer;
use openssl::symm::{Cipher, decrypt_aead, encrypt_aead};
use reqwest::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use tokio::sync::Mutex;

use super::http::{ExchangeLimits, error_text, exchange, form};
use crate::clock::Clock;
use crate::settings::{BaseUrl, WebexClient};
use crate::store::{Memo, Store, StoreError, Turn};
use crate::telemetry::Metrics;

/// How long the token endpoint may take.
const BOUNDS: ExchangeLimits = ExchangeLimits { within: Duration::from_secs(15), bytes: 64 * 1024 };
/// How long a turn to renew lasts: longer than one renewal.
const RENEWAL_TURN_LASTS: Duration = Duration::from_secs(60);
/// From how many days left of the refresh token a warning is logged.
const WARN_DAYS: i64 = 30;

/// Why there is no access token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// Nobody has logged in yet.
    #[error("nobody has logged in to Webex: run `scv-bridge webex login`")]
    NotLoggedIn,
    /// Webex refuses the refresh token or the client.
    #[error(
        "Webex refuses to renew the token: {0}; look at webex.client_id and its secret, or run `scv-bridge webex login` again"
    )]
    Refused(String),
    /// Webex does not answer; a later renewal may succeed.
    #[error("Webex gives no token now: {0}")]
    Unavailable(String),
    /// Another process is renewing it right now.
    #[error("another process is renewing the token of Webex")]
    Busy,
    /// The stored login cannot be decrypted.
    #[error(
        "the login that is kept cannot be used: {0}; give the right key, or run `scv-bridge webex login` again"
    )]
    Sealed(&'static str),
    /// The database does not answer.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// The `Authorization` header with an access token.
#[derive(Clone)]
pub struct Bearer(HeaderValue);

impl Bearer {
    pub(super) fn of(login: &WebexLogin) -> Result<Self, TokenError> {
        let text = format!("Bearer {}", login.access().expose_secret());
        let mut header = HeaderValue::from_str(&text)
            .map_err(|_| TokenError::Unavailable("the access token has characters of no token".to_owned()))?;
        header.set_sensitive(true);
        Ok(Self(header))
    }

    pub(super) fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

/// The login in this process.
#[derive(Default)]
struct TokenState {
    login: Option<WebexLogin>,
    /// Webex has refused the access token before its expiry.
    refused: bool,
    warned: bool,
}

/// The tokens of one integration, shared by all processes through the store.
pub struct WebexTokens {
    http: reqwest::Client,
    url: BaseUrl,
    client: WebexClient,
    store: Store,
    cipher: TokenCipher,
    clock: Arc<dyn Clock>,
    metrics: Option<Arc<Metrics>>,
    /// The name of this process in turns.
    owner: String,
    state: Mutex<TokenState>,
}

impl WebexTokens {
    /// `owner` names this process in turns.
    pub fn new(
        http: reqwest::Client,
        settings: (&BaseUrl, &WebexClient, TokenCipher),
        store: Store,
        clock: Arc<dyn Clock>,
        owner: String,
    ) -> Self {
        let (url, client, cipher) = (settings.0.clone(), settings.1.clone(), settings.2);
        Self { http, url, client, store, cipher, clock, metrics: None, owner, state: Mutex::default() }
    }

    /// With a metric of when the login ends.
    #[must_use]
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// A valid access token. It is renewed at 80 % of its life; an old one is used as long as it is valid and Webex gives
    /// no other.
    ///
    /// # Errors
    /// When nobody has logged in, Webex gives none, or another process is renewing the one that has ended.
    pub async fn bearer(&self) -> Result<Bearer, TokenError> {
        let mut state = self.state.lock().await;
        let now = self.clock.now();
        if let Some(login) = state.login.as_ref().filter(|login| !state.refused && login.is_fresh(now)) {
            return Bearer::of(login);
        }
        let (stored, login) = self.stored().await?;
        // Another process may have renewed the token meanwhile.
        let is_news = state
            .login
            .as_ref()
            .is_none_or(|known| known.access().expose_secret() != login.access().expose_secret());
        if is_news {
            state.refused = false;
        }
        if !state.refused && login.is_fresh(now) {
            return self.use_now(&mut state, login);
        }
        match self.renew(&stored, &login).await {
            Ok(renewed) => self.use_now(&mut state, renewed),
            Err(error) if !state.refused && login.works(now) => {
                tracing::warn!(%error, "the token of Webex was not renewed yet; the old one still works");
                state.login = None;
                Bearer::of(&login)
            }
            Err(error) => Err(error),
        }
    }

    /// Marks an access token as refused by Webex: the next one will be another.
    pub async fn forget(&self, bearer: &Bearer) {
        let mut state = self.state.lock().await;
        let is_it = |login: &WebexLogin| Bearer::of(login).is_ok_and(|known| known.0 == bearer.0);
        if state.login.as_ref().is_some_and(is_it) {
            state.refused = true;
        }
    }

    /// The stored login.
    ///
    /// # Errors
    /// When nobody has logged in, or it cannot be read.
    pub async fn login(&self) -> Result<WebexLogin, TokenError> {
        Ok(self.stored().await?.1)
    }

    /// Exchanges the code of a login, and stores the tokens in the place of the ones before.
    ///
    /// # Errors
    /// When Webex refuses the code, or nothing can be kept.
    pub async fn exchange_code(
        &self,
        code: &str,
        redirect_uri: &str,
        verifier: Option<&str>,
    ) -> Result<WebexLogin, TokenError> {
        let mut fields =
            vec![("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirect_uri)];
        fields.extend(verifier.map(|verifier| ("code_verifier", verifier)));
        let login = self.fetch(fields, None).await?;
        self.store.keep(Memo::WebexLogin, &self.cipher.encrypt(&login.json())?).await?;
        Ok(login)
    }

    fn use_now(&self, state: &mut TokenState, login: WebexLogin) -> Result<Bearer, TokenError> {
        let bearer = Bearer::of(&login)?;
        let days_left = login.days_left(self.clock.now());
        if let (Some(metrics), Some(ends)) = (&self.metrics, login.ends()) {
            metrics.webex_login(ends);
        }
        let warn = days_left.is_some_and(|days| days < WARN_DAYS);
        if warn && !state.warned {
            let hint = "the login at Webex ends soon; run `scv-bridge webex login`";
            tracing::warn!(days_left, "{hint}");
        }
        *state = TokenState { login: Some(login), refused: false, warned: warn };
        Ok(bearer)
    }

    /// The stored login, encrypted and decrypted.
    async fn stored(&self) -> Result<(String, WebexLogin), TokenError> {
        let stored = self.store.recall(Memo::WebexLogin).await?.ok_or(TokenError::NotLoggedIn)?;
        let login = WebexLogin::parse(&self.cipher.decrypt(&stored)?)
            .ok_or(TokenError::Sealed("it cannot be read"))?;
        Ok((stored, login))
    }

    /// Renews in a turn, so that no other process uses the same refresh token at the same time.
    async fn renew(&self, stored: &str, login: &WebexLogin) -> Result<WebexLogin, TokenError> {
        let now = self.clock.now();
        let until = now.checked_add(RENEWAL_TURN_LASTS).unwrap_or(Timestamp::MAX);
        if !self.store.take_turn(Turn::WebexRefresh, &self.owner, until, now).await? {
            return Err(TokenError::Busy);
        }
        let renewed = self.renew_in_turn(stored, login).await;
        if let Err(error) = self.store.end_turn(Turn::WebexRefresh, &self.owner).await {
            tracing::debug!(%error, "the turn to renew was not given back; it ends by itself");
        }
        renewed
    }

    /// Webex rotates the refresh token: its first use invalidates it. So it is durable until the new one is, and still
    /// valid if the process dies in between.
    async fn renew_in_turn(&self, stored: &str, login: &WebexLogin) -> Result<WebexLogin, TokenError> {
        let refresh = login.refresh().clone();
        let fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
        let renewed = self.fetch(fields, Some(login)).await?;
        let sealed = self.cipher.encrypt(&renewed.json())?;
        if self.store.swap(Memo::WebexLogin, Some(stored), &sealed).await? {
            return Ok(renewed);
        }
        // Another process renewed the token first, or an administrator has just logged in: the stored login counts.
        Ok(self.stored().await?.1)
    }

    async fn fetch(
        &self,
        fields: Vec<(&str, &str)>,
        used: Option<&WebexLogin>,
    ) -> Result<WebexLogin, TokenError> {
        let secret = self.client.secret.expose_secret();
        let own = [("client_id", self.client.id.as_str()), ("client_secret", secret)];
        let fields: Vec<_> = own.into_iter().chain(fields).collect();
        let answer = exchange(&self.http, form(self.url.join(""), &fields), BOUNDS)
            .await
            .map_err(|fault| TokenError::Unavailable(fault.to_string()))?;
        match answer.status {
            200..300 => WebexLogin::read(&answer.body, used, self.clock.now())
                .ok_or_else(|| TokenError::Unavailable("the answer holds no tokens".to_owned())),
            408 | 429 | 500.. => Err(TokenError::Unavailable(error_text(&answer))),
            _ => Err(TokenError::Refused(error_text(&answer))),
        }
    }
}

/// The percentage of its life at which an access token is renewed.
const RENEW_AT: i64 = 80;

/// Both tokens of a login, and how long they are valid.
#[derive(Clone)]
pub struct WebexLogin {
    access: SecretString,
    refresh: SecretString,
    fetched: Timestamp,
    expires: Timestamp,
    /// None where Webex leaves it out.
    refresh_expires: Option<Timestamp>,
}

impl fmt::Debug for WebexLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebexLogin").field("expires", &self.expires).finish_non_exhaustive()
    }
}

/// The answer of the token endpoint.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: String,
    expires_in: i64,
    /// Left out where the old one stays valid.
    refresh_token: Option<String>,
    refresh_token_expires_in: Option<i64>,
}

/// The stored form.
#[derive(Serialize, Deserialize)]
struct StoredLogin {
    access: String,
    refresh: String,
    fetched: i64,
    expires: i64,
    refresh_expires: Option<i64>,
}

impl WebexLogin {
    /// Parses an answer of the token endpoint that came at `now`. `used`: the login whose refresh token was used.
    fn read(body: &[u8], used: Option<&Self>, now: Timestamp) -> Option<Self> {
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

    /// The stored form.
    fn json(&self) -> String {
        let row = StoredLogin {
            access: self.access.expose_secret().to_owned(),
            refresh: self.refresh.expose_secret().to_owned(),
            fetched: self.fetched.as_millisecond(),
            expires: self.expires.as_millisecond(),
            refresh_expires: self.refresh_expires.map(Timestamp::as_millisecond),
        };
        serde_json::to_string(&row).unwrap_or_default()
    }

    /// Parses the stored form.
    fn parse(text: &str) -> Option<Self> {
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

    fn access(&self) -> &SecretString {
        &self.access
    }

    fn refresh(&self) -> &SecretString {
        &self.refresh
    }

    /// Whether the access token needs no renewal yet.
    fn is_fresh(&self, now: Timestamp) -> bool {
        let life = self.expires.as_millisecond().saturating_sub(self.fetched.as_millisecond());
        let age = now.as_millisecond().saturating_sub(self.fetched.as_millisecond());
        age.saturating_mul(100) < life.saturating_mul(RENEW_AT)
    }

    /// Whether the access token is still valid.
    pub fn works(&self, now: Timestamp) -> bool {
        now < self.expires
    }

    /// When the refresh token expires unless it is used before.
    pub fn ends(&self) -> Option<Timestamp> {
        self.refresh_expires
    }

    /// Whole days until then.
    pub fn days_left(&self, now: Timestamp) -> Option<i64> {
        self.refresh_expires.map(|ends| (ends.as_second() - now.as_second()).div_euclid(86_400))
    }
}

/// Makes the key for this purpose only: the same secret elsewhere gives another key.
const PURPOSE: &[u8] = b"scv-bridge webex login";
const NONCE: usize = 12;
const TAG: usize = 16;

/// Encrypts with AES-256-GCM under `webex.token_key`; without one, leaves the text as it is.
#[derive(Clone)]
pub struct TokenCipher(Option<SecretString>);

/// The form in the database.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum StoredText {
    Open(String),
    Sealed(String),
}

impl TokenCipher {
    /// With this secret, of any length.
    pub fn new(key: Option<SecretString>) -> Self {
        Self(key)
    }

    fn encrypt(&self, text: &str) -> Result<String, TokenError> {
        let stored = match &self.0 {
            None => StoredText::Open(text.to_owned()),
            Some(key) => StoredText::Sealed(STANDARD.encode(seal(key, text).map_err(|_| cannot())?)),
        };
        serde_json::to_string(&stored).map_err(|_| cannot())
    }

    fn decrypt(&self, stored: &str) -> Result<String, TokenError> {
        match (serde_json::from_str(stored), &self.0) {
            (Ok(StoredText::Open(text)), _) => Ok(text),
            (Ok(StoredText::Sealed(_)), None) => Err(TokenError::Sealed("webex.token_key_file is not set")),
            (Ok(StoredText::Sealed(sealed)), Some(key)) => {
                unseal(key, &sealed).ok_or(TokenError::Sealed("webex.token_key_file names another key"))
            }
            (Err(_), _) => Err(TokenError::Sealed("it cannot be read")),
        }
    }
}

fn cannot() -> TokenError {
    TokenError::Sealed("OpenSSL cannot encrypt")
}

/// 256 bits, whatever the secret's length.
fn key(secret: &SecretString) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let key = PKey::hmac(secret.expose_secret().as_bytes())?;
    Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(PURPOSE)
}

/// Nonce, tag and ciphertext in one.
fn seal(secret: &SecretString, text: &str) -> Result<Vec<u8>, openssl::error::ErrorStack> {
    let (mut nonce, mut tag) = ([0; NONCE], [0; TAG]);
    rand_bytes(&mut nonce)?;
    let cipher = Cipher::aes_256_gcm();
    let sealed = encrypt_aead(cipher, &key(secret)?, Some(&nonce), PURPOSE, text.as_bytes(), &mut tag)?;
    Ok([nonce.as_slice(), &tag, &sealed].concat())
}

fn unseal(secret: &SecretString, sealed: &str) -> Option<String> {
    let all = STANDARD.decode(sealed).ok()?;
    let (nonce, rest) = all.split_at_checked(NONCE)?;
    let (tag, sealed) = rest.split_at_checked(TAG)?;
    let cipher = Cipher::aes_256_gcm();
    let text = decrypt_aead(cipher, &key(secret).ok()?, Some(nonce), PURPOSE, sealed, tag).ok()?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod login_tests {
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
        let stored = WebexLogin::parse(&login.json()).unwrap();
        assert_eq!(stored.json(), login.json());
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

#[cfg(test)]
mod cipher_tests {
    use super::*;

    fn seal(key: &str) -> TokenCipher {
        TokenCipher::new(Some(key.to_owned().into()))
    }

    #[test]
    fn what_is_sealed_opens_with_the_same_key_only() {
        let stored = seal("one").encrypt("the token").unwrap();
        assert!(!stored.contains("token"));
        assert_ne!(stored, seal("one").encrypt("the token").unwrap());
        assert_eq!(seal("one").decrypt(&stored).unwrap(), "the token");
        let why = |seal: TokenCipher, stored: &str| seal.decrypt(stored).unwrap_err().to_string();
        assert!(why(seal("two"), &stored).contains("names another key"));
        assert!(why(TokenCipher::new(None), &stored).contains("is not set"));
        assert!(why(seal("one"), "garbage").contains("cannot be read"));
        assert!(why(seal("one"), r#"{"sealed":"AAAA"}"#).contains("names another key"));
    }

    #[test]
    fn a_key_that_came_later_reads_what_was_kept_without_one() {
        let stored = TokenCipher::new(None).encrypt("the token").unwrap();
        assert_eq!(seal("one").decrypt(&stored).unwrap(), "the token");
    }
}
