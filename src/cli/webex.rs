//! `scv-bridge webex`: the login of the integration, and its subscriptions.

mod callback;
mod login;
mod subscriptions;

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use clap::Subcommand;
use secrecy::ExposeSecret as _;

use crate::clock::Clock;
use crate::ids::Ids;
use crate::salesforce::clients;
use crate::settings::Settings;
use crate::store::Store;
use crate::webex::{self, ApiClient, WebexTokens};

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
    Login(login::LoginArgs),
    /// Make what is missing of the subscriptions that the bridge needs.
    Subscribe(subscriptions::Subscribe),
    /// List all subscriptions of the tenant.
    List(subscriptions::ListSubscriptions),
    /// Remove subscriptions.
    Remove(subscriptions::RemoveSubscriptions),
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
    let open = Store::open(settings.store.url.expose_secret());
    let in_order = super::on_store(&settings.store.url, open, async |store| {
        obey(args, &settings, store, clock, out).await
    })?;
    Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn obey(
    args: &WebexArgs,
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<bool> {
    match &args.command {
        WebexCommand::Login(args) => login::run(args, settings, store, clock, out).await,
        WebexCommand::Subscribe(args) => args.run(settings, &client(settings, store, clock)?, out).await,
        WebexCommand::List(args) => args.run(settings, &client(settings, store, clock)?, out).await,
        WebexCommand::Remove(args) => args.run(settings, &client(settings, store, clock)?, out).await,
    }
}

/// What asks for tokens, in a name of its own.
fn tokens(
    settings: &Settings,
    store: &Store,
    clock: &Arc<dyn Clock>,
    ids: &Ids,
) -> anyhow::Result<(WebexTokens, reqwest::Client)> {
    let webex = settings.webex.as_ref().context("webex: there is no [webex] section")?;
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
    let webex = settings.webex.as_ref().context("webex: there is no [webex] section")?;
    Ok(webex::api_client(webex, http, tokens, Arc::clone(clock), ids)?)
}
