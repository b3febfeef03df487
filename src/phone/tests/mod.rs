//! Translations as a whole: the vectors, the vendor's examples, the limits, and Node.js as the judge.

mod limits;
mod node;
mod problems;
mod vectors;

use super::Translation;

/// A rule set of one rule.
fn one_rule(rule: &str) -> Result<Translation, Vec<super::RuleProblem>> {
    Translation::parse(&serde_json::json!({ "rule": rule }).to_string())
}
