//! Queries of the Search API.

use std::fmt::Write as _;

use super::{Cursor, Span};

/// What is asked of each task.
const FIELDS: &str = "id status channelType createdTime endedTime origin destination direction isActive \
contactHandleType terminationType terminationReason terminatingEnd lastQueue { id name duration } \
lastAgent { id name signInId } connectedCount connectedDuration holdCount holdDuration queueCount queueDuration \
selfserviceDuration ringingDuration wrapupDuration totalDuration captureRequested \
activities(first: 100) { totalCount nodes { createdTime eventName duration } pageInfo { hasNextPage endCursor } }";

/// Telephony tasks that ended within a time.
pub(super) fn ended(span: Span, cursor: Option<&Cursor>) -> String {
    let (from, to) = (span.from.as_millisecond(), span.to.as_millisecond());
    // One that is active all the same is shown too: then a consulted party has ended, not the call.
    let filter = "filter: { channelType: { equals: telephony } }";
    let mut query = format!("{{ taskDetails(from: {from}, to: {to}, timeComparator: endedTime, {filter}");
    if let Some(Cursor(cursor)) = cursor {
        // GraphQL escapes as JSON does.
        let cursor = serde_json::Value::from(cursor.as_str());
        // Writing to a String does not fail.
        let _ = write!(query, ", pagination: {{ cursor: {cursor} }}");
    }
    query + &format!(") {{ tasks {{ {FIELDS} }} pageInfo {{ hasNextPage endCursor }} }} }}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_names_its_time_and_escapes_its_cursor() {
        let at = |second| jiff::Timestamp::from_second(second).unwrap();
        let span = Span { from: at(1_795_000_000), to: at(1_795_000_300) };
        let first = ended(span, None);
        assert!(first.starts_with(
            "{ taskDetails(from: 1795000000000, to: 1795000300000, timeComparator: endedTime, "
        ));
        assert!(!first.contains("pagination"));
        let next = ended(span, Some(&Cursor("a\"}\nb".to_owned())));
        assert!(next.contains(r#"pagination: { cursor: "a\"}\nb" }"#), "{next}");
    }
}
