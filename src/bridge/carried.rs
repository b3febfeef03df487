//! What webhooks carry that fields of a VoiceCall are filled from.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{Bridge, BridgeError, in_time};
use crate::domain::{PickedValues, TaskEvent, TaskId, ValuePath};
use crate::salesforce::Budget;
use crate::settings::Settings;
use crate::store::{DetailKind, NewDetail, Owner};

/// What is of interest in webhooks, which do not say to which contact center they belong.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    paths: Vec<ValuePath>,
    longest: usize,
}

/// What a webhook carries of its call, on its way to the journal.
#[derive(Debug)]
pub struct Carried {
    owner: Owner,
    details: Vec<NewDetail>,
}

impl Wanted {
    pub(super) fn of(settings: &Settings) -> Self {
        let mut wanted = Self::default();
        for center in settings.call_centers.values() {
            let paths = center.attributes.iter().map(|attribute| &attribute.path);
            let paths: Vec<_> = paths.filter(|path| path.is_of_webhooks()).cloned().collect();
            if !paths.is_empty() {
                wanted.longest = wanted.longest.max(center.attribute_length);
                wanted.paths.extend(paths);
            }
        }
        wanted.paths.sort();
        wanted.paths.dedup();
        wanted
    }
}

impl Bridge {
    /// What a webhook carries of its call, if any contact center fills fields with it.
    #[must_use]
    pub fn carried(
        &self,
        task: &TaskId,
        event: &TaskEvent,
        data: impl FnOnce() -> Option<Map<String, Value>>,
    ) -> Option<Carried> {
        if self.wanted.paths.is_empty() {
            return None;
        }
        let (key, data) = (task.vendor_call_key()?, data()?);
        let picked = PickedValues::by_webhook(&data, self.wanted.paths.iter(), self.wanted.longest);
        let at = event.at.unwrap_or(Timestamp::UNIX_EPOCH);
        let kinds = (DetailKind::Webhook, DetailKind::Carried);
        let details = self.details_of(event.kind.name(), &picked, kinds, at);
        Some(Carried { owner: Owner::Key(key), details })
    }

    /// Keeps what a webhook carries; it is durable when this returns.
    ///
    /// # Errors
    /// When it cannot be written down: Webex sends it again.
    pub async fn keep_carried(&self, carried: Option<Carried>, budget: &Budget) -> Result<(), BridgeError> {
        let Some(Carried { owner, details }) = carried else { return Ok(()) };
        in_time(budget, self.outbox.store().keep_details(&owner, &details, self.outbox.now())).await
    }
}
