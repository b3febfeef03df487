//! The doctor in front of orgs and tenants with exactly one thing wrong: it names that one thing, its cause and its remedy,
//! and nothing that only follows from it.

mod apex;
mod here;
mod telephony;
mod way_back;
mod webex;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use scv_bridge::clock::{Clock, ManualClock};
use scv_bridge::doctor::{Code, Questions, Report, Row, Status, examine};
use scv_bridge::ids::Ids;
use scv_bridge::mock::{BadDay, MockOrg, MockOrgSettings, Operation};
use scv_bridge::settings::Source;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::stage::{CERTIFICATE, NOW, OTHER_CERTIFICATE, issued};

/// A set-up that is not started: its files, its org, and the time on its machine.
struct Setup {
    org: MockOrg,
    clock: Arc<ManualClock>,
    folder: TempDir,
    configuration: String,
    questions: Questions,
}

const CENTER: &str = "WxCCContactCenterSCV";

impl Setup {
    /// The telephony way; the org as `adjust` makes it.
    async fn telephony(adjust: impl FnOnce(&mut MockOrgSettings)) -> Self {
        Self::with(adjust, |org| {
            format!(
                "api = \"telephony\"\norg_id = \"00D000000000001EAA\"\ntelephony_url = \"{}\"",
                org.telephony_url()
            )
        })
        .await
    }

    /// The Apex way; the org as `adjust` makes it.
    async fn apex(adjust: impl FnOnce(&mut MockOrgSettings)) -> Self {
        Self::with(adjust, |org| format!("api = \"apex\"\n{}", oauth(org, ""))).await
    }

    async fn with(adjust: impl FnOnce(&mut MockOrgSettings), way: impl FnOnce(&MockOrg) -> String) -> Self {
        let clock = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let mut settings = MockOrgSettings::example(issued(CERTIFICATE).certificate_pem.clone());
        adjust(&mut settings);
        let of_org = Arc::new(ManualClock::new(NOW.parse().unwrap()));
        let org =
            MockOrg::start(settings, "127.0.0.1:0".parse().unwrap(), move || of_org.now()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let configuration = format!(
            r#"
[server]
listen = "127.0.0.1:0"
[operations]
listen = "127.0.0.1:0"
[rotation]
warn_before = "1d"
[store]
url = "sqlite:{}"
[[clients]]
id = "webex-flow"
secret_sha256 = "{}"
call_centers = ["*"]
{}
{}
[call_centers.{CENTER}]
certificate = "{CERTIFICATE}"
{}
"#,
            folder.path().join("bridge.db").display(),
            "0a".repeat(32),
            certificate(CERTIFICATE, folder.path()),
            certificate(OTHER_CERTIFICATE, folder.path()),
            way(&org),
        );
        Self { org, clock, folder, configuration, questions: Questions::default() }
    }

    /// Changes the configuration.
    fn change(&mut self, from: &str, to: &str) -> &mut Self {
        assert!(self.configuration.contains(from), "{from} is not there");
        self.configuration = self.configuration.replace(from, to);
        self
    }

    /// Adds to the configuration, below the contact center.
    fn add(&mut self, lines: &str) -> &mut Self {
        self.configuration.push_str(lines);
        self.configuration.push('\n');
        self
    }

    /// The org answers the next requests of this kind so.
    fn script(&self, day: BadDay, on: Operation) {
        self.org.script(scv_bridge::mock::Script::on(day.times(20), on));
    }

    fn answers(&self, status: u16, body: Value, on: Operation) {
        self.script(BadDay::Status { status, body }, on);
    }

    fn source(&self) -> Source {
        let file = self.folder.path().join("bridge.toml");
        std::fs::write(&file, &self.configuration).unwrap();
        Source { file: Some(file), environment: Vec::new() }
    }

    async fn examine(&self) -> Report {
        let clock: Arc<dyn Clock> = self.clock.clone();
        examine(&self.source(), &self.questions, &clock, &Arc::new(Ids::new(7))).await
    }

    /// Examines, and expects exactly one fault.
    async fn fault(&self) -> Found {
        let report = self.examine().await;
        let problems = report.problems();
        assert_eq!(problems.len(), 1, "{}", report.text(true));
        Found { row: problems[0].clone(), report }
    }

    /// Examines, and expects nothing to be wrong.
    async fn nothing_wrong(&self) -> Report {
        let report = self.examine().await;
        assert!(report.problems().is_empty() && report.is_in_order(true), "{}", report.text(true));
        report
    }
}

/// The one fault that was found.
struct Found {
    row: Row,
    report: Report,
}

impl Found {
    /// It is this one: its code and its word, what stands first among its causes, and a word of what to do.
    #[track_caller]
    fn is(&self, code: Code, fault: &str, cause: &str, step: &str) -> &Self {
        let finding = &self.row.finding;
        let text = self.report.text(true);
        assert_eq!((self.row.id.code, finding.fault), (code, Some(fault)), "{text}");
        let first = finding.causes.first().map_or("", |cause| cause.full());
        assert!(first.contains(cause), "{first:?} does not hold {cause:?}");
        let steps: Vec<&str> = finding.steps.iter().map(|step| step.full()).collect();
        assert!(steps.join("\n").contains(step), "{steps:?} does not hold {step:?}");
        assert!(
            finding.status != Status::Fail || finding.means.is_some(),
            "what it means is missing: {text}"
        );
        self
    }

    /// It tells this as evidence.
    #[track_caller]
    fn seen(&self, words: &str) -> &Self {
        let seen: Vec<&str> = self.row.finding.evidence.iter().map(|text| text.full()).collect();
        assert!(seen.join("\n").contains(words), "{seen:?} does not hold {words:?}");
        self
    }

    /// It hides the check of this code.
    #[track_caller]
    fn hides(&self, code: Code) -> &Self {
        let hidden = self.report.rows.iter().find(|row| row.id.code == code).unwrap();
        assert_eq!(hidden.because_of.as_ref(), Some(&self.row.id), "{}", self.report.text(true));
        self
    }
}

/// The keys of a session; `prefix` for those that are called otherwise.
fn oauth(org: &MockOrg, prefix: &str) -> String {
    format!(
        "{prefix}login_url = \"{}\"\n{prefix}consumer_key = \"3MVG9example.consumer.key\"\n{prefix}username = \"scv.integration@example.com\"",
        org.login_url()
    )
}

fn certificate(name: &str, folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt as _;
    let pair = issued(name);
    let [certificate, key] = ["crt", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
    std::fs::write(&certificate, &pair.certificate_pem).unwrap();
    std::fs::write(&key, &pair.key_pem).unwrap();
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    format!("[certificates.{name}]\ncertificate = {certificate:?}\nprivate_key = {key:?}")
}

/// An error of the REST API.
fn rest_error(code: &str, message: &str) -> Value {
    json!([{ "errorCode": code, "message": message }])
}
