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

const RULES: &str = r#"{"Strip":"[1,17]->[^\\d]+","Swiss":"[10,10]->(\\d{2})->$1 ","Plus":"[12,12]->^->+"}"#;

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
    let (text, _) = translate(&["--config", "bridge.toml", "--call-center", "Sales", "--field", "to", "41"]);
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
    let (text, code) = table(include_str!("../../../tests/fixtures/translation.json"));
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
fn wrong_usage_is_told_by_name() {
    assert!(usage_error(&["123"]).contains("--rules"));
    assert!(usage_error(&["--rules", "{}"]).contains("NUMBER"));
    assert!(usage_error(&["--config", "a.toml", "1"]).contains("--call-center"));
    assert!(usage_error(&["--rules", "{}", "--field", "from", "1"]).contains("--config"));
    assert!(usage_error(&["--table", "t.json", "1"]).contains("cannot be used with"));
}
