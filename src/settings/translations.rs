//! The phone number rules of a contact center.

use super::section::Section;

/// The rule sets of a contact center.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translations {
    /// For the caller's number: `from`, `fromNumber`, END_USER participants.
    pub from: RuleSet,
    /// For the dialled number: `to`, `dialedNumber`.
    pub to: RuleSet,
}

/// One rule set: a JSON object of rules, as Salesforce's contact center settings hold it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSet(String);

impl RuleSet {
    pub(super) fn parse(text: &str) -> Result<Self, Vec<String>> {
        match serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(error) => Err(vec![format!("is not a JSON object of rules: {error}")]),
        }
    }

    /// The JSON text, as it was configured.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Translations {
    pub(super) fn read(mut section: Section<'_>) -> Option<Self> {
        let from = rule_set(&mut section, "from");
        let to = rule_set(&mut section, "to");
        section.finish();
        Some(Self { from: from?, to: to? })
    }
}

fn rule_set(section: &mut Section<'_>, key: &str) -> Option<RuleSet> {
    const HINT: &str = "paste the JSON from the contact center's settings in Salesforce, in single quotes";
    let text = section.text_or(key, "{}")?;
    let text = if text.trim().is_empty() { "{}" } else { &text };
    RuleSet::parse(text)
        .map_err(|problems| {
            for problem in problems {
                section.problem(key, problem, HINT);
            }
        })
        .ok()
}
