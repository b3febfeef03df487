//! All that is known of a call at one moment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{FoundValue, PathRoot, PickedValues, ValuePath};
use crate::domain::{CallHistory, MappedNames};

/// What requests and webhooks have told, and what the events mean. Of two values at a path the one of the later time
/// counts, so the order in which they are taken in leaves no trace; what is empty was never told, and removes nothing.
#[derive(Debug, Clone, Default)]
pub struct KnownValues {
    requests: LatestValues,
    webhooks: LatestValues,
    named: BTreeSet<String>,
    story: Option<CallHistory>,
    end: Option<Timestamp>,
}

/// The latest value at each path.
#[derive(Debug, Clone, Default)]
struct LatestValues(BTreeMap<String, (i64, FoundValue)>);

impl LatestValues {
    fn take(&mut self, at: Timestamp, picked: &PickedValues) {
        for (path, found) in picked.values() {
            let new = (at.as_millisecond(), found.clone());
            match self.0.get_mut(path) {
                Some(known) if *known >= new => {}
                Some(known) => *known = new,
                None => drop(self.0.insert(path.clone(), new)),
            }
        }
    }

    fn get(&self, path: &ValuePath) -> Option<FoundValue> {
        self.0.get(path.as_ref()).map(|(_, found)| found.clone())
    }
}

impl KnownValues {
    /// Takes in what a request has told, and when it came.
    pub fn add_request(&mut self, at: Timestamp, picked: &PickedValues) {
        self.requests.take(at, picked);
        self.named.extend(picked.named().cloned());
    }

    /// Takes in what a webhook has told, and when that happened, by Webex's clock.
    pub fn add_webhook(&mut self, at: Timestamp, picked: &PickedValues) {
        self.webhooks.take(at, picked);
    }

    /// Takes in what the events mean. What is still open in them lasts until `end`.
    pub fn understand(&mut self, story: CallHistory, end: Option<Timestamp>) {
        self.end = story.ended_at.or(end);
        self.story = Some(story);
    }

    /// Whether a flow's own callAttributes, of any request, have named a field.
    pub(super) fn is_named(&self, field: &str) -> bool {
        self.named.contains(field)
    }

    /// What lies at a path.
    pub(super) fn find(
        &self,
        path: &ValuePath,
        longest: usize,
        names: &MappedNames<'_>,
    ) -> Option<FoundValue> {
        let found = match path.root() {
            PathRoot::Request => self.requests.get(path),
            PathRoot::Data => self.webhooks.get(path),
            PathRoot::Anywhere => self.requests.get(path).or_else(|| self.webhooks.get(path)),
            PathRoot::Segments(value) => {
                value.of(self.story.as_ref()?, self.end, names).map(|text| FoundValue::text(text, longest))
            }
        };
        match found? {
            FoundValue::Text(text) => Some(FoundValue::text(text, longest)),
            other => Some(other),
        }
    }
}
