//! Phone numbers: masked by nature, cleaned up and translated by the rules administrators bring from their
//! Salesforce contact center settings. No rule can hold a call: patterns run on a machine that counts its steps.

mod cleanup;
mod number;
mod rule;
mod translation;

#[cfg(test)]
mod tests;

pub use cleanup::{LONGEST_NUMBER, NumberTooLong};
pub use number::{Masked, PhoneNumber, mask};
pub use rule::{RulePart, RuleProblem};
pub use translation::{Explanation, Translation, TranslationStep};
