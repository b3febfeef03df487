//! The calls: what Webex does with the flow, step by step.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context as _, bail};
use minijinja::value::{Serde, Value as Variable};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::show;
use super::stage::DemoSetup;
use crate::mock::{Disposition, VoiceCall};
use crate::webex::{HttpActivity, fill};

const DNIS: &str = "+18005550100";
const AGENT: &str = "agent@example.com";

/// One run of the flow for one call: its variables.
struct FlowRun<'a> {
    stage: &'a DemoSetup,
    client: reqwest::Client,
    variables: Map<String, Value>,
}

/// An answer as the flow sees it.
struct FlowAnswer {
    status: u16,
    body: Value,
}

/// Plays the three calls; returns what is wrong with the VoiceCalls afterwards.
///
/// # Errors
/// When a request cannot be sent, or the output cannot be written.
pub async fn all_calls(stage: &DemoSetup, out: &mut dyn Write) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    writeln!(
        out,
        "\n1. A caller is answered, talks and hangs up. Webex reports the hang-up as for any call."
    )?;
    answered(stage, out, &mut wrong).await?;
    writeln!(out, "\n2. A caller hangs up in the queue; the flow sends phoneContactEnded.")?;
    let key = abandoned(stage, out, "+14693150218", HangUpMethod::PhoneContactEnded).await?;
    check_abandoned(stage, &key, &mut wrong);
    writeln!(
        out,
        "\n3. A caller hangs up in the queue; the vendor's event flow sends ClearRouting and UpdateVoiceCall."
    )?;
    let key = abandoned(stage, out, "+14693150219", HangUpMethod::VendorsEventFlow).await?;
    check_abandoned(stage, &key, &mut wrong);
    for refusal in stage.org.refusals() {
        wrong.push(format!(
            "Salesforce refused {} {}: {}",
            refusal.method,
            refusal.path,
            refusal.reasons.join("; ")
        ));
    }
    Ok(wrong)
}

async fn answered(stage: &DemoSetup, out: &mut dyn Write, wrong: &mut Vec<String>) -> anyhow::Result<()> {
    let mut run = FlowRun::begin(stage, "+14693150217")?;
    run.activity("CreateVoiceCall", out).await?;
    run.activity("ExecuteOmniFlow", out).await?;
    let key = run.text("SCV_VendorCallKey");
    if !stage.org.agent_accepts(&key, AGENT) {
        bail!("the org knows no call {key}");
    }
    writeln!(out, "   {AGENT} accepts the call in Omni-Channel")?;
    run.own("agentAnswered", json!({ "agentId": "7d6a" }), out).await?;
    let before = stage.org.voice_call(&key);
    run.own("phoneContactEnded", json!({ "agentId": "7d6a" }), out).await?;
    let after = stage.org.voice_call(&key);
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
    stage: &DemoSetup,
    out: &mut dyn Write,
    caller: &str,
    how: HangUpMethod,
) -> anyhow::Result<String> {
    let mut run = FlowRun::begin(stage, caller)?;
    run.activity("CreateVoiceCall", out).await?;
    run.activity("ExecuteOmniFlow", out).await?;
    match how {
        HangUpMethod::PhoneContactEnded => {
            run.own("phoneContactEnded", json!({ "agentId": "" }), out).await?
        }
        HangUpMethod::VendorsEventFlow => {
            run.activity("ClearRouting", out).await?;
            run.activity("UpdateVoiceCall", out).await?;
        }
    }
    Ok(run.text("SCV_VendorCallKey"))
}

fn check_abandoned(stage: &DemoSetup, key: &str, wrong: &mut Vec<String>) {
    let right = |call: &VoiceCall| {
        call.call_disposition == Disposition::Completed
            && call.disconnect_reason.as_deref() == Some("Abandoned in queue")
            && call.pending_routing.is_none()
            && call.call_duration_in_seconds.is_some()
    };
    if !stage.org.voice_call(key).as_ref().is_some_and(right) {
        wrong.push(format!("the abandoned VoiceCall {key} is not completed with its reason"));
    }
}

impl<'a> FlowRun<'a> {
    /// The start event, and the variables that the flow sets first.
    fn begin(stage: &'a DemoSetup, caller: &str) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let interaction = uuid(rand::random());
        let contact = json!({ "ANI": caller, "DNIS": DNIS, "InteractionId": interaction });
        let variables = Map::from_iter([(String::from("NewPhoneContact"), contact)]);
        let mut run = Self { stage, client, variables };
        for name in ["SCV_VendorCallKey", "SCV_CallStartTime"] {
            let template = stage.flow.variable(name).with_context(|| format!("the flow sets no {name}"))?;
            let value = run.fill(template)?;
            run.variables.insert(name.to_owned(), Value::from(value));
        }
        Ok(run)
    }

    /// An HTTP Request activity of the vendor's flow: fill, send, read the outputs.
    async fn activity(&mut self, name: &str, out: &mut dyn Write) -> anyhow::Result<()> {
        let activity = self.stage.flow.activity(name).with_context(|| format!("the flow has no {name}"))?;
        let body = self.fill(&activity.body)?;
        let answer = self.send(activity, body, out).await?;
        for output in &activity.outputs {
            let pointer = output.path.trim_start_matches('$').replace('.', "/");
            let value = answer.body.pointer(&pointer).cloned().unwrap_or_default();
            self.variables.insert(output.variable.clone(), value);
        }
        Ok(())
    }

    /// A request of the bridge's own, as docs/setup.md tells to put it into the flow.
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
        let activity = HttpActivity {
            name: name.to_owned(),
            path: format!("/voice/v1/{name}"),
            body: String::new(),
            content_type: "Application/JSON".into(),
            timeout: Duration::from_secs(2),
            outputs: Vec::new(),
        };
        self.send(&activity, body.to_string(), out).await.map(drop)
    }

    async fn send(
        &self,
        activity: &HttpActivity,
        body: String,
        out: &mut dyn Write,
    ) -> anyhow::Result<FlowAnswer> {
        let (id, secret) = &self.stage.credentials;
        let started = Instant::now();
        let response = self
            .client
            .post(format!("{}{}", self.stage.bridge, activity.path))
            .basic_auth(id, Some(secret))
            .header("content-type", &activity.content_type)
            .timeout(activity.timeout)
            .body(body)
            .send()
            .await?;
        let status = response.status().as_u16();
        let body = serde_json::from_slice(&response.bytes().await?).unwrap_or_default();
        let answer = FlowAnswer { status, body };
        show::request(&activity.path, answer.status, started.elapsed(), &answer.body, out)?;
        Ok(answer)
    }

    fn fill(&self, template: &str) -> anyhow::Result<String> {
        Ok(fill(template, &Variable::from(Serde(&self.variables)), self.stage.clock.now())?)
    }

    fn text(&self, name: &str) -> String {
        self.variables.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

/// An interaction id as Webex gives it.
fn uuid(random: u128) -> String {
    let digits = format!("{random:032x}");
    let part = |range| digits.get(range).unwrap_or_default();
    format!("{}-{}-{}-{}-{}", part(0..8), part(8..12), part(12..16), part(16..20), part(20..32))
}
