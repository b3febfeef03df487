//! Fields into `callAttributes`, a string that holds a JSON object.

use serde_json::{Map, Value};

/// The object that a string holds.
pub(super) fn read(attributes: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(attributes).ok()
}

/// `own` with the fields of `more`, which replace those of the same name. What stays of `own` stays to the letter, as
/// long as nothing of it is replaced. Nothing where nothing is in it.
pub(super) fn merge(own: Option<(&str, &Map<String, Value>)>, more: &Map<String, Value>) -> Option<String> {
    let Some((text, fields)) = own else {
        return if more.is_empty() { None } else { serde_json::to_string(more).ok() };
    };
    if more.is_empty() {
        return Some(text.to_owned());
    }
    if more.keys().any(|field| fields.contains_key(field)) {
        let mut all = fields.clone();
        all.extend(more.clone());
        return serde_json::to_string(&all).ok();
    }
    // Beside the text, not through a parser: a number of the flow's keeps all of its digits.
    let more = serde_json::to_string(more).ok()?;
    let head = text.trim_end().strip_suffix('}')?.trim_end();
    let comma = if fields.is_empty() { "" } else { "," };
    Some([head, comma, more.strip_prefix('{')?].concat())
}
