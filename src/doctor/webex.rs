//! Webex: the login that is kept, what it allows, and the subscriptions of this bridge.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use secrecy::ExposeSecret as _;

use super::engine::Check;
use super::known::{Speaker, recognize};
use super::network::reached;
use super::site::Site;
use super::{CheckId, Code, Finding, database};
use crate::settings::{BaseUrl, Webex};
use crate::store::{Schema, Store};
use crate::webex::{
    Subscription, TokenError, WebexError, WebexLogin, WebexTokens, WebhookResource, destination, list_once,
    tokens,
};

const SUBJECT: &str = "webex";
/// How long one request may take.
const WITHIN: Duration = Duration::from_secs(6);
/// From how many days left of the login on it is worth a warning.
const WARN_DAYS: i64 = 30;
const LOG_IN: &str = "run `scv-bridge webex login` as an administrator of the contact center";
const NOT_ASKED: &str =
    "Webex is asked for nothing: events that are lost stay lost, and subscriptions that end are not seen";

/// What one check leaves for the next.
#[derive(Default)]
struct LoginAndSubscriptions {
    login: OnceLock<WebexLogin>,
    subscriptions: OnceLock<Vec<Subscription>>,
}

/// Checks of the integration; none where there is no integration.
pub(super) fn checks(site: &Arc<Site>) -> Vec<Check> {
    let Some(webex) = site.settings.webex.as_ref().filter(|webex| webex.oauth_client.is_some()) else {
        return Vec::new();
    };
    let id = |code| CheckId::new(code, SUBJECT);
    let known: Arc<LoginAndSubscriptions> = Arc::default();
    let (one, left) = (Arc::clone(site), Arc::clone(&known));
    let login = Check::new(id(Code::WebexLogin), async move { login(&one, &left).await });
    let mut checks = vec![login.after([database::id()])];
    if let Some(api) = &webex.api_url {
        let (one, left, url) = (Arc::clone(site), Arc::clone(&known), api.clone());
        let list = Check::new(id(Code::WebexApi), async move { list(&one, &left, &url).await });
        checks.push(list.after([id(Code::WebexLogin), reached(api), reached(&webex.token_url)]));
        let one = Arc::clone(site);
        let judge = Check::new(id(Code::Subscriptions), async move { judge(&one, &known) });
        checks.push(judge.after([id(Code::WebexApi)]));
    }
    checks
}

/// The tokens of the integration, on a store.
fn on(site: &Site, webex: &Webex, store: Store) -> Option<WebexTokens> {
    tokens(webex, site.http.clone(), store, Arc::clone(&site.clock), site.ids.unique()).ok()
}

async fn login(site: &Site, known: &LoginAndSubscriptions) -> Finding {
    let Some(webex) = &site.settings.webex else { return Finding::skipped("it is gone") };
    if site.database.get().is_none_or(|found| found.schema != Schema::Current) {
        return of_token(&TokenError::NotLoggedIn);
    }
    let store = match Store::open_to_read(site.settings.store.url.expose_secret()).await {
        Ok(store) => store,
        Err(error) => {
            return Finding::skipped(format!("the database cannot be read beside the service: {error}"));
        }
    };
    let kept = match on(site, webex, store.clone()) {
        Some(tokens) => tokens.login().await,
        None => Err(TokenError::NotLoggedIn),
    };
    // What was read was read: a failure to close has no meaning here.
    let _ = store.close().await;
    match kept {
        Ok(login) => {
            let finding = lasts(&login, site);
            // It was not set before: there is one such check.
            let _ = known.login.set(login);
            finding
        }
        Err(error) => of_token(&error),
    }
}

