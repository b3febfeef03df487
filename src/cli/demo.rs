//! `scv-bridge demo`: the vendor's flow against a mock Salesforce org, without any configuration.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use openssl::sha::sha256;
use serde_json::{Map, Value, json};
use tokio::time::Instant;
use webex_flow::json_path::JsonPath;
use webex_flow::model::{ActivityKind, Flow, HttpRequest, read};
use webex_flow::pebble::{Environment, Template};

use crate::app::{Application, Handle};
use crate::certificate::{IssuedPair, issue};
use crate::clock::Clock;
use crate::ids::Ids;
use crate::mock::{Disposition, MockOrg, MockOrgSettings, VoiceCall};
use crate::settings::{Settings, Source};

/// Arguments of `demo`.
#[derive(Debug, clap::Args)]
pub struct DemoArgs {
    /// Leave everything running afterwards and print the addresses.
    #[arg(long)]
    pub keep: bool,
}

/// Starts a mock Salesforce org and the bridge on free loopback ports, plays calls and judges the VoiceCalls:
/// 0 if they are right, else 1.
///
/// # Errors
/// When something cannot be started, or the output cannot be written.
pub fn run(args: &DemoArgs, clock: &Arc<dyn Clock>, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    actix_web::rt::System::new().block_on(async {
        let setup = DemoSetup::set_up(clock).await?;
        setup.announce(out)?;
        let wrong = all_calls(&setup, out).await?;
        print_voice_calls(&setup.org, out)?;
        let code = print_result(&wrong, out)?;
        if args.keep {
            setup.explain(out)?;
            actix_web::rt::signal::ctrl_c().await?;
        }
        setup.strike().await;
        Ok(code)
    })
}

/// The vendor's published flow.
const FLOW: &str = include_str!("../../tests/fixtures/flows/ServiceCloudVoice_Template.json");
/// The names that the vendor's flow sends.
const CERTIFICATE: &str = "WebexCCSCV";
const CLIENT: &str = "webex-flow";

/// An org, a bridge, a certificate and a secret, all made for the demo.
pub struct DemoSetup {
    /// The mock org.
    pub org: MockOrg,
    /// The vendor's flow.
    pub flow: Flow,
    /// Where the bridge listens.
    pub bridge: String,
    /// Where operators find it.
    pub operations: String,
    /// Id and secret of the flow's connector.
    pub credentials: (String, String),
    /// The clock.
    pub clock: Arc<dyn Clock>,
    handle: Handle,
    folder: PathBuf,
}

impl DemoSetup {
    /// Starts all of it.
    ///
    /// # Errors
    /// When a file, a port or a certificate cannot be had.
    pub async fn set_up(clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let ids = Arc::new(Ids::random());
        let folder = std::env::temp_dir().join(format!("scv-bridge-demo-{}", ids.unique()));
        std::fs::create_dir(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
        let issued = issue(CERTIFICATE, 2048, 1, clock.now()).context("no certificate could be made")?;
        let org_settings = MockOrgSettings::example(issued.certificate_pem.clone());
        let loopback = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
        let of_org = Arc::clone(clock);
        let org = MockOrg::start(org_settings, loopback, move || of_org.now()).await?;
        let secret = ids.unique();
        let file = write_configuration(&folder, &issued, &org, &secret)?;
        let source = Source { file: Some(file), environment: Vec::new() };
        let settings = Settings::load(&source, clock.as_ref())?;
        let application = Application::build(settings, clock, &ids).await?;
        let bridge = format!("http://{}", application.public_address());
        let operations = format!("http://{}", application.operations_address());
        let handle = application.handle();
        actix_web::rt::spawn(application.run());
        let flow = read(FLOW)?;
        let (credentials, clock) = ((CLIENT.to_owned(), secret), Arc::clone(clock));
        Ok(Self { org, flow, bridge, operations, credentials, clock, handle, folder })
    }

    /// Prints what was started.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn announce(&self, out: &mut dyn Write) -> std::io::Result<()> {
        writeln!(
            out,
            "scv-bridge demo: the vendor's flow, the bridge and a mock Salesforce org, all on this machine"
        )?;
        writeln!(out, "  bridge    {}", self.bridge)?;
        writeln!(out, "  org       {}", self.org.url())
    }

