//! `scv-bridge mock-webex`: the mock Webex tenant alone, to try login, subscriptions and reconciliation without a tenant.

use std::net::SocketAddr;
use std::process::ExitCode;

use super::mocks::{MockCommand, first_number};
use crate::clock::{Clock as _, SystemClock};
use crate::mock::webex::{MockWebex, MockWebexSettings};

/// Runs a mock Webex tenant: the login, subscriptions of webhooks, the Search API and recordings.
///
/// It refuses what Webex would refuse and lists every refusal under /mock/refusals.
#[derive(Debug, clap::Args)]
pub struct MockWebexArgs {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8091")]
    pub listen: SocketAddr,
    /// Allow an address other than loopback: whoever reaches it can log in and read the tenant.
    #[arg(long)]
    pub expose: bool,
    /// Id of the organisation.
    #[arg(long, value_name = "ID", default_value = "97cdbf45-ebe2-4687-8341-44d5c7abf101")]
    pub org_id: String,
    /// Client id of the integration.
    #[arg(long, value_name = "ID", default_value = "C0123456789abcdef")]
    pub client_id: String,
    /// Client secret of the integration: the mock's alone, never that of a real one.
    #[arg(long, value_name = "SECRET", default_value = "the-secret-of-the-integration")]
    pub client_secret: String,
    /// Where the login may send its user back to; may be given several times.
    #[arg(long = "redirect-uri", value_name = "URL", default_values = ["http://localhost:8087/callback"])]
    pub redirect_uris: Vec<String>,
}

/// Runs the tenant until Ctrl-C or SIGTERM.
///
/// # Errors
/// The address is taken, or it is not loopback and was not meant to be exposed.
pub fn run(args: &MockWebexArgs) -> anyhow::Result<ExitCode> {
    let settings = MockWebexSettings {
        org_id: args.org_id.clone(),
        client_id: args.client_id.clone(),
        client_secret: args.client_secret.clone(),
        redirect_uris: args.redirect_uris.clone(),
        numbers_after: first_number(SystemClock.now()),
        ..MockWebexSettings::default()
    };
    let command = MockCommand {
        name: "the mock tenant",
        exposes: "log in and read",
        listen: args.listen,
        expose: args.expose,
    };
    let command = command.refuse_strangers()?;
    let start = async |listen| MockWebex::start(settings.clone(), listen, || SystemClock.now()).await;
    let introduction = |tenant: &MockWebex| introduction(tenant, &settings);
    command.run(start, introduction, async |tenant: MockWebex| tenant.stop().await)
}

fn introduction(tenant: &MockWebex, settings: &MockWebexSettings) -> String {
    let (url, token, authorize) = (tenant.url(), tenant.token_url(), tenant.authorize_url());
    let MockWebexSettings { org_id, client_id, .. } = settings;
    format!(
        "\
Mock Webex tenant; for [webex] of the configuration:
  api_url        {url}
  token_url      {token}
  authorize_url  {authorize}
  org_id         {org_id}
  client_id      {client_id}
Look
  curl {url}/mock/subscriptions
  curl {url}/mock/refusals
  curl {url}/mock/requests
Act: a task that Search finds, times in epoch milliseconds
  curl {url}/mock/tasks -d '{{\"id\":\"TASK\",\"createdTime\":1795774000000,\"endedTime\":1795774060000,\"status\":\"ended\"}}'"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: MockWebexArgs,
    }

    #[test]
    fn an_address_that_others_reach_is_refused_unless_exposed() {
        let line = CommandLine::parse_from(["mock-webex", "--listen", "0.0.0.0:0"]);
        let refused = run(&line.args).unwrap_err().to_string();
        assert!(refused.contains("--expose"), "{refused}");
    }
}