/// How long a login lasts.
fn lasts(login: &WebexLogin, site: &Site) -> Finding {
    match (login.days_left(site.clock.now()), login.ends()) {
        (Some(days), Some(ends)) if days < 0 => {
            Finding::fail("login-over", format!("the login at Webex ended {ends:.0}"))
                .means(NOT_ASKED)
                .cause("the service did not run for so long that it could not renew the login")
                .step(LOG_IN)
        }
        (Some(days), Some(ends)) if days < WARN_DAYS => {
            Finding::warn("login-ends", format!("the login at Webex ends in {days} days"))
                .means(NOT_ASKED)
                .cause("the service has not renewed it for weeks: it did not run, or Webex refuses to")
                .step(LOG_IN)
                .seen(format!("it ends {ends:.0}"))
        }
        (Some(days), ends) => {
            let until = ends.map_or_else(String::new, |ends| format!(", until {ends:.0}"));
            Finding::ok(format!("somebody is logged in, for {days} days more without a renewal{until}"))
        }
        (None, _) => Finding::ok("somebody is logged in"),
    }
}

/// Why there is no token.
fn of_token(error: &TokenError) -> Finding {
    let finding = match error {
        TokenError::NotLoggedIn => Finding::fail("not-logged-in", "nobody has logged in to Webex")
            .cause("the login was never made, or in another database")
            .step(LOG_IN),
        TokenError::Sealed(why) => {
            Finding::fail("sealed", format!("the login that is kept cannot be used: {why}"))
                .cause("webex.token_key_file is not the one that the login was kept with")
                .step("give the right file as webex.token_key_file")
                .step(format!("or {LOG_IN}"))
        }
        TokenError::Refused(words) => {
            let known = recognize(Speaker::Webex, 401, words);
            let finding = known.map_or_else(
                || Finding::fail("login-over", "the login is refused"),
                |known| known.finding(&[]),
            );
            finding
                .cause("webex.client_id and its secret are not those of the integration that was agreed to")
                .seen(format!("Webex says: {words}"))
        }
        TokenError::Unavailable(words) => Finding::fail("unavailable", "Webex gives no token at the moment")
            .cause("an incident at Webex")
            .step("https://status.webex.com tells of incidents; run `scv-bridge doctor` again")
            .seen(format!("Webex says: {words}")),
        TokenError::Busy => return Finding::skipped("another process is renewing the token right now"),
        TokenError::Store(error) => return Finding::skipped(format!("the database: {error}")),
    };
    finding.means(NOT_ASKED)
}

/// Renews the login where it must be, and where nobody else does so.
async fn renewed(site: &Site, webex: &Webex) -> Result<WebexLogin, TokenError> {
    let store = Store::open_existing(site.settings.store.url.expose_secret()).await?;
    let Some(tokens) = on(site, webex, store.clone()) else { return Err(TokenError::NotLoggedIn) };
    let renewed = tokens.bearer().await;
    let login = tokens.login().await;
    store.close().await?;
    renewed?;
    login
}

async fn list(site: &Site, known: &LoginAndSubscriptions, api: &BaseUrl) -> Finding {
    let (Some(webex), Some(kept)) = (&site.settings.webex, known.login.get()) else {
        return Finding::skipped("there is no login");
    };
    let fresh = if kept.works(site.clock.now()) {
        kept.clone()
    } else if site.database.get().is_some_and(|found| found.holder.is_some()) {
        return Finding::skipped("the access token is over; the service that runs renews it by itself");
    } else {
        match renewed(site, webex).await {
            Ok(login) => login,
            Err(error) => return of_token(&error),
        }
    };
    match list_once(&site.http, api, &fresh, &site.ids, WITHIN).await {
        Ok(subscriptions) => {
            let finding = Finding::ok(format!("{} subscriptions in the tenant", subscriptions.len()));
            // It was not set before: there is one such check.
            let _ = known.subscriptions.set(subscriptions);
            finding
        }
        Err(error) => of_api(&error, api),
    }
}