    /// Prints how to go on by hand.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn explain(&self, out: &mut dyn Write) -> std::io::Result<()> {
        let (id, secret) = &self.credentials;
        writeln!(out, "\nStill running; end with Ctrl-C.")?;
        writeln!(out, "  bridge         {}   (HTTP Basic: {id}:{secret})", self.bridge)?;
        writeln!(out, "  operations     {}/metrics", self.operations)?;
        writeln!(out, "  VoiceCalls     {}/mock/voiceCalls", self.org.url())?;
        writeln!(out, "  refusals       {}/mock/refusals", self.org.url())?;
        writeln!(out, "  configuration  {}", self.folder.join("bridge.toml").display())
    }

    /// Stops everything and removes its files.
    pub async fn strike(self) {
        self.handle.stop().await;
        self.org.stop().await;
        // A failure is harmless: the key in the folder is valid only for the simulated org, which has stopped.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn write_configuration(
    folder: &std::path::Path,
    issued: &IssuedPair,
    org: &MockOrg,
    secret: &str,
) -> anyhow::Result<PathBuf> {
    let [certificate, key, file] = ["demo.crt", "demo.key", "bridge.toml"].map(|name| folder.join(name));
    std::fs::write(&certificate, &issued.certificate_pem)?;
    std::fs::write(&key, &issued.key_pem)?;
    let digest = hex::encode(sha256(secret.as_bytes()));
    let configuration = format!(
        r#"[server]
listen = "127.0.0.1:0"
[operations]
listen = "127.0.0.1:0"
[store]
url = "sqlite:{store}"
[[clients]]
id = "{CLIENT}"
secret_sha256 = "{digest}"
call_centers = ["*"]
[certificates.{CERTIFICATE}]
certificate = {certificate:?}
private_key = {key:?}
[call_centers.WxCCContactCenterSCV]
api = "telephony"
certificate = "{CERTIFICATE}"
org_id = "00D000000000001EAA"
telephony_url = "{url}"
provider_name = "webex-contact-center"
[call_centers.WxCCContactCenterSCV.translations]
from = '{{"US": "[12,12]->(\\+1)(\\d{{3}})(\\d{{3}})(\\d{{4}})->($2) $3-$4"}}'
"#,
        url = org.telephony_url(),
        store = folder.join("bridge.db").display()
    );
    std::fs::write(&file, configuration)?;
    Ok(file)
}

const DNIS: &str = "+18005550100";
const AGENT: &str = "agent@example.com";

/// One run of the flow for one call: its variables.
struct FlowRun<'a> {
    setup: &'a DemoSetup,
    client: reqwest::Client,
    variables: Map<String, Value>,
}

/// An answer to the flow.
struct FlowAnswer {
    status: u16,
    body: Value,
}

/// Plays the three calls; returns what is wrong with the VoiceCalls afterwards.
///
/// # Errors
/// When a request cannot be sent, or the output cannot be written.
pub async fn all_calls(setup: &DemoSetup, out: &mut dyn Write) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    writeln!(
        out,
        "\n1. A caller is answered, talks and hangs up. Webex reports the hang-up as for any call."
    )?;
    answered(setup, out, &mut wrong).await?;
    writeln!(out, "\n2. A caller hangs up in the queue; the flow sends phoneContactEnded.")?;
    let key = abandoned(setup, out, "+14693150218", HangUpMethod::PhoneContactEnded).await?;
    check_abandoned(setup, &key, &mut wrong);
    writeln!(
        out,
        "\n3. A caller hangs up in the queue; the vendor's event flow sends ClearRouting and UpdateVoiceCall."
    )?;
    let key = abandoned(setup, out, "+14693150219", HangUpMethod::VendorsEventFlow).await?;
    check_abandoned(setup, &key, &mut wrong);
    for refusal in setup.org.refusals() {
        wrong.push(format!(
            "Salesforce refused {} {}: {}",
            refusal.method,
            refusal.path,
            refusal.reasons.join("; ")
        ));
    }
    Ok(wrong)
}

