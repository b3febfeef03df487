//! What an administrator reads when a rule set cannot be read.

use super::super::{RulePart, Translation};

fn problems(rules: &str) -> String {
    let problems = Translation::parse(rules).unwrap_err();
    problems.iter().map(|problem| format!("{problem}\n")).collect()
}

#[test]
fn every_problem_of_a_rule_set_is_reported_at_once() {
    let rules = r#"{
        "Strip": "[1;17]->[^\\d",
        "2": "[1,17]",
        "Area": "[1,17]->(?<a>1)(?<a>2)->$1",
        "Country": "[1,17]->+49",
        "Fine": "[1,17]->0",
        "Local": 7,
        "Runaway": "[1,17]->(\\d+)+$"
    }"#;
    insta::assert_snapshot!(problems(rules));
}

#[test]
fn what_is_not_a_json_object_is_reported_as_such() {
    for rules in ["[]", "{", "\"x\"", "[1,17]->x", "{\"a\":\"[1,2]->x\"} y"] {
        let problems = Translation::parse(rules).unwrap_err();
        assert_eq!(
            (problems.len(), problems[0].part(), problems[0].rule()),
            (1, RulePart::Json, None),
            "{rules}"
        );
    }
}

#[test]
fn an_empty_rule_set_has_no_rules() {
    assert_eq!(Translation::parse(" ").unwrap().rules(), 0);
    assert_eq!(Translation::parse("{}").unwrap().rules(), 0);
}

#[test]
fn a_doubled_name_keeps_its_first_place_and_its_last_rule() {
    let rules = r#"{"a":"[1,9]->1->2","b":"[1,9]->2->3","a":"[1,9]->1->22"}"#;
    assert_eq!(Translation::parse(rules).unwrap().translate("1").unwrap(), "33");
}

#[test]
fn debug_names_the_rules_and_an_explanation_masks_its_number() {
    let translation = Translation::parse(r#"{"b":"[1,9]->1","2":"[1,9]->2"}"#).unwrap();
    assert_eq!(format!("{translation:?}"), r#"["2", "b"]"#);
    let explanation = translation.explain("+14693150217").unwrap();
    assert_eq!(format!("{explanation:?}"), "Explanation { input: +1469*****17, .. }");
}
