//! `scv-bridge translate`: what the rules make of a number, and a table of numbers to check them against.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{ArgGroup, ValueEnum};
use serde::Deserialize;
use serde_json::json;

use crate::phone::{Explanation, RuleProblem, Translation};

/// Which rule set of a contact center.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum NumberField {
    /// Rules of the caller's number.
    From,
    /// Rules of the dialed number.
    To,
}

/// Show what translation rules make of a phone number.
#[derive(Debug, clap::Args)]
#[command(group(ArgGroup::new("source").required(true).args(["rules", "config", "table"])))]
pub struct TranslateArgs {
    /// The rules as one JSON object, for a shell in single quotes: --rules '{"name":"[1,17]->[^\\d]+"}'.
    #[arg(long, value_name = "JSON")]
    rules: Option<String>,
    /// Take the configured rules of this file.
    #[arg(long, value_name = "FILE", requires_all = ["call_center", "field"])]
    config: Option<PathBuf>,
    /// The contact center whose rules are meant.
    #[arg(long, value_name = "NAME", requires = "config")]
    call_center: Option<String>,
    /// Which of its rule sets.
    #[arg(long, requires = "config")]
    field: Option<NumberField>,
    /// Check a JSON array of {rules, input, output} instead; ends with `N of M agree`.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["number", "json"])]
    table: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
    /// The number as it comes from the flow.
    #[arg(value_name = "NUMBER", required_unless_present = "table", allow_hyphen_values = true)]
    number: Option<String>,
}

/// Runs the command. `rules_of` finds the configured rules of a contact center.
///
/// Ends 0 when all went well, 1 when rules cannot be read, a number is too long or a table disagrees.
///
/// # Errors
/// The configuration or the table cannot be read, or the output cannot be written.
pub fn run(
    args: &TranslateArgs,
    out: &mut impl Write,
    rules_of: impl FnOnce(&Path, &str, NumberField) -> anyhow::Result<Translation>,
) -> anyhow::Result<ExitCode> {
    let in_order = match (&args.table, &args.rules) {
        (Some(table), _) => check_table(table, out)?,
        (None, Some(rules)) => match Translation::parse(rules) {
            Ok(translation) => show(args, &translation, out)?,
            Err(problems) => complain(args.json, &problems, out)?,
        },
        (None, None) => {
            let (Some(file), Some(call_center), Some(field)) = (&args.config, &args.call_center, args.field)
            else {
                anyhow::bail!("--config needs --call-center and --field");
            };
            show(args, &rules_of(file, call_center, field)?, out)?
        }
    };
    Ok(if in_order { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn show(args: &TranslateArgs, translation: &Translation, out: &mut impl Write) -> anyhow::Result<bool> {
    let explanation = match translation.explain(args.number.as_deref().unwrap_or_default()) {
        Ok(explanation) => explanation,
        Err(too_long) if args.json => {
            writeln!(out, "{}", json!({ "problems": [{ "problem": too_long.to_string() }] }))?;
            return Ok(false);
        }
        Err(too_long) => {
            writeln!(out, "{too_long}")?;
            return Ok(false);
        }
    };
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&explanation)?)?;
    } else {
        print_steps(&explanation, out)?;
    }
    Ok(true)
}

fn print_steps(explanation: &Explanation, out: &mut impl Write) -> anyhow::Result<()> {
    let names = explanation.steps.iter().map(|step| step.rule.chars().count());
    let width = names.chain(["clean-up".len()]).max().unwrap_or_default();
    writeln!(out, "{:width$}  {}", "input", explanation.input)?;
    writeln!(out, "{:width$}  {}", "clean-up", explanation.cleaned)?;
    for step in &explanation.steps {
        writeln!(out, "{:width$}  {}  ({})", step.rule, step.result, step.reason())?;
    }
    writeln!(out, "{:width$}  {}", "result", explanation.result)?;
    Ok(())
}

fn complain(as_json: bool, problems: &[RuleProblem], out: &mut impl Write) -> anyhow::Result<bool> {
    if as_json {
        writeln!(out, "{}", json!({ "problems": problems }))?;
    } else {
        for problem in problems {
            writeln!(out, "{problem}")?;
        }
    }
    Ok(false)
}

/// A row of a table: what the rules should make of a number.
#[derive(Debug, Deserialize)]
struct TableRow {
    rules: String,
    input: String,
    output: String,
}

fn check_table(file: &Path, out: &mut impl Write) -> anyhow::Result<bool> {
    let text = fs::read_to_string(file).with_context(|| format!("{} cannot be read", file.display()))?;
    let rows: Vec<TableRow> = serde_json::from_str(&text)
        .with_context(|| format!("{} is not a JSON array of {{rules, input, output}}", file.display()))?;
    let mut agreed = 0;
    for (index, row) in rows.iter().enumerate() {
        let Some(why) = disagreement(row) else {
            agreed += 1;
            continue;
        };
        writeln!(out, "row {}: {why}\n  rules: {}\n  input: {}", index + 1, row.rules, row.input)?;
    }
    writeln!(out, "{agreed} of {} agree", rows.len())?;
    Ok(agreed == rows.len())
}

/// In what way a row is not as it should be.
fn disagreement(row: &TableRow) -> Option<String> {
    let translation = match Translation::parse(&row.rules) {
        Ok(translation) => translation,
        Err(problems) => {
            let problems: Vec<String> = problems.iter().map(RuleProblem::to_string).collect();
            return Some(format!("the rules cannot be read: {}", problems.join("; ")));
        }
    };
    match translation.translate(&row.input) {
        Ok(result) if result == row.output => None,
        Ok(result) => Some(format!("expected \"{}\", got \"{result}\"", row.output)),
        Err(too_long) => Some(too_long.to_string()),
    }
}

#[cfg(test)]
mod tests;