async fn answered(setup: &DemoSetup, out: &mut dyn Write, wrong: &mut Vec<String>) -> anyhow::Result<()> {
    let mut run = FlowRun::begin(setup, "+14693150217")?;
    run.activity("CreateVoiceCall", out).await?;
    run.activity("ExecuteOmniFlow", out).await?;
    let key = run.text("SCV_VendorCallKey");
    if !setup.org.agent_accepts(&key, AGENT) {
        bail!("the org knows no call {key}");
    }
    writeln!(out, "   {AGENT} accepts the call in Omni-Channel")?;
    run.own("agentAnswered", json!({ "agentId": "7d6a" }), out).await?;
    let before = setup.org.voice_call(&key);
    run.own("phoneContactEnded", json!({ "agentId": "7d6a" }), out).await?;
    let after = setup.org.voice_call(&key);
    if json!(before) != json!(after) {
        wrong.push(format!("the hang-up changed the answered VoiceCall {key}"));
    }
    if after.is_none_or(|call| call.call_disposition != Disposition::InProgress || call.updates != 0) {
        wrong.push(format!("the answered VoiceCall {key} is not as the agent left it"));
    }
    Ok(())
}

#[derive(PartialEq, Eq)]
enum HangUpMethod {
    PhoneContactEnded,
    VendorsEventFlow,
}

async fn abandoned(
    setup: &DemoSetup,
    out: &mut dyn Write,
    caller: &str,
    how: HangUpMethod,
) -> anyhow::Result<String> {
    let mut run = FlowRun::begin(setup, caller)?;
    run.activity("CreateVoiceCall", out).await?;
    run.activity("ExecuteOmniFlow", out).await?;
    match how {
        HangUpMethod::PhoneContactEnded => {
            run.own("phoneContactEnded", json!({ "agentId": "" }), out).await?;
        }
        HangUpMethod::VendorsEventFlow => {
            run.activity("ClearRouting", out).await?;
            run.activity("UpdateVoiceCall", out).await?;
        }
    }
    Ok(run.text("SCV_VendorCallKey"))
}

fn check_abandoned(setup: &DemoSetup, key: &str, wrong: &mut Vec<String>) {
    let right = |call: &VoiceCall| {
        call.call_disposition == Disposition::Completed
            && call.disconnect_reason.as_deref() == Some("Abandoned in queue")
            && call.pending_routing.is_none()
            && call.call_duration_in_seconds.is_some()
    };
    if !setup.org.voice_call(key).as_ref().is_some_and(right) {
        wrong.push(format!("the abandoned VoiceCall {key} is not completed with its reason"));
    }
}

impl<'a> FlowRun<'a> {
    /// The start event, and the variables that the flow sets first.
    fn begin(setup: &'a DemoSetup, caller: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let interaction = uuid(rand::random());
        let contact = json!({ "ANI": caller, "DNIS": DNIS, "InteractionId": interaction });
        let variables = Map::from_iter([(String::from("NewPhoneContact"), contact)]);
        let mut run = Self { setup, client, variables };
        for name in ["SCV_VendorCallKey", "SCV_CallStartTime"] {
            let template = set_to(&setup.flow, name).with_context(|| format!("the flow sets no {name}"))?;
            let value = run.fill(template)?;
            run.variables.insert(name.to_owned(), Value::from(value));
        }
        Ok(run)
    }

    /// An HTTP Request activity of the vendor's flow: fills it, sends it, reads the outputs.
    async fn activity(&mut self, name: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let request =
            http_request(&self.setup.flow, name).with_context(|| format!("the flow has no {name}"))?;
        let body = self.fill(request.body.as_deref().unwrap_or_default())?;
        let path = request.path.as_deref().unwrap_or_default();
        let answer = self.send(path, Duration::from_millis(request.timeout_ms), body, out).await?;
        for output in &request.outputs {
            // Where nothing is found the variable stays empty.
            let value = JsonPath::parse(&output.path)?.read(&answer.body).unwrap_or_default();
            self.variables.insert(output.variable.clone(), value);
        }
        Ok(())
    }

    /// A request of the bridge's own, as docs/setup.md adds it to the flow.
    async fn own(&self, name: &str, more: Value, out: &mut dyn Write) -> anyhow::Result<()> {
        let mut body = json!({
            "callCenterDevName": "WxCCContactCenterSCV",
            "interactionId": self.variables.get("NewPhoneContact").and_then(|contact| contact.get("InteractionId")),
        });
        let mut more = more;
        if name == "phoneContactEnded"
            && let Some(fields) = more.as_object_mut()
        {
            fields.insert("voiceCallId".into(), self.text("SCV_VoiceCallRecordId").into());
            fields.insert("startTime".into(), self.text("SCV_CallStartTime").into());
        }
        if let (Some(body), Some(more)) = (body.as_object_mut(), more.as_object_mut()) {
            body.append(more);
        }
        let path = format!("/voice/v1/{name}");
        self.send(&path, Duration::from_secs(2), body.to_string(), out).await.map(drop)
    }

