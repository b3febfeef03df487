//! Tokens of the integration: renewed in time by one process, kept before they are used.

mod cipher;
mod login;

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Request;
use reqwest::header::HeaderValue;
use secrecy::ExposeSecret;
use tokio::sync::Mutex;
use url::Url;

pub use cipher::TokenCipher;
pub use login::WebexLogin;

use super::client::exchange::{ExchangeFault, ExchangeLimits, error_text, exchange, form};
use crate::clock::Clock;
use crate::settings::{BaseUrl, WebexClient};
use crate::store::{Memo, Store, StoreError, Turn};
use crate::telemetry::Metrics;

/// How long the token endpoint may take.
const BOUNDS: ExchangeLimits = ExchangeLimits { within: Duration::from_secs(15), bytes: 64 * 1024 };
/// How long a turn to renew lasts: longer than one renewal.
const RENEWAL_TURN: Duration = Duration::from_secs(60);
/// From how many days left on the refresh token is worth a warning.
const WARN_DAYS: i64 = 30;

/// Why there is no token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenError {
    /// Nobody has logged in yet.
    #[error("nobody has logged in to Webex: run `scv-bridge webex login`")]
    NotLoggedIn,
    /// Webex takes the refresh token or the client no more.
    #[error(
        "Webex refuses to renew the token: {0}; look at webex.client_id and its secret, or run `scv-bridge webex login` again"
    )]
    Refused(String),
    /// Webex does not answer; another time.
    #[error("Webex gives no token now: {0}")]
    Unavailable(String),
    /// Another process is renewing it right now.
    #[error("another process is renewing the token of Webex")]
    Busy,
    /// What is kept cannot be opened.
    #[error(
        "the login that is kept cannot be used: {0}; give the right key, or run `scv-bridge webex login` again"
    )]
    Sealed(&'static str),
    /// The database does not answer.
    #[error("the database: {0}")]
    Store(#[from] StoreError),
}

/// An access token to send.
#[derive(Clone)]
pub struct Bearer(HeaderValue);

impl Bearer {
    fn of(login: &WebexLogin) -> Result<Self, TokenError> {
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

/// What this process knows.
#[derive(Default)]
struct TokenState {
    login: Option<WebexLogin>,
    /// Webex has refused the access token, whatever its time says.
    refused: bool,
    warned: bool,
}

/// The tokens of one integration, shared through the store by all processes.
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
    /// Over a store, in the name of `owner`.
    #[must_use]
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

    /// Shows in these metrics how long the login lasts.
    #[must_use]
    pub fn measured(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics: Some(metrics), ..self }
    }

    /// An access token that works. Renewed at 80 % of its life; an old one serves as long as it works and Webex gives
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
        // Another process may have renewed it meanwhile.
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

    /// Webex has refused it: the next one will be another.
    pub async fn forget(&self, bearer: &Bearer) {
        let mut state = self.state.lock().await;
        let is_it = |login: &WebexLogin| Bearer::of(login).is_ok_and(|known| known.0 == bearer.0);
        if state.login.as_ref().is_some_and(is_it) {
            state.refused = true;
        }
    }

    /// What the last login gave, for those who look.
    ///
    /// # Errors
    /// When nobody has logged in, or it cannot be read.
    pub async fn login(&self) -> Result<WebexLogin, TokenError> {
        Ok(self.stored().await?.1)
    }

    /// Exchanges the code of a login, and keeps what it gives in the place of what was there.
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
        if let (Some(metrics), Some(days_left)) = (&self.metrics, days_left) {
            metrics.webex_login(days_left);
        }
        let warn = days_left.is_some_and(|days| days < WARN_DAYS);
        if warn && !state.warned {
            let hint = "the login at Webex ends soon; run `scv-bridge webex login`";
            tracing::warn!(days_left, "{hint}");
        }
        *state = TokenState { login: Some(login), refused: false, warned: warn };
        Ok(bearer)
    }

    /// What is kept, as it lies there and opened.
    async fn stored(&self) -> Result<(String, WebexLogin), TokenError> {
        let stored = self.store.recall(Memo::WebexLogin).await?.ok_or(TokenError::NotLoggedIn)?;
        let login = WebexLogin::parse(&self.cipher.decrypt(&stored)?)
            .ok_or(TokenError::Sealed("it cannot be read"))?;
        Ok((stored, login))
    }

    /// Renews under a turn, so that no other process uses the same refresh token at once.
    async fn renew(&self, stored: &str, login: &WebexLogin) -> Result<WebexLogin, TokenError> {
        let now = self.clock.now();
        let until = now.checked_add(RENEWAL_TURN).unwrap_or(Timestamp::MAX);
        if !self.store.take_turn(Turn::WebexRefresh, &self.owner, until, now).await? {
            return Err(TokenError::Busy);
        }
        let renewed = self.renew_in_turn(stored, login).await;
        if let Err(error) = self.store.end_turn(Turn::WebexRefresh, &self.owner).await {
            tracing::debug!(%error, "the turn to renew was not given back; it ends by itself");
        }
        renewed
    }

    /// A rotated refresh token makes the old one worthless with its first use: so it is durable before that, and the
    /// old one helps again if we die in between.
    async fn renew_in_turn(&self, stored: &str, login: &WebexLogin) -> Result<WebexLogin, TokenError> {
        let refresh = login.refresh().clone();
        let fields = vec![("grant_type", "refresh_token"), ("refresh_token", refresh.expose_secret())];
        let renewed = self.fetch(fields, Some(login)).await?;
        let sealed = self.cipher.encrypt(&renewed.json())?;
        if self.store.swap(Memo::WebexLogin, Some(stored), &sealed).await? {
            return Ok(renewed);
        }
        // Somebody renewed before we had the turn, or has just logged in: theirs is the one that counts.
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
        let answer =
            exchange(&self.http, self.request(&fields), BOUNDS).await.map_err(|fault| unavailable(&fault))?;
        match answer.status {
            200..300 => WebexLogin::read(&answer.body, used, self.clock.now())
                .ok_or_else(|| TokenError::Unavailable("the answer holds no tokens".to_owned())),
            408 | 429 | 500.. => Err(TokenError::Unavailable(error_text(&answer))),
            _ => Err(TokenError::Refused(error_text(&answer))),
        }
    }

    fn request(&self, fields: &[(&str, &str)]) -> Request {
        let url: Url = self.url.join("");
        form(url, fields)
    }
}

fn unavailable(fault: &ExchangeFault) -> TokenError {
    TokenError::Unavailable(fault.to_string())
}
