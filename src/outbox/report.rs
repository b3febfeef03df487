//! What the log and the metrics are told of an attempt.

use super::Outbox;
use crate::domain::CallCenterName;
use crate::store::{Attempt, EntryId, EntryKind};

/// Who made an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// The request that put the entry in: its own line tells of it too.
    Request,
    /// The worker.
    Worker,
}

/// An attempt on an entry.
#[derive(Debug, Clone, Copy)]
pub struct Attempted<'a> {
    /// Which entry.
    pub id: EntryId,
    /// What it asks.
    pub kind: EntryKind,
    /// The contact center.
    pub call_center: &'a CallCenterName,
    /// The key of its call, if it is known.
    pub vendor_call_key: Option<&'a str>,
    /// How often it was tried, with this time unless it was put off.
    pub attempts: u32,
    /// Who made it.
    pub by: By,
}

impl Outbox {
    /// Tells what came of an attempt. `is_withheld`: an agent has had the call, so nothing was sent and the entry is done
    /// with. Gives the word for that.
    pub fn tell(&self, attempted: Attempted<'_>, attempt: &Attempt, is_withheld: bool) -> &'static str {
        let Attempted { id, kind, call_center, vendor_call_key, attempts, by } = attempted;
        macro_rules! line {
            ($level:ident, $message:expr $(, $field:ident)*) => {
                tracing::$level!(
                    entry = id.0, kind = kind.name(), %call_center, vendor_call_key, attempts $(, $field)*, "{}", $message
                )
            };
        }
        let outcome = match (attempt, by) {
            (Attempt::Delivered { .. }, By::Worker) if is_withheld => {
                self.metrics.withheld("answered_meanwhile");
                line!(info, "not sent from the outbox: an agent has had the call");
                "withheld"
            }
            (Attempt::Delivered { .. }, By::Worker) => {
                line!(info, "delivered from the outbox");
                "delivered"
            }
            (Attempt::Delivered { .. }, By::Request) => "delivered",
            (Attempt::NotTried { words, .. }, By::Worker) => {
                line!(debug, "Salesforce is not asked now; kept for later", words);
                "not_asked"
            }
            (Attempt::NotTried { words, .. }, By::Request) => {
                line!(warn, "Salesforce is not asked now; kept for later", words);
                "not_asked"
            }
            (Attempt::Later { words, .. }, By::Worker) => {
                line!(info, "not delivered, another time", words);
                "later"
            }
            (Attempt::Later { words, .. }, By::Request) => {
                line!(warn, "Salesforce did not take it; kept for later", words);
                "later"
            }
            (Attempt::Buried { reason, words }, _) => {
                line!(error, "buried; see scv-bridge outbox show", reason, words);
                "buried"
            }
        };
        self.metrics.outbox_attempt(kind.name(), outcome);
        if outcome == "buried" {
            self.metrics.buried(call_center.as_ref(), kind.name());
        }
        outcome
    }
}
