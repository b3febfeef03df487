//! SOQL queries for a VoiceCall by the REST API, under an OAuth session.

use std::sync::Arc;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Method};
use serde_json::Value;

use super::http::HttpRequest;
use super::session::{OAuthSession, OAuthSessions};
use super::{Budget, Failure, Operation, SalesforceApi};
use crate::domain::{CallReference, Fact, VendorCallKey, VoiceCallId};

/// Version 60.0 is of spring 2024. A VoiceCall has had both fields since 49.0.
const PATH: &str = "/services/data/v60.0/query";

/// Queries VoiceCalls of an org: whether an agent has had one, and whether there is one.
pub struct VoiceCallQuery {
    pub(super) sessions: Arc<OAuthSessions>,
}

impl VoiceCallQuery {
    /// Under these sessions.
    pub fn new(sessions: Arc<OAuthSessions>) -> Self {
        Self { sessions }
    }

    /// The VoiceCall of a vendorCallKey, the first of several.
    ///
    /// # Errors
    /// As [`VoiceCallQuery::agent`].
    pub async fn record(
        &self,
        client: &Client,
        key: &VendorCallKey,
        budget: &Budget,
    ) -> Result<Option<VoiceCallId>, Failure> {
        let value = literal(key.as_ref());
        let soql = format!("SELECT Id FROM VoiceCall WHERE VendorCallKey = {value}");
        let what = (SalesforceApi::Rest, Operation::Query);
        let outcome =
            self.sessions.exchange(what, client, budget, |session| query_request(session, &soql)).await;
        let data = outcome.and_then(super::AnswerOutcome::into_result).map_err(query_failure)?;
        let records = data.get("records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let id = |record: &Value| VoiceCallId::parse(record.get("Id")?.as_str()?).ok();
        Ok(records.iter().find_map(id))
    }

    /// The fact of an agent in a VoiceCall.
    ///
    /// # Errors
    /// When it could not be asked, in time or at all. Never [`Failure::Refused`]: there is no data of a flow in it that
    /// could be wrong.
    pub async fn agent(
        &self,
        client: &Client,
        call: &CallReference,
        budget: &Budget,
    ) -> Result<Option<Fact>, Failure> {
        let soql = soql(call);
        let what = (SalesforceApi::Rest, Operation::Query);
        let outcome =
            self.sessions.exchange(what, client, budget, |session| query_request(session, &soql)).await;
        let data = outcome.and_then(super::AnswerOutcome::into_result).map_err(query_failure)?;
        read_agent_fact(call, &data)
    }
}

/// A query for a VoiceCall of this key, with what the service reads of one.
pub(super) fn probe(session: &OAuthSession, key: &VendorCallKey) -> HttpRequest {
    query_request(session, &soql(&CallReference::Key(key.clone())))
}

fn query_request(session: &OAuthSession, soql: &str) -> HttpRequest {
    let mut headers = HeaderMap::with_capacity(1);
    headers.insert(AUTHORIZATION, session.authorization.clone());
    let mut url = session.instance.join(PATH);
    url.query_pairs_mut().append_pair("q", soql);
    HttpRequest { method: Method::GET, url, headers, body: Bytes::new() }
}

/// The query. A key can have several records, an id one.
fn soql(call: &CallReference) -> String {
    let field = match call {
        CallReference::Id(_) => "Id",
        CallReference::Key(_) => "VendorCallKey",
    };
    let value = literal(call.as_ref());
    format!("SELECT CallAcceptDateTime, CallDisposition FROM VoiceCall WHERE {field} = {value}")
}

/// A text in single quotes. SOQL reserves the quote and the backslash, which escapes both; control characters, which
/// would need an escape too, are in no name of a call.
fn literal(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

/// One record with an agent is enough. A record that has an id and is not found is hidden from the user: that does not
/// mean that no agent had the call.
fn read_agent_fact(call: &CallReference, data: &Value) -> Result<Option<Fact>, Failure> {
    let records = data.get("records").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if records.is_empty() && matches!(call, CallReference::Id(_)) {
        let words = "the query finds no record with this id".to_owned();
        return Err(query_failure(Failure::Refused { words }));
    }
    let agent = |record: &Value| {
        let text = |name: &str| record.get(name).and_then(Value::as_str);
        Fact::in_record(text("CallAcceptDateTime"), text("CallDisposition"))
    };
    Ok(records.iter().find_map(agent))
}

/// Whatever Salesforce refuses here is a fault of the configuration.
fn query_failure(failure: Failure) -> Failure {
    let about = |words: String| format!("asking the VoiceCall for an agent: {words}");
    match failure {
        Failure::Again { after, words } => Failure::Again { after, words: about(words) },
        Failure::Unanswered { words } => Failure::Unanswered { words: about(words) },
        Failure::NotAsked { after, words } => Failure::NotAsked { after, words: about(words) },
        Failure::Late => Failure::Late,
        Failure::NoTime => Failure::NoTime,
        Failure::Refused { words } => {
            let look = "may the user of the OAuth session read VoiceCall, its fields and all its records?";
            Failure::Misconfigured { words: about(format!("{words}; {look}")) }
        }
        Failure::Misconfigured { words } => Failure::Misconfigured { words: about(words) },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn call(text: &str) -> CallReference {
        CallReference::parse(text).unwrap()
    }

    /// Reads a literal as SOQL does; gives its text and what follows it.
    fn unquote(text: &str) -> Option<(String, &str)> {
        let mut read = String::new();
        let mut left = text.strip_prefix('\'')?.chars();
        loop {
            match left.next()? {
                '\'' => return Some((read, left.as_str())),
                '\\' => read.push(left.next().filter(|escaped| ['\\', '\''].contains(escaped))?),
                other => read.push(other),
            }
        }
    }

    #[test]
    fn a_call_is_asked_by_its_id_or_else_by_its_key() {
        insta::assert_snapshot!(soql(&call("0LQ5g000000abcDGAQ")), @"SELECT CallAcceptDateTime, CallDisposition FROM VoiceCall WHERE Id = '0LQ5g000000abcDGAQ'");
        insta::assert_snapshot!(soql(&call(r"x\' OR Id != '")), @r"SELECT CallAcceptDateTime, CallDisposition FROM VoiceCall WHERE VendorCallKey = 'x\\\' OR Id != \''");
    }

    proptest! {
        #[test]
        fn a_key_never_leaves_its_quotes(key in r#"([^\p{Cc}]|'|\\|"|%|_){1,80}"#) {
            let Ok(call) = CallReference::parse(key.as_str()) else { return Ok(()) };
            let soql = soql(&call);
            let (_, value) = soql.split_once(" = ").unwrap();
            prop_assert_eq!(unquote(value), Some((key, "")));
        }
    }

    #[test]
    fn one_record_with_an_agent_is_enough() {
        let fresh = json!({ "CallAcceptDateTime": null, "CallDisposition": "new" });
        let over = json!({ "CallAcceptDateTime": null, "CallDisposition": "completed" });
        let taken =
            json!({ "CallAcceptDateTime": "2026-11-21T10:00:00.000+0000", "CallDisposition": "completed" });
        let agent =
            |records: &[&Value]| read_agent_fact(&call("wxcc_1"), &json!({ "records": records })).unwrap();
        assert_eq!(agent(&[]), None);
        assert_eq!(agent(&[&fresh, &over]), None);
        assert_eq!(agent(&[&fresh, &taken]), Some(Fact::AgentInRecord));
        assert_eq!(agent(&[&json!({ "CallDisposition": "in-progress" })]), Some(Fact::AgentInRecord));
    }

    #[test]
    fn a_record_that_cannot_be_seen_is_not_taken_for_one_without_an_agent() {
        let none = json!({ "records": [] });
        let failure = read_agent_fact(&call("0LQ5g000000abcDGAQ"), &none).unwrap_err();
        assert!(matches!(failure, Failure::Misconfigured { .. }), "{failure}");
    }

    #[test]
    fn nothing_that_goes_wrong_here_counts_as_a_refusal_of_what_is_to_be_sent() {
        let words = || String::from("INVALID_TYPE: sObject type 'VoiceCall' is not supported.");
        let again = Failure::Again { after: None, words: words() };
        for failure in [Failure::Refused { words: words() }, Failure::Misconfigured { words: words() }] {
            assert!(matches!(query_failure(failure), Failure::Misconfigured { .. }));
        }
        assert!(matches!(query_failure(again), Failure::Again { .. }));
        assert_eq!(query_failure(Failure::Late), Failure::Late);
    }
}
