//! What the vendor promises and what a JavaScript engine answered.

use serde::Deserialize;

use super::super::Translation;

#[derive(Deserialize)]
struct Vector {
    rules: String,
    input: String,
    output: String,
}

#[test]
fn every_translation_judged_by_a_javascript_engine_comes_out_the_same() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../../tests/fixtures/translation.json")).unwrap();
    assert_eq!(vectors.len(), 600);
    for Vector { rules, input, output } in vectors {
        let translation = Translation::parse(&rules).unwrap();
        assert_eq!(translation.translate(&input).unwrap(), output, "{rules} on {input}");
    }
}

#[test]
fn the_examples_of_the_vendors_guide_come_out_as_printed_there() {
    let strip = r"[1,17]->[^\d]+";
    for (rules, number, result) in [
        (
            vec![strip, r"[10,10]->(\d{1})(\d{2})(\d{3})(\d{2})(\d{2})->+41 $2 $3 $4 $5"],
            "0319175200",
            "+41 31 917 52 00",
        ),
        (
            vec![r"[1,17]->[^+\d]+", r"[12,12]->(\+1)(\d{3})(\d{3})(\d{4})->$1 $2 $3 $4"],
            "+14693150217",
            "+1 469 315 0217",
        ),
        (vec![r"[12, 12]->(\+1)(\d{3})(\d{3})(\d{4})-> $3 $4"], "+14693150217", "315 0217"),
        (vec![r"[12, 12]->(\+1)(\d{3})(\d{3})(\d{4})->($2) $3-$4"], "+14693150217", "(469) 315-0217"),
        (
            vec![strip, r"[12,17]->(\d{1})(\d{3})(\d{3})(\d{4})->+1 $2 $3 $4"],
            "+14693150217",
            "+1 469 315 0217",
        ),
        (vec![], "+49 (0) 151 5555 531", "+491515555531"),
    ] {
        let rules: serde_json::Map<_, _> =
            rules.into_iter().enumerate().map(|(n, rule)| (format!("rule {n}"), rule.into())).collect();
        let translation = Translation::parse(&serde_json::Value::from(rules).to_string()).unwrap();
        assert_eq!(translation.translate(number).unwrap(), result);
    }
}
