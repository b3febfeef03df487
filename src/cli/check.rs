//! `scv-bridge check`: is this configuration in order?

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use secrecy::ExposeSecret as _;
use serde_json::json;

use super::running::Running;
use crate::clock::Clock;
use crate::doctor::{Code, Questions, Row, Status, examine};
use crate::domain::printable;
use crate::ids::Ids;
use crate::settings::{
    DEFAULTS, EXAMPLE, Problem, Problems, Settings, Source, WrongExample, configuration_file,
};
use crate::store::{StoreError, inspect, place};

/// Read the configuration and every file it names; print every problem. Look at the database, the addresses of the listeners
/// and the end of the login at Webex.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON: {"problems":[{"key","problem","hint"}]}.
    #[arg(long)]
    pub json: bool,
    /// Print every setting with its default and what it means, and check nothing.
    #[arg(long, conflicts_with_all = ["config", "json", "example"])]
    pub defaults: bool,
    /// Print a configuration to begin with, and check nothing.
    #[arg(long, conflicts_with_all = ["config", "json"])]
    pub example: bool,
}

/// Prints every problem and ends 1, or prints a summary and ends 0.
///
/// # Errors
/// The output cannot be written.
pub fn run(
    args: &CheckArgs,
    environment: Vec<(String, String)>,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.defaults || args.example {
        write!(out, "{}", if args.defaults { DEFAULTS } else { EXAMPLE })?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = configuration_file(args.config.clone(), &environment);
    let source = Source { file: Some(file.clone()), environment };
    let now = clock.now();
    let settings = match Settings::load(&source, clock.as_ref()).and_then(examples_met) {
        Ok(settings) => settings,
        Err(problems) => return refuse(&problems, args.json, out),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (store, here, running) = runtime.block_on(here(&settings, &source, clock));
    runtime.shutdown_background();
    if let Some(problem) = store.as_ref().err().and_then(|error| of_store(error, &settings)) {
        return refuse(&Problems::new(vec![problem]), args.json, out);
    }
    let is_wrong = |row: &&Row| row.finding.status != Status::Ok;
    let mut warnings = settings.warnings(now);
    warnings.extend(here.iter().filter(is_wrong).map(warning));
    warnings.extend(running.other_store().map(str::to_owned));
    warnings.extend(
        store.err().map(|error| format!("store.url: {}; without it no service starts", error.at_start())),
    );
    if args.json {
        let report = json!({ "problems": [], "warnings": warnings });
        writeln!(out, "{report}")?;
        return Ok(ExitCode::SUCCESS);
    }
    writeln!(out, "{} is in order\n", file.display())?;
    write!(out, "{}", printable(&settings.summary(now)))?;
    for row in here.iter().filter(|row| !is_wrong(row)) {
        let name = match row.id.code {
            Code::Database => "database",
            Code::WebexLogin => "login",
            _ => "listener",
        };
        writeln!(out, "{name:<13}{}: {}", row.id.subject, row.finding.what.full())?;
    }
    for warning in warnings {
        writeln!(out, "warning      {warning}")?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Prints what is wrong.
fn refuse(problems: &Problems, json: bool, out: &mut dyn Write) -> anyhow::Result<ExitCode> {
    match json {
        true => writeln!(out, "{}", serde_json::to_string(problems)?)?,
        false => write!(out, "{}", printable(&problems.to_string()))?,
    }
    Ok(ExitCode::FAILURE)
}

/// Whether a service could use the database, what doctor finds of it, of the addresses and of the login at Webex, and what a
/// service that runs tells.
/// Nothing is made there, and a service that runs is told as such.
async fn here(
    settings: &Settings,
    source: &Source,
    clock: &Arc<dyn Clock>,
) -> (Result<(), StoreError>, Vec<Row>, Running) {
    let store = inspect(settings.store.url.expose_secret()).await.map(drop);
    // Nobody waits a second time for a server that does not answer.
    let of_store = [Code::Database, Code::WebexLogin].into_iter().filter(|_| store.is_ok());
    let only = of_store.chain([Code::Listener]).collect();
    let questions = Questions { only, ..Questions::default() };
    let report = examine(source, &questions, clock, &Arc::new(Ids::random())).await;
    (store, report.rows, Running::look(Some(settings.operations.listen)).await)
}

/// A database that is there and with which no service starts is a problem. One of which nothing is seen may be in order:
/// the configuration may be meant for another machine.
fn of_store(error: &StoreError, settings: &Settings) -> Option<Problem> {
    let place = place(settings.store.url.expose_secret());
    (!error.is_unseen()).then(|| Problem {
        key: "store.url".to_owned(),
        problem: format!("no service starts with {place}: {}", error.at_start()),
        hint: "`scv-bridge serve` looks at it in the same way: mend what is named, or name another database"
            .to_owned(),
    })
}

/// What keeps the service from starting on this machine is no fault of the configuration: it may be meant for another one.
fn warning(row: &Row) -> String {
    let step = row.finding.steps.first().map_or_else(String::new, |step| format!("; {}", step.full()));
    let (subject, what) = (&row.id.subject, row.finding.what.full());
    // Some findings name their subject themselves.
    let what = what.strip_prefix(&format!("{subject}: ")).unwrap_or(what);
    format!("{subject}: {what}{step}")
}

/// The settings, if the phone number rules meet every example.
fn examples_met(settings: Settings) -> Result<Settings, Problems> {
    let wrong = settings.wrong_examples();
    if wrong.is_empty() {
        return Ok(settings);
    }
    Err(Problems::new(wrong.iter().map(WrongExample::problem).collect()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use super::*;
    use crate::certificate::issue;
    use crate::clock::ManualClock;

    fn folder() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let now = clock().now();
        let pair = issue("WebexCCSCV", 2048, 20, now).unwrap();
        fs::write(dir.path().join("key"), pair.key_pem).unwrap();
        fs::write(dir.path().join("crt"), pair.certificate_pem).unwrap();
        let toml = r#"
            [server]
            listen = "127.0.0.1:0"
            [operations]
            listen = "127.0.0.1:0"
            [store]
            url = "sqlite:{dir}/bridge.db"
            [[clients]]
            id = "webex-flow"
            secret_sha256 = "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
            call_centers = ["*"]
            [certificates.WebexCCSCV]
            certificate = "{dir}/crt"
            private_key = "{dir}/key"
            [call_centers.Main]
            certificate = "WebexCCSCV"
            api = "telephony"
            org_id = "00D5g000007AbCdEAK"
            telephony_url = "https://acme.my.salesforce-scrt.com/telephony/v1"
        "#;
        let toml = toml.replace("{dir}", &dir.path().display().to_string());
        fs::write(dir.path().join("good.toml"), &toml).unwrap();
        fs::write(dir.path().join("bad.toml"), toml.replace("org_id", "orgid")).unwrap();
        dir
    }

    fn clock() -> Arc<dyn Clock> {
        Arc::new(ManualClock::new("2026-11-21T10:00:00Z".parse().unwrap()))
    }

    fn check(dir: &Path, file: &str, json: bool) -> String {
        let args = CheckArgs { config: Some(dir.join(file)), json, defaults: false, example: false };
        let mut out = Vec::new();
        let code = run(&args, Vec::new(), &clock(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        format!("{}{code:?}", text.replace(&dir.display().to_string(), "[dir]"))
    }

    #[test]
    fn a_configuration_in_order_gives_a_summary_and_ends_0() {
        insta::assert_snapshot!(check(folder().path(), "good.toml", false));
    }

    #[test]
    fn an_address_that_another_program_has_is_a_warning() {
        let dir = folder();
        let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let good = fs::read_to_string(dir.path().join("good.toml")).unwrap();
        fs::write(dir.path().join("taken.toml"), good.replacen("127.0.0.1:0", &address.to_string(), 1))
            .unwrap();
        let said = check(dir.path(), "taken.toml", false);
        let wanted =
            format!("warning      server.listen: nobody can listen on {address}; another program has it");
        assert!(said.contains(&wanted), "{said}");
        assert!(!dir.path().join("bridge.db").exists(), "nothing is made");
    }

    #[test]
    fn a_database_with_which_no_service_starts_is_a_problem_and_stays_as_it_is() {
        let dir = folder();
        let file = dir.path().join("bridge.db");
        rusqlite::Connection::open(&file).unwrap().execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
        let whole = fs::read(&file).unwrap();
        let said = check(dir.path(), "good.toml", false);
        let begins = "1 problem in the configuration\n\nstore.url\n  problem: no service starts with the file [dir]/bridge.db: \
            the database is another program's";
        assert!(said.starts_with(begins) && said.ends_with(&format!("{:?}", ExitCode::FAILURE)), "{said}");
        assert_eq!(fs::read(&file).unwrap(), whole);
        let said = check(dir.path(), "good.toml", true);
        assert!(said.starts_with("{\"problems\":[{\"key\":\"store.url\""), "{said}");
    }

    #[test]
    fn a_server_that_is_out_of_reach_is_a_warning() {
        let dir = folder();
        let good = fs::read_to_string(dir.path().join("good.toml")).unwrap();
        let sqlite = format!("sqlite:{}/bridge.db", dir.path().display());
        let away = "postgres://bridge@127.0.0.1:1/bridge?sslmode=disable";
        fs::write(dir.path().join("away.toml"), good.replace(&sqlite, away)).unwrap();
        let said = check(dir.path(), "away.toml", false);
        let warning = "warning      store.url: the database cannot be reached (connection refused)";
        assert!(said.contains(warning) && said.ends_with(&format!("{:?}", ExitCode::SUCCESS)), "{said}");
    }

    #[test]
    fn problems_end_1() {
        insta::assert_snapshot!(check(folder().path(), "bad.toml", false));
    }

    #[test]
    fn an_example_that_the_rules_do_not_meet_is_a_problem_with_its_numbers_masked() {
        let dir = folder();
        let toml = fs::read_to_string(dir.path().join("good.toml")).unwrap();
        let example = "\n[[call_centers.Main.translations.examples]]\nfield = \"from\"\ninput = \"+1 469 315 0217\"\noutput = ";
        fs::write(dir.path().join("met.toml"), format!("{toml}{example}\"+14693150217\"\n")).unwrap();
        fs::write(dir.path().join("unmet.toml"), format!("{toml}{example}\"4693150217\"\n")).unwrap();
        assert!(check(dir.path(), "met.toml", false).starts_with("[dir]/met.toml is in order"));
        insta::assert_snapshot!(check(dir.path(), "unmet.toml", false));
    }

    #[test]
    fn every_setting_and_an_example_are_in_the_program_itself() {
        let print = |defaults, example| {
            let args = CheckArgs { config: None, json: false, defaults, example };
            let mut out = Vec::new();
            run(&args, Vec::new(), &clock(), &mut out).unwrap();
            String::from_utf8(out).unwrap()
        };
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config");
        assert_eq!(print(true, false), fs::read_to_string(format!("{folder}/default.toml")).unwrap());
        assert_eq!(print(false, true), fs::read_to_string(format!("{folder}/example.toml")).unwrap());
    }

    #[test]
    fn both_are_there_as_json() {
        let dir = folder();
        let both = check(dir.path(), "good.toml", true) + "\n" + &check(dir.path(), "bad.toml", true);
        insta::assert_snapshot!(both);
    }
}
