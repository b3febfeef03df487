//! Queries of the Search API.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::{PageCursor, TimeSpan};

/// What is asked of each task.
const FIELDS: &[QueryField] = &[
    leaf("id"),
    leaf("channelType"),
    leaf("createdTime"),
    leaf("endedTime"),
    leaf("origin"),
    leaf("destination"),
    leaf("direction"),
    leaf("isActive"),
    leaf("contactHandleType"),
    leaf("terminationReason"),
    leaf("terminatingEnd"),
    QueryField { name: "lastQueue", arguments: "", fields: &[leaf("id")] },
    QueryField { name: "lastAgent", arguments: "", fields: &[leaf("id")] },
    leaf("connectedCount"),
    leaf("connectedDuration"),
    leaf("holdCount"),
    leaf("holdDuration"),
    leaf("queueCount"),
    leaf("queueDuration"),
    leaf("captureRequested"),
    leaf("isCallback"),
    QueryField {
        name: "activities",
        arguments: "(first: 100)",
        fields: &[
            leaf("totalCount"),
            QueryField { name: "nodes", arguments: "", fields: &[leaf("createdTime"), leaf("eventName")] },
        ],
    },
];

/// Without these there is nothing to compare.
const NEEDED: [&str; 2] = ["id", "endedTime"];

struct QueryField {
    name: &'static str,
    arguments: &'static str,
    /// Empty for a leaf.
    fields: &'static [Self],
}

const fn leaf(name: &'static str) -> QueryField {
    QueryField { name, arguments: "", fields: &[] }
}

/// Telephony tasks that ended within a time. `without`: fields that the tenant's schema lacks.
pub(super) fn ended(span: TimeSpan, cursor: Option<&PageCursor>, without: &BTreeSet<&'static str>) -> String {
    let (from, to) = (span.from.as_millisecond(), span.to.as_millisecond());
    // One that is active all the same is shown too: then a consulted party has ended, not the call.
    let filter = "filter: { channelType: { equals: telephony } }";
    let mut query = format!("{{ taskDetails(from: {from}, to: {to}, timeComparator: endedTime, {filter}");
    if let Some(PageCursor(cursor)) = cursor {
        // GraphQL escapes as JSON does.
        let cursor = serde_json::Value::from(cursor.as_str());
        // Writing to a String does not fail.
        let _ = write!(query, ", pagination: {{ cursor: {cursor} }}");
    }
    let fields = selection(FIELDS, without);
    query + &format!(") {{ tasks {{ {fields} }} pageInfo {{ hasNextPage endCursor }} }} }}")
}

/// An object of which no field is left is not asked for.
fn selection(fields: &[QueryField], without: &BTreeSet<&'static str>) -> String {
    let one = |field: &QueryField| {
        let inner = selection(field.fields, without);
        match (field.fields.is_empty(), inner.is_empty()) {
            _ if without.contains(field.name) => None,
            (true, _) => Some(field.name.to_owned()),
            (false, true) => None,
            (false, false) => Some(format!("{}{} {{ {inner} }}", field.name, field.arguments)),
        }
    };
    fields.iter().filter_map(one).collect::<Vec<_>>().join(" ")
}

/// The field that a refusal is about, if it is one that can be done without. Services word it as they like: `Field 'x' in
/// type 'Task' is undefined`, `Cannot query field "x" on type "Task"`, `x is no such field here`. What stands in quotes
/// counts first, else the last name of ours.
pub(super) fn refused(words: &str) -> Option<&'static str> {
    if !words.to_ascii_lowercase().contains("field") {
        return None;
    }
    let is_mark = |c: char| matches!(c, '"' | '\'' | '`');
    let quoted = words.split(is_mark).skip(1).step_by(2).find_map(|name| known(FIELDS, name));
    let is_end = |c: char| !c.is_ascii_alphanumeric() && c != '_';
    let named = || words.split(is_end).filter_map(|name| known(FIELDS, name)).next_back();
    quoted.or_else(named).filter(|name| !NEEDED.contains(name))
}

fn known(fields: &[QueryField], name: &str) -> Option<&'static str> {
    fields
        .iter()
        .find_map(|field| if field.name == name { Some(field.name) } else { known(field.fields, name) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> TimeSpan {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        TimeSpan { from: at(1_795_000_000), to: at(1_795_000_300) }
    }

    #[test]
    fn a_query_names_its_time_and_escapes_its_cursor() {
        let first = ended(span(), None, &BTreeSet::new());
        assert!(first.starts_with(
            "{ taskDetails(from: 1795000000000, to: 1795000300000, timeComparator: endedTime, "
        ));
        assert!(!first.contains("pagination"));
        let next = ended(span(), Some(&PageCursor("a\"}\nb".to_owned())), &BTreeSet::new());
        assert!(next.contains(r#"pagination: { cursor: "a\"}\nb" }"#), "{next}");
    }

    #[test]
    fn a_field_that_is_not_there_is_left_out_with_the_object_that_it_empties() {
        let of = |names: &[&'static str]| ended(span(), None, &names.iter().copied().collect());
        assert!(of(&[]).contains("lastQueue { id } lastAgent { id } "));
        assert!(of(&[]).contains("activities(first: 100) { totalCount nodes { createdTime eventName } }"));
        assert!(!of(&["holdCount"]).contains("holdCount"));
        assert!(of(&["holdCount"]).contains("holdDuration"));
        assert!(!of(&["totalCount", "createdTime", "eventName"]).contains("activities"));
    }

    #[test]
    fn a_refusal_names_the_field_in_whatever_words() {
        for (words, field) in [
            (
                "Validation error (FieldUndefined@[taskDetails/tasks/holdCount]) : Field 'holdCount' in type 'Task' is undefined",
                Some("holdCount"),
            ),
            ("Cannot query field \"captureRequested\" on type \"Task\".", Some("captureRequested")),
            ("query: queueCount is no such field here", Some("queueCount")),
            ("Unknown argument 'first' on field 'activities'", Some("activities")),
            ("Field 'id' in type 'Task' is undefined", None),
            ("bad query", None),
            ("Field 'x' in type 'Task' is undefined", None),
        ] {
            assert_eq!(refused(words), field, "{words}");
        }
    }
}
