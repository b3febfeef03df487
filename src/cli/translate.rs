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
mod tests {
    use std::process::ExitCode;

    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct TranslateProgram {
        #[command(flatten)]
        args: TranslateArgs,
    }

    /// What the command prints, and how it ends.
    fn translate(arguments: &[&str]) -> (String, ExitCode) {
        let program = TranslateProgram::parse_from(["translate"].iter().chain(arguments));
        let mut out = Vec::new();
        let configured = |file: &Path, call_center: &str, field: NumberField| {
            assert_eq!((file, call_center, field), (Path::new("bridge.toml"), "Sales", NumberField::To));
            Ok(Translation::parse(r#"{"Plus":"[1,17]->^->+"}"#).unwrap())
        };
        let code = run(&program.args, &mut out, configured).unwrap();
        (String::from_utf8(out).unwrap(), code)
    }

    fn usage_error(arguments: &[&str]) -> String {
        TranslateProgram::try_parse_from(["translate"].iter().chain(arguments)).unwrap_err().to_string()
    }

    fn table(rows: &str) -> (String, ExitCode) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), rows).unwrap();
        translate(&["--table", file.path().to_str().unwrap()])
    }

    const RULES: &str =
        r#"{"Strip":"[1,17]->[^\\d]+","Swiss":"[10,10]->(\\d{2})->$1 ","Plus":"[12,12]->^->+"}"#;

    #[test]
    fn every_step_is_shown_with_its_reason() {
        let (text, code) = translate(&["--rules", RULES, "+1 469 315 0217"]);
        insta::assert_snapshot!(text, @r"
        input     +1 469 315 0217
        clean-up  +14693150217
        Strip     14693150217  (applied)
        Swiss     14693150217  (other length)
        Plus      +14693150217  (applied)
        result    +14693150217
        ");
        assert_eq!(code, ExitCode::SUCCESS);
    }

    #[test]
    fn json_holds_input_cleaned_result_and_steps() {
        let (text, code) = translate(&["--rules", r#"{"a":"[1,3]->9->8"}"#, "--json", "1-2-3"]);
        insta::assert_snapshot!(text, @r#"{"input":"1-2-3","cleaned":"123","result":"123","steps":[{"rule":"a","applied":false,"result":"123"}]}"#);
        assert_eq!(code, ExitCode::SUCCESS);
    }

    #[test]
    fn configured_rules_are_looked_up_by_contact_center_and_field() {
        let (text, _) =
            translate(&["--config", "bridge.toml", "--call-center", "Sales", "--field", "to", "41"]);
        assert!(text.ends_with("result    +41\n"), "{text}");
    }

    #[test]
    fn rules_that_cannot_be_read_and_numbers_too_long_end_with_one() {
        let (text, code) = translate(&["--rules", r#"{"a":"[1,17]->("}"#, "1"]);
        assert_eq!(
            text,
            "rule \"a\", pattern: a `(` is never closed; close it with `)`, or write `\\(` for the character\n"
        );
        assert_eq!(code, ExitCode::from(1));
        let (text, code) = translate(&["--rules", "{}", &"1".repeat(65), "--json"]);
        assert!(text.contains("has 65 characters"), "{text}");
        assert_eq!(code, ExitCode::from(1));
    }

    #[test]
    fn a_table_that_agrees_ends_with_zero() {
        let (text, code) = table(include_str!("../../tests/fixtures/translation.json"));
        assert_eq!(text, "600 of 600 agree\n");
        assert_eq!(code, ExitCode::SUCCESS);
    }

    #[test]
    fn a_table_shows_what_differs_and_ends_with_one() {
        let rows = r#"[
        {"rules":"{}","input":"1 2","output":"12"},
        {"rules":"{}","input":"1 2","output":"1-2"},
        {"rules":"{\"a\":\"[1,30]->(\\\\d+)+$\"}","input":"1","output":"1"}
    ]"#;
        let (text, code) = table(rows);
        insta::assert_snapshot!(text, @r#"
    row 2: expected "1-2", got "12"
      rules: {}
      input: 1 2
    row 3: the rules cannot be read: rule "a", pattern: can run away: on some numbers it tries too many ways to match; do not repeat what is itself repeated, as in `(\d+)+`; or narrow the lengths it runs on
      rules: {"a":"[1,30]->(\\d+)+$"}
      input: 1
    1 of 3 agree
    "#);
        assert_eq!(code, ExitCode::from(1));
    }

    #[test]
    fn wrong_usage_is_reported_by_name() {
        assert!(usage_error(&["123"]).contains("--rules"));
        assert!(usage_error(&["--rules", "{}"]).contains("NUMBER"));
        assert!(usage_error(&["--config", "a.toml", "1"]).contains("--call-center"));
        assert!(usage_error(&["--rules", "{}", "--field", "from", "1"]).contains("--config"));
        assert!(usage_error(&["--table", "t.json", "1"]).contains("cannot be used with"));
    }
}
