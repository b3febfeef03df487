//! `scv-bridge flow`: looks at flows of Webex, their expressions and their paths, and writes one.

mod new;

use std::fs;
use std::io::{Read as _, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use clap::{ArgGroup, Subcommand};
use serde_json::{Map, Value, json};
use webex_flow::findings::{BridgeFacts, Finding, RouteFacts, Severity, of_flow};
use webex_flow::json_path::{self, JsonPath};
use webex_flow::model::{Flow, diff, read};
use webex_flow::pebble::{self, Environment, Template};

use crate::clock::Clock;
use crate::settings::{Deadlines, Settings};

/// The largest file that is read.
const LARGEST: u64 = 64 << 20;

/// Look at flows of Webex: what is wrong in one, what differs between two, what an expression or a path gives; write one.
#[derive(Debug, clap::Args)]
pub struct FlowArgs {
    #[command(subcommand)]
    command: FlowCommand,
}

#[derive(Debug, Subcommand)]
enum FlowCommand {
    /// Read an export (of Flow Designer, or FlowV2) and say what is wrong in it; exit status 1 if anything is serious.
    Check(CheckArgs),
    /// Say in words what changed between two exports; exit status 1 if anything did.
    Diff(DiffArgs),
    /// Write a flow that is right, from the configuration.
    New(Box<new::NewArgs>),
    /// Fill in an expression as Webex does.
    Render(RenderArgs),
    /// Read a JSONPath as Webex does.
    Path(PathArgs),
}

#[derive(Debug, clap::Args)]
struct CheckArgs {
    /// The export.
    #[arg(value_name = "FLOW.json")]
    flow: PathBuf,
    /// Take the deadlines of this configuration instead of the defaults.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
struct DiffArgs {
    /// The export before.
    #[arg(value_name = "BEFORE.json")]
    before: PathBuf,
    /// The export after.
    #[arg(value_name = "AFTER.json")]
    after: PathBuf,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("what").required(true).args(["text", "table"])))]
struct RenderArgs {
    /// The field with its expressions, for a shell in single quotes: 'wxcc_{{ NewPhoneContact.InteractionId }}'.
    #[arg(value_name = "TEXT")]
    text: Option<String>,
    /// The variables as a JSON object: '{"NewPhoneContact": {"ANI": "+14693150217"}}'; `@FILE` reads a file, `@-` standard input.
    #[arg(long, value_name = "JSON", default_value = "{}")]
    vars: String,
    /// Check a file of {context, vectors: [{template, output | fails}]} instead; ends with `N of M agree`.
    #[arg(long, value_name = "FILE", conflicts_with = "vars")]
    table: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("what").required(true).args(["path", "table"])))]
struct PathArgs {
    /// The path, for a shell in single quotes: '$.data.voiceCallId'.
    #[arg(value_name = "PATH", requires = "document")]
    path: Option<String>,
    /// The JSON document; `@FILE` reads a file, `@-` standard input.
    #[arg(long, value_name = "JSON")]
    document: Option<String>,
    /// Check a file of {vectors: [{document, path, value | fails}]} instead; ends with `N of M agree`.
    #[arg(long, value_name = "FILE", conflicts_with = "document")]
    table: Option<PathBuf>,
}

