//! The REST API's query resource, as far as VoiceCalls are asked about: one object, a few fields, one condition.

use serde_json::{Map, Value, json};
use url::form_urlencoded;

use super::answer::{Answer, Refused};
use super::oauth;
use super::org::{Incoming, Org};
use super::salesforce_id::short_form;
use super::voice_call::VoiceCall;

/// A query, understood.
#[derive(Debug, PartialEq, Eq)]
struct Query {
    fields: Vec<&'static str>,
    condition: &'static str,
    value: String,
}

/// What can be selected.
const FIELDS: [&str; 6] =
    ["Id", "VendorCallKey", "CallAcceptDateTime", "CallDisposition", "CallStartDateTime", "CallEndDateTime"];
/// What can stand in the condition.
const CONDITIONS: [&str; 2] = ["Id", "VendorCallKey"];

pub(super) fn attend(org: &Org, version: &str, incoming: &Incoming) -> Result<Answer, Refused> {
    oauth::check_session(org, incoming)?;
    let (_, parameters) = incoming.path.split_once('?').unwrap_or_default();
    let mut texts = form_urlencoded::parse(parameters.as_bytes()).filter(|(name, _)| name == "q");
    let Some((_, soql)) = texts.next() else {
        return Err(malformed("the parameter q is missing"));
    };
    let query = parse(&soql)?;
    if query.condition == "Id" && short_form(&query.value).is_none() {
        return Err(Refused::new(400, "INVALID_QUERY_FILTER_OPERATOR", "invalid ID field"));
    }
    let calls = match query.condition {
        "Id" => org.state().records.find(&query.value).cloned().into_iter().collect(),
        _ => org.state().records.select(|call| call.vendor_call_key == query.value),
    };
    let records: Vec<Value> = calls.iter().map(|call| query.record(call, version)).collect();
    Ok(Answer::json(200, &json!({ "totalSize": records.len(), "done": true, "records": records })))
}

impl Query {
    fn record(&self, call: &VoiceCall, version: &str) -> Value {
        let shown = serde_json::to_value(call).unwrap_or_default();
        let url = format!("/services/data/{version}/sobjects/VoiceCall/{}", call.id);
        let attributes = json!({ "type": "VoiceCall", "url": url });
        let field = |name: &&str| {
            let value = shown.get(*name).cloned().unwrap_or_default();
            ((*name).to_owned(), if name.ends_with("DateTime") { date_time(value) } else { value })
        };
        let fields = self.fields.iter().map(field);
        let record: Map<String, Value> =
            std::iter::once((String::from("attributes"), attributes)).chain(fields).collect();
        Value::Object(record)
    }
}

/// Dates of the REST API end in `+0000`.
fn date_time(value: Value) -> Value {
    match value.as_str().and_then(|text| text.strip_suffix('Z')) {
        Some(text) => format!("{text}+0000").into(),
        None => value,
    }
}

fn malformed(reason: &str) -> Refused {
    Refused::new(400, "MALFORMED_QUERY", reason)
}

fn parse(soql: &str) -> Result<Query, Refused> {
    let mut words = Words { left: soql };
    words.keyword("SELECT")?;
    let mut names = vec![words.word()?];
    while words.sign(',') {
        names.push(words.word()?);
    }
    words.keyword("FROM")?;
    let object = words.word()?;
    if object != "VoiceCall" {
        let reason = format!("sObject type '{object}' is not supported.");
        return Err(Refused::new(400, "INVALID_TYPE", reason));
    }
    words.keyword("WHERE")?;
    let condition = column(words.word()?, &CONDITIONS)?;
    if !words.sign('=') {
        return Err(malformed("only = is understood in the condition"));
    }
    let value = words.literal()?;
    if !words.left.trim().is_empty() {
        return Err(malformed("something follows the condition"));
    }
    let fields = names.into_iter().map(|name| column(name, &FIELDS)).collect::<Result<_, _>>()?;
    Ok(Query { fields, condition, value })
}

