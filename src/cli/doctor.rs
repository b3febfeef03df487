//! `scv-bridge doctor`: what is wrong with the set-up, and what to do?

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;

use super::print_table;
use crate::clock::Clock;
use crate::doctor::{Code, Questions, Report, examine};
use crate::ids::Ids;
use crate::settings::{Source, configuration_file};

/// Ask files, database, network, Salesforce and Webex whether the set-up works; say what is wrong and what to do.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// The configuration; else SCV_BRIDGE_CONFIG, else config/bridge.toml.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON: {"in_order","counts","checks":[{"code","fault","subject","status","what","means","causes","do","evidence",...}]}, without phone numbers.
    #[arg(long)]
    pub json: bool,
    /// Print every code and what it asks, and ask nothing.
    #[arg(long, conflicts_with_all = ["config", "only", "offline", "strict", "report", "verbose"])]
    pub list: bool,
    /// Ask only this, and what must be in order before it; may be given several times.
    #[arg(long, value_name = "CODE")]
    pub only: Vec<Code>,
    /// Ask no other machine.
    #[arg(long)]
    pub offline: bool,
    /// End 1 for warnings too.
    #[arg(long)]
    pub strict: bool,
    /// Write a file for a ticket: results, versions, last errors, the configuration; no secret and no phone number.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// Print what is in order too.
    #[arg(short, long)]
    pub verbose: bool,
}

/// Prints what is wrong: 0 nothing, 1 something.
///
/// # Errors
/// The output or the file for a ticket cannot be written.
pub fn run(
    args: &DoctorArgs,
    environment: Vec<(String, String)>,
    clock: &Arc<dyn Clock>,
    out: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    if args.list {
        list(args.json, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let file = configuration_file(args.config.clone(), &environment);
    let source = Source { file: Some(file), environment };
    let questions = Questions { only: args.only.clone(), offline: args.offline, ..Questions::default() };
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let report = runtime.block_on(examine(&source, &questions, clock, &Arc::new(Ids::random())));
    // A handshake that hangs has a limit of its own: nobody waits for it here.
    runtime.shutdown_background();
    match args.json {
        true => writeln!(out, "{}", report.json())?,
        false => write!(out, "{}", report.text(args.verbose))?,
    }
    if let Some(file) = &args.report {
        write_ticket(file, &report, &source)?;
        if !args.json {
            writeln!(out, "{} holds all of it for a ticket, without secrets and numbers", file.display())?;
        }
    }
    Ok(if report.is_in_order(args.strict) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn write_ticket(file: &PathBuf, report: &Report, source: &Source) -> anyhow::Result<()> {
    let configuration = source.file.as_ref().and_then(|file| std::fs::read_to_string(file).ok());
    let is_setting = |name: &&str| name.to_uppercase().starts_with("SCV_BRIDGE__");
    let variables: Vec<&str> =
        source.environment.iter().map(|(name, _)| name.as_str()).filter(is_setting).collect();
    let ticket = report.ticket(configuration.as_deref(), &variables);
    // A file that stands there stays, and no link to one is followed: an operator may run this as root. Standard output is
    // no file.
    let is_stream = std::fs::metadata(file).is_ok_and(|there| !there.is_file() && !there.is_dir());
    let created = OpenOptions::new().write(true).create_new(!is_stream).mode(0o600).open(file);
    let written = created.and_then(|mut created| created.write_all(ticket.as_bytes()));
    written.with_context(|| {
        format!("--report {}: cannot be written; name a file that is not there yet", file.display())
    })
}

fn list(json: bool, out: &mut dyn Write) -> std::io::Result<()> {
    if json {
        let code = |code: &Code| {
            serde_json::json!({
                "code": code.id(), "area": code.area().name(), "asks": code.title(), "offline": !code.asks_others(),
            })
        };
        return writeln!(out, "{}", serde_json::Value::from_iter(Code::ALL.iter().map(code)));
    }
    let row = |code: &Code| [code.id().to_owned(), code.area().name().to_owned(), code.title().to_owned()];
    print_table(out, ["CODE", "AREA", "IS IT SO THAT"], Code::ALL.iter().map(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../docs/doctor.md");

    #[test]
    fn the_page_lists_every_code_as_the_program_does_and_no_other() {
        let row = |code: &Code| format!("| `{}` | {} | ", code.id(), code.title());
        for code in Code::ALL {
            assert!(PAGE.contains(&row(code)), "docs/doctor.md has no row {}", row(code));
        }
        let rows = PAGE.lines().filter(|line| line.starts_with("| `SCV-")).count();
        assert_eq!(rows, Code::ALL.len());
        let mut out = Vec::new();
        list(false, &mut out).unwrap();
        let listed = String::from_utf8(out).unwrap();
        assert!(Code::ALL.iter().all(|code| listed.contains(code.id()) && listed.contains(code.title())));
    }

    #[test]
    fn the_page_tells_every_fault_that_is_known_by_its_words() {
        for known in crate::doctor::known::KNOWN {
            assert!(
                PAGE.contains(&format!("`{}`", known.fault)),
                "docs/doctor.md does not tell {}",
                known.fault
            );
        }
    }
}
