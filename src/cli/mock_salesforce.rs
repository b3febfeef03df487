//! `scv-bridge mock-salesforce`: the mock org alone, to build and try flows without a Salesforce org.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;

use super::mocks::{MockCommand, first_number};
use crate::clock::{Clock as _, SystemClock};
use crate::mock::{MockOrg, MockOrgSettings};

/// Runs a mock Salesforce org: the telephony API, the Apex wrapper and the OAuth token endpoint.
///
/// It refuses what Salesforce would refuse and lists every refusal under /mock/refusals. The defaults fit the example configuration.
#[derive(Debug, clap::Args)]
pub struct MockSalesforceArgs {
    /// Address and port to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8090")]
    pub listen: SocketAddr,
    /// Allow an address other than loopback: whoever reaches it can read and script the org.
    #[arg(long)]
    pub expose: bool,
    /// Public certificate (PEM) that tokens must fit.
    #[arg(long, value_name = "FILE", default_value = "certs/WebexCCSCV.crt")]
    pub certificate: PathBuf,
    /// Id of the org.
    #[arg(long, value_name = "ID", default_value = "00D000000000001EAA")]
    pub org_id: String,
    /// API name of a contact center; may be given several times.
    #[arg(long = "call-center", value_name = "NAME", default_values = ["WxCCContactCenterSCV", "Sandbox"])]
    pub call_centers: Vec<String>,
    /// Name of a certificate stored in the org (certDevName); may be given several times. Default: the certificate file's name.
    #[arg(long = "certificate-name", value_name = "NAME")]
    pub certificate_names: Vec<String>,
    /// What Telephony-Provider-Name must say.
    #[arg(long, value_name = "NAME", default_value = "webex-contact-center")]
    pub provider_name: String,
    /// Consumer key of the connected app.
    #[arg(long, value_name = "KEY", default_value = "3MVG9example.consumer.key")]
    pub consumer_key: String,
    /// Pre-authorised user.
    #[arg(long, value_name = "NAME", default_value = "scv.integration@example.com")]
    pub username: String,
    /// Measure instead of watch: believe a token once checked, record nothing, no limit of creates.
    #[arg(long)]
    pub answer_at_once: bool,
    /// Threads that serve requests.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub workers: usize,
}

/// Runs the org until Ctrl-C or SIGTERM.
///
/// # Errors
/// The certificate cannot be read, the address is taken, or it is not loopback and was not meant to be exposed.
pub fn run(args: &MockSalesforceArgs) -> anyhow::Result<ExitCode> {
    let command = MockCommand {
        name: "the mock org",
        exposes: "read and script",
        listen: args.listen,
        expose: args.expose,
    };
    let command = command.refuse_strangers()?;
    let settings = MockOrgSettings { first_record: first_number(SystemClock.now()), ..settings(args)? };
    let start = async |listen| MockOrg::start(settings, listen, || SystemClock.now()).await;
    command.run(start, introduction, async |org: MockOrg| org.stop().await)
}

fn settings(args: &MockSalesforceArgs) -> anyhow::Result<MockOrgSettings> {
    let certificate = std::fs::read(&args.certificate).with_context(|| {
        format!(
            "--certificate {}: cannot be read (`scv-bridge certificate new` makes one)",
            args.certificate.display()
        )
    })?;
    let example = MockOrgSettings::example(certificate);
    Ok(MockOrgSettings {
        org_id: args.org_id.clone(),
        call_centers: args.call_centers.clone(),
        provider_name: args.provider_name.clone(),
        consumer_key: args.consumer_key.clone(),
        username: args.username.clone(),
        known_certificates: certificate_names(&args.certificate_names, &args.certificate),
        creates_per_second: example.creates_per_second.filter(|_| !args.answer_at_once),
        record: !args.answer_at_once,
        verify_every_token: !args.answer_at_once,
        workers: args.workers,
        ..example
    })
}

fn certificate_names(named: &[String], file: &Path) -> Vec<String> {
    let stem = file.file_stem().map(|stem| stem.to_string_lossy().into_owned());
    if named.is_empty() { stem.into_iter().collect() } else { named.to_vec() }
}

fn introduction(org: &MockOrg) -> String {
    let (url, telephony, login) = (org.url(), org.telephony_url(), org.login_url());
    format!(
        "\
Mock Salesforce org
  telephony_url  {telephony}
  login_url      {login}
Look
  curl {url}/mock/voiceCalls
  curl {url}/mock/refusals
  curl {url}/mock/requests
Act
  curl -X POST {url}/mock/agentAccepts/VENDOR_CALL_KEY
  curl -X POST {url}/mock/revokeSessions
  curl {url}/mock/script -d '{{\"kind\":\"unavailable\",\"times\":3,\"on\":\"create\"}}'
    kind: unauthorized, forbidden (body), tooMany (retryAfter), unavailable (retryAfter), slow (milliseconds),
          worksLate (milliseconds), neverAnswers, dropConnection (afterWork), html (status), halfBody, garbage,
          status (status, body), body (body), complaint (errors), hugeBody (bytes)
    on:   create, update, omniFlow, clearRouting, token; left out: any
    times: for how many requests; left out: 1
  curl {url}/mock/script               what has not come yet of the scripts
  curl -X DELETE {url}/mock/script     ends them all"
    )
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct CommandLine {
        #[command(flatten)]
        args: MockSalesforceArgs,
    }

    fn parse(line: &[&str]) -> MockSalesforceArgs {
        CommandLine::parse_from(std::iter::once("mock-salesforce").chain(line.iter().copied())).args
    }

    #[test]
    fn an_address_that_others_reach_is_refused_unless_exposed() {
        let refused = run(&parse(&["--listen", "0.0.0.0:0"])).unwrap_err().to_string();
        assert!(refused.contains("--expose"), "{refused}");
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_named() {
        let refused = run(&parse(&["--certificate", "/nowhere/x.crt"])).unwrap_err().to_string();
        let wanted = "--certificate /nowhere/x.crt: cannot be read (`scv-bridge certificate new` makes one)";
        assert_eq!(refused, wanted);
    }

    #[test]
    fn the_certificates_name_is_its_files_name() {
        let file = Path::new("certs/WebexCCSCV.crt");
        assert_eq!(certificate_names(&[], file), ["WebexCCSCV"]);
        assert_eq!(certificate_names(&["Other".into()], file), ["Other"]);
    }

    #[test]
    fn contact_centers_that_are_given_replace_the_default() {
        let args = parse(&["--call-center", "A", "--call-center", "B"]);
        assert_eq!(args.call_centers, ["A", "B"]);
    }
}
