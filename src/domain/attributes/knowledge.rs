//! All that is known of a call at one moment.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Found, Picked, Root, ValuePath};
use crate::domain::{Names, Story};

/// What requests and webhooks have told, and what the events mean. Of two values at a path the one of the later time
/// counts, so the order in which they are taken in leaves no trace; what is empty was never told, and removes nothing.
#[derive(Debug, Clone, Default)]
pub struct Knowledge {
    requests: Latest,
    webhooks: Latest,
    named: BTreeSet<String>,
    story: Option<Story>,
    end: Option<Timestamp>,
}

/// The latest value at each path.
#[derive(Debug, Clone, Default)]
struct Latest(BTreeMap<String, (i64, Found)>);

impl Latest {
    fn take(&mut self, at: Timestamp, picked: &Picked) {
        for (path, found) in picked.values() {
            let new = (at.as_millisecond(), found.clone());
            match self.0.get_mut(path) {
                Some(known) if *known >= new => {}
                Some(known) => *known = new,
                None => drop(self.0.insert(path.clone(), new)),
            }
        }
    }

    fn get(&self, path: &ValuePath) -> Option<Found> {
        self.0.get(path.as_ref()).map(|(_, found)| found.clone())
    }
}

impl Knowledge {
    /// Takes in what a request has told, and when it came.
    pub fn add_request(&mut self, at: Timestamp, picked: &Picked) {
        self.requests.take(at, picked);
        self.named.extend(picked.named().cloned());
    }

    /// Takes in what a webhook has told, and when that happened, by Webex's clock.
    pub fn add_webhook(&mut self, at: Timestamp, picked: &Picked) {
        self.webhooks.take(at, picked);
    }

    /// Takes in what the events mean. What is still open in them lasts until `end`.
    pub fn understand(&mut self, story: Story, end: Option<Timestamp>) {
        self.end = story.ended_at.or(end);
        self.story = Some(story);
    }

    /// Whether a flow's own callAttributes, of any request, have named a field.
    pub(super) fn is_named(&self, field: &str) -> bool {
        self.named.contains(field)
    }

    /// What lies at a path.
    pub(super) fn find(&self, path: &ValuePath, longest: usize, names: &Names<'_>) -> Option<Found> {
        let found = match path.root() {
            Root::Request => self.requests.get(path),
            Root::Data => self.webhooks.get(path),
            Root::Anywhere => self.requests.get(path).or_else(|| self.webhooks.get(path)),
            Root::Segments(value) => {
                value.of(self.story.as_ref()?, self.end, names).map(|text| Found::text(text, longest))
            }
        };
        match found? {
            Found::Text(text) => Some(Found::text(text, longest)),
            other => Some(other),
        }
    }
}
