//! The phone number rules of a contact center.

use crate::phone::Translation;

/// The rule sets of a contact center.
#[derive(Debug, Clone, Default)]
pub struct Translations {
    /// For the caller's number: `from`, `fromNumber`, END_USER participants.
    pub from: Translation,
    /// For the dialed number: `to`, `dialedNumber`.
    pub to: Translation,
}