/// Runs the command. `settings_of` reads a configuration.
///
/// # Errors
/// A file cannot be read or is no flow, or an expression or path fails.
pub fn run(
    args: &FlowArgs,
    clock: &Arc<dyn Clock>,
    out: &mut impl Write,
    settings_of: impl FnOnce(Option<PathBuf>) -> anyhow::Result<Settings>,
) -> anyhow::Result<ExitCode> {
    let is_in_order = match &args.command {
        FlowCommand::New(args) => return new::run(args, &settings_of(args.config.clone())?, clock, out),
        FlowCommand::Check(args) => {
            let deadlines = match &args.config {
                Some(file) => settings_of(Some(file.clone()))?.deadlines,
                None => Settings::default_deadlines(clock.as_ref())?,
            };
            check(args, &deadlines, out)?
        }
        FlowCommand::Diff(args) => differences(args, out)?,
        FlowCommand::Render(args) => render(args, clock.as_ref(), out)?,
        FlowCommand::Path(args) => path(args, out)?,
    };
    Ok(if is_in_order { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The text of a file that somebody names.
fn content(file: &Path) -> anyhow::Result<String> {
    let name = file.display();
    let size = fs::metadata(file).with_context(|| format!("{name} cannot be read"))?.len();
    if size > LARGEST {
        bail!("{name} is larger than 64 MiB: no flow is");
    }
    fs::read_to_string(file).with_context(|| format!("{name} cannot be read"))
}

/// An argument that may name a file.
pub(super) fn argument(text: &str) -> anyhow::Result<String> {
    match text.strip_prefix('@') {
        Some("-") => {
            let mut input = String::new();
            std::io::stdin()
                .take(LARGEST)
                .read_to_string(&mut input)
                .context("standard input cannot be read")?;
            Ok(input)
        }
        Some(file) => content(Path::new(file)),
        None => Ok(text.to_owned()),
    }
}

/// Reads an export.
pub(super) fn read_flow(file: &Path) -> anyhow::Result<Flow> {
    read(&content(file)?).map_err(|error| anyhow!("{}: {error}", file.display()))
}

fn check(args: &CheckArgs, deadlines: &Deadlines, out: &mut impl Write) -> anyhow::Result<bool> {
    let flow = read_flow(&args.flow)?;
    let findings = of_flow(&flow, &facts(deadlines));
    let is_serious = findings.iter().any(|finding| finding.severity == Severity::Serious);
    if args.json {
        let list: Vec<Value> = findings.iter().map(finding_as_json).collect();
        let gaps: Vec<String> = flow.gaps.iter().map(ToString::to_string).collect();
        let report =
            json!({"flow": flow.name, "format": flow.format.to_string(), "gaps": gaps, "findings": list});
        writeln!(out, "{report}")?;
        return Ok(!is_serious);
    }
    let activities = flow.activities().count();
    writeln!(out, "{} ({}, {activities} activities)", flow.name, flow.format)?;
    for gap in &flow.gaps {
        writeln!(out, "\nnot as expected  {gap}")?;
    }
    print_findings(&findings, out)?;
    Ok(!is_serious)
}

/// Prints findings, and how many there are.
pub(super) fn print_findings(findings: &[Finding], out: &mut (impl Write + ?Sized)) -> std::io::Result<()> {
    for finding in findings {
        let Finding { code, severity, activity, evidence, remedy } = finding;
        writeln!(out, "\n{code:<4}{:<9}{activity}", severity.name())?;
        writeln!(out, "    seen     {evidence}")?;
        writeln!(out, "    callers  {}", code.meaning())?;
        writeln!(out, "    mend     {remedy}")?;
    }
    let serious = findings.iter().filter(|finding| finding.severity == Severity::Serious).count();
    writeln!(out, "\n{} findings, {serious} of them serious", findings.len())?;
    Ok(())
}

pub(super) fn finding_as_json(finding: &Finding) -> Value {
    json!({
        "code": finding.code.to_string(),
        "severity": finding.severity.name(),
        "activity": finding.activity,
        "evidence": finding.evidence,
        "meaning": finding.code.meaning(),
        "remedy": finding.remedy,
    })
}

/// What the bridge answers to flows, and when: the statuses and bodies of docs/errors.md and docs/openapi.json.
pub(super) fn facts(deadlines: &Deadlines) -> BridgeFacts {
    let route = |name, deadline, data: Value| RouteFacts {
        name,
        deadline,
        answers: vec![json!({"data": data, "errors": null, "success": true})],
    };
    let success = || json!({"status": "Success"});
    BridgeFacts {
        routes: vec![
            route(
                "createVoiceCall",
                deadlines.create_voice_call,
                json!({"voiceCallId": "0LQ5g000000abcDGAQ"}),
            ),
            route("updateVoiceCall", deadlines.update_voice_call, json!({"status": "pending"})),
            route(
                "executeOmniFlow",
                deadlines.execute_omni_flow,
                json!({"queue": "00G5g000000abcDEAQ", "agent": null}),
            ),
            route("clearRouting", deadlines.clear_routing, success()),
            route(
                "phoneContactEnded",
                deadlines.phone_contact_ended,
                json!({"outcome": "abandoned", "status": "Success"}),
            ),
            route("agentAnswered", deadlines.agent_answered, success()),
        ],
        statuses: vec![200, 400, 401, 403, 404, 405, 408, 413, 415, 422, 424, 429, 431, 500, 503, 504],
    }
}

fn differences(args: &DiffArgs, out: &mut impl Write) -> anyhow::Result<bool> {
    let changes = diff(&read_flow(&args.before)?, &read_flow(&args.after)?);
    if args.json {
        let list: Vec<String> = changes.iter().map(ToString::to_string).collect();
        writeln!(out, "{}", Value::from(list))?;
    } else {
        for change in &changes {
            writeln!(out, "{change}")?;
        }
        if changes.is_empty() {
            writeln!(out, "nothing changed")?;
        }
    }
    Ok(changes.is_empty())
}

fn render(args: &RenderArgs, clock: &dyn Clock, out: &mut impl Write) -> anyhow::Result<bool> {
    if let Some(file) = &args.table {
        let agreement = pebble::table(&content(file)?).with_context(|| file.display().to_string())?;
        for one in &agreement.disagreements {
            let expected =
                one.expected.as_deref().map_or_else(|| "fails".to_owned(), |text| format!("{text:?}"));
            writeln!(out, "{:?}: {} here, {expected} in the file", one.template, outcome(&one.found))?;
        }
        if agreement.reordered > 0 {
            writeln!(out, "{} of them with lists in another order", agreement.reordered)?;
        }
        writeln!(out, "{} of {} agree", agreement.agree(), agreement.total)?;
        return Ok(agreement.disagreements.is_empty());
    }
    let vars: Value = serde_json::from_str(&argument(&args.vars)?).context("--vars is no JSON")?;
    let Value::Object(vars) = vars else { bail!("--vars is no JSON object such as {{\"name\": \"value\"}}") };
    writeln!(out, "{}", filled(args.text.as_deref().unwrap_or_default(), &vars, clock)?)?;
    Ok(true)
}

fn outcome(found: &Result<String, String>) -> String {
    match found {
        Ok(text) => format!("{text:?}"),
        Err(words) => format!("fails ({words})"),
    }
}

fn filled(text: &str, vars: &Map<String, Value>, clock: &dyn Clock) -> anyhow::Result<String> {
    let template = Template::parse(text);
    let result = template.and_then(|template| template.render(vars, &Environment::at(clock.now())));
    result.map_err(|error| anyhow!("column {}: {error}", error.column()))
}

fn path(args: &PathArgs, out: &mut impl Write) -> anyhow::Result<bool> {
    if let Some(file) = &args.table {
        let table = json_path::table(&content(file)?).with_context(|| file.display().to_string())?;
        for one in &table.disagreements {
            writeln!(
                out,
                "{} in {}: {} here, {} in the file",
                one.path, one.document, one.actual, one.expected
            )?;
        }
        writeln!(out, "{} of {} agree", table.agree(), table.total)?;
        return Ok(table.disagreements.is_empty());
    }
    let document = argument(args.document.as_deref().unwrap_or_default())?;
    let document: Value = serde_json::from_str(&document).context("--document is no JSON")?;
    let path = JsonPath::parse(args.path.as_deref().unwrap_or_default())?;
    match path.read(&document) {
        Ok(found) => {
            writeln!(out, "{found}")?;
            Ok(true)
        }
        Err(error) if error.is_not_found() => Err(anyhow!("{error}: in Webex the variable stays empty")),
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use clap::Parser;

    use std::time::Duration;

    use super::*;
    use crate::clock::SystemClock;
    use crate::settings::Source;

    #[derive(Parser)]
    struct FlowProgram {
        #[command(flatten)]
        args: FlowArgs,
    }

    pub(crate) fn flow(arguments: &[&str]) -> (String, Result<ExitCode, String>) {
        let program = FlowProgram::parse_from(["flow"].iter().chain(arguments));
        let mut out = Vec::new();
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let code = run(&program.args, &clock, &mut out, |file| {
            let source = Source { file, environment: Vec::new() };
            Ok(Settings::load(&source, &SystemClock)?)
        });
        (String::from_utf8(out).unwrap(), code.map_err(|error| super::super::chain(&error)))
    }

    pub(crate) const VENDORS: &str = "tests/fixtures/flows/ServiceCloudVoice_Template.json";

    #[test]
    fn expressions_and_paths_are_read_as_webex_does() {
        let (text, code) = flow(&["render", "{{ n + text }}", "--vars", r#"{"n": 7, "text": "200"}"#]);
        assert_eq!((text.as_str(), code), ("7200\n", Ok(ExitCode::SUCCESS)));
        let (_, code) = flow(&["render", "{{ 'anonymous' | slice(-1, 9) }}"]);
        assert!(code.unwrap_err().starts_with("column 16: `slice(-1, 9)` does not fit"));
        let (text, _) = flow(&["path", "$.records.[0].Id", "--document", r#"{"records": [{"Id": "1"}]}"#]);
        assert_eq!(text, "\"1\"\n");
        let (_, code) = flow(&["path", "$.x", "--document", "{}"]);
        assert!(code.unwrap_err().contains("in Webex the variable stays empty"));
        let (_, code) = flow(&["render", "x", "--vars", "[]"]);
        assert!(code.unwrap_err().contains("--vars is no JSON object"));
    }

    #[test]
    fn tables_end_with_how_many_agree() {
        let (text, code) = flow(&["render", "--table", "crates/webex-flow/tests/fixtures/pebble.json"]);
        let told = "3 of them with lists in another order\n845 of 845 agree\n";
        assert_eq!((text.as_str(), code), (told, Ok(ExitCode::SUCCESS)));
        let (text, code) = flow(&["path", "--table", "crates/webex-flow/tests/fixtures/jsonpath.json"]);
        assert_eq!((text.as_str(), code), ("201 of 201 agree\n", Ok(ExitCode::SUCCESS)));
    }

    #[test]
    fn the_vendors_flow_has_serious_findings_and_does_not_differ_from_itself() {
        let (text, code) = flow(&["check", VENDORS]);
        assert_eq!(code, Ok(ExitCode::FAILURE));
        assert!(
            text.contains("F7  serious  ClearRouting\n    seen     PhoneContactEnded comes for every call"),
            "{text}"
        );
        assert!(text.ends_with("findings, 4 of them serious\n"), "{text}");
        let (text, _) = flow(&["check", VENDORS, "--json"]);
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(report["findings"][0]["code"], "F6");
        assert_eq!(
            flow(&["diff", VENDORS, VENDORS]),
            ("nothing changed\n".to_owned(), Ok(ExitCode::SUCCESS))
        );
    }

    /// A configuration with one contact center.
    pub(crate) fn configuration(folder: &Path) -> String {
        let pair = crate::certificate::issue("WebexCCSCV", 2048, 30, SystemClock.now()).unwrap();
        fs::write(folder.join("pair.crt"), pair.certificate_pem).unwrap();
        fs::write(folder.join("pair.key"), pair.key_pem).unwrap();
        let toml = "[[clients]]\nid = \"flow\"\nsecret_sha256 = \"HASH\"\ncall_centers = [\"*\"]\n\
            [certificates.WebexCCSCV]\ncertificate = \"DIR/pair.crt\"\nprivate_key = \"DIR/pair.key\"\n\
            [call_centers.Main]\napi = \"telephony\"\ncertificate = \"WebexCCSCV\"\norg_id = \"00D5g000007AbCdEAK\"\n\
            telephony_url = \"https://acme.my.salesforce-scrt.com/telephony/v1\"\nprovider_name = \"webex\"\n\
            [deadlines]\ncreate_voice_call = \"3s\"\n";
        let toml = toml.replace("HASH", &"0a".repeat(32)).replace("DIR", &folder.display().to_string());
        fs::write(folder.join("bridge.toml"), toml).unwrap();
        folder.join("bridge.toml").display().to_string()
    }

    #[test]
    fn a_new_flow_is_written_from_the_configuration_in_both_formats_and_nothing_is_wrong_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = configuration(folder.path());
        for format in ["v2", "ui"] {
            let file = folder.path().join(format).display().to_string();
            let new = [
                "new",
                "--config",
                &config,
                "--connector",
                "c1",
                "--queue",
                "q1",
                "--omni-flow",
                "Route",
                "--format",
                format,
                "--out",
                &file,
            ];
            let (text, code) = flow(&new);
            assert_eq!(code, Ok(ExitCode::SUCCESS));
            assert!(text.ends_with("is written; nothing is wrong with it\n"), "{text}");
            let (text, code) = flow(&["check", &file, "--config", &config]);
            assert_eq!(code, Ok(ExitCode::SUCCESS), "{text}");
            assert!(text.ends_with("\n0 findings, 0 of them serious\n"), "{text}");
            let written = fs::read_to_string(&file).unwrap();
            assert!(written.contains("Main") && written.contains("WebexCCSCV"), "names of the configuration");
            assert!(written.contains("4000"), "a second more than the deadline");
            let (_, code) = flow(&new);
            assert!(code.unwrap_err().contains("name a file that is not there yet"));
        }
        let (text, _) = flow(&["new", "--config", &config, "--bodies"]);
        assert!(
            text.contains("POST /voice/v1/createVoiceCall, Application/JSON, Response Timeout 4000 ms"),
            "{text}"
        );
        let (_, code) = flow(&["new", "--config", &config, "--bodies", "--call-center", "Other"]);
        assert_eq!(code.unwrap_err(), "--call-center Other: the configuration has Main");
    }

    #[test]
    fn what_is_no_flow_is_refused_by_name() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), "{}").unwrap();
        let (_, code) = flow(&["check", file.path().to_str().unwrap()]);
        assert!(code.unwrap_err().contains("neither `process` nor `nodes` is there"));
        let (_, code) = flow(&["check", "nowhere.json"]);
        assert!(code.unwrap_err().contains("nowhere.json cannot be read"));
    }

    #[test]
    fn every_code_has_a_section_in_the_documents() {
        let document = fs::read_to_string("docs/flow-findings.md").unwrap();
        for code in webex_flow::findings::Code::ALL {
            assert!(document.contains(&format!("\n## {code}\n")), "{code}");
        }
        let expressions = fs::read_to_string("docs/flow-expressions.md").unwrap();
        for word in pebble::KNOWN_WORDS.concat() {
            assert!(expressions.contains(word), "{word}");
        }
    }

    #[test]
    fn statuses_are_those_of_the_api() {
        let facts = facts(&Settings::default_deadlines(&SystemClock).unwrap());
        let api: Value = serde_json::from_str(&fs::read_to_string("docs/openapi.json").unwrap()).unwrap();
        // A path that is not there, and a method that is not: no route answers those.
        let mut documented = vec![404, 405];
        for route in &facts.routes {
            let operation = &api["paths"][format!("/voice/v1/{}", route.name)]["post"];
            let statuses = operation["responses"].as_object().unwrap_or_else(|| panic!("{}", route.name));
            documented.extend(statuses.keys().map(|status| status.parse::<u16>().unwrap()));
        }
        documented.sort_unstable();
        documented.dedup();
        assert_eq!(facts.statuses, documented);
    }

    #[test]
    fn deadlines_are_those_of_the_defaults() {
        let facts = facts(&Settings::default_deadlines(&SystemClock).unwrap());
        let deadline = |name: &str| facts.routes.iter().find(|route| route.name == name).unwrap().deadline;
        assert_eq!(deadline("createVoiceCall"), Duration::from_millis(4500));
        assert_eq!(deadline("clearRouting"), Duration::from_millis(1800));
    }
}
