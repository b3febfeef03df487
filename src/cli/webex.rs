//! `scv-bridge webex`: the login of the integration, and its subscriptions.

use std::io::Write;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use clap::Subcommand;
use openssl::memcmp;
use openssl::rand::rand_bytes;
use openssl::sha::sha256;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use url::Url;

use crate::clock::Clock;
use crate::ids::Ids;
use crate::salesforce::clients;
use crate::settings::{BaseUrl, Settings, Webex};
use crate::store::Store;
use crate::webex;
use crate::webex::{
    ApiClient, NewSubscription, Subscription, WebexError, WebexLogin, WebexTokens, WebhookResource,
    destination,
};

/// Log in to Webex once, and subscribe to its webhooks.
#[derive(Debug, clap::Args)]
pub struct WebexArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE", global = true)]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: WebexCommand,
}

#[derive(Debug, Subcommand)]
enum WebexCommand {
    /// Let an administrator agree to the integration, once; the login is kept in the database.
    Login(LoginArgs),
    /// Make what is missing of the subscriptions that the bridge needs.
    Subscribe(Subscribe),
    /// List all subscriptions of the tenant.
    List(ListSubscriptions),
    /// Remove subscriptions.
    Remove(RemoveSubscriptions),
}

/// Runs the command: 0 done, 1 something is not in order.
///
/// # Errors
/// Every problem of the configuration; the database or Webex does not answer; the output cannot be written.
pub fn run(
    args: &WebexArgs,
    environment: Vec<(String, String)>,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let settings = super::settings(args.config.clone(), environment, clock.as_ref())?;
    // Before a database is looked for.
    section(&settings)?;
    let url = settings.store.url.expose_secret();
    // An administrator may log in before the service has ever run.
    let logs_in = matches!(args.command, WebexCommand::Login(_));
    let open = async { if logs_in { Store::open(url).await } else { Store::open_existing(url).await } };
    let in_order = super::on_store(&settings.store.url, open, async |store| {
        obey(args, &settings, store, clock, out).await
    })?;
    Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the command; returns whether all is in order.
async fn obey(
    args: &WebexArgs,
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    match &args.command {
        WebexCommand::Login(args) => log_in(args, settings, store, clock, out).await,
        WebexCommand::Subscribe(args) => args.run(settings, &client(settings, store, clock)?, out).await,
        WebexCommand::List(args) => args.run(settings, &client(settings, store, clock)?, out).await,
        WebexCommand::Remove(args) => args.run(settings, &client(settings, store, clock)?, out).await,
    }
}

/// How Webex is reached.
///
/// # Errors
/// When it is not configured.
pub(super) fn section(settings: &Settings) -> anyhow::Result<&Webex> {
    settings.webex.as_ref().context(
        "webex: the configuration has no [webex] section: `scv-bridge config default` prints one to fill in, and docs/webhooks.md says where its values come from",
    )
}

/// The tokens of the integration, under a name of this process, and an HTTPS client.
fn tokens(
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    ids: &Ids,
) -> anyhow::Result<(WebexTokens, reqwest::Client)> {
    let webex = section(settings)?;
    let http = clients(&settings.http_client, 1)?.pop().unwrap_or_default();
    let tokens = webex::tokens(webex, http.clone(), store.clone(), Arc::clone(clock), ids.unique())?;
    Ok((tokens, http))
}

/// A client of the configured tenant.
pub(super) fn client(
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<ApiClient> {
    let ids = Arc::new(Ids::random());
    let (tokens, http) = tokens(settings, store, clock, &ids)?;
    let webex = section(settings)?;
    Ok(webex::api_client(webex, http, tokens, Arc::clone(clock), ids)?)
}

/// A client of the tenant's flows, with the same login.
pub(super) fn flow_client(
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<ApiClient> {
    let webex = section(settings)?;
    let ids = Arc::new(Ids::random());
    let (tokens, http) = tokens(settings, store, clock, &ids)?;
    let below = || webex.api_url.as_ref().and_then(|api| BaseUrl::parse(&format!("{api}/flow-store")).ok());
    let address = webex.flow_store_url.clone().or_else(below);
    let address = address.context("webex.flow_store_url: is not set, and neither is webex.api_url")?;
    Ok(ApiClient::new(http, address, Arc::new(tokens), Arc::clone(clock), ids))
}

/// The scopes for Search, Captures and Subscriptions.
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

/// Prints the URL to open, waits for the browser, and stores the login.
pub async fn log_in(
    args: &LoginArgs,
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    let (tokens, _) = tokens(settings, store, clock, &Ids::random())?;
    let webex = section(settings)?;
    let callback = Callback::bind(args.port)
        .await
        .with_context(|| format!("--port {}: cannot listen on this machine", args.port))?;
    let redirect_uri = format!("http://localhost:{}/callback", callback.port());
    let (state, verifier) = (random_secret()?, random_secret()?);
    let verifier = (!args.no_pkce).then_some(verifier.as_str());
    let page = authorize_page(webex, &args.scopes, &redirect_uri, &state, verifier)?;
    writeln!(
        out,
        "Open this address in a browser on this machine, as an administrator of Webex Contact Center:\n\n{page}\n"
    )?;
    writeln!(out, "Waiting at {redirect_uri} for {} minutes", args.minutes)?;
    out.flush()?;
    let patience = Duration::from_secs(args.minutes.saturating_mul(60));
    let called = timeout(patience, callback.wait(&state)).await;
    let (called, visitor) = called.context("nobody came back from Webex in time")??;
    let result = match called {
        CallbackResult::Code(code) => tokens.exchange_code(&code, &redirect_uri, verifier).await,
        CallbackResult::Refused(words) => {
            visitor.show("Webex refused. You may close this page.").await;
            bail!("Webex refused: {words}; look at the integration's scopes and redirect URIs");
        }
    };
    let text = match &result {
        Ok(_) => "scv-bridge is logged in. You may close this page.",
        Err(_) => "That failed; see where scv-bridge runs. You may close this page.",
    };
    visitor.show(text).await;
    let login = result?;
    writeln!(out, "{}", login_summary(&login, webex, clock.as_ref()))?;
    Ok(true)
}

fn login_summary(login: &WebexLogin, webex: &Webex, clock: &dyn Clock) -> String {
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

/// The page on which an administrator grants access.
fn authorize_page(
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

/// A random secret of 256 bits.
fn random_secret() -> anyhow::Result<String> {
    let mut bytes = [0; 32];
    rand_bytes(&mut bytes)?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}

/// The most that is read of a request.
const LONGEST_REQUEST: usize = 16 * 1024;
/// How long a visitor may take to ask.
const REQUEST_WITHIN: Duration = Duration::from_secs(5);

/// Listens on loopback for the browser that Webex redirects, for IPv4 and, where there is one, IPv6: a browser takes
/// either for `localhost`.
pub struct Callback {
    v4: TcpListener,
    v6: Option<TcpListener>,
    port: u16,
}

/// The result of the authorization.
#[derive(Debug, PartialEq, Eq)]
pub enum CallbackResult {
    /// The administrator has granted access.
    Code(String),
    /// They have not, or Webex refuses it.
    Refused(String),
}

/// The browser, which waits for its page.
pub struct Visitor(TcpStream);

impl Callback {
    /// Binds a port of this machine; 0 binds any.
    pub async fn bind(port: u16) -> std::io::Result<Self> {
        let v4 = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = v4.local_addr()?.port();
        let v6 = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await.ok();
        Ok(Self { v4, v6, port })
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Waits for the browser that has `state`. Any other request is answered 404 and ends nothing.
    pub async fn wait(&self, state: &str) -> std::io::Result<(CallbackResult, Visitor)> {
        loop {
            let stream = match &self.v6 {
                Some(v6) => tokio::select! {
                    accepted = self.v4.accept() => accepted?.0,
                    accepted = v6.accept() => accepted?.0,
                },
                None => self.v4.accept().await?.0,
            };
            let mut visitor = Visitor(stream);
            let target = timeout(REQUEST_WITHIN, visitor.target()).await.ok().flatten().unwrap_or_default();
            if let Some(called) = callback_result(&target, state) {
                return Ok((called, visitor));
            }
            visitor.answer("404 Not Found", "This is not the page that Webex sends you to.").await;
        }
    }
}

impl Visitor {
    /// Path and query of a GET.
    async fn target(&mut self) -> Option<String> {
        let mut head = Vec::new();
        while !head.windows(4).any(|end| end == b"\r\n\r\n") {
            if head.len() > LONGEST_REQUEST || self.0.read_buf(&mut head).await.ok()? == 0 {
                return None;
            }
        }
        let head = String::from_utf8(head).ok()?;
        let mut words = head.lines().next()?.split(' ');
        (words.next()? == "GET").then(|| words.next().map(str::to_owned))?
    }

    /// Shows a page and closes.
    pub async fn show(self, text: &str) {
        let mut visitor = self;
        visitor.answer("200 OK", text).await;
    }

    async fn answer(&mut self, status: &str, text: &str) {
        let page = format!("<!doctype html><meta charset=utf-8><title>scv-bridge</title><p>{text}</p>\n");
        let length = page.len();
        let answer = format!(
            "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {length}\r\n\
             cache-control: no-store\r\nreferrer-policy: no-referrer\r\nconnection: close\r\n\r\n{page}"
        );
        // A browser that has closed the connection needs no page.
        let _ = self.0.write_all(answer.as_bytes()).await;
        let _ = self.0.shutdown().await;
    }
}

/// The result in a request, if its `state` is right.
fn callback_result(target: &str, state: &str) -> Option<CallbackResult> {
    let url = Url::parse("http://localhost").ok()?.join(target).ok()?;
    let value =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let brought = value("state")?;
    let same = brought.len() == state.len() && memcmp::eq(brought.as_bytes(), state.as_bytes());
    if url.path() != "/callback" || !same {
        return None;
    }
    match (value("code"), value("error")) {
        (Some(code), None) if !code.is_empty() => Some(CallbackResult::Code(code)),
        (_, Some(error)) => {
            let words = value("error_description").unwrap_or(error);
            Some(CallbackResult::Refused(crate::domain::quote(&words)))
        }
        _ => None,
    }
}

/// Make what is missing of the subscriptions that the bridge needs.
#[derive(Debug, clap::Args)]
pub struct Subscribe {
    /// A resource and its version; may be given several times. Default: task:1.0.0, capture:1.0.0 and of
    /// agent:2.0.0 and agent:1.0.0 the newest that Webex accepts.
    #[arg(long = "resource", value_name = "RESOURCE:VERSION")]
    resources: Vec<WebhookResource>,
    /// What the names of the subscriptions begin with.
    #[arg(long, value_name = "NAME", default_value = "scv-bridge", value_parser = subscription_name)]
    name: String,
    /// Make those active again that Webex has turned inactive.
    #[arg(long)]
    reactivate: bool,
    /// Give those that exist the first of webex.webhook_secrets.
    #[arg(long)]
    replace_secret: bool,
}

/// List all subscriptions of the tenant.
#[derive(Debug, clap::Args)]
pub struct ListSubscriptions {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// Remove subscriptions.
#[derive(Debug, clap::Args)]
pub struct RemoveSubscriptions {
    /// These subscriptions.
    #[arg(value_name = "ID", required_unless_present = "ours", conflicts_with = "ours")]
    ids: Vec<String>,
    /// All that send to this bridge.
    #[arg(long)]
    ours: bool,
}

/// With the resource and its version behind it, a name may have 64 characters.
fn subscription_name(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | ' '));
    if plain && (1..=40).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err("must have 1 to 40 letters, digits, spaces, hyphens or underscores".to_owned())
    }
}

impl Subscribe {
    /// Creates the missing subscriptions; returns whether all of them are there and active.
    pub async fn run(
        &self,
        settings: &Settings,
        client: &ApiClient,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let destination = own_destination(settings)?;
        let secrets = settings.webex.as_ref().map(|webex| webex.webhook_secrets.as_slice());
        let secret = secrets.and_then(<[_]>::first).context(
            "webex.webhook_secret_files: is empty; without a secret anybody could send webhooks to the bridge",
        )?;
        let known = client.subscriptions().await?;
        let each = || self.resources.iter().map(|resource| vec![resource.clone()]).collect();
        let wanted: Vec<Vec<WebhookResource>> =
            if self.resources.is_empty() { WebhookResource::usual() } else { each() };
        let mut in_order = true;
        // A failure of one does not affect the others.
        for versions in wanted {
            let mut is_served = false;
            for resource in versions {
                let found = known.iter().find(|known| known.serves(&resource, &destination));
                let done = match found {
                    Some(found) => {
                        self.keep(found, client, secret).await.map(|word| (word, found.id.clone()))
                    }
                    None if is_served => continue,
                    None => self.make(&resource, &destination, client, secret).await.map(|id| ("made", id)),
                };
                let (word, detail) = match done {
                    Ok((INACTIVE, id)) => {
                        in_order = false;
                        (INACTIVE, id)
                    }
                    Ok((word, id)) if is_served => {
                        (word, format!("{id} (superseded: scv-bridge webex remove {id})"))
                    }
                    Ok(done) => done,
                    Err(error) => ("failed", error.to_string()),
                };
                is_served |= word != "failed";
                writeln!(out, "{:<14} {word:<11} {detail}", resource.to_string())?;
            }
            in_order &= is_served;
        }
        writeln!(out, "webhooks go to {destination}")?;
        if !in_order {
            writeln!(
                out,
                "not all is in order. Webex turns a subscription inactive when its receiver fails; --reactivate makes it active again"
            )?;
        }
        Ok(in_order)
    }

    /// Creates a subscription.
    async fn make(
        &self,
        resource: &WebhookResource,
        destination: &str,
        client: &ApiClient,
        secret: &SecretString,
    ) -> Result<String, WebexError> {
        let name = format!("{} {}", self.name, resource.to_string().replace(':', " "));
        let (destination_url, secret) = (destination.to_owned(), secret.clone());
        let new = NewSubscription { name, resource: resource.clone(), destination_url, secret };
        Ok(client.subscribe(&new).await?.id)
    }

    /// Updates an existing subscription.
    async fn keep(
        &self,
        found: &Subscription,
        client: &ApiClient,
        secret: &SecretString,
    ) -> Result<&'static str, WebexError> {
        if self.replace_secret {
            client.replace_secret(&found.id, secret).await?;
        }
        Ok(match (found.is_active(), self.reactivate) {
            (true, _) => "exists",
            (false, true) => {
                client.reactivate(&found.id).await?;
                "reactivated"
            }
            (false, false) => INACTIVE,
        })
    }
}

const INACTIVE: &str = "inactive";

impl ListSubscriptions {
    /// Lists all subscriptions; returns whether there are any of this bridge, and all of those are active.
    pub async fn run(
        &self,
        settings: &Settings,
        client: &ApiClient,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let destination = destination(settings.server.public_url.as_ref());
        let ours = destination.as_ref().ok();
        let all = client.subscriptions().await?;
        let is_ours = |each: &Subscription| ours == Some(&each.destination_url);
        if self.json {
            let shown = |each: &Subscription| {
                serde_json::json!({
                    "id": each.id, "name": each.name, "resource": each.resource_version, "status": each.status,
                    "events": each.event_types, "destination": each.destination_url, "ours": is_ours(each),
                })
            };
            writeln!(out, "{}", serde_json::Value::from_iter(all.iter().map(shown)))?;
        } else {
            for each in &all {
                let mark = if is_ours(each) { "*" } else { " " };
                let Subscription { id, name, resource_version, status, destination_url, .. } = each;
                writeln!(out, "{mark} {id}  {resource_version:<14} {status:<9} {name}  {destination_url}")?;
            }
            writeln!(out, "{} subscriptions; * sends to this bridge", all.len())?;
            let none = || match &destination {
                Ok(destination) => format!(
                    "none sends to this bridge, {destination}: no webhook comes. `scv-bridge webex subscribe` makes them"
                ),
                Err(problem) => format!("none can send to this bridge: {problem}"),
            };
            if !all.iter().any(is_ours) {
                writeln!(out, "{}", none())?;
            }
        }
        let mut ours = all.iter().filter(|each| is_ours(each)).peekable();
        Ok(ours.peek().is_some() && ours.all(Subscription::is_active))
    }
}

impl RemoveSubscriptions {
    /// Removes subscriptions; returns whether there was any.
    pub async fn run(
        &self,
        settings: &Settings,
        client: &ApiClient,
        out: &mut dyn Write,
    ) -> anyhow::Result<bool> {
        let ids = if self.ours {
            let ours = own_destination(settings)?;
            let all = client.subscriptions().await?;
            all.into_iter().filter(|each| each.destination_url == ours).map(|each| each.id).collect()
        } else {
            self.ids.clone()
        };
        for id in &ids {
            client.unsubscribe(id).await.with_context(|| format!("{id}: not removed"))?;
            writeln!(out, "removed {id}")?;
        }
        if ids.is_empty() {
            writeln!(out, "no subscription sends to this bridge")?;
        }
        Ok(!ids.is_empty())
    }
}

/// Where webhooks of this bridge are sent.
fn own_destination(settings: &Settings) -> anyhow::Result<String> {
    match destination(settings.server.public_url.as_ref()) {
        Ok(destination) => Ok(destination),
        Err(problem) => bail!("{problem}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_with_the_state_is_accepted() {
        let code = || Some(CallbackResult::Code("c d".to_owned()));
        assert_eq!(callback_result("/callback?code=c%20d&state=s1", "s1"), code());
        assert_eq!(callback_result("/callback?state=s1&code=c+d&x=y", "s1"), code());
        let refused = Some(CallbackResult::Refused("no way".to_owned()));
        assert_eq!(
            callback_result("/callback?error=access_denied&error_description=no%20way&state=s1", "s1"),
            refused
        );
        for target in [
            "/callback?code=c&state=s2",
            "/callback?code=c",
            "/callback?code=c&state=",
            "/callback?code=&state=s1",
            "/callback?state=s1",
            "/favicon.ico",
            "/other?code=c&state=s1",
            "",
        ] {
            assert_eq!(callback_result(target, "s1"), None, "{target}");
        }
    }
}
