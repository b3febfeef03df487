//! `scv-bridge webex login`: the authorization code flow (RFC 6749) with PKCE (RFC 7636) and a callback on loopback.

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use url::Url;

use super::callback::{Callback, CallbackResult};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::{Settings, Webex};
use crate::store::Store;
use crate::webex::WebexLogin;

/// What Search, Captures and Subscriptions need.
const SCOPES: &str = "cjp:config_read cjp:config_write";

/// Arguments of `login`.
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    /// Port on this machine to which the browser comes back: `http://localhost:PORT/callback` must be a redirect URI of the integration.
    #[arg(long, value_name = "PORT", default_value_t = 8087)]
    port: u16,
    /// What to ask for; all of it must be among the integration's scopes.
    #[arg(long, value_name = "SCOPES", default_value = SCOPES)]
    scopes: String,
    /// Leave out PKCE, should Webex refuse it for the integration.
    #[arg(long)]
    no_pkce: bool,
    /// How many minutes to wait for the browser.
    #[arg(long, value_name = "N", default_value_t = 10)]
    minutes: u64,
}

/// Prints the address to open, waits for the browser, and keeps what Webex gives.
pub async fn run(
    args: &LoginArgs,
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let (tokens, _) = super::tokens(settings, store, clock, &Ids::random())?;
    let webex = settings.webex.as_ref().context("webex: there is no [webex] section")?;
    let callback = Callback::bind(args.port)
        .await
        .with_context(|| format!("--port {}: cannot listen on this machine", args.port))?;
    let redirect_uri = format!("http://localhost:{}/callback", callback.port());
    let (state, verifier) = (secret()?, secret()?);
    let verifier = (!args.no_pkce).then_some(verifier.as_str());
    let page = page(webex, &args.scopes, &redirect_uri, &state, verifier)?;
    writeln!(
        out,
        "Open this address in a browser on this machine, as an administrator of Webex Contact Center:\n\n{page}\n"
    )?;
    writeln!(out, "Waiting at {redirect_uri} for {} minutes", args.minutes)?;
    out.flush()?;
    let patience = Duration::from_secs(args.minutes.saturating_mul(60));
    let called = tokio::time::timeout(patience, callback.wait(&state)).await;
    let (called, visitor) = called.context("nobody came back from Webex in time")??;
    let result = match called {
        CallbackResult::Code(code) => tokens.exchange_code(&code, &redirect_uri, verifier).await,
        CallbackResult::Refused(words) => {
            visitor.tell("Webex refused. You may close this page.").await;
            bail!("Webex refused: {words}; look at the integration's scopes and redirect URIs");
        }
    };
    let told = match &result {
        Ok(_) => "scv-bridge is logged in. You may close this page.",
        Err(_) => "That failed; see where scv-bridge runs. You may close this page.",
    };
    visitor.tell(told).await;
    let login = result?;
    writeln!(out, "{}", summary(&login, webex, clock.as_ref()))?;
    Ok(true)
}

fn summary(login: &WebexLogin, webex: &Webex, clock: &dyn Clock) -> String {
    let ends = match (login.ends(), login.days_left(clock.now())) {
        (Some(ends), Some(days)) => format!(
            "it ends on {ends:.0}, in {days} days, unless the service renews it, which it does by itself"
        ),
        _ => "Webex does not say when it ends".to_owned(),
    };
    let lies = match webex.token_key {
        Some(_) => "encrypted with webex.token_key",
        None => "in clear text: set webex.token_key_file to encrypt it",
    };
    format!("Logged in; {ends}.\nThe login is kept in the database, {lies}.")
}

/// The page on which an administrator agrees.
fn page(
    webex: &Webex,
    scopes: &str,
    redirect_uri: &str,
    state: &str,
    verifier: Option<&str>,
) -> anyhow::Result<Url> {
    let client = webex.oauth_client.as_ref().context("webex.client_id is not set")?;
    let mut page = Url::parse(webex.authorize_url.as_str())?;
    page.query_pairs_mut()
        .append_pair("response_type", "code")
        .append_pair("client_id", &client.id)
        .append_pair("redirect_uri", redirect_uri)
        .append_pair("scope", scopes)
        .append_pair("state", state);
    if let Some(verifier) = verifier {
        let challenge = URL_SAFE_NO_PAD.encode(sha256(verifier.as_bytes()));
        page.query_pairs_mut()
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
    }
    Ok(page)
}

/// 256 bits that nobody guesses.
fn secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    rand_bytes(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