    async fn send(
        &self,
        path: &str,
        timeout: Duration,
        body: String,
        out: &mut dyn Write,
    ) -> anyhow::Result<FlowAnswer> {
        let (id, secret) = &self.setup.credentials;
        let started = Instant::now();
        let response = self
            .client
            .post(format!("{}{path}", self.setup.bridge))
            .basic_auth(id, Some(secret))
            .header("content-type", "Application/JSON")
            .timeout(timeout)
            .body(body)
            .send()
            .await?;
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        let answer = FlowAnswer { status, body };
        print_request(path, answer.status, started.elapsed(), &answer.body, out)?;
        Ok(answer)
    }

    fn fill(&self, template: &str) -> anyhow::Result<String> {
        Ok(Template::parse(template)?.render(&self.variables, &Environment::at(self.setup.clock.now()))?)
    }

    fn text(&self, name: &str) -> String {
        self.variables.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// What the flow sets a variable to.
fn set_to<'f>(flow: &'f Flow, variable: &str) -> Option<&'f str> {
    flow.activities().find_map(|(_, activity)| match &activity.kind {
        ActivityKind::SetVariable(rows) => {
            rows.iter().find(|row| row.variable == variable).map(|row| row.value.as_str())
        }
        _ => None,
    })
}

/// An HTTP Request activity of the flow by its name.
fn http_request<'f>(flow: &'f Flow, name: &str) -> Option<&'f HttpRequest> {
    match &flow.activity_by_name(name)?.1.kind {
        ActivityKind::HttpRequest(request) => Some(request),
        _ => None,
    }
}

/// An interaction id as Webex has it.
fn uuid(random: u128) -> String {
    let digits = format!("{random:032x}");
    let part = |range| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}

/// Prints one request and its answer, on one line.
///
/// # Errors
/// When the output cannot be written.
pub fn print_request(
    path: &str,
    status: u16,
    took: Duration,
    body: &Value,
    out: &mut dyn Write,
) -> std::io::Result<()> {
    let name = path.rsplit('/').next().unwrap_or_default();
    let milliseconds = took.as_secs_f64() * 1000.0;
    let shown = match body.get("data") {
        Some(data) if !data.is_null() => data,
        _ => body.get("errors").unwrap_or(body),
    };
    writeln!(out, "   POST {name:<18} {status}  {milliseconds:>6.1} ms  {shown}")
}

/// Prints the VoiceCalls as Salesforce would show them.
///
/// # Errors
/// When the output cannot be written.
pub fn print_voice_calls(org: &MockOrg, out: &mut dyn Write) -> std::io::Result<()> {
    const FIELDS: [&str; 11] = [
        "Id",
        "VendorCallKey",
        "FromPhoneNumber",
        "ToPhoneNumber",
        "CallStartDateTime",
        "CallAcceptDateTime",
        "CallEndDateTime",
        "CallDurationInSeconds",
        "CallDisposition",
        "DisconnectReason",
        "PendingServiceRouting",
    ];
    writeln!(out, "\nThe VoiceCalls in Salesforce:")?;
    for call in org.voice_calls() {
        let call = json!(call);
        writeln!(out)?;
        for field in FIELDS {
            let value = match call.get(field) {
                None | Some(Value::Null) => "-".to_owned(),
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
            };
            writeln!(out, "   {field:<22} {value}")?;
        }
    }
    Ok(())
}

/// Prints whether all is right, and returns the exit status for it.
///
/// # Errors
/// When the output cannot be written.
pub fn print_result(wrong: &[String], out: &mut dyn Write) -> std::io::Result<ExitCode> {
    if wrong.is_empty() {
        writeln!(
            out,
            "\nRight: the hang-up left the answered VoiceCall as it was; the abandoned ones are completed with"
        )?;
        writeln!(out, "their reason, and nothing waits in Omni-Channel for callers who have gone.")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "\nWrong:")?;
    for problem in wrong {
        writeln!(out, "   {problem}")?;
    }
    Ok(ExitCode::FAILURE)
}
