//! Phone numbers: masked by nature, cleaned up and translated by the rules administrators bring from their
//! Salesforce contact center settings.
//!
//! A value goes through [`Translation::translate`]: clean-up, then every rule whose lengths cover the cleaned
//! number, one after the other, each a JavaScript `String.prototype.replace` with the flag `g`. No rule can
//! hold a call: patterns run on a machine that counts its steps. One that can run away is refused when it is
//! read; one that needs more than its share on some number leaves that number as it was.

mod cleanup;
mod number;
mod order;
mod pattern;
mod probe;
mod problem;
mod rule;
mod selector;
mod translation;

#[cfg(test)]
mod tests;

pub use cleanup::{LONGEST_NUMBER, NumberTooLong};
pub use number::{Masked, PhoneNumber, mask};
pub use problem::{RulePart, RuleProblem};
pub use translation::{Explanation, Step, Translation};
