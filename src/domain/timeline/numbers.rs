//! Who called whom, apart from the events: needed only while a call may still have to be logged.

use crate::phone::PhoneNumber;

use super::super::StoredJson;

/// The numbers of a task, as Webex tells them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TaskNumbers {
    /// Who called.
    pub origin: Option<PhoneNumber>,
    /// Who was called.
    pub destination: Option<PhoneNumber>,
}

impl TaskNumbers {
    /// As they are kept: JSON without a printable form. Nothing where there is no number.
    #[must_use]
    pub fn body(&self) -> Option<StoredJson> {
        let number = |number: &Option<PhoneNumber>| number.as_ref().map(|number| number.expose().to_owned());
        let pair = (number(&self.origin), number(&self.destination));
        if pair == (None, None) { None } else { serde_json::to_string(&pair).ok().map(StoredJson::new) }
    }

    /// Reads what was kept.
    #[must_use]
    pub fn read(body: &StoredJson) -> Option<Self> {
        let (origin, destination): (Option<String>, Option<String>) =
            serde_json::from_str(body.expose()).ok()?;
        Some(Self { origin: origin.map(Into::into), destination: destination.map(Into::into) })
    }

    /// Takes in what is not known yet.
    pub fn merge(&mut self, other: Self) {
        self.origin = self.origin.take().or(other.origin);
        self.destination = self.destination.take().or(other.destination);
    }
}