fn of_api(error: &WebexError, api: &BaseUrl) -> Finding {
    let host = [("host", api.host())];
    let finding = match error {
        WebexError::Token(error) => return of_token(error),
        WebexError::Refused { status, words } => recognize(Speaker::Webex, *status, words)
            .map_or_else(
                || Finding::fail("refused", "Webex refuses to list subscriptions").step("ask Webex what its words mean"),
                |known| known.finding(&host),
            )
            .seen(format!("Webex says: {words}")),
        WebexError::Unreadable(what) => Finding::fail("garbage", "Webex answers something that is no list of subscriptions")
            .cause("webex.api_url is not that of Webex Contact Center")
            .step("Control Hub > Contact Center > Settings shows the region: webex.api_url = \"https://api.wxcc-REGION.cisco.com\"")
            .seen(what.clone()),
        WebexError::Limited { .. } | WebexError::Unavailable { .. } => {
            Finding::fail("unavailable", "Webex does not answer at the moment")
                .cause("an incident at Webex, or more requests than it allows")
                .step("https://status.webex.com tells of incidents; run `scv-bridge doctor` again")
                .seen(error.to_string())
        }
    };
    finding.means(NOT_ASKED)
}

/// Subscriptions of this bridge, by what the service needs.
fn judge(site: &Site, known: &LoginAndSubscriptions) -> Finding {
    let Some(all) = known.subscriptions.get() else { return Finding::skipped("Webex was not asked") };
    if site.settings.webex.as_ref().is_none_or(|webex| webex.webhook_secrets.is_empty()) {
        return Finding::skipped("webhooks are not configured: webex.webhook_secret_files is empty");
    }
    let destination = match destination(site.settings.server.public_url.as_ref()) {
        Ok(destination) => destination,
        Err(problem) => return Finding::skipped(format!("no subscription can send here: {problem}")),
    };
    let ours: Vec<&Subscription> = all.iter().filter(|one| one.destination_url == destination).collect();
    let named = |one: &&Subscription| format!("{} {} is {}", one.resource_version, one.name, one.status);
    let seen: Vec<String> = ours.iter().map(named).collect();
    let with_seen = |finding: Finding| seen.iter().fold(finding, |finding, one| finding.seen(one.as_str()));
    if ours.iter().any(|one| !one.is_active()) {
        return with_seen(Finding::fail(
            "inactive",
            "Webex has turned subscriptions of this bridge inactive",
        ))
        .means("no webhook comes: calls that end without an agent are not completed by events")
        .cause("the bridge took longer than 5 s for webhooks, or failed: Webex then gives up")
        .cause("somebody turned them off")
        .step("run `scv-bridge webex subscribe --reactivate`, or set webex.reactivate_subscriptions = true")
        .step("look for answers 503 to webhooks in the log of that time");
    }
    let serves = |versions: &Vec<WebhookResource>| {
        versions.iter().any(|resource| ours.iter().any(|one| one.serves(resource, &destination)))
    };
    let usual = WebhookResource::usual();
    let missing: Vec<String> = usual
        .iter()
        .filter(|versions| !serves(versions))
        .filter_map(|versions| Some(versions.first()?.to_string()))
        .collect();
    if missing.is_empty() {
        return with_seen(Finding::ok("all are there and active"));
    }
    let what = format!("no subscription sends {} to this bridge", missing.join(", "));
    let finding = match ours.is_empty() {
        true => Finding::fail("missing", what).means("no webhook comes"),
        false => Finding::warn("missing", what).means("what these tell stays unknown"),
    };
    let others: Vec<&str> = all.iter().map(|one| one.destination_url.as_str()).collect();
    let finding = with_seen(finding)
        .cause("they were never made, or with another public_url")
        .step("run `scv-bridge webex subscribe`");
    match others.is_empty() || !ours.is_empty() {
        true => finding.seen(format!("sent to {destination} is wanted")),
        false => finding.seen(format!(
            "sent to {destination} is wanted; those of the tenant go to {}",
            others.join(", ")
        )),
    }
}
