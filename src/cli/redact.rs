//! What may be printed to a terminal: names and ids stay readable, phone numbers do not.

use serde_json::{Map, Value};

use crate::domain::{hide_numbers, is_id, names_a_number, printable, quote};
use crate::phone::mask;

/// Text of others on one line, without phone numbers, tokens and control characters. The ids of records and interactions
/// stay, although they may look like numbers, because they identify the call.
pub fn text(text: &str) -> String {
    if is_id(text) {
        return text.to_owned();
    }
    let visible: String = printable(text).chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    // `quote` finds numbers between spaces and punctuation; `hide_numbers` finds them after letters and underscores too.
    hide_numbers(&quote(&visible)).into_owned()
}

/// A body, at any depth.
pub fn body(body: &str) -> Value {
    match serde_json::from_str(body) {
        Ok(value) => json(value, false),
        Err(_) => Value::from("(not JSON)"),
    }
}

fn json(value: Value, is_number: bool) -> Value {
    match value {
        Value::Object(fields) => Value::Object(object(fields, is_number)),
        Value::Array(values) => values.into_iter().map(|value| json(value, is_number)).collect(),
        Value::String(text) if is_number => mask(&text).to_string().into(),
        Value::String(text) => string(&text).into(),
        Value::Number(number) if is_number => mask(&number.to_string()).to_string().into(),
        Value::Number(number) => {
            let digits = number.to_string();
            if text(&digits) == digits { Value::Number(number) } else { text(&digits).into() }
        }
        other @ (Value::Null | Value::Bool(_)) => other,
    }
}

fn object(fields: Map<String, Value>, is_number: bool) -> Map<String, Value> {
    let field = |(name, value): (String, Value)| {
        let is_number = is_number || names_a_number(&name);
        (text(&name), json(value, is_number))
    };
    fields.into_iter().map(field).collect()
}

/// Call attributes are JSON in a text.
fn string(value: &str) -> String {
    match serde_json::from_str::<Value>(value) {
        Ok(inner @ (Value::Object(_) | Value::Array(_))) => json(inner, false).to_string(),
        _ => text(value),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn ids_stay_readable_and_numbers_do_not() {
        for (given, shown) in [
            ("wxcc_7b3c1d52-1234-5678-9012-123456789012", "wxcc_7b3c1d52-1234-5678-9012-123456789012"),
            ("0LQ000000000123AAA", "0LQ000000000123AAA"),
            ("no record 0LQ000000000123AAA.", "no record 0LQ000000000123AAA."),
            ("wxcc_14693150217", "wxcc_***********"),
            ("+14693150217", "(number hidden)"),
            ("005500000000001", "(number hidden)"),
            ("tel:4693150217 is wrong", "tel:(number hidden) is wrong"),
            ("2026-11-21T10:00:00.123Z", "2026-11-21T10:00:00.123Z"),
            ("red\u{1b}[31m\nalert", "red [31m alert"),
        ] {
            assert_eq!(text(given), shown);
        }
    }

    #[test]
    fn numbers_of_a_body_are_masked_wherever_they_are() {
        let given = json!({
            "callCenter": "Sales", "call": "wxcc_7b3c",
            "body": {
                "from": "+14693150217", "to": "4711", "dialedNumber": 4711, "startTime": "2026-11-21T10:00:00.000Z",
                "participants": [{ "participantKey": "+14693150217", "type": "END_USER" }],
                "callAttributes": "{\"ANI\":\"4711\",\"Callback\":4693150217,\"Language\":\"de\"}",
                "isHeld": false, "queue": null, "priority": 3, "note+14693150217": "call 469 315 0217",
            },
        });
        insta::assert_snapshot!(serde_json::to_string_pretty(&body(&given.to_string())).unwrap());
        assert_eq!(body("+14693150217 {"), json!("(not JSON)"));
    }

    proptest! {
        #[test]
        fn no_number_of_ten_digits_passes_anywhere(
            before in "[a-z_:\"{ ]{0,4}", number in "[1-9][0-9]{9,14}", after in "[a-z_;\"} ]{0,4}",
            field in "from|to|note|callAttributes",
        ) {
            let value = format!("{before}{number}{after}");
            let given = json!({ "body": { field: value.as_str(), value.as_str(): [1, value.as_str()] } });
            prop_assert!(!body(&given.to_string()).to_string().contains(&number));
            prop_assert!(!text(&value).contains(&number));
        }
    }
}
