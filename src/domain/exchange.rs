//! What was asked and answered for a call, as it is kept for whoever looks into it afterwards: no body and no number.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{CallCenterName, CallReference};

/// A text that is the same for many, or was read.
type Word = Cow<'static, str>;

/// A request of a flow with its answer, or an attempt of the outbox, with all that Salesforce was asked meanwhile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The contact center.
    pub call_center: CallCenterName,
    /// The call, as it was named.
    pub call: CallReference,
    /// Another name that the flow gave it in the same request: the journal need not know that one.
    pub also: Option<CallReference>,
    /// When it began.
    pub at: Timestamp,
    /// The rest, as it stands in the journal.
    pub record: ExchangeRecord,
}

/// What is kept of an [`Exchange`] as JSON. A later version may add to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExchangeRecord {
    /// Who asked.
    pub origin: ExchangeOrigin,
    /// What came of it, in the word of the log.
    pub outcome: Word,
    /// How long it took.
    pub milliseconds: u64,
    /// What was wrong, fit to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// What Salesforce was asked, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub salesforce: Vec<SalesforceExchange>,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "by", rename_all = "snake_case")]
pub enum ExchangeOrigin {
    /// A flow.
    Flow {
        /// The route, as in the path.
        route: Word,
        /// The HTTP status of the answer.
        status: u16,
        /// The id of the request, as in the log.
        request_id: String,
    },
    /// The worker of the outbox.
    Outbox {
        /// The kind of the entry.
        kind: Word,
        /// The number of the entry.
        entry: i64,
        /// Which attempt it was, from 1; none where Salesforce was not asked: then it was only put off, or is done with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        attempt: Option<u32>,
    },
}

/// A request to Salesforce.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesforceExchange {
    /// What was asked.
    pub operation: Word,
    /// How many milliseconds after the beginning of the exchange.
    pub after: u64,
    /// How long it took, with all repetitions.
    pub milliseconds: u64,
    /// The HTTP status of the last answer; none where none came, or nothing was sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why it failed, in Salesforce's words where it has any, fit to be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
}
