//! What is wrong with a set-up, and what to do: questions to the real world, each with an answer that is a value.
//!
//! [`examine`] reads the configuration as the service does and plans a [`Check`] for each question. The
//! [`engine`] asks what can be asked at the same time at the same time, and does not ask what only follows from a failure
//! before. What comes out is a [`Report`] of [`Row`]s. Nothing that is asked changes anything: in Salesforce the routing of a
//! call is cleared that does not exist.
//!
//! What Salesforce says in which case is one table, [`known`].

mod codes;
mod database;
pub mod engine;
mod files;
mod finding;
pub mod known;
mod network;
mod ports;
mod report;
mod routing;
mod salesforce;
mod site;
mod ticket;
mod tls;
mod way_back;
mod webex;

use std::collections::BTreeSet;
use std::sync::Arc;

use openssl::x509::X509;

pub use codes::{Area, Code};
pub use finding::{CheckId, Finding, Row, Status, Text};
pub use report::{Counts, Report};

use self::engine::{Check, TimeLimits};
use self::site::Site;
use crate::clock::Clock;
use crate::ids::Ids;
use crate::settings::{Settings, Source};

/// What is asked, and how.
#[derive(Debug, Clone, Default)]
pub struct Questions {
    /// Only these, and what must be in order before them; none: all.
    pub only: Vec<Code>,
    /// No other machine is asked.
    pub offline: bool,
    /// How long it may take.
    pub limits: TimeLimits,
    /// Authorities that count as public besides the system's.
    pub public_roots: Vec<X509>,
}

/// Examines the set-up of a configuration.
pub async fn examine(
    source: &Source,
    questions: &Questions,
    clock: &Arc<dyn Clock>,
    ids: &Arc<Ids>,
) -> Report {
    let file =
        source.file.as_ref().map_or_else(|| "the environment".to_owned(), |file| file.display().to_string());
    let at = clock.now();
    let settings = match Settings::load(source, clock.as_ref()) {
        Ok(settings) => settings,
        Err(problems) => return Report::new(file, at, files::problems(&problems), None),
    };
    let summary = settings.summary(at);
    let site = match Site::new(settings, clock, ids, &questions.public_roots) {
        Ok(site) => Arc::new(site),
        Err(error) => {
            let finding = Finding::fail("client", error.to_string())
                .means("the service does not start")
                .step("look at http_client.ca_file");
            let id = CheckId::new(Code::Configuration, file.as_str());
            let check = Check::new(id, async { finding });
            let rows = engine::run(vec![check], questions.limits).await;
            return Report::new(file, at, rows, Some(summary));
        }
    };
    let checks = chosen(plan(&site, &file), questions);
    let rows = engine::run(checks, questions.limits).await;
    let rows = rows.into_iter().filter(|row| is_wanted(row, questions)).collect();
    let mut report = Report::new(file, at, rows, Some(summary));
    if site.database.get().is_some_and(|found| found.schema == crate::store::Schema::Current) {
        let buried = tokio::time::timeout(questions.limits.each, database::buried(&site)).await;
        report.last_errors = buried.ok().and_then(Result::ok);
    }
    report
}

/// All checks of a configuration.
fn plan(site: &Arc<Site>, file: &str) -> Vec<Check> {
    let mut checks = files::checks(site, file);
    checks.extend(database::checks(site));
    checks.extend(ports::checks(site));
    checks.extend(network::checks(site));
    checks.extend(salesforce::checks(site));
    checks.extend(routing::checks(site));
    checks.extend(webex::checks(site));
    checks.extend(way_back::checks(site));
    checks
}

/// The checks that are asked for, with all that they need; those that ask others answer that they were not asked where that
/// is not wanted.
fn chosen(checks: Vec<Check>, questions: &Questions) -> Vec<Check> {
    let mut wanted: BTreeSet<CheckId> = BTreeSet::new();
    let is_named = |check: &&Check| questions.only.is_empty() || questions.only.contains(&check.id.code);
    let mut open: Vec<&Check> = checks.iter().filter(is_named).collect();
    while let Some(check) = open.pop() {
        if wanted.insert(check.id.clone()) {
            let needs =
                |other: &&Check| check.depends_on.contains(&other.id) || check.hidden_by.contains(&other.id);
            open.extend(checks.iter().filter(needs));
        }
    }
    let answered = |check: Check| match questions.offline && check.id.code.asks_others() {
        false => check,
        true => Check { work: Box::pin(async { Finding::skipped("--offline") }), ..check },
    };
    checks.into_iter().filter(|check| wanted.contains(&check.id)).map(answered).collect()
}

/// Whether a row is shown: of what was not asked for, only what is wrong.
fn is_wanted(row: &Row, questions: &Questions) -> bool {
    let is_named = questions.only.is_empty() || questions.only.contains(&row.id.code);
    is_named || matches!(row.finding.status, Status::Fail | Status::Crashed)
}