fn column(name: &str, known: &[&'static str]) -> Result<&'static str, Refused> {
    let found = known.iter().find(|known| **known == name).copied();
    found.ok_or_else(|| {
        let reason = format!("No such column '{name}' on entity 'VoiceCall'.");
        Refused::new(400, "INVALID_FIELD", reason)
    })
}

/// What is left to read of a query.
struct Words<'a> {
    left: &'a str,
}

impl<'a> Words<'a> {
    fn word(&mut self) -> Result<&'a str, Refused> {
        let text = self.left.trim_start();
        let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
        let (word, left) = text.split_at(end);
        self.left = left;
        if word.is_empty() { Err(malformed("a name is missing")) } else { Ok(word) }
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), Refused> {
        let word = self.word()?;
        let reason = || malformed(&format!("unexpected token: '{word}', {keyword} was expected"));
        if word.eq_ignore_ascii_case(keyword) { Ok(()) } else { Err(reason()) }
    }

    fn sign(&mut self, sign: char) -> bool {
        let rest = self.left.trim_start().strip_prefix(sign);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }

    /// Text in single quotes. A backslash before anything that needs none is an error, as is a line break.
    fn literal(&mut self) -> Result<String, Refused> {
        let text = self.left.trim_start();
        let mut characters =
            text.strip_prefix('\'').ok_or_else(|| malformed("a text in quotes is missing"))?.chars();
        let mut value = String::new();
        while let Some(character) = characters.next() {
            match character {
                '\'' => {
                    self.left = characters.as_str();
                    return Ok(value);
                }
                '\\' => match characters.next() {
                    Some(escaped @ ('\\' | '\'' | '"')) => value.push(escaped),
                    _ => return Err(malformed("illegal escape in a text")),
                },
                control if control.is_control() => {
                    return Err(malformed("line breaks not allowed in a text"));
                }
                other => value.push(other),
            }
        }
        Err(malformed("a text does not end"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_understood_whole_or_not_at_all() {
        let query =
            parse(r"select Id, CallDisposition FROM VoiceCall WHERE VendorCallKey = 'a\'b\\'").unwrap();
        let fields = vec!["Id", "CallDisposition"];
        assert_eq!(query, Query { fields, condition: "VendorCallKey", value: r"a'b\".into() });
        for (soql, code) in [
            ("", "MALFORMED_QUERY"),
            ("SELECT Id FROM VoiceCall", "MALFORMED_QUERY"),
            ("SELECT Id, FROM VoiceCall WHERE Id = '0LQ'", "MALFORMED_QUERY"),
            ("SELECT Id FROM VoiceCall WHERE Id = 0LQ", "MALFORMED_QUERY"),
            ("SELECT Id FROM VoiceCall WHERE Id LIKE '0LQ'", "MALFORMED_QUERY"),
            ("SELECT Id FROM VoiceCall WHERE Id = '0LQ", "MALFORMED_QUERY"),
            ("SELECT Id FROM VoiceCall WHERE Id = '0LQ' OR Id != ''", "MALFORMED_QUERY"),
            (r"SELECT Id FROM VoiceCall WHERE VendorCallKey = 'a\b'", "MALFORMED_QUERY"),
            ("SELECT Id FROM VoiceCall WHERE VendorCallKey = 'a\nb'", "MALFORMED_QUERY"),
            ("SELECT Id FROM Voicecalls WHERE Id = '0LQ'", "INVALID_TYPE"),
            ("SELECT Agent FROM VoiceCall WHERE Id = '0LQ'", "INVALID_FIELD"),
            ("SELECT Id FROM VoiceCall WHERE Agent = '0LQ'", "INVALID_FIELD"),
        ] {
            assert_eq!(parse(soql).unwrap_err().code, code, "{soql}");
        }
    }
}
